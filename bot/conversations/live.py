"""Wake-ups for whoever waits for news of a conversation or of the queue.

Only a wake-up: the database is the truth, so a lost one costs a moment and never a message.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

#: The topic that staff pages wait on.
STAFF = "staff"
#: How long news may wait for more of it, in seconds.
SOON_S = 0.05


class Live:
    """Topics in this process. Publishing never blocks and never fails."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._soon: dict[str, asyncio.TimerHandle] = {}
        self._typing: dict[tuple[str, str], float] = {}
        self.closed = False

    def close(self) -> None:
        """The process is ending: wake everybody, for the last time."""
        self.closed = True
        self.publish(*self._waiting)

    def publish(self, *topics: str) -> None:
        """Wake everybody who waits on one of these topics."""
        for topic in topics:
            if (planned := self._soon.pop(topic, None)) is not None:
                planned.cancel()
            for event in tuple(self._waiting.get(topic, ())):
                event.set()

    def publish_soon(self, *topics: str) -> None:
        """Wake them in a moment; a publication before that does for both."""
        loop = asyncio.get_running_loop()
        for topic in topics:
            if topic in self._waiting and topic not in self._soon:
                self._soon[topic] = loop.call_later(SOON_S, self.publish, topic)

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[asyncio.Event]:
        """An event that is set at every publication; the subscriber clears it."""
        event = asyncio.Event()
        self._waiting[topic].add(event)
        try:
            yield event
        finally:
            self._waiting[topic].discard(event)
            if not self._waiting[topic]:
                del self._waiting[topic]

    def subscribers(self) -> int:
        """How many streams are open, for the metrics."""
        return sum(len(events) for events in self._waiting.values())

    def set_typing(self, conversation_id: str, who: str, until: float) -> None:
        """``who`` is typing in the conversation until the loop time ``until``."""
        self._typing[conversation_id, who] = until
        self.publish(conversation_id)

    def is_typing(self, conversation_id: str, who: str, now: float) -> bool:
        """Whether ``who`` is typing there at loop time ``now``."""
        return self.typing_left(conversation_id, who, now) > 0

    def typing_left(self, conversation_id: str, who: str, now: float) -> float:
        """For how many seconds after loop time ``now`` the last sign of typing holds."""
        until = self._typing.get((conversation_id, who), 0.0)
        if until <= now:
            self._typing.pop((conversation_id, who), None)
        return max(0.0, until - now)
