"""What administrators do with rules of tickets: each verb one transaction, with its history.

A rule is made switched off: it is tried on past tickets first. Switching on, and every change of
a rule that is on, sets the time from which it counts. Refuses rules that make no sense, and forms
that somebody else has overtaken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import Principal
from bot.changes import repository as change_repository
from bot.changes import service as changes
from bot.changes.service import Change, ChangedKind, Verb
from bot.clock import Clock
from bot.notifications import repository as notices
from bot.phrases import Phrases
from bot.rules.words import RuleWords
from bot.tables import Role
from bot.tickets.presence import LEVELS
from handoff import mark_repository
from handoff import rule_repository as rows
from handoff.errors import RuleChanged, RuleGone, RuleInvalid
from handoff.marks import CustomField
from handoff.rule_checks import Known, check, shadowed
from handoff.rule_tables import TicketRule
from handoff.rules import Rule
from store.base import new_id
from store.session import Database

#: Who may look besides administrators; only those change anything.
LOOK_ROLES = (Role.OPERATIONS, Role.MANAGER)
MAX_RULES = 100
#: The span that firings are counted over.
COUNTED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Named:
    """What rules can name: custom fields, and people and notification rules as id and name."""

    fields: Sequence[CustomField]
    engineers: Mapping[str, str]
    notifications: Mapping[str, str]

    @property
    def known(self) -> Known:
        """As rules are checked against it."""
        return Known(
            frozenset(one.key for one in self.fields),
            frozenset(self.engineers),
            frozenset(self.notifications),
        )

    def words(self, phrases: Phrases) -> RuleWords:
        """The names in sentences."""
        labels = {one.key: one.label for one in self.fields}
        return RuleWords(phrases, labels, {**self.engineers, **self.notifications})


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule in the list; ``shadow`` is the id of one above that never lets a ticket through."""

    row: TicketRule
    rule: Rule
    fired: int
    shadow: str


