"""Short messages through 云MAS of China Mobile, as many government networks have it.

Fields and the MAC (MD5 of the values in a row) are from published clients; provinces differ in
address, and in whether the body is base64 and repeats the key: these are settings. A repetition
would reach a telephone twice, so an answer that was lost is not tried again by itself.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import httpx
from pydantic import Field, SecretStr

from connectors.base import PermanentError, TransientError
from connectors.notify_base import Misconfigured, Unsure
from connectors.notify_http import JSON_HEADERS, as_json, post
from connectors.sms_gateway import SmsConfig, never_twice

_OURS = frozenset(
    {"IllegalMac", "IllegalSignId", "InvalidUsrOrPwd", "NoSignId", "InvalidEcName", "IllegalIp"}
)
_BUSY = frozenset({"SystemError", "Busy", "OverSpeed"})


class MasMode(StrEnum):
    """What ``templates`` are: ids at the gateway, or approved words with ``{names}`` in them."""

    TEMPLATE = "template"
    CONTENT = "content"


class MasSmsConfig(SmsConfig):
    """One interface of one enterprise. ``url`` is the whole address of its submit verb."""

    url: str = Field(min_length=8, max_length=500)
    ec_name: str = Field(min_length=1, max_length=100)
    ap_id: str = Field(min_length=1, max_length=64)
    secret_key: SecretStr = Field(min_length=4, max_length=128)
    sign: str = Field(min_length=1, max_length=40)
    add_serial: str = Field(default="", pattern=r"^[0-9]{0,20}$")
    mode: MasMode = MasMode.TEMPLATE
    base64_body: bool = True
    repeats_key: bool = False


def mac(values: Sequence[str]) -> str:
    """The check over a submission's values in their order: MD5, lower case."""
    # The interface's choice; nothing else vouches for a message there.
    return hashlib.md5("".join(values).encode(), usedforsecurity=False).hexdigest()


class MasSmsGateway:
    """One interface's sends; see :class:`connectors.sms_gateway.SmsGateway`."""

    def __init__(self, client: httpx.AsyncClient, config: MasSmsConfig) -> None:
        self._client = client
        self._config = config

    async def send_sms(
        self, template_id: str, values: Mapping[str, str], phone: str, key: str
    ) -> None:
        content = as_json(self._submission(template_id, values, phone))
        if self._config.base64_body:
            content = base64.b64encode(content)
        try:
            answer = await post(self._client, self._config.url, content, JSON_HEADERS)
            told = answer.fields()
        except Unsure as unsure:
            raise never_twice(unsure) from None
        _check(told)

    def _submission(
        self, template_id: str, values: Mapping[str, str], phone: str
    ) -> Mapping[str, Any]:
        config = self._config
        secret = config.secret_key.get_secret_value()
        own = {"ecName": config.ec_name, "apId": config.ap_id}
        if config.mode is MasMode.TEMPLATE:
            params = json.dumps(list(values.values()) or [""], ensure_ascii=False)
            said = {"templateId": template_id, "mobiles": phone, "params": params}
        else:
            said = {"mobiles": phone, "content": _filled(template_id, values)}
        tail = {"sign": config.sign, "addSerial": config.add_serial}
        signed = mac([*own.values(), secret, *said.values(), *tail.values()])
        key = {"secretKey": secret} if config.repeats_key else {}
        return {**own, **key, **said, **tail, "mac": signed}

    async def close(self) -> None:
        await self._client.aclose()


def _filled(words: str, values: Mapping[str, str]) -> str:
    """Approved words with values in their places; what is no name of ours stays as it is."""
    for name, value in values.items():
        words = words.replace(f"{{{name}}}", value)
    return words


def _check(told: Mapping[str, Any]) -> None:
    code = str(told.get("rspcod") or "")
    if told.get("success") is True or code == "success":
        return
    shown = code if code.isascii() and code.isalnum() and len(code) <= 40 else "refused"
    if code in _OURS:
        raise Misconfigured(shown)
    if not code or code in _BUSY:
        raise TransientError(shown)
    raise PermanentError(shown)
