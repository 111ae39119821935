"""What administrators type about channels and rules, checked and as values.

Refuses to keep anything; ``bot.notifications.admin`` does.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.notifications.errors import NotificationInvalid
from bot.notifications.events import NoticeEvent
from bot.notifications.kinds import Kind, Reach
from bot.notifications.rules import hours
from bot.notifications.tables import NotificationRule
from bot.notifications.templates import MAX_TEXT_CHARS, MAX_TITLE_CHARS, check
from connectors.email_smtp import MAILBOX
from connectors.wecom_notices import PARTY
from store.vocabulary import Severity

MAX_NAME_CHARS, MAX_RECIPIENTS, MAX_REGIONS = 80, 50, 100
MAX_MINUTES, MAX_REMINDERS = 1_440, 20
MAX_RECIPIENT_CHARS = 190
_PHONE = re.compile(r"\+?[0-9]{5,15}")
_MAILBOX = re.compile(MAILBOX)
_ACCOUNT = re.compile(r"[0-9A-Za-z_-]{1,64}")
#: A userid, or the number of a department.
_MEMBER = re.compile(rf"[0-9A-Za-z][0-9A-Za-z_.@-]{{0,63}}|{PARTY}[1-9][0-9]{{0,9}}")
_SHAPES: Mapping[Reach, re.Pattern[str]] = {
    Reach.MAILBOXES: _MAILBOX,
    Reach.PHONES: _PHONE,
    Reach.MENTIONS: _PHONE,
    Reach.ACCOUNTS: _ACCOUNT,
    Reach.MEMBERS: _MEMBER,
}
_SEPARATORS = re.compile(r"[\s,;，；、]+")


@dataclass(frozen=True, slots=True)
class ChannelForm:
    """A channel's form. Secrets that stay empty are kept as they are, unless named to forget."""

    name: str
    fields: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    forget: frozenset[str] = frozenset()
    version: int = 0


@dataclass(frozen=True, slots=True)
class RuleForm:
    """A rule's form as it was typed."""

    name: str = ""
    enabled: bool = True
    channel_id: str = ""
    recipients: str = ""
    events: Sequence[str] = ()
    severities: Sequence[str] = ()
    regions: str = ""
    days: Sequence[str] = ()
    active_from: str = ""
    active_until: str = ""
    quiet_from: str = ""
    quiet_until: str = ""
    major_breaks_quiet: bool = True
    digest_minutes: str = "0"
    repeat_minutes: str = "0"
    repeat_times: str = "0"
    repeat_channel_id: str = ""
    repeat_recipients: str = ""
    title_template: str = ""
    text_template: str = ""
    version: int = 0

    @classmethod
    def of(cls, rule: NotificationRule) -> "RuleForm":
        """The form that shows this rule."""
        return cls(
            name=rule.name,
            enabled=rule.enabled,
            channel_id=rule.channel_id,
            recipients="\n".join(rule.recipients),
            events=tuple(rule.events),
            severities=tuple(rule.severities),
            regions="、".join(rule.regions),
            days=tuple(str(day) for day in rule.days),
            active_from=rule.active_from,
            active_until=rule.active_until,
            quiet_from=rule.quiet_from,
            quiet_until=rule.quiet_until,
            major_breaks_quiet=rule.major_breaks_quiet,
            digest_minutes=str(rule.digest_minutes),
            repeat_minutes=str(rule.repeat_minutes),
            repeat_times=str(rule.repeat_times),
            repeat_channel_id=rule.repeat_channel_id or "",
            repeat_recipients="\n".join(rule.repeat_recipients),
            title_template=rule.title_template,
            text_template=rule.text_template,
            version=rule.version,
        )

    def columns(self, kind: Kind, repeat_kind: Kind | None) -> dict[str, Any]:
        """The row's values. Raises :class:`NotificationInvalid`."""
        hours(self.active_from, self.active_until, "active")
        hours(self.quiet_from, self.quiet_until, "quiet")
        repeat = repeat_kind or kind
        return {
            "name": named(self.name),
            "enabled": self.enabled,
            "recipients": recipients(self.recipients, kind.reach, "recipients"),
            "events": _known(self.events, {one.value for one in NoticeEvent}, "events"),
            "severities": _known(self.severities, {one.value for one in Severity}, "severities"),
            "regions": _regions(self.regions),
            "days": [int(day) for day in _known(self.days, set("0123456"), "days")],
            "active_from": self.active_from,
            "active_until": self.active_until,
            "quiet_from": self.quiet_from,
            "quiet_until": self.quiet_until,
            "major_breaks_quiet": self.major_breaks_quiet,
            "digest_minutes": _number(self.digest_minutes, MAX_MINUTES, "digest_minutes"),
            "repeat_minutes": _number(self.repeat_minutes, MAX_MINUTES, "repeat_minutes"),
            "repeat_times": _number(self.repeat_times, MAX_REMINDERS, "repeat_times"),
            "repeat_recipients": recipients(
                self.repeat_recipients, repeat.reach, "repeat_recipients"
            )
            if repeat_kind
            else [],
            "title_template": check(self.title_template.strip(), "title_template", MAX_TITLE_CHARS),
            "text_template": check(self.text_template.strip(), "text_template", MAX_TEXT_CHARS),
        }


def named(text: str) -> str:
    """A name for people. Raises :class:`NotificationInvalid`."""
    name = " ".join(text.split())
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise NotificationInvalid("name", "name")
    return name


def recipients(text: str, reach: Reach, name: str) -> list[str]:
    """Whom to reach, as the channel understands it. Raises :class:`NotificationInvalid`."""
    found = list(dict.fromkeys(part for part in _SEPARATORS.split(text) if part))
    if len(found) > MAX_RECIPIENTS:
        raise NotificationInvalid(name, "many")
    shape = _SHAPES.get(reach)
    if shape is None:
        if found:
            raise NotificationInvalid(name, "nobody")
        return []
    for one in found:
        if len(one) > MAX_RECIPIENT_CHARS or not shape.fullmatch(one):
            raise NotificationInvalid(name, reach.value, one[:60])
    if not found and reach is not Reach.MENTIONS:
        raise NotificationInvalid(name, "missing")
    return found


def _known(chosen: Sequence[str], known: set[str], name: str) -> list[str]:
    if not set(chosen) <= known:
        raise NotificationInvalid(name, "value")
    return list(dict.fromkeys(chosen))


def _regions(text: str) -> list[str]:
    found = list(dict.fromkeys(part for part in _SEPARATORS.split(text) if part))
    if len(found) > MAX_REGIONS or any(len(one) > MAX_NAME_CHARS for one in found):
        raise NotificationInvalid("regions", "many")
    return found


def _number(text: str, most: int, name: str) -> int:
    text = text.strip() or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= len("10000")):
        raise NotificationInvalid(name, "value")
    if int(text) > most:
        raise NotificationInvalid(name, "value")
    return int(text)
