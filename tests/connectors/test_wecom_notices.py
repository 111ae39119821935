"""Notices by the application: to members and departments, within the pace, and who was left out."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from connectors.base import Held, PermanentError, PersonHeld, TransientError
from connectors.fake_wecom.network import FakeNetwork
from connectors.fake_wecom.platform import FakeWecom
from connectors.fake_wecom.settings import FakeSettings, Member
from connectors.notify_base import Misconfigured, Notice
from connectors.sends import MemorySends
from connectors.wecom import WecomChannel, limits
from connectors.wecom_api import WecomApi
from connectors.wecom_notices import Application, WecomNotices, WecomNoticesConfig
from tests.connectors.channel_contract import delivery
from tests.connectors.test_notifiers import NOTICE, NOW
from tests.connectors.test_wecom import SECRET, SETTINGS

MEMBERS = {
    "Li.Hua": Member("Li.Hua", "李华", 2),
    "wang": Member("wang", "王", 2),
    "zhao": Member("zhao", "赵", 2, licensed=False),
    "gone": Member("gone", "孙", 3, visible=False),
}
DUTY = replace(NOTICE, recipient="Li.Hua")


@dataclass
class World:
    """The application on a fake platform, with a clock that is moved by hand."""

    per_minute: int = 120
    now: datetime = NOW
    fake: FakeWecom = field(init=False)
    network: FakeNetwork = field(init=False)
    application: Application | None = field(init=False)
    notices: WecomNotices = field(init=False)

    def __post_init__(self) -> None:
        self.fake = FakeWecom(FakeSettings("ww1", 7, SECRET, members=MEMBERS), self.clock)
        self.network = FakeNetwork(self.fake)
        self.api = WecomApi(self.network.client(), SETTINGS, self.clock)
        self.sends = MemorySends(limits(SETTINGS))
        self.application = Application(self.api, self.sends, 7, duplicate_check=True)
        config = WecomNoticesConfig(per_minute=self.per_minute)
        self.notices = WecomNotices(lambda: self.application, config, self.clock)

    def clock(self) -> datetime:
        return self.now

    async def tell(self, recipient: str = "Li.Hua", key: str = "k1") -> str:
        return await self.notices.send(replace(NOTICE, recipient=recipient, key=key))


@pytest.fixture
def world() -> World:
    return World()


async def test_a_member_reads_title_text_and_link(world: World) -> None:
    assert await world.tell() == ""
    [words] = world.fake.texts("Li.Hua")
    assert words.startswith(f"{NOTICE.title}\n{NOTICE.text}")
    assert words.endswith(NOTICE.link)


async def test_a_department_is_told_and_who_was_left_out_is_said(world: World) -> None:
    assert await world.tell("party:2") == "unlicenseduser: zhao"
    assert [len(world.fake.texts(one)) for one in ("Li.Hua", "wang", "zhao")] == [1, 1, 0]


@pytest.mark.parametrize("recipient", ["nobody", "gone", "party:9", "zhao", ""])
@pytest.mark.parametrize("code", [81013, 0])
async def test_who_cannot_be_reached_is_refused_for_good(
    world: World, recipient: str, code: int
) -> None:
    world.fake.settings.all_invalid_code = code
    with pytest.raises(PermanentError):
        await world.tell(recipient)
    assert world.fake.shown == []


async def test_a_lost_answer_shows_once_and_the_same_words_again_twice(world: World) -> None:
    world.network.lose_answers = 1
    with pytest.raises(TransientError):
        await world.tell()
    await world.tell()
    assert len(world.fake.texts("Li.Hua")) == 1
    await world.tell(key="k2")
    assert len(world.fake.texts("Li.Hua")) == 2


async def test_answers_and_notices_share_the_pace_of_a_member(world: World) -> None:
    """Beyond it the platform drops without a word; and one who is full holds up nobody else."""
    channel = WecomChannel(world.api, SETTINGS, world.clock, world.sends)
    for n in range(SETTINGS.per_minute - 1):
        await channel.send(replace(delivery(f"d{n}", "答复"), external_user="wang"))
    await world.tell("wang", "k1")
    with pytest.raises(PersonHeld) as held:
        await world.tell("wang", "k2")
    await world.tell("Li.Hua", "k3")
    world.now += timedelta(seconds=held.value.wait_s)
    await world.tell("wang", "k2")
    assert world.fake.dropped == 0
    assert len(world.fake.texts("wang")) == SETTINGS.per_minute + 1


async def test_the_channels_own_pace_keeps_room_for_what_is_urgent() -> None:
    world = World(per_minute=6)
    for n in range(5):
        await world.tell(key=f"k{n}")
    with pytest.raises(Held) as held:
        await world.tell(key="k5")
    assert type(held.value) is Held
    await world.notices.send(replace(DUTY, key="k6", urgent=True))


async def test_an_application_that_is_off_or_refused_needs_an_administrator(world: World) -> None:
    kept, world.application = world.application, None
    with pytest.raises(Misconfigured):
        await world.tell()
    world.application = kept
    world.fake.script = [60020]
    with pytest.raises(Misconfigured):
        await world.tell()
    world.fake.settings.secret = "changed on the platform"
    world.fake.revoke()
    with pytest.raises(Misconfigured) as refused:
        await world.tell()
    assert SECRET not in repr(refused.value) + repr(world.notices)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(-1, TransientError), (45009, Held), (40008, PermanentError), (99999, PermanentError)],
)
async def test_other_codes_are_told_apart(world: World, code: int, kind: type[Exception]) -> None:
    world.fake.script = [code]
    with pytest.raises(kind) as caught:
        await world.tell()
    assert type(caught.value) is kind


@pytest.mark.parametrize("title", ['<a href="http://evil.example">领取</a>', "\x00<", "长" * 5_000])
async def test_odd_titles_become_no_links_and_fit(world: World, title: str) -> None:
    notice: Notice = replace(DUTY, title=title)
    await world.notices.send(notice)
    [words] = world.fake.texts("Li.Hua")
    assert "<" not in words
    assert len(words.encode()) <= 2_048
    assert words.endswith(NOTICE.link)
