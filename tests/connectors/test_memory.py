"""The channel in memory keeps what every channel promises."""

from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from connectors.base import Channel, PermanentError, TransientError
from connectors.memory import MemoryChannel
from tests.connectors.channel_contract import ChannelContract, Rig, delivery


@dataclass
class MemoryRig:
    memory: MemoryChannel = field(default_factory=MemoryChannel)

    @property
    def channel(self) -> Channel:
        return self.memory

    def shown(self, external_user: str) -> list[str]:
        return self.memory.texts(external_user)

    def fail_next(self, error: TransientError | PermanentError) -> None:
        self.memory.failures.append(error)


class TestMemoryChannel(ChannelContract):
    @pytest.fixture
    @override
    def rig(self) -> Rig:
        return MemoryRig()

    async def test_attempts_are_counted_even_when_they_fail(self) -> None:
        memory = MemoryChannel("hall")
        memory.failures = [TransientError("busy")]
        with pytest.raises(TransientError):
            await memory.send(delivery("a"))
        await memory.send(delivery("a"))
        assert memory.attempts == ["a", "a"]
        assert memory.name == "hall"
