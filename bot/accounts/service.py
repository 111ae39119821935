"""Staff accounts: passwords, sessions, lockout, roles and scope.

Passwords rest as argon2id hashes, session tokens as SHA-256 hashes: a stolen database opens
no account. Refuses to know cookies or headers.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import repository
from bot.errors import InvalidInput, LockedOut, LoginRefused, NotPermitted
from bot.tables import Role, Staff, StaffSession
from store import audit
from store.base import new_id

#: Failed logins in a row before the account rests.
FREE_ATTEMPTS = 5
LOCK_FIRST, LOCK_CAP = timedelta(minutes=1), timedelta(hours=1)
SESSION_LENGTH = timedelta(hours=12)
MIN_PASSWORD_CHARS, MAX_PASSWORD_CHARS = 10, 200

_HASHER = PasswordHasher()


def _dummy_hash() -> str:
    """Verified for unknown names, so that they take as long as known ones."""
    return _HASHER.hash(secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: an account as it was when its session was looked up."""

    staff_id: str
    username: str
    name: str
    post: str
    role: Role
    regions: tuple[str, ...]
    modules: tuple[str, ...]
    csrf_token: str
    must_change_password: bool

    def may(self, *roles: Role) -> bool:
        """Whether the role is one of these; administrators may do everything."""
        return self.role is Role.ADMIN or self.role in roles

    def require(self, *roles: Role) -> None:
        """Raise :class:`NotPermitted` unless the role is one of these."""
        if not self.may(*roles):
            raise NotPermitted("|".join(roles))

    def covers(self, *, region: str | None, module: str | None) -> bool:
        """Whether a ticket of this region and module is within the account's scope."""
        in_region = not self.regions or region is None or region in self.regions
        in_module = not self.modules or module is None or module in self.modules
        return in_region and in_module


#: Roles that work on tickets.
DESK_ROLES = (Role.ENGINEER, Role.SECOND_LINE, Role.OPERATIONS)
#: Roles that may read tickets without working on them.
READING_ROLES = (*DESK_ROLES, Role.MANAGER)


def hash_password(password: str) -> str:
    """What rests of a password. Slow on purpose: call it in a thread."""
    return _HASHER.hash(password)


