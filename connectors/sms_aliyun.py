"""Short messages through Aliyun: SendSms of its RPC interface, signed with HMAC-SHA1.

Source: the vendor's documents 2881383 and SendSms, version 2017-05-25. SendSms does not know
repetitions: an answer that was lost is never tried again by itself.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
from pydantic import Field, SecretStr

from connectors.base import Held, PermanentError, TransientError
from connectors.notify_base import Misconfigured, Unsure
from connectors.notify_http import as_json, post
from connectors.sms_gateway import SmsConfig, never_twice

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_OURS = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidTimeStamp",
    "Forbidden",
    "isv.ACCOUNT_",
    "isv.AMOUNT_NOT_ENOUGH",
    "isv.OUT_OF_SERVICE",
    "isv.PRODUCT_UN_SUBSCRI",
    "isv.SMS_SIGNATURE_",
    "isv.SMS_TEMPLATE_",
    "isp.RAM_PERMISSION_DENY",
)
_BUSY = ("isp.SYSTEM_ERROR", "Throttling", "ServiceUnavailable", "InternalError")
#: One number takes 5 an hour of one template at most; who is over waits.
_LIMIT, _LIMIT_HOLD_S = "isv.BUSINESS_LIMIT_CONTROL", 3_600.0


class AliyunSmsConfig(SmsConfig):
    """One account. ``templates`` are codes such as ``SMS_1001``."""

    url: str = Field(default="https://dysmsapi.aliyuncs.com", max_length=500)
    access_key_id: str = Field(min_length=4, max_length=128)
    access_key_secret: SecretStr = Field(min_length=8, max_length=128)
    sign: str = Field(min_length=2, max_length=40)
    region_id: str = Field(default="cn-hangzhou", pattern=r"^[a-z0-9-]{2,40}$")


def signature(secret: str, parameters: Mapping[str, str], method: str = "POST") -> str:
    """What ``Signature`` must be for these parameters, base64."""
    ordered = "&".join(
        f"{_quoted(name)}={_quoted(parameters[name])}" for name in sorted(parameters)
    )
    signed = f"{method}&{_quoted('/')}&{_quoted(ordered)}"
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), signed.encode(), "sha1")).decode()


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


class AliyunSmsGateway:
    """One account's sends; see :class:`connectors.sms_gateway.SmsGateway`."""

    def __init__(
        self, client: httpx.AsyncClient, config: AliyunSmsConfig, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._config = config
        self._clock = clock

    async def send_sms(
        self, template_id: str, values: Mapping[str, str], phone: str, key: str
    ) -> None:
        body = self._body(template_id, values, phone, key)
        try:
            answer = await post(self._client, self._config.url.rstrip("/") + "/", body, _FORM)
            code = answer.fields().get("Code")
        except Unsure as unsure:
            raise never_twice(unsure) from None
        _check(str(code or ""))

    def _body(self, template_id: str, values: Mapping[str, str], phone: str, key: str) -> bytes:
        config = self._config
        parameters = {
            "AccessKeyId": config.access_key_id,
            "Action": "SendSms",
            "Format": "JSON",
            "OutId": hashlib.sha256(key.encode()).hexdigest()[:32],
            "PhoneNumbers": phone,
            "RegionId": config.region_id,
            "SignName": config.sign,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureNonce": secrets.token_hex(16),
            "SignatureVersion": "1.0",
            "TemplateCode": template_id,
            "TemplateParam": as_json(values).decode(),
            "Timestamp": f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "Version": "2017-05-25",
        }
        secret = config.access_key_secret.get_secret_value()
        parameters["Signature"] = signature(secret, parameters)
        pairs = (f"{_quoted(name)}={_quoted(value)}" for name, value in parameters.items())
        return "&".join(pairs).encode()

    async def close(self) -> None:
        await self._client.aclose()


def _check(code: str) -> None:
    if code == "OK":
        return
    told = code if code.isascii() and len(code) <= 80 else "unknown code"
    if code.startswith(_OURS):
        raise Misconfigured(told)
    if code == _LIMIT:
        raise Held(told, _LIMIT_HOLD_S)
    if not code or code.startswith(_BUSY):
        raise TransientError(told or "no code in the answer")
    raise PermanentError(told)
