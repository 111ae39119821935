"""Staff accounts in an administrator's hands: made, changed, switched off, given a new password.

Every change is audited with what changed. Refuses to leave the product without an administrator,
to show a password twice, and to leave anybody waiting for an engineer who is switched off: their
open tickets go back into their queues in the same transaction.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.accounts.service import Principal, add_staff, hash_password
from bot.conversations.live import STAFF
from bot.conversations.ownership import give_to
from bot.errors import InvalidInput, LastAdministrator, StaffNotFound
from bot.tables import Owner, Role, Staff
from bot.tickets.presence import LEVELS
from bot.tickets.work import TicketWork, Work
from handoff import listing_repository, presence_repository, service
from handoff import repository as rows
from handoff.listing_repository import TicketFilter
from handoff.ticket import OPEN_STATUSES, Action, Actor, ActorKind, Status, allowed_actions
from store import audit

#: Letters and digits that nobody mistakes for one another when they are read out.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_CHARS = 4, 4
NAME_CHARS, SCOPE_ENTRIES, SCOPE_CHARS = 80, 200, 80
MAX_CAPACITY = 100
#: More than anybody holds; what is beyond would be taken back at the next attempt.
HELD_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Profile:
    """What an administrator says of an account. ``capacity`` of ``None``: the setting's."""

    name: str
    post: str
    role: Role
    regions: tuple[str, ...]
    modules: tuple[str, ...]
    capacity: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the administrator sees it."""

    staff: Staff
    capacity: int | None
    open_tickets: int

    @property
    def routed(self) -> bool:
        """Whether tickets are given to the account."""
        return Role(self.staff.role) in LEVELS

    @property
    def profile(self) -> Profile:
        """What can be changed of it."""
        one = self.staff
        return Profile(
            one.name,
            one.post,
            Role(one.role),
            tuple(one.regions),
            tuple(one.modules),
            self.capacity,
        )


@dataclass(frozen=True, slots=True)
class OneTime:
    """A password that is told once and must be changed at the first login."""

    staff_id: str
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class StaffAdmin(TicketWork):
    """The administrator's verbs on accounts."""

    async def accounts(self, admin: Principal) -> list[Account]:
        """Every account: those that may log in first, then by name."""
        admin.require()
        async with self.database.reading() as session:
            people = await repository.all_staff(session)
            profiles = await presence_repository.profiles(session)
            loads = await presence_repository.loads(session, self.clock())
        found = []
        for one in people:
            profile, load = profiles.get(one.id), loads.get(one.id)
            capacity = profile.capacity if profile else None
            found.append(Account(one, capacity, load.open_tickets if load else 0))
        return sorted(found, key=lambda one: (not one.staff.active, one.staff.username))

    async def account(self, admin: Principal, staff_id: str) -> Account:
        """One account. Raises :class:`StaffNotFound`."""
        found = await self.accounts(admin)
        known = next((one for one in found if one.staff.id == staff_id), None)
        if known is None:
            raise StaffNotFound(staff_id)
        return known

    async def create(self, admin: Principal, username: str, profile: Profile) -> OneTime:
        """A new account with a one-time password. Raises :class:`InvalidInput`."""
        admin.require()
        _check(profile)
        password = one_time_password()
        async with self.database.transaction() as session:
            staff = await add_staff(
                session,
                username=username,
                password=password,
                role=profile.role,
                name=profile.name,
                post=profile.post,
                regions=profile.regions,
                modules=profile.modules,
                must_change_password=True,
                now=self.clock(),
            )
            await _set_capacity(session, staff.id, profile.capacity)
            await self._note(session, admin, staff, "staff.created", {"role": staff.role})
        return OneTime(staff.id, staff.username, password)

    async def change(self, admin: Principal, staff_id: str, profile: Profile) -> None:
        """Make the account what ``profile`` says. Raises :class:`LastAdministrator`."""
        admin.require()
        _check(profile)
        async with self.database.transaction() as session:
            admins = await repository.active_admins(session)
            staff = await _held(session, staff_id)
            if profile.role is not Role.ADMIN:
                _check_another_admin(admins, staff)
            row = await presence_repository.profile(session, staff_id)
            before = Account(staff, row.capacity, 0).profile
            staff.name, staff.post, staff.role = profile.name, profile.post, profile.role.value
            staff.regions, staff.modules = list(profile.regions), list(profile.modules)
            row.capacity = profile.capacity
            await self._note(session, admin, staff, "staff.changed", _changes(before, profile))

    async def disable(self, admin: Principal, staff_id: str) -> int:
        """Nobody logs in with it any more, from now on; how many tickets went back.

        Raises :class:`LastAdministrator`.
        """
        admin.require()
        async with self.database.transaction() as session:
            admins = await repository.active_admins(session)
            staff = await _held(session, staff_id)
            _check_another_admin(admins, staff)
            staff.active = False
            await _end_sessions(session, staff_id)
            returned = await self._return_tickets(session, staff)
            await self._note(session, admin, staff, "staff.disabled", {"tickets": returned})
        self.live.publish(STAFF)
        return returned

    async def enable(self, admin: Principal, staff_id: str) -> None:
        """The account may log in again, with its own password."""
        admin.require()
        async with self.database.transaction() as session:
            staff = await _held(session, staff_id)
            staff.active, staff.failed_logins, staff.locked_until = True, 0, None
            await self._note(session, admin, staff, "staff.enabled", {})

    async def reset_password(self, admin: Principal, staff_id: str) -> OneTime:
        """A new one-time password; every session ends and a lock is lifted."""
        admin.require()
        password = one_time_password()
        hashed = await asyncio.to_thread(hash_password, password)
        async with self.database.transaction() as session:
            staff = await _held(session, staff_id)
            staff.password_hash, staff.must_change_password = hashed, True
            staff.failed_logins, staff.locked_until = 0, None
            await _end_sessions(session, staff_id)
            await self._note(session, admin, staff, "staff.password_reset", {})
        return OneTime(staff.id, staff.username, password)

    async def _return_tickets(self, session: AsyncSession, staff: Staff) -> int:
        wanted = TicketFilter(status=OPEN_STATUSES, assignee_id=staff.id)
        held = await listing_repository.list_tickets(session, wanted, limit=HELD_LIMIT)
        actor = Actor(ActorKind.SYSTEM, "staff-disabled", "")
        back = 0
        for listed in held:
            talk = None
            if listed.conversation_id is not None:
                talk = await repository.lock_conversation(session, listed.conversation_id)
            ticket = await rows.by_id(session, listed.id, lock=True)
            if Action.RELEASE not in allowed_actions(Status(ticket.status)):
                continue
            work = Work(session, ticket, talk, actor, self.clock())
            why = self.phrases.say("staff_admin.returned", name=staff.name)
            await service.release(
                session, ticket, actor=actor, now=work.now, terms=self.terms, why=why
            )
            if talk is not None and talk.owner == Owner.ENGINEER and talk.staff_id == staff.id:
                text = self.phrases.say("ticket.moved", number=ticket.number, level=ticket.level)
                await self.tell(work, talk, "moved", text)
                give_to(talk, Owner.QUEUE, work.now)
            back += 1
        return back

    async def _note(
        self,
        session: AsyncSession,
        admin: Principal,
        staff: Staff,
        action: str,
        detail: dict[str, Any],
    ) -> None:
        await audit.record(
            session,
            actor=f"staff:{admin.staff_id}",
            action=action,
            subject=f"staff:{staff.id}",
            detail={"username": staff.username, **detail},
            now=self.clock(),
        )