def hash_token(token: str) -> str:
    """What rests of a token. Tokens are long and random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


async def add_staff(
    session: AsyncSession,
    *,
    username: str,
    password: str,
    role: Role,
    now: datetime,
    name: str = "",
    post: str = "",
    regions: Sequence[str] = (),
    modules: Sequence[str] = (),
    must_change_password: bool = False,
) -> Staff:
    """Create an account. Raises :class:`InvalidInput` for a bad or taken name or password."""
    username = username.strip()
    if not username or len(username) > 60 or not username.isprintable() or " " in username:
        raise InvalidInput("username", "account.bad_username")
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise InvalidInput("password", "account.bad_password")
    if await repository.staff_by_username(session, username) is not None:
        raise InvalidInput("username", "account.taken")
    staff = Staff(
        id=new_id(),
        username=username,
        name=name or username,
        post=post,
        role=role.value,
        password_hash=await asyncio.to_thread(_HASHER.hash, password),
        must_change_password=must_change_password,
        regions=list(regions),
        modules=list(modules),
        created_at=now,
    )
    session.add(staff)
    await session.flush()
    await audit.record(
        session,
        actor="system",
        action="staff.added",
        subject=f"staff:{staff.id}",
        detail={"username": username, "role": role.value},
        now=now,
    )
    return staff


@dataclass(frozen=True, slots=True)
class LoginResult:
    """A failed login must be counted, so it is a value to commit and not an exception."""

    token: str = ""
    refusal: LoginRefused | LockedOut | None = None


async def log_in(
    session: AsyncSession,
    *,
    username: str,
    password: str,
    kind: str,
    user_agent: str,
    now: datetime,
) -> LoginResult:
    """Check a password and open a session; the caller commits in either case."""
    staff = await repository.staff_by_username(session, username)
    if staff is None or not staff.active:
        await asyncio.to_thread(_matches, await asyncio.to_thread(_dummy_hash), password)
        return LoginResult(refusal=LoginRefused())
    if staff.locked_until is not None and staff.locked_until > now:
        return LoginResult(refusal=LockedOut(int((staff.locked_until - now).total_seconds()) + 1))
    if not await asyncio.to_thread(_matches, staff.password_hash, password):
        return LoginResult(refusal=await _count_failure(session, staff, now))
    staff.failed_logins, staff.locked_until, staff.last_seen_at = 0, None, now
    token = await open_session(session, staff, kind=kind, user_agent=user_agent, now=now)
    await _audit_login(session, staff, "staff.logged_in", now)
    return LoginResult(token=token)


async def _count_failure(
    session: AsyncSession, staff: Staff, now: datetime
) -> LoginRefused | LockedOut:
    staff.failed_logins += 1
    await _audit_login(session, staff, "staff.login_failed", now)
    over = staff.failed_logins - FREE_ATTEMPTS
    if over < 0:
        return LoginRefused()
    rest = min(LOCK_FIRST * (1 << min(over, 10)), LOCK_CAP)
    staff.locked_until = now + rest
    return LockedOut(int(rest.total_seconds()))


async def _audit_login(session: AsyncSession, staff: Staff, action: str, now: datetime) -> None:
    subject = f"staff:{staff.id}"
    await audit.record(session, actor=subject, action=action, subject=subject, detail={}, now=now)


async def open_session(
    session: AsyncSession, staff: Staff, *, kind: str, user_agent: str, now: datetime
) -> str:
    """A new session; only its hash is kept, the token is returned once."""
    token = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            token_hash=hash_token(token),
            staff_id=staff.id,
            kind=kind,
            csrf_token=secrets.token_urlsafe(24),
            user_agent=user_agent[:300],
            created_at=now,
            expires_at=now + SESSION_LENGTH,
        )
    )
    await session.flush()
    return token


async def principal_of(session: AsyncSession, token: str, *, now: datetime) -> Principal | None:
    """Whose token this is; ``None`` when it is nobody's or has ended."""
    found = await repository.staff_session(session, hash_token(token), now=now)
    if found is None:
        return None
    opened, staff = found
    return Principal(
        staff_id=staff.id,
        username=staff.username,
        name=staff.name,
        post=staff.post,
        role=Role(staff.role),
        regions=tuple(staff.regions),
        modules=tuple(staff.modules),
        csrf_token=opened.csrf_token,
        must_change_password=staff.must_change_password,
    )


async def log_out(session: AsyncSession, token: str) -> None:
    """End a session."""
    opened = await session.get(StaffSession, hash_token(token))
    if opened is not None:
        await session.delete(opened)


async def change_password(
    session: AsyncSession, staff_id: str, *, old: str, new: str, now: datetime, keep: str = ""
) -> None:
    """Replace the password. Raises :class:`LoginRefused` or :class:`InvalidInput`.

    Every session of the account ends but that of the token ``keep``: whoever knew the old
    password is out.
    """
    staff = await repository.staff_by_id(session, staff_id)
    if staff is None or not await asyncio.to_thread(_matches, staff.password_hash, old):
        raise LoginRefused
    if not MIN_PASSWORD_CHARS <= len(new) <= MAX_PASSWORD_CHARS or new == old:
        raise InvalidInput("password", "account.bad_password")
    staff.password_hash = await asyncio.to_thread(_HASHER.hash, new)
    staff.must_change_password = False
    for opened in await repository.sessions_of(session, staff.id):
        if opened.token_hash != hash_token(keep):
            await session.delete(opened)
    await _audit_login(session, staff, "staff.password_changed", now)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password[:MAX_PASSWORD_CHARS])
    except (VerificationError, InvalidHashError):
        return False
