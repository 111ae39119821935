"""Sends to people in 政务微信/WeCom: texts in parts, pictures, and buttons where they are taken.

Refuses to send faster than one person may be sent to; the relay tries later instead.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from connectors.base import Delivery, Enclosed, PermanentError
from connectors.pacing import Limit
from connectors.sends import ON_ITS_WAY, MemorySends, Sends, counted
from connectors.settings import WecomSettings
from connectors.text_parts import in_parts
from connectors.wecom_api import CardRefused, FileRefused, MediaGone, Missing, WecomApi
from connectors.wecom_cards import MOST_TITLE, MOST_WORDS, buttons_of, card_of, choices_of
from connectors.wecom_pictures import WecomPictures, is_picture

#: Bytes of a text message; the platform cuts off what is beyond.
TEXT_BYTES = 2_048
#: Characters of a card's title and of the words below it, and how many buttons it may have.
#: How long what a platform refused is not tried again.
_NOT_AGAIN = timedelta(hours=24)
#: The platform looks back at least these many seconds; with a slot, at most four hours.
_CHECK_FROM_S = 7_200

log = structlog.get_logger("connectors.wecom")


def limits(settings: WecomSettings) -> tuple[Limit, ...]:
    """How fast one member may be sent to, by what we count before it arrives."""
    return (
        Limit(settings.per_minute, timedelta(minutes=1) + ON_ITS_WAY),
        Limit(settings.per_hour, timedelta(hours=1) + ON_ITS_WAY),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One message: its content, or what to make it of. The user can do without ``extra``."""

    content: Mapping[str, Any]
    sha256: str = ""
    extra: bool = False
    file: Enclosed | None = None


def _text(words: str) -> _Part:
    return _Part({"msgtype": "text", "text": {"content": words}})


