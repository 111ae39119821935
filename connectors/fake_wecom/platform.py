"""The platform's state: tokens, what members have on their screens, what it drops in silence.

Answers as the vendor documents (91039, 90236, 90312, 90313). Knows nothing of HTTP.
"""

import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.fake_wecom.looks import Look, Refused, look_of
from connectors.fake_wecom.media import MediaShelf
from connectors.fake_wecom.settings import FakeSettings

#: Refusals of a secret in a row after which the address is banned, and for how long.
_PATIENCE, _BAN = 3, timedelta(hours=1)
_CODE_LASTS, _CARD_LASTS = timedelta(minutes=5), timedelta(hours=72)
_MOST_RECEIVERS, _MOST_PARTIES = 1_000, 100
_CHECK_USUAL_S, _CHECK_MOST_S = 1_800, 4 * 3_600
BUSY_RATE, NO_TOKEN, BAD_TOKEN, OLD_TOKEN = 45009, 41001, 40014, 42001


@dataclass(slots=True)
class Shown:
    """One thing on a member's screen. ``replaced`` is what its buttons were replaced with."""

    number: int
    member: str
    look: Look
    at: datetime
    response_code: str = ""
    replaced: str = ""


@dataclass(slots=True)
class FakeWecom:
    """The platform. ``shown`` is everything on all screens, in order."""

    settings: FakeSettings
    clock: Callable[[], datetime]
    media: MediaShelf = field(default_factory=MediaShelf)
    shown: list[Shown] = field(default_factory=list)
    #: Codes that the next calls are answered with; a send with 0 is taken but not shown.
    script: list[int] = field(default_factory=list)
    upload_script: list[int] = field(default_factory=list)
    token_script: list[int] = field(default_factory=list)
    #: Called after each send, with what was shown.
    watcher: Callable[[Shown], None] | None = None
    token_calls: int = 0
    uploads: int = 0
    dropped: int = 0
    updates: list[Mapping[str, Any]] = field(default_factory=list)
    _token: str = ""
    _token_until: datetime | None = None
    _refusals: int = 0
    _banned_until: datetime | None = None
    _seen: dict[str, datetime] = field(default_factory=dict)
    _sent: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _codes: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _messages: int = 0

    def revoke(self) -> None:
        """End the token early, as the platform may."""
        self._token = ""

    def texts(self, member: str) -> list[str]:
        """The words on one member's screen."""
        return [one.look.text for one in self.shown if one.member == member]

    def cards(self) -> list[Look]:
        """Every card that was shown."""
        return [one.look for one in self.shown if one.look.kind == "template_card"]

    def give_token(self, corp_id: str, secret: str) -> dict[str, Any]:
        """The token of the application; the same one while it is good."""
        self.token_calls += 1
        now = self.clock()
        if self.token_script:
            raise Refused(self.token_script.pop(0))
        if self._banned_until is not None and now < self._banned_until:
            raise Refused(BUSY_RATE)
        if corp_id != self.settings.corp_id or secret != self.settings.secret:
            self._refusals += 1
            if self._refusals >= _PATIENCE:
                self._banned_until = now + _BAN
            raise Refused(40013 if corp_id != self.settings.corp_id else 40001)
        self._refusals = 0
        if not self._token or self._token_until is None or now >= self._token_until:
            self._token = f"token-{secrets.token_hex(8)}"
            self._token_until = now + timedelta(seconds=self.settings.lifetime_s)
        lasting = int((self._token_until - now).total_seconds())
        return {"access_token": self._token, "expires_in": lasting}

    def check_token(self, token: str) -> None:
        """Raises :class:`Refused` for a token that is missing, wrong or over."""
        if not token:
            raise Refused(NO_TOKEN)
        if token != self._token:
            raise Refused(BAD_TOKEN)
        if self._token_until is None or self.clock() >= self._token_until:
            raise Refused(OLD_TOKEN)

    def send(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """``message/send``: show a message to members. Raises :class:`Refused`."""
        if self.script:
            raise Refused(self.script.pop(0))
        if body.get("agentid") != self.settings.agent_id:
            raise Refused(40056)
        receivers, left_out = self._receivers(body)
        answer: dict[str, Any] = {"msgid": self._message_id()}
        answer |= {name: "|".join(one.lower() for one in those) for name, those in left_out.items()}
        if not receivers:
            return {"errcode": self.settings.all_invalid_code, **answer}
        look = self._look(body)
        if self._is_repeated(body):
            return answer
        if look.task_id:
            answer["response_code"] = secrets.token_urlsafe(16)
        for member in receivers:
            self._show(member, look, answer.get("response_code", ""))
        return answer

    def update_card(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """``message/update_template_card``: once per response code. Raises :class:`Refused`."""
        if not self.settings.takes_updates:
            raise Refused(48002)
        code, now = body.get("response_code"), self.clock()
        found = [one for one in self.shown if code and one.response_code == code]
        if not found or now - found[0].at > _CARD_LASTS:
            raise Refused(40058)
        replaced = body.get("button", {}).get("replace_name")
        if not replaced:
            raise Refused(40063)
        for one in found:
            one.response_code, one.replaced = "", str(replaced)
        self.updates.append(dict(body))
        return {}

    def press(self, shown: Shown) -> str:
        """A member presses a button: a fresh response code for the event."""
        shown.response_code = secrets.token_urlsafe(16)
        return shown.response_code

    def authorize(self, member: str) -> str:
        """A code for the web login of a member; for somebody outside without their name."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = (member, self.clock() + _CODE_LASTS)
        return code

    def member_of_code(self, code: str) -> dict[str, Any]:
        """Whose code it is; each is good once. Raises :class:`Refused`."""
        member, until = self._codes.pop(code, ("", None))
        if until is None or self.clock() >= until:
            raise Refused(40029)
        if not member:
            return {"openid": "o-outsider"}
        return {"UserId" if self.settings.old_oauth else "userid": member}

    def member(self, userid: str) -> dict[str, Any]:
        """``user/get``. Raises :class:`Refused`."""
        found = self.settings.members.get(userid)
        if found is None:
            raise Refused(60111)
        return {
            "userid": found.userid,
            "name": found.name,
            "department": [found.department],
            "main_department": found.department,
        }

    def department(self, number: int) -> dict[str, Any]:
        """``department/get``. Raises :class:`Refused`."""
        if number not in self.settings.departments:
            raise Refused(60123)
        name = self.settings.departments[number]
        return {"department": {"id": number, "name": name, "parentid": 1 if number > 1 else 0}}

    def _receivers(
        self, body: Mapping[str, Any]
    ) -> tuple[Sequence[str], Mapping[str, Sequence[str]]]:
        """Who is sent to, and who was named in vain, by field of the answer."""
        named, parties = _listed(body.get("touser")), _listed(body.get("toparty"))
        if not named and not parties:
            raise Refused(82001)
        if len(named) > _MOST_RECEIVERS or len(parties) > _MOST_PARTIES:
            raise Refused(40003)
        members = self.settings.members.values()
        within = [m.userid for m in members if str(m.department) in parties and m.visible]
        known = {str(m.department) for m in members}
        wanted = dict.fromkeys((*filter(self._is_visible, named), *within))
        left_out = {
            "invaliduser": [one for one in named if not self._is_visible(one)],
            "invalidparty": [one for one in parties if one not in known],
            "unlicenseduser": [one for one in wanted if not self._is_licensed(one)],
        }
        receivers = [one for one in wanted if self._is_licensed(one)]
        return receivers, {name: those for name, those in left_out.items() if those}

    def _is_licensed(self, userid: str) -> bool:
        found = self.settings.members.get(userid)
        return found is None or found.licensed

    def _is_visible(self, userid: str) -> bool:
        if not self.settings.members:
            return True
        found = self.settings.members.get(userid)
        return found is not None and found.visible

    def _look(self, body: Mapping[str, Any]) -> Look:
        look = look_of(body)
        supported = {
            "template_card": self.settings.takes_cards,
            "markdown": self.settings.takes_markdown,
        }
        if not supported.get(look.kind, True):
            raise Refused(40008)
        if look.media_id or look.kind in ("image", "voice", "video", "file"):
            _ = self.media.get(look.media_id, self.clock(), look.kind)
        return look

    def _is_repeated(self, body: Mapping[str, Any]) -> bool:
        if not body.get("enable_duplicate_check"):
            return False
        now = self.clock()
        span = min(int(body.get("duplicate_check_interval") or _CHECK_USUAL_S), _CHECK_MOST_S)
        whole = json.dumps(body, sort_keys=True)
        before = self._seen.get(whole)
        if before is not None and now - before < timedelta(seconds=span):
            return True
        self._seen[whole] = now
        return False

    def _show(self, member: str, look: Look, response_code: str) -> None:
        now, sent = self.clock(), self._sent[member]
        minute, hour = now - timedelta(minutes=1), now - timedelta(hours=1)
        sent[:] = [at for at in sent if at > hour]
        recent = sum(at > minute for at in sent)
        if recent >= self.settings.per_minute or len(sent) >= self.settings.per_hour:
            self.dropped += 1
            return
        sent.append(now)
        shown = Shown(len(self.shown) + 1, member, look, now, response_code)
        self.shown.append(shown)
        if self.watcher is not None:
            self.watcher(shown)

    def _message_id(self) -> str:
        self._messages += 1
        return f"msg-{self._messages}"


def _listed(names: object) -> Sequence[str]:
    return [one for one in str(names or "").split("|") if one]
