"""Requests that come by telephone, at the counter or by e-mail, logged by an engineer.

They are tickets like any other: triaged, numbered, on the clock. Refuses to open conversations:
there is nobody to answer in one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import DESK_ROLES, Principal
from bot.clock import Clock
from bot.conversations.live import STAFF, Live
from bot.errors import InvalidInput
from bot.masking import mask
from bot.phrases import Phrases
from bot.records import reasons_json
from bot.tables import User
from bot.tickets import caller_repository
from bot.tickets.desk import title_of
from handoff import service
from handoff.contract import Terms
from handoff.errors import InvalidMark
from handoff.marking import mark
from handoff.settings import HandoffSettings
from handoff.tables import Ticket
from handoff.texts import clipped
from handoff.ticket import Actor, ActorKind
from nlu.triage_types import Triage
from store import inbox
from store.base import new_id
from store.session import Database
from store.vocabulary import Category, Severity

#: Callers shown for one search; who is not among them is found by a longer search.
CALLERS_SHOWN = 8
#: One letter finds everybody.
SEARCH_LEAST = 2


class Source(StrEnum):
    """How a request came. The values are channels of tickets."""

    PHONE = "phone"
    WALK_IN = "walk_in"
    EMAIL = "email"


class Triager(Protocol):
    """Judges a matter. Synchronous and safe to call from threads."""

    def triage(self, text: str) -> Triage:
        """Category, severity and module, with reasons."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has asked before. ``phone`` is masked, as it rests."""

    id: str
    name: str
    unit: str
    region: str
    phone: str


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """What the engineer wrote down. Empty ``severity``, ``category``, ``module``: as proposed.

    ``caller_id`` names somebody known; else name, unit, region and phone describe them. The same
    ``request_id`` of the same engineer is the same request.
    """

    source: Source
    text: str
    request_id: str
    caller_id: str = ""
    name: str = ""
    unit: str = ""
    region: str = ""
    phone: str = ""
    severity: Severity | None = None
    category: Category | None = None
    module: str = ""
    take: bool = False
    #: Values of custom fields by key.
    fields: Mapping[str, str] = field(default_factory=dict)


class _AlreadyLogged(Exception):  # no error: undoes this transaction, nothing else
    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, slots=True)
