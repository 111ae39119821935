"""A WeCom bot (document 101039, JSON callbacks) as a channel: words are laid out for the platform.

A bot with callbacks cannot speak first: words go into the reply that the platform is asking about,
else to the address beside the last question, else by the application to the same member if the
deployment has one; else they wait until the person writes again. Over the long connection they are
sent by whichever process holds it. Refuses to drop anything.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

import structlog

from connectors.base import Channel, Delivery, Enclosed, Held, PermanentError, TransientError
from connectors.bot_streams import PART_BYTES, BotStreams, Part, Place
from connectors.settings import WecomBotSettings
from connectors.text_parts import in_parts
from connectors.wecom_bot_api import WecomBotApi
from connectors.wecom_cards import MOST_TITLE, card_of, choices_of

NAME = "wecom_bot"
#: When to look again: whether the platform came, and whether the person did.
_LOOK_S, _ABSENT_S = 1.0, 60.0

#: Larger pictures are left out of replies: every one is sent as text.
PICTURE_BYTES = 2 * 1024 * 1024
_SHOWN = frozenset({"image/png", "image/jpeg"})

log = structlog.get_logger("connectors.wecom_bot")


class WecomBotChannel:
    """One bot as a channel; see :class:`connectors.base.Channel`."""

    def __init__(
        self,
        streams: BotStreams,
        api: WecomBotApi,
        settings: WecomBotSettings,
        application: Channel | None = None,
    ) -> None:
        self._streams = streams
        self._api = api
        self._settings = settings
        self._application = application

    @property
    def name(self) -> str:
        return NAME

    async def send(self, delivery: Delivery) -> None:
        shown = [file for file in delivery.files if _is_shown(file)]
        told = [file.instead for file in delivery.files if file not in shown]
        text = "\n".join(filter(None, (delivery.words(), *told)))
        if not text:
            raise PermanentError("nothing to show")
        texts = in_parts(text, PART_BYTES)
        for n, words in enumerate(texts, 1):
            last = n == len(texts)
            part = Part(
                person=delivery.external_user,
                delivery_key=delivery.dedupe_key,
                number=n,
                text=words,
                pictures=self._pictures(delivery) if last else (),
                answer_seq=delivery.seq if last and delivery.kind == "answer" else 0,
            )
            place = await self._streams.put(part)
            if place is Place.WAITING:
                raise Held("the platform has not come for it yet", _LOOK_S)
            if place is Place.SHOWN:
                continue
            if not await self._elsewhere(part, shown if last else ()):
                await self._by_application(delivery, texts[n - 1 :])
                return
        await self._offer(delivery, len(texts) + 1)

    async def _offer(self, delivery: Delivery, number: int) -> None:
        """What must be chosen, as buttons below the words that list it; else it is typed."""
        choices = choices_of(delivery)
        if not choices or not self._settings.cards or not self._streams.pushing:
            return
        title = delivery.text.strip().partition("\n")[0][:MOST_TITLE]
        card = card_of(delivery.dedupe_key, title, "", choices)["template_card"]
        part = Part(delivery.external_user, delivery.dedupe_key, number, "", card=json.dumps(card))
        place = await self._streams.push(part)
        if place is Place.WAITING:
            raise Held("the long connection has not taken it yet", _LOOK_S)
        if place is Place.REFUSED:
            log.warning("bot_card_refused")

    async def _elsewhere(self, part: Part, shown: Sequence[Enclosed]) -> bool:
        """Past a reply that is over; whether there is a way. Raises :class:`Held` until then."""
        if not self._streams.pushing:
            return await self._respond(part, shown)
        words = "\n".join((part.text, *(one.instead for one in shown)))
        match await self._streams.push(replace(part, text=words, pictures=())):
            case Place.SHOWN:
                return True
            case Place.WAITING:
                raise Held("the long connection has not taken it yet", _LOOK_S)
            case _:
                return False

    async def _respond(self, part: Part, shown: Sequence[Enclosed]) -> bool:
        """Use the address of the last question, if it has one; it takes words only."""
        stream_id, address = await self._streams.take_address(part.person)
        if not address:
            return False
        try:
            await self._api.respond(
                address, "\n".join((part.text, *(one.instead for one in shown)))
            )
        except PermanentError as refused:
            log.warning("bot_address_refused", error=str(refused))
            return False
        except TransientError:
            await self._streams.give_back(stream_id, address)
            raise
        await self._streams.mark_shown(part, stream_id)
        return True

    async def _by_application(self, delivery: Delivery, rest: Sequence[str]) -> None:
        if self._application is None or "@" in delivery.external_user:
            raise Held("the person is not here", _ABSENT_S)
        if len(rest) == len(in_parts(delivery.words(), PART_BYTES)):
            await self._application.send(delivery)
        else:
            left = replace(
                delivery,
                dedupe_key=f"{delivery.dedupe_key}:rest{len(rest)}",
                text="".join(rest),
                menu=None,
            )
            await self._application.send(left)

    def _pictures(self, delivery: Delivery) -> Sequence[str]:
        """The pictures of an answer in its order, each once; an engineer's all."""
        sent = [file.sha256 for file in delivery.files if _is_shown(file)]
        return [*delivery.pictures()[: self._settings.max_pictures], *sent]


def _is_shown(file: Enclosed) -> bool:
    return file.media_type in _SHOWN and file.size <= PICTURE_BYTES