def one_time_password() -> str:
    """Random, and short enough to be read out: about 79 bits."""
    groups = (secrets.SystemRandom().choices(_ALPHABET, k=_GROUP_CHARS) for _ in range(_GROUPS))
    return "-".join("".join(group) for group in groups)


async def _held(session: AsyncSession, staff_id: str) -> Staff:
    staff = await repository.staff_held(session, staff_id)
    if staff is None:
        raise StaffNotFound(staff_id)
    return staff


def _check_another_admin(admins: Sequence[Staff], staff: Staff) -> None:
    """All administrators are held first, in one order, so that two who switch each other off at
    once neither both succeed nor wait for each other for ever.
    """
    is_admin = staff.active and staff.role == Role.ADMIN
    if is_admin and not any(one.id != staff.id for one in admins):
        raise LastAdministrator(staff.id)


async def _end_sessions(session: AsyncSession, staff_id: str) -> None:
    for opened in await repository.sessions_of(session, staff_id):
        await session.delete(opened)


async def _set_capacity(session: AsyncSession, staff_id: str, capacity: int | None) -> None:
    if capacity is not None:
        (await presence_repository.profile(session, staff_id)).capacity = capacity


def _check(profile: Profile) -> None:
    if not profile.name or len(profile.name) > NAME_CHARS or len(profile.post) > NAME_CHARS:
        raise InvalidInput("name", "staff_admin.bad_name")
    for field, entries in (("regions", profile.regions), ("modules", profile.modules)):
        if len(entries) > SCOPE_ENTRIES or any(len(one) > SCOPE_CHARS for one in entries):
            raise InvalidInput(field, "staff_admin.bad_scope")
    if profile.capacity is not None and not 0 <= profile.capacity <= MAX_CAPACITY:
        raise InvalidInput("capacity", "staff_admin.bad_capacity")


def _changes(before: Profile, after: Profile) -> dict[str, Sequence[Any]]:
    """Old and new value of what differs."""
    pairs = {
        "name": (before.name, after.name),
        "post": (before.post, after.post),
        "role": (before.role.value, after.role.value),
        "regions": (list(before.regions), list(after.regions)),
        "modules": (list(before.modules), list(after.modules)),
        "capacity": (before.capacity, after.capacity),
    }
    return {key: [old, new] for key, (old, new) in pairs.items() if old != new}