@dataclass(frozen=True, slots=True)
class RuleAdmin:
    """The verbs."""

    database: Database
    clock: Clock

    async def listed(self, staff: Principal) -> Sequence[Listed]:
        """All rules, from the top, with on how many tickets each acted lately."""
        staff.require(*LOOK_ROLES)
        async with self.database.reading() as session:
            found = await rows.rows(session)
            counts = await rows.firing_counts(session, self.clock() - COUNTED)
        rules = {one.id: rows.as_rule(one) for one in found}
        shadows = shadowed([rules[one.id] for one in found if one.enabled])
        return [
            Listed(one, rules[one.id], counts.get(one.id, 0), shadows.get(one.id, ""))
            for one in found
        ]

    async def rule(self, staff: Principal, rule_id: str) -> TicketRule:
        """One rule. Raises ``RuleGone``."""
        staff.require(*LOOK_ROLES)
        async with self.database.reading() as session:
            return await _row(session, rule_id)

    async def history(self, staff: Principal, rule_id: str) -> Sequence[Change]:
        """What was changed about a rule, the newest first."""
        staff.require(*LOOK_ROLES)
        async with self.database.reading() as session:
            return await changes.history(session, ChangedKind.TICKET_RULE, rule_id)

    async def named(self, staff: Principal) -> Named:
        """What rules can name now."""
        staff.require(*LOOK_ROLES)
        async with self.database.reading() as session:
            return await _named(session)

    async def check(self, staff: Principal, rule: Rule) -> None:
        """Whether the rule could be saved. Raises ``RuleInvalid``."""
        check(rule, (await self.named(staff)).known)

    async def save(self, staff: Principal, rule: Rule, version: int) -> str:
        """Make a rule (without id), at the bottom and off, or change one; its id.

        Raises ``RuleInvalid``, ``RuleGone`` and ``RuleChanged``.
        """
        staff.require()
        now = self.clock()
        async with self.database.transaction() as session:
            check(rule, (await _named(session)).known)
            if not rule.id:
                row = await _added(session, rule, now)
                await _note(session, staff, row, Verb.ADDED, now)
            else:
                row = await _row(session, rule.id)
                if row.version != version:
                    raise RuleChanged(rule.id)
                _write(row, rule, now)
                await _note(session, staff, row, Verb.CHANGED, now)
            return row.id

    async def switch(self, staff: Principal, rule_id: str, *, on: bool) -> None:
        """Switch a rule; what was so before it is on is none of its business.

        Raises ``RuleGone``, and ``RuleInvalid`` when what it names is gone meanwhile.
        """
        staff.require()
        now = self.clock()
        async with self.database.transaction() as session:
            row = await _row(session, rule_id)
            if row.enabled == on:
                return
            if on:
                check(rows.as_rule(row), (await _named(session)).known)
            row.enabled, row.active_since = on, now if on else None
            row.version, row.updated_at = row.version + 1, now
            verb = Verb.SWITCHED_ON if on else Verb.SWITCHED_OFF
            await _note(session, staff, row, verb, now)

    async def move(self, staff: Principal, rule_id: str, *, up: bool) -> None:
        """One place up or down; at the end of the list nothing happens. Raises ``RuleGone``."""
        staff.require()
        now = self.clock()
        async with self.database.transaction() as session:
            order = list(await rows.rows(session))
            place = next((n for n, one in enumerate(order) if one.id == rule_id), None)
            if place is None:
                raise RuleGone(rule_id)
            other = place - 1 if up else place + 1
            if not 0 <= other < len(order):
                return
            order[place], order[other] = order[other], order[place]
            for position, one in enumerate(order):
                one.position = position
            await _note(session, staff, order[other], Verb.MOVED, now)

    async def restore(self, staff: Principal, rule_id: str, change_id: str) -> None:
        """Make a rule as it was after a change; whether it is on stays. Raises as ``save``."""
        staff.require()
        now = self.clock()
        async with self.database.transaction() as session:
            row = await _row(session, rule_id)
            kept = await change_repository.one(session, ChangedKind.TICKET_RULE, change_id)
            if kept is None or kept.subject_id != rule_id or not kept.content:
                raise RuleGone(change_id)
            rule = rows.rule_of(rule_id, kept.content)
            check(rule, (await _named(session)).known)
            _write(row, rule, now)
            await _note(session, staff, row, Verb.RESTORED, now)

    async def remove(self, staff: Principal, rule_id: str) -> None:
        """Remove a rule; what it did stays on record. Raises ``RuleGone``."""
        staff.require()
        now = self.clock()
        async with self.database.transaction() as session:
            row = await _row(session, rule_id)
            await session.delete(row)
            kind = ChangedKind.TICKET_RULE
            await changes.note(session, staff, kind, rule_id, Verb.REMOVED, content={}, now=now)


async def _row(session: AsyncSession, rule_id: str) -> TicketRule:
    found = await rows.row(session, rule_id)
    if found is None:
        raise RuleGone(rule_id)
    return found


async def _named(session: AsyncSession) -> Named:
    people = await repository.all_staff(session)
    return Named(
        await mark_repository.fields(session),
        {
            one.id: f"{one.name} ({one.username})"
            for one in people
            if one.active and one.role in {role.value for role in LEVELS}
        },
        {one.id: one.name for one in await notices.rules(session)},
    )


async def _added(session: AsyncSession, rule: Rule, now: datetime) -> TicketRule:
    order = await rows.rows(session)
    if len(order) >= MAX_RULES:
        raise RuleInvalid("name", 0, "full")
    row = TicketRule(
        id=new_id(),
        position=max((one.position for one in order), default=-1) + 1,
        enabled=False,
        active_since=None,
        version=0,
        created_at=now,
    )
    _write(row, replace(rule, id=row.id), now)
    session.add(row)
    return row


def _write(row: TicketRule, rule: Rule, now: datetime) -> None:
    for name, value in rows.content(rule).items():
        setattr(row, name, value)
    row.version, row.updated_at = row.version + 1, now
    if row.enabled:
        row.active_since = now


async def _note(
    session: AsyncSession, staff: Principal, row: TicketRule, verb: Verb, now: datetime
) -> None:
    content = {**rows.content(rows.as_rule(row)), "enabled": row.enabled, "place": row.position + 1}
    kind = ChangedKind.TICKET_RULE
    await changes.note(session, staff, kind, row.id, verb, content=content, now=now)
