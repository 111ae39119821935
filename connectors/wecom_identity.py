"""Members of 政务微信/WeCom: web login inside the client, and the address book if it may be read.

The vendor's document 91022. Every address is a setting: private builds have their own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import structlog

from connectors.base import PermanentError
from connectors.identity_provider import Person
from connectors.settings import WecomSettings
from connectors.wecom_api import LoginRefused, Missing, WecomApi

#: Newer first; older builds know the second only, and spell the field in capitals.
_WHO = ("/cgi-bin/auth/getuserinfo", "/cgi-bin/user/getuserinfo")
#: How long an address book that refused us is not asked again.
_REST = timedelta(hours=24)
MOST_CODE, MOST_SUBJECT = 512, 64

log = structlog.get_logger("connectors.wecom")


class WecomIdentity:
    """One application as an identity provider."""

    def __init__(
        self, api: WecomApi, settings: WecomSettings, clock: Callable[[], datetime]
    ) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock
        self._who = 0
        self._closed_until: datetime | None = None

    def login_address(self, *, back: str, state: str, inside: bool = True) -> str:
        """As :class:`IdentityProvider`. Nothing is asked of the person (``snsapi_base``) inside;
        outside they scan a code with the client.
        """
        if not inside and self._settings.sso_url:
            scanned = {
                "appid": self._settings.corp_id,
                "agentid": self._settings.agent_id,
                "redirect_uri": back,
                "state": state,
            }
            return f"{self._settings.sso_url}?{urlencode(scanned)}"
        query = {
            "appid": self._settings.corp_id,
            "redirect_uri": back,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
            "agentid": self._settings.agent_id,
        }
        return f"{self._settings.oauth_url}?{urlencode(query)}#wechat_redirect"

    async def person_of_code(self, code: str) -> Person:
        """As :class:`IdentityProvider`; somebody outside the corporation is refused."""
        if not 0 < len(code) <= MOST_CODE:
            raise LoginRefused("code")
        answer = await self._ask_who(code)
        subject = answer.get("userid") or answer.get("UserId")
        if not isinstance(subject, str) or not 0 < len(subject) <= MOST_SUBJECT:
            raise LoginRefused("not a member")
        return await self.person(subject)

    async def person(self, subject: str) -> Person:
        """As :class:`IdentityProvider`; only the name when the address book may not be read."""
        closed = self._closed_until is not None and self._clock() < self._closed_until
        if not self._settings.directory or closed:
            return Person(subject)
        try:
            found = await self._api.get("/cgi-bin/user/get", userid=subject)
            number = _department(found)
            unit = await self._unit(number) if number else None
        except (PermanentError, Missing) as refused:
            log.warning("wecom_directory_refused", error=str(refused))
            self._closed_until = self._clock() + _REST
            return Person(subject)
        return Person(subject, _told(found, "name", 80), unit, self._settings.regions.get(number))

    async def _ask_who(self, code: str) -> Mapping[str, Any]:
        try:
            return await self._api.get(_WHO[self._who], code=code)
        except Missing:
            if self._who:
                raise
            self._who = 1
            return await self._api.get(_WHO[1], code=code)

    async def _unit(self, number: str) -> str | None:
        answer = await self._api.get("/cgi-bin/department/get", id=number)
        found = answer.get("department")
        return _told(found, "name", 120) if isinstance(found, Mapping) else None


def _department(found: Mapping[str, Any]) -> str:
    listed = found.get("department")
    first = listed[0] if isinstance(listed, list) and listed else ""
    return str(found.get("main_department") or first or "")


def _told(found: Mapping[str, Any], name: str, limit: int) -> str | None:
    value = found.get(name)
    return value.strip()[:limit] or None if isinstance(value, str) else None