class WecomChannel:
    """One application as a channel."""

    def __init__(
        self,
        api: WecomApi,
        settings: WecomSettings,
        clock: Callable[[], datetime],
        sends: Sends | None = None,
        pictures: WecomPictures | None = None,
    ) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock
        self._sends = sends or MemorySends(limits(settings))
        self._pictures = pictures
        self._no_cards_until: datetime | None = None
        self._no_updates_until: datetime | None = None

    @property
    def name(self) -> str:
        return "wecom"

    async def send(self, delivery: Delivery) -> None:
        """Send what is not yet out of a delivery; see :class:`connectors.base.Channel`."""
        text = delivery.text.strip()
        if not text:
            raise PermanentError("nothing to show")
        card = self._whole_card(delivery, text)
        if card is not None:
            try:
                await self._send_all(delivery, [_Part(card)])
            except CardRefused as refused:
                self._note_refused(refused)
            else:
                return
        await self._send_all(delivery, self._parts(delivery, listed=card is None))

    async def replace_buttons(self, user: str, response_code: str, label: str) -> None:
        """Show below a pressed card what was chosen. Older platforms cannot: then nothing changes.

        Raises :class:`TransientError` only, when trying again can help.
        """
        now = self._clock()
        if self._no_updates_until is not None and now < self._no_updates_until:
            return
        body = {
            "userids": [user],
            "agentid": self._settings.agent_id,
            "response_code": response_code,
            "button": {"replace_name": label},
        }
        try:
            await self._api.post("/cgi-bin/message/update_template_card", body)
        except (CardRefused, FileRefused, MediaGone, PermanentError) as refused:
            # Used up, too old, or pressed twice: only the picture on the screen is affected.
            log.info("wecom_card_not_updated", error=str(refused))
        except Missing:
            log.warning("wecom_card_updates_missing")
            self._no_updates_until = now + _NOT_AGAIN

    def _note_refused(self, refused: CardRefused) -> None:
        log.warning("wecom_cards_refused", errcode=str(refused))
        self._no_cards_until = self._clock() + _NOT_AGAIN

    def _takes_cards(self) -> bool:
        until = self._no_cards_until
        return self._settings.cards and (until is None or self._clock() >= until)

    def _parts(self, delivery: Delivery, *, listed: bool) -> Sequence[_Part]:
        menu = delivery.menu
        files = delivery.files if self._pictures is not None else ()
        wordless = files and not delivery.captioned
        said = () if wordless else in_parts(delivery.words(), TEXT_BYTES)
        parts = [*map(_text, said), *(_Part({}, file=file) for file in files)]
        parts += [_Part({}, sha256, extra=True) for sha256 in self._shown(delivery)]
        if listed and menu is not None and not menu.needed and self._takes_feedback(delivery):
            card = card_of(delivery.dedupe_key + ":menu", menu.title, "", buttons_of(menu.choices))
            parts.append(_Part(card, extra=True))
        return parts

    def _takes_feedback(self, delivery: Delivery) -> bool:
        asks = self._settings.feedback or delivery.kind != "answer"
        return asks and self._takes_cards()

    def _shown(self, delivery: Delivery) -> Sequence[str]:
        """The pictures of an answer in its order, each once."""
        if self._pictures is None:
            return ()
        return delivery.pictures()[: self._settings.max_pictures]

    async def _send_all(self, delivery: Delivery, parts: Sequence[_Part]) -> None:
        key = delivery.dedupe_key
        arrived = await self._sends.arrived(key)
        for n, part in enumerate(parts, 1):
            if n in arrived:
                continue
            person = delivery.external_user
            async with counted(self._sends, person, key, n, self._clock) as slot:
                if part.file is not None:
                    await self._send_file(person, part.file, slot)
                else:
                    await self._send_part(person, part, slot)
            if n < len(parts):
                # The last one is settled with the whole delivery.
                await self._sends.mark_arrived(key, n)

    async def _send_part(self, user: str, part: _Part, slot: int) -> None:
        try:
            if part.sha256:
                await self._send_picture(user, part.sha256, slot)
            else:
                await self._post(user, part.content, slot)
        except CardRefused as refused:
            if not part.extra:
                raise
            self._note_refused(refused)
        except (FileRefused, MediaGone) as refused:
            if not part.extra:
                raise PermanentError(str(refused)) from None
            log.warning("wecom_picture_refused", error=str(refused))
        except PermanentError:
            if not part.extra:
                raise
            log.warning("wecom_extra_refused")

    async def _send_file(self, user: str, file: Enclosed, slot: int) -> None:
        """A file of an engineer's; where it is refused, the person is told that there was one."""
        try:
            await self._send_media(user, file.sha256, slot, file)
        except (FileRefused, MediaGone, CardRefused) as refused:
            log.warning("wecom_file_refused", error=str(refused), size=file.size)
            await self._post(user, _text(file.instead).content, slot)

    async def _send_picture(self, user: str, sha256: str, slot: int) -> None:
        await self._send_media(user, sha256, slot)

    async def _send_media(
        self, user: str, sha256: str, slot: int, file: Enclosed | None = None
    ) -> None:
        pictures = self._pictures
        assert pictures is not None  # noqa: S101  # without them there is no such part
        shown = file is None or is_picture(file)

        async def name(gone: str = "") -> str:
            if file is None or shown:
                return await pictures.media_id(sha256, gone=gone)
            return await pictures.file_id(file, gone=gone)

        kind, media_id = "image" if shown else "file", await name()
        try:
            await self._post(user, _media(kind, media_id), slot)
        except MediaGone:
            await self._post(user, _media(kind, await name(media_id)), slot)

    async def _post(self, user: str, content: Mapping[str, Any], slot: int) -> None:
        body = {"touser": user, "agentid": self._settings.agent_id, **content}
        if self._settings.duplicate_check:
            # Whole requests are compared: different spans keep two messages of the same words
            # apart, while a retry of one message is the same request again.
            span = _CHECK_FROM_S + slot
            body |= {"enable_duplicate_check": 1, "duplicate_check_interval": span}
        try:
            answer = await self._api.post("/cgi-bin/message/send", body)
        except CardRefused:
            kind = content["msgtype"]
            if kind == "text":
                raise PermanentError("texts are refused") from None
            if kind != "template_card":
                raise FileRefused(f"messages of the kind {kind} are refused") from None
            raise
        for field in ("invaliduser", "unlicenseduser"):
            if user.lower() in str(answer.get(field) or "").lower().split("|"):
                raise PermanentError(f"Unreachable: {field}")

    def _whole_card(self, delivery: Delivery, text: str) -> Mapping[str, Any] | None:
        """A card that says all of a delivery, or nothing: cut off, it could not be understood."""
        if not self._takes_cards():
            return None
        title, _, words = text.partition("\n")
        buttons = choices_of(delivery)
        if not buttons or len(title) > MOST_TITLE or len(words) > MOST_WORDS:
            return None
        return card_of(delivery.dedupe_key, title, words, buttons)


def _media(kind: str, media_id: str) -> Mapping[str, Any]:
    return {"msgtype": kind, kind: {"media_id": media_id}}
