"""A pretended 粤政易 beside the product, to show and try the channel without the platform.

Everything is in memory and gone with the process. It is for one machine and has no login.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from bot.clock import Clock
from bot.phrases import Phrases
from connectors.fake_wecom.bot_phones import BotPhones
from connectors.fake_wecom.bot_sockets import PATH as SOCKET_PATH
from connectors.fake_wecom.bot_sockets import FakeBotSocket
from connectors.fake_wecom.bots import FakeBot
from connectors.fake_wecom.handsets import Handsets
from connectors.fake_wecom.letters import Letters
from connectors.fake_wecom.platform import FakeWecom
from connectors.fake_wecom.postman import Postman, Weather
from connectors.fake_wecom.settings import FakeSettings, Member
from connectors.settings import BotMode, WecomBotSettings, WecomSettings
from connectors.wecom_crypto import CallbackKeys

#: Where the product takes callbacks, of the application and of the bot.
CALLBACK, BOT_CALLBACK = "/channels/wecom/callback", "/channels/wecom-bot/callback"
#: Values of a corporation that does not exist; they open nothing anywhere.
MADE_UP: Mapping[str, object] = {
    "corp_id": "wwdemonstration001",
    "agent_id": 1000002,
    "secret": "made-up-for-demonstrations-only",
    "token": "MadeUpForDemonstrations",
    "encoding_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
}
MADE_UP_BOT: Mapping[str, str] = {
    "bot_id": "AIBOTdemonstration",
    "secret": "made-up-for-demonstrations-only",
    "token": "MadeUpForTheBot",
    "encoding_aes_key": "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg",
}
_BY_MODE: Mapping[BotMode, tuple[str, ...]] = {
    BotMode.WEBHOOK: ("bot_id", "token", "encoding_aes_key"),
    BotMode.SOCKET: ("mode", "bot_id", "secret", "socket_url"),
}
#: Where the bot's files and addresses are: on this machine.
_HERE = '["127.0.0.0/8", "::1/128"]'
_MEMBERS = (("lihua", 2), ("wangfang", 2), ("chenyu", 3))
ROUGH = Weather(duplicate=0.3, late=0.5, late_s=2.0, truncate=0.2)


@dataclass(slots=True)
class Demonstration:
    """The pretended platform with its members' phones."""

    platform: FakeWecom
    handsets: Handsets
    postman: Postman
    bots: BotPhones
    #: Where the product's page for members is.
    h5: str

    def set_rough(self, rough: bool) -> None:
        """Whether callbacks are repeated, delayed and cut off on their way."""
        self.postman.weather = ROUGH if rough else Weather()


def demonstration_settings(
    settings: WecomSettings, base_url: str, product: str = ""
) -> WecomSettings:
    """The deployment's own application, or a made-up one, with its addresses at ``base_url``.

    ``product`` is where browsers reach the product, for the web login.
    """
    addresses: dict[str, object] = {
        "base_url": base_url,
        "oauth_url": f"{base_url}/connect/oauth2/authorize",
        "sso_url": f"{base_url}/wwopen/sso/qrConnect",
        "public_url": product.rstrip("/"),
        "directory": True,
    }
    if settings.enabled:
        return settings.model_copy(update=addresses)
    return WecomSettings.model_validate({**MADE_UP, **addresses, "enabled": True})


def demonstration_bot_settings(
    settings: WecomBotSettings, base_url: str = "", *, socket: bool = False
) -> WecomBotSettings:
    """The deployment's own bot, or a made-up one; ``socket``: one that connects to ``base_url``."""
    if settings.enabled:
        return settings
    given: dict[str, object] = {
        **MADE_UP_BOT,
        "enabled": True,
        "allowed_networks": json.loads(_HERE),
    }
    if socket:
        address = base_url.replace("http", "ws", 1) + SOCKET_PATH
        given |= {"mode": BotMode.SOCKET, "socket_url": address}
    return WecomBotSettings.model_validate(given)


def bot_environment(settings: WecomBotSettings) -> Mapping[str, str]:
    """What the product has to be started with to talk to this platform's bot."""
    start = "CAIWEN_WECOM_BOT__"
    names = _BY_MODE[settings.mode]
    values = {f"{start}{name.upper()}": str(getattr(settings, name)) for name in names}
    return {f"{start}ENABLED": "true", **values, f"{start}ALLOWED_NETWORKS": _HERE}


def environment(settings: WecomSettings) -> Mapping[str, str]:
    """What the product has to be started with to talk to this platform."""
    names = [*MADE_UP, "base_url", "oauth_url", "sso_url", "public_url", "directory"]
    values = {f"CAIWEN_WECOM__{name.upper()}": str(getattr(settings, name)) for name in names}
    return {"CAIWEN_WECOM__ENABLED": "true", **values}


def demonstration(
    settings: WecomSettings,
    phrases: Phrases,
    clock: Clock,
    *,
    client: httpx.AsyncClient,
    to: str,
    bot: WecomBotSettings | None = None,
    base_url: str = "",
) -> Demonstration:
    """A platform at ``base_url`` whose callbacks go to ``to``, the product's address."""
    departments = {1: "city", 2: "east", 3: "west"}
    fake = FakeSettings(
        settings.corp_id,
        settings.agent_id,
        settings.secret,
        members={
            userid: Member(userid, phrases.say(f"fake_wecom.member.{userid}"), department)
            for userid, department in _MEMBERS
        },
        departments={
            number: phrases.say(f"fake_wecom.department.{name}")
            for number, name in departments.items()
        },
        per_minute=settings.per_minute,
        per_hour=settings.per_hour,
    )
    platform = FakeWecom(fake, clock)
    letters = Letters(settings.corp_id, settings.agent_id, clock)
    postman = Postman(
        client,
        to.rstrip("/") + CALLBACK,
        settings.keys(),
        letters,
        fake,
        clock,
        chance=random.Random(),  # noqa: S311  # weather, not a secret
    )
    handsets = Handsets(platform, postman, letters, clock)
    own = bot or demonstration_bot_settings(WecomBotSettings())
    callback = to.rstrip("/") + BOT_CALLBACK
    fake_bot = FakeBot(client, callback, _bot_keys(own), clock, base_url, own.bot_id)
    bots = BotPhones(fake_bot, FakeBotSocket(fake_bot, own.secret) if own.keeps_socket else None)
    return Demonstration(platform, handsets, postman, bots, f"{to.rstrip('/')}/h5")


def _bot_keys(settings: WecomBotSettings) -> CallbackKeys:
    """The callback's keys; made-up ones where nothing is sealed with them."""
    token, key = (
        (MADE_UP_BOT["token"], MADE_UP_BOT["encoding_aes_key"])
        if settings.keeps_socket
        else (settings.token, settings.encoding_aes_key)
    )
    return CallbackKeys.of(token=token, encoding_aes_key=key, receive_id="")
