"""What every channel connector speaks: messages in, deliveries out. No policy, no words."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message from a channel.

    ``external_id`` is the channel's own id of the delivery and names it once and for all;
    ``external_user`` is the channel's name of the person. Web conversations are known by
    ``conversation_id`` instead. ``action`` is the button pressed, if any.
    """

    channel: str
    external_id: str
    text: str
    external_user: str = ""
    conversation_id: str = ""
    action: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file from a channel's platform: what it is called there, and its bytes."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be pressed: its words, and what tells us that it was (ASCII)."""

    label: str
    key: str


@dataclass(frozen=True, slots=True)
class Menu:
    """What can be answered to a delivery by pressing.

    ``needed``: without buttons the choices must be listed, else nobody knows them.
    """

    title: str
    choices: tuple[Choice, ...]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A picture or file that goes with a delivery, by its content.

    ``instead``: what is said when the channel does not take it.
    """

    sha256: str
    name: str
    media_type: str
    size: int
    instead: str


#: The bytes of a picture or file by its content hash; nothing when there is none.
Contents = Callable[[str], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that a channel has to show to a person. ``dedupe_key`` names it.

    ``seq`` is its place in the conversation, which a button below it refers to; 0 when it has none.
    ``text`` says what ``files`` there are, for channels that send none; where it only does that and
    holds no words of the sender's, ``captioned`` is off.
    """

    dedupe_key: str
    external_user: str
    kind: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0
    menu: Menu | None = None
    files: tuple[Enclosed, ...] = ()
    captioned: bool = True

    def words(self) -> str:
        """All of it in words, for where there are no buttons: what must be chosen is numbered."""
        text = self.text.strip()
        if not text or self.menu is None or not self.menu.needed:
            return text
        return "\n".join(
            (text, *(f"{n}. {one.label}" for n, one in enumerate(self.menu.choices, 1)))
        )

    def pictures(self) -> Sequence[str]:
        """Content hashes of what an answer shows, in its order, each once."""
        listed = (*(self.data.get("blocks") or ()), *(self.data.get("images") or ()))
        return list(dict.fromkeys(str(one["sha256"]) for one in listed if one.get("sha256")))


class TransientError(Exception):
    """The channel could not be reached now; trying again can help."""


class Held(TransientError):
    """Nothing was tried, because the channel must rest for a while; no attempt is used up."""

    def __init__(self, reason: str, wait_s: float) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class PersonHeld(Held):
    """As `Held`, for this recipient only: others may be sent to meanwhile."""


class PermanentError(Exception):
    """The channel refuses this delivery for good."""


class Channel(Protocol):
    """A way to reach a person.

    ``send`` returns when the channel has taken the delivery; it raises
    :class:`TransientError` (:class:`Held` among them) or :class:`PermanentError`, nothing else.
    The same delivery may be sent twice after a crash: the channel shows it once by its dedupe
    key.
    """

    @property
    def name(self) -> str:
        """The channel's name in rows and settings."""
        ...

    async def send(self, delivery: Delivery) -> None:
        """Hand one delivery to the channel."""
        ...
