"""Wake-ups for whoever waits for news of a conversation or of the queue.

Only a wake-up: the database is the truth, so a lost one costs a moment and never a message.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

#: The topic that staff pages wait on.
STAFF = "staff"
#: How long news may wait for more of it, in seconds.
SOON_S = 0.05


@dataclass(frozen=True, slots=True)
class Watcher:
    """A member of staff who has a conversation open."""

    staff_id: str
    name: str


class Wakeup(asyncio.Event):
    """Set at every publication. Its owner clears it, and says how far it has read."""

    #: The highest ``seq`` of the conversation when its owner looked.
    seen = 0


class Live:
    """Topics in this process. Publishing never blocks and never fails."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[Wakeup]] = defaultdict(set)
        self._published: set[str] = set()
        self._soon: dict[str, asyncio.TimerHandle] = {}
        self._typing: dict[tuple[str, str], float] = {}
        self._watching: defaultdict[str, Counter[Watcher]] = defaultdict(Counter)
        self.closed = False

    def close(self) -> None:
        """The process is ending: wake everybody, for the last time."""
        self.closed = True
        self.publish(*self._waiting)

    def publish(self, *topics: str) -> None:
        """Wake everybody who waits on one of these topics."""
        self._published.update(topics)
        for topic in topics:
            if (planned := self._soon.pop(topic, None)) is not None:
                planned.cancel()
            for event in tuple(self._waiting.get(topic, ())):
                event.set()

    def publish_seq(self, conversation_id: str, seq: int) -> None:
        """Wake who follows the conversation and has not seen this far."""
        for event in tuple(self._waiting.get(conversation_id, ())):
            if event.seen < seq:
                event.set()

    def take_published(self) -> set[str]:
        """What has been published since this was last asked."""
        taken, self._published = self._published, set()
        return taken

    def publish_soon(self, *topics: str) -> None:
        """Wake them in a moment; a publication before that does for both."""
        loop = asyncio.get_running_loop()
        for topic in topics:
            if topic in self._waiting and topic not in self._soon:
                self._soon[topic] = loop.call_later(SOON_S, self.publish, topic)

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[Wakeup]:
        """An event that is set at every publication; the subscriber clears it."""
        event = Wakeup()
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

    @contextmanager
    def watch(self, conversation_id: str, watcher: Watcher) -> Iterator[None]:
        """``watcher`` has the conversation open in one more window; the others are told."""
        self._watching[conversation_id][watcher] += 1
        self.publish(conversation_id)
        try:
            yield
        finally:
            windows = self._watching[conversation_id]
            windows[watcher] -= 1
            # Unary plus leaves out who has no window any more.
            self._watching[conversation_id] = +windows
            if not self._watching[conversation_id]:
                del self._watching[conversation_id]
            self.publish(conversation_id)

    def watchers(self, conversation_id: str, *, without: Watcher) -> Sequence[str]:
        """Names of everybody else who has the conversation open, each once."""
        windows = self._watching.get(conversation_id) or ()
        return sorted({one.name for one in windows if one.staff_id != without.staff_id})

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
