"""Opening conversations, and the loop that carries each message from record to act.

Messages of one conversation are handled one at a time in order; different conversations in
parallel. What is pending is a column in the database, so a crash forgets nothing: the loop
starts from it again, and acting compares and sets so that nothing happens twice.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

import structlog

from bot import repository
from bot.attachments.stored import Enclosure
from bot.clock import Clock
from bot.conversations.acting import Acted, Actor, Outcome
from bot.conversations.live import STAFF, Live
from bot.conversations.recording import Recorded, Recorder
from bot.conversations.thinking import Snapshot, Thinker, Thought
from bot.metrics import Metrics
from store.session import Database

#: How many conversations are thought about at once in one process. More would only make those
#: wait who have something to say: thinking is work for the processor, not waiting.
PARALLEL = 6
#: How often work that another process left behind is looked for.
RECOVERY_S = 5.0
#: Pause after a failure of the database, doubling.
RETRY_FIRST_S, RETRY_CAP_S = 0.2, 10.0
#: After so many failures to act, the message is answered with an apology alone: one message
#: that no transaction can hold must not silence its conversation for ever.
GIVE_UP_AFTER = 4

log = structlog.get_logger("bot.conversations")


class Step(StrEnum):
    """How to go on after looking at what is pending."""

    MORE = "more"
    IDLE = "idle"
    #: The next message came with files whose text is still being read.
    UNREAD = "unread"


class Files(Protocol):
    """The reading of files that came with messages."""

    @property
    def wait_s(self) -> float:
        """How long an answer waits for it."""
        ...

    async def wait(self, conversation_id: str) -> None:
        """Until the conversation's files are read, or not much longer than ``wait_s``."""
        ...


@dataclass(frozen=True, slots=True)
class NoFiles:
    """For those who take no files."""

    wait_s: float = 0.0

    async def wait(self, conversation_id: str) -> None:
        """Nothing is read."""


class Conversations:
    """Record → think → act for every conversation of this process."""

    def __init__(
        self,
        *,
        database: Database,
        recorder: Recorder,
        thinker: Thinker,
        actor: Actor,
        live: Live,
        clock: Clock,
        metrics: Metrics,
        files: Files | None = None,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._thinker = thinker
        self._actor = actor
        self._live = live
        self._clock = clock
        self._metrics = metrics
        self._files: Files = files or NoFiles()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._slots = asyncio.Semaphore(PARALLEL)

    async def receive(
        self,
        conversation_id: str,
        *,
        external_id: str,
        text: str,
        action: Mapping[str, Any] | None = None,
        enclosure: Enclosure | None = None,
    ) -> Recorded:
        """Record a user message and start thinking about it; returns as soon as it is ours."""
        recorded = await self._recorder.record(
            conversation_id,
            external_id=external_id,
            text=text,
            action=action,
            now=self._clock(),
            enclosure=enclosure,
        )
        if not recorded.duplicate:
            if recorded.to_think:
                self.wake(conversation_id)
                # The answer mostly follows at once; one look then shows both.
                self._live.publish_soon(conversation_id, STAFF)
            else:
                self._live.publish(conversation_id, STAFF)
        return recorded

    def wake(self, conversation_id: str) -> None:
        """There is something to handle in this conversation."""
        running = self._running.get(conversation_id)
        if running is not None and not running.done():
            self._again.add(conversation_id)
            return
        task = asyncio.create_task(self._drain(conversation_id))
        self._running[conversation_id] = task

    async def recover(self) -> int:
        """Take up what a crash or another process left behind; how many conversations."""
        async with self._database.reading() as session:
            pending = await repository.pending_conversations(session)
        for conversation_id in pending:
            self.wake(conversation_id)
        return len(pending)

    async def run_recovery(self) -> None:
        """Recover at once and then now and again, until cancelled."""
        while True:
            try:
                await self.recover()
            except Exception:
                log.exception("recovery_failed")
            await asyncio.sleep(RECOVERY_S)

    async def settle(self) -> None:
        """Wait until nothing is being handled. For tests, the terminal, and shutting down."""
        # A task that is cancelled before its first step never takes itself out.
        while running := [task for task in self._running.values() if not task.done()]:
            await asyncio.gather(*running, return_exceptions=True)

    async def stop(self) -> None:
        """Stop handling; what is unfinished stays pending in the database."""
        for task in tuple(self._running.values()):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.settle()

    async def _drain(self, conversation_id: str) -> None:
        try:
            while True:
                self._again.discard(conversation_id)
                async with self._slots:
                    while (step := await self._handle_next(conversation_id)) is Step.MORE:
                        pass
                if step is Step.UNREAD:
                    # Outside of the slots: nobody's words wait for somebody else's picture.
                    await self._files.wait(conversation_id)
                elif conversation_id not in self._again:
                    return
        finally:
            self._running.pop(conversation_id, None)

    async def _handle_next(self, conversation_id: str) -> "Step":
        """Handle one message, and say how to go on."""
        pause = RETRY_FIRST_S
        failures = 0
        while True:
            try:
                return await self._attempt(conversation_id, failures)
            except Exception:
                log.exception("handling_failed", conversation_id=conversation_id)
                failures += 1
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_CAP_S)

    async def _attempt(self, conversation_id: str, failures: int) -> "Step":
        snapshot = await self._thinker.load(conversation_id)
        if snapshot is None:
            return Step.IDLE
        if snapshot.sent is not None and snapshot.sent.unread:
            patience = timedelta(seconds=self._files.wait_s)
            if self._clock() < snapshot.sent.said_at + patience:
                return Step.UNREAD
        acted = await self._think_and_act(snapshot, failures)
        self._metrics.messages.labels(acted.outcome.value).inc()
        if acted.outcome is not Outcome.RETHINK:
            self._live.publish(conversation_id, STAFF)
        return Step.MORE if acted.more else Step.IDLE

    async def _think_and_act(self, snapshot: Snapshot, failures: int) -> Acted:
        loop = asyncio.get_running_loop()
        started = loop.time()
        thought = await self._think(snapshot, failures)
        elapsed_ms = round((loop.time() - started) * 1000)
        acted = await self._actor.act(snapshot, thought, self._clock(), elapsed_ms)
        self._metrics.thinking.observe(loop.time() - started)
        if thought.understanding is not None:
            self._metrics.interpreters.labels(thought.understanding.interpreter).inc()
        return acted

    async def _think(self, snapshot: Snapshot, failures: int) -> Thought:
        """A decision in any case: a message that cannot be thought about goes to a person."""
        if failures >= GIVE_UP_AFTER:
            return self._thinker.apologise(snapshot)
        try:
            return await self._thinker.think(snapshot, self._clock())
        except Exception:
            log.exception("thinking_failed", conversation_id=snapshot.conversation_id)
            return self._thinker.give_up(snapshot)