class CallLog:
    """Looks callers up, proposes, and logs."""

    database: Database
    terms: Terms
    settings: HandoffSettings
    phrases: Phrases
    triager: Triager
    live: Live
    clock: Clock

    async def callers(self, staff: Principal, words: str) -> list[Caller]:
        """People by telephone number, name or unit, who asked last first, within the scope."""
        staff.require(*DESK_ROLES)
        wanted = words.strip()
        if len(wanted) < SEARCH_LEAST:
            return []
        async with self.database.reading() as session:
            found = await caller_repository.find_users(
                session,
                words=wanted,
                phone=mask(wanted).text,
                regions=staff.regions,
                limit=CALLERS_SHOWN,
            )
        return [_caller(user) for user in found]

    async def caller(self, staff: Principal, caller_id: str) -> Caller | None:
        """One of them; ``None`` for nobody within the scope."""
        staff.require(*DESK_ROLES)
        async with self.database.glance() as session:
            user = await _known(session, staff, caller_id)
        return _caller(user) if user is not None else None

    async def propose(self, staff: Principal, text: str) -> Triage | None:
        """What the request is judged to be; ``None`` while nothing is written."""
        staff.require(*DESK_ROLES)
        if not text.strip():
            return None
        return await asyncio.to_thread(self.triager.triage, mask(text).text)

    async def log(self, staff: Principal, request: LoggedRequest) -> str:
        """Open the ticket; its number. Raises :class:`InvalidInput`."""
        staff.require(*DESK_ROLES)
        if not request.text.strip():
            raise InvalidInput("text", "console.error.empty")
        triage = await asyncio.to_thread(self.triager.triage, mask(request.text).text)
        now = self.clock()
        try:
            async with self.database.transaction() as session:
                number = await self._logged(session, staff, request, triage=triage, now=now)
        except _AlreadyLogged as first:
            return first.number
        except InvalidMark:
            raise InvalidInput("fields", "call_log.error.fields") from None
        self.live.publish(STAFF)
        return number

    async def _logged(
        self,
        session: AsyncSession,
        staff: Principal,
        request: LoggedRequest,
        *,
        triage: Triage,
        now: datetime,
    ) -> str:
        key = f"{staff.staff_id}:{request.request_id}"
        known = await inbox.find(session, channel="call_log", external_id=key)
        if known is not None:
            raise _AlreadyLogged(str(known["number"]))
        caller = await self._caller(session, staff, request, now)
        actor = Actor(ActorKind.ENGINEER, staff.staff_id, staff.name)
        new = self._ticket(request, triage, caller)
        common: dict[str, Any] = {"actor": actor, "now": now, "terms": self.terms}
        ticket = await service.open_ticket(session, new, **common)
        await self._rate(session, ticket, request, common)
        if request.fields:
            await mark(session, ticket, fields=request.fields, **common)
        if request.take:
            await service.claim(session, ticket, **common)
        result = {"number": ticket.number}
        first = await inbox.admit(
            session, channel="call_log", external_id=key, result=result, now=now
        )
        if first is not None:
            raise _AlreadyLogged(str(first["number"]))
        return ticket.number

    def _ticket(self, request: LoggedRequest, triage: Triage, caller: User) -> service.NewTicket:
        text = mask(request.text).text
        return service.NewTicket(
            title=title_of(text),
            description=text,
            category=request.category or triage.category,
            severity=triage.severity,
            severity_reasons=tuple(reasons_json(triage)),
            contract_id=self.settings.contract_of(caller.region),
            channel=request.source.value,
            module=request.module.strip() or triage.module,
            requester_id=caller.id,
            region=caller.region or "",
            unit=caller.unit or "",
        )

    async def _rate(
        self, session: AsyncSession, ticket: Ticket, request: LoggedRequest, common: dict[str, Any]
    ) -> None:
        """The engineer's own rating beside the proposal, so that both can be read afterwards."""
        if request.severity is None or request.severity.value == ticket.severity:
            return
        why = self.phrases.say("call_log.rated", proposed=ticket.severity)
        await service.change_severity(session, ticket, severity=request.severity, why=why, **common)

    @staticmethod
    async def _caller(
        session: AsyncSession, staff: Principal, request: LoggedRequest, now: datetime
    ) -> User:
        if request.caller_id:
            found = await _known(session, staff, request.caller_id)
            if found is None:
                raise InvalidInput("caller_id", "call_log.error.caller")
            return found
        region = clipped(request.region, 80)
        if not staff.covers(region=region or None, module=None):
            raise InvalidInput("region", "call_log.error.region")
        user = User(
            id=new_id(),
            channel=request.source.value,
            external_user=new_id(),
            verified=False,
            name=clipped(request.name, 80) or None,
            unit=clipped(request.unit, 120) or None,
            region=region or None,
            phone=clipped(mask(request.phone).text, 40) or None,
            created_at=now,
        )
        session.add(user)
        await session.flush()
        return user


async def _known(session: AsyncSession, staff: Principal, caller_id: str) -> User | None:
    found = (await repository.users_by_id(session, [caller_id])).get(caller_id)
    covered = found is not None and staff.covers(region=found.region or None, module=None)
    return found if covered else None


def _caller(user: User) -> Caller:
    return Caller(user.id, user.name or "", user.unit or "", user.region or "", user.phone or "")


def known_reasons(phrases: Phrases, triage: Triage) -> Sequence[str]:
    """Why a request was judged so, in words."""
    return [
        phrases.say(
            "ticket.reason",
            rule=phrases.say(reason["rule"]),
            evidence=reason["evidence"],
            effect=phrases.say(f"triage.effect.{reason['effect']}"),
        )
        for reason in reasons_json(triage)
        if phrases.has(reason["rule"])
    ]
