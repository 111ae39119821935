"""What every way of notifying staff speaks: a notice in, taken or refused. No policy, no words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from connectors.base import TransientError
from connectors.notify_pacing import Past


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell.

    ``key`` names it once and for all; ``thread`` is the same for everything about one subject.
    ``recipient`` is an e-mail address or a telephone number where the channel needs one.
    ``mentions`` are telephone numbers that a group robot calls upon. ``template`` names what
    happened, for channels that may only send approved texts; ``values`` fill them. An ``urgent``
    notice may use what a channel's pace keeps back for such ones.
    """

    key: str
    thread: str
    title: str
    text: str
    template: str
    recipient: str = ""
    urgent: bool = False
    link: str = ""
    mentions: Sequence[str] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


class Misconfigured(TransientError):
    """The other side refuses our credentials or address: nothing gets through until they change."""


class Unsure(TransientError):
    """The request was sent but its answer was lost: it may have been carried out."""


class Notifier(Protocol):
    """A way to reach staff.

    ``send`` returns when the other side has taken the notice; it raises
    :class:`~connectors.base.TransientError` (``Held``, :class:`Misconfigured` and
    :class:`Unsure` among them) or :class:`~connectors.base.PermanentError`, nothing else. No
    exception carries an address, a secret or an answer.
    """

    async def send(self, notice: Notice) -> str | None:
        """Hand one notice over; a remark, when it was taken but did not reach everybody."""
        ...

    def recall(self, past: Sequence[Past]) -> None:
        """Go on at the pace that these sends leave, oldest first."""
        ...

    async def close(self) -> None:
        """Put connections down."""
        ...
