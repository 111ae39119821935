"""What rules do to tickets: every step through the verbs that people use, each once.

A rule acts on a ticket in one transaction: its steps, and the row that says that it acted, with
why and what came of each step. The row is unique for rule, ticket and reopening, so a restart or a
second worker repeats nothing. Refuses to judge whether a rule fits (``handoff.rule_moments``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot import repository
from bot.notifications.events import Happened, NoticeEvent
from bot.notifications.planning import Planner
from bot.notifications.scanning import ticket_values
from bot.rules.words import RuleWords
from bot.tickets.dispatching import can_take
from bot.tickets.presence import Presences
from bot.tickets.revisits import Revisits
from bot.tickets.work import TicketWork, Work
from handoff import mark_repository, marking, rule_repository, service
from handoff import repository as rows
from handoff.errors import HandoffError
from handoff.routing import Work as Wanted
from handoff.routing import pick_engineer
from handoff.rule_effects import effect, words
from handoff.rule_moments import fits, holding
from handoff.rule_past import Seen, actor_of, seen
from handoff.rule_repository import Active
from handoff.rule_tables import RuleFiring
from handoff.rules import Effect, Rule, Step, StepKind
from handoff.service import Destination
from handoff.ticket import Level
from store.base import new_id
from store.vocabulary import Severity

log = structlog.get_logger("bot.rules")

#: What a verb can be told of why; its limit is ``handoff.texts.SHORT_LIMIT``.
_WHY_CHARS = 480


@dataclass(frozen=True, slots=True)
class RuleActing(TicketWork):
    """Rules at work on one ticket."""

    presences: Presences
    planner: Planner
    revisits: Revisits

    async def act(self, ticket_id: str, wanted: Sequence[Active], order: Sequence[str]) -> int:
        """Let these rules, from the top, do what they fit for; how many acted.

        ``order`` is that of all rules. A rule further down sees what those above it did.
        """
        acted = 0
        async with self.database.transaction() as session:
            for one in wanted:
                work = await self.hold(session, ticket_id, actor_of(one.rule))
                if await _is_left_aside(work, one, order):
                    continue
                now = await self._now(work)
                if fits(one.rule, now.situation, max(work.now, now.situation.start)):
                    await self._fire(work, one, now)
                    acted += 1
        return acted

    async def _now(self, work: Work) -> Seen:
        events = await rows.events_of(work.session, work.ticket.id)
        *_, newest = seen(rule_repository.about(work.ticket), events, self.terms)
        return newest

    async def _fire(self, work: Work, one: Active, now: Seen) -> None:
        told = await self._words(work, one.rule)
        because = holding(one.rule, now.situation, max(work.now, now.situation.start))
        reasons = told.reasons(because)
        why = self.phrases.say("rules.why", rule=one.rule.name, reasons=reasons)[:_WHY_CHARS]
        outcomes = []
        for step in one.rule.steps:
            came = await self._step(work, one.rule, step, now, why)
            outcomes.append(
                {"kind": step.kind.value, "says": told.step(step), "effect": came.value}
            )
        work.session.add(
            RuleFiring(
                id=new_id(),
                rule_id=one.rule.id,
                rule_name=one.rule.name,
                rule_version=one.version,
                occasion=one.rule.occasion.value,
                stop=one.rule.stop,
                ticket_id=work.ticket.id,
                episode=work.ticket.reopened,
                at=work.now,
                reasons=[told.condition(condition) for condition in because],
                outcomes=outcomes,
            )
        )
        await work.session.flush()
        log.info("rule_acted", rule_id=one.rule.id, ticket_id=work.ticket.id)

    async def _words(self, work: Work, rule: Rule) -> RuleWords:
        labels = {one.key: one.label for one in await mark_repository.fields(work.session)}
        names = {}
        for step in rule.steps:
            if step.kind is StepKind.ENGINEER:
                staff = await repository.staff_by_id(work.session, step.target)
                names[step.target] = staff.name if staff is not None else ""
        return RuleWords(self.phrases, labels, names)

    async def _step(self, work: Work, rule: Rule, step: Step, now: Seen, why: str) -> Effect:
        foreseen = effect(step, now.situation.facts)
        if foreseen is not Effect.DONE:
            return foreseen
        try:
            async with work.session.begin_nested():
                return await self._do(work, rule, step, now, why)
        except HandoffError as refusal:
            log.info("rule_step_refused", rule_id=rule.id, error=type(refusal).__name__)
            # What the step had begun is undone; the ticket is read as it stands.
            await rows.by_id(work.session, work.ticket.id, lock=True)
            return Effect.REFUSED

    async def _do(self, work: Work, rule: Rule, step: Step, now: Seen, why: str) -> Effect:
        match step.kind:
            case StepKind.QUEUE | StepKind.ESCALATE:
                await self._move(work, step, why)
            case StepKind.ENGINEER | StepKind.SKILL:
                return await self._hand(work, step)
            case StepKind.SEVERITY | StepKind.TAG | StepKind.UNTAG:
                await self._describe(work, step, why)
            case StepKind.PROPOSE | StepKind.NOTE:
                await self._verb(work, service.note, text=self._text(work, rule, step, now, why))
            case StepKind.NOTIFY:
                return await self._notify(work, rule, step, now)
            case StepKind.CALL_BACK:
                asked = await self.revisits.ask_for(work.session, work.ticket, work.now)
                return Effect.DONE if asked else Effect.ALREADY
        return Effect.DONE

    async def _describe(self, work: Work, step: Step, why: str) -> None:
        if step.kind is StepKind.SEVERITY:
            severity = Severity(step.target)
            await self._verb(work, service.change_severity, severity=severity, why=why)
        else:
            tags = {"add" if step.kind is StepKind.TAG else "remove": [step.target]}
            await self._verb(work, marking.retag, **tags)

    async def _verb(self, work: Work, verb: Any, **given: Any) -> None:
        await verb(
            work.session, work.ticket, actor=work.actor, now=work.now, terms=self.terms, **given
        )

    async def _move(self, work: Work, step: Step, why: str) -> None:
        if step.kind is StepKind.ESCALATE:
            await self._verb(work, service.escalate, why=why, to=Level(step.target))
        else:
            to = Destination(level=Level(step.target))
            await self._verb(work, service.transfer, to=to, why=why)
        await self.wait_again(work)

    async def _hand(self, work: Work, step: Step) -> Effect:
        taker = step.target
        if step.kind is StepKind.SKILL:
            taker = await self._skilled(work, step.target)
        found = await repository.staff_by_id(work.session, taker) if taker else None
        if found is None or not can_take(found, work.ticket):
            return Effect.NOBODY
        if work.ticket.assignee_id == found.id:
            return Effect.ALREADY
        await self._verb(work, service.assign, assignee_id=found.id)
        return Effect.DONE

    async def _skilled(self, work: Work, skill: str) -> str:
        """Whoever is there, is named for the module, and has the least to do."""
        everybody = await self.presences.engineers(work.session, work.now, lock=True)
        able = [one for one in everybody if skill in one.modules]
        ticket = work.ticket
        wanted = Wanted(Level(ticket.level), Severity(ticket.severity), ticket.region, skill)
        chosen = pick_engineer(able, wanted)
        return chosen.id if chosen is not None else ""

    def _text(self, work: Work, rule: Rule, step: Step, now: Seen, why: str) -> str:
        if step.kind is StepKind.PROPOSE:
            return self.phrases.say("rules.propose", severity=step.target, why=why)
        ticket = work.ticket
        facts = now.situation.facts
        return words(step, facts, number=ticket.number, title=ticket.title, rule=rule.name)

    async def _notify(self, work: Work, rule: Rule, step: Step, now: Seen) -> Effect:
        ticket = work.ticket
        text = self._text(work, rule, step, now, "") or rule.name
        happened = Happened(
            key=f"rule:{rule.id}:{ticket.id}:{ticket.reopened}",
            event=NoticeEvent.RULE,
            at=work.now,
            severity=Severity(ticket.severity),
            subject=ticket.number,
            region=ticket.region,
            ticket_id=ticket.id,
            path=f"/console/tickets/{ticket.number}",
            values={**ticket_values(ticket), "detail": text, "source": rule.name},
        )
        planned = await self.planner.plan_by(work.session, step.target, happened, now=work.now)
        return Effect.DONE if planned else Effect.REFUSED


async def _is_left_aside(work: Work, one: Active, order: Sequence[str]) -> bool:
    """Whether the rule acted already, or one above it that stops those below did."""
    above = set(order[: order.index(one.rule.id)])
    for firing in await rule_repository.firings(work.session, work.ticket.id):
        if firing.episode != work.ticket.reopened:
            continue
        stopped = firing.stop and firing.occasion == one.rule.occasion.value
        if firing.rule_id == one.rule.id or (stopped and firing.rule_id in above):
            return True
    return False
