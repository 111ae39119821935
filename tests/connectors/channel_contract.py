"""What every channel promises; each one's own tests inherit this and give it a channel."""

from typing import Protocol

import pytest

from connectors.base import Channel, Delivery, PermanentError, TransientError


class Rig(Protocol):
    """A channel under test, and what its people would have on their screens."""

    @property
    def channel(self) -> Channel: ...

    def shown(self, external_user: str) -> list[str]:
        """Texts that this person has been shown, in order."""
        ...

    def fail_next(self, error: TransientError | PermanentError) -> None:
        """Make the channel's other side refuse the next delivery in this way."""
        ...


def delivery(key: str, text: str = "", *, user: str = "u1") -> Delivery:
    return Delivery(dedupe_key=key, external_user=user, kind="text", text=text or key)


class ChannelContract:
    """Inherit, and override the ``rig`` fixture."""

    @pytest.fixture
    def rig(self) -> Rig:
        raise NotImplementedError("a channel's tests give their own rig")

    def test_it_has_a_stable_name(self, rig: Rig) -> None:
        assert rig.channel.name
        assert rig.channel.name == rig.channel.name.strip().lower()
        assert len(rig.channel.name) <= 40  # the column's width

    async def test_what_is_sent_is_shown_in_order(self, rig: Rig) -> None:
        for n in range(5):
            await rig.channel.send(delivery(f"k{n}", f"第{n}条"))
        assert rig.shown("u1") == [f"第{n}条" for n in range(5)]

    async def test_people_are_kept_apart(self, rig: Rig) -> None:
        await rig.channel.send(delivery("a", "给甲", user="u1"))
        await rig.channel.send(delivery("b", "给乙", user="u2"))
        assert rig.shown("u1") == ["给甲"]
        assert rig.shown("u2") == ["给乙"]
        assert rig.shown("u3") == []

    async def test_the_same_delivery_is_shown_once(self, rig: Rig) -> None:
        for _ in range(3):
            await rig.channel.send(delivery("a", "一次"))
        await rig.channel.send(delivery("b", "一次"))
        assert rig.shown("u1") == ["一次", "一次"]

    @pytest.mark.parametrize("error", [TransientError("busy"), PermanentError("gone")])
    async def test_a_refused_delivery_raises_and_is_not_shown(
        self, rig: Rig, error: TransientError | PermanentError
    ) -> None:
        rig.fail_next(error)
        with pytest.raises(type(error)):
            await rig.channel.send(delivery("a"))
        assert rig.shown("u1") == []

    async def test_after_trouble_the_same_delivery_goes_through(self, rig: Rig) -> None:
        rig.fail_next(TransientError("busy"))
        with pytest.raises(TransientError):
            await rig.channel.send(delivery("a", "终于"))
        await rig.channel.send(delivery("a", "终于"))
        assert rig.shown("u1") == ["终于"]

    @pytest.mark.parametrize(
        "text",
        ["", " ", "😀", "第一行\n第二行", "<b>&amp;</b>", "\x00\x1b[31m", "长" * 10_000],
        ids=["empty", "blank", "emoji", "lines", "markup", "control", "long"],
    )
    async def test_odd_text_is_shown_or_refused_for_good(self, rig: Rig, text: str) -> None:
        """Never retried for ever, and never an exception that the relay does not know."""
        try:
            await rig.channel.send(Delivery("a", "u1", "text", text))
        except PermanentError:
            assert rig.shown("u1") == []
        else:
            assert len(rig.shown("u1")) == 1
