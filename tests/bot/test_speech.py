"""Voice messages: written down by an engine and answered, or noted with a request to type."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from email.parser import BytesParser
from email.policy import HTTP
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.tables import Message
from connectors.base import Fetched, InboundMessage, PermanentError, TransientError
from connectors.notify_base import Misconfigured
from connectors.speech import MOST_CHARS, Speech, SpeechSettings, kind_of
from tests.connectors.notify_peers import HttpPeer, http_peer
from tests.product import Product, copy_workspace, make_settings, serving

AMR = b"#!AMR\n" + b"\x3c" * 64
KEY = "key-of-the-speech-engine"
ASKED = "UKey插上没有反应怎么办"
#: Stands in for ffmpeg: makes a wave of what it is given, or does as the recording says.
FFMPEG = """#!{python}
import sys, time
given = sys.stdin.buffer.read()
assert sys.argv[sys.argv.index("-protocol_whitelist") + 1] == "pipe"
if b"slow" in given:
    time.sleep(60)
if b"broken" in given:
    sys.exit(1)
sys.stdout.buffer.write(b"RIFF" + given)
"""


def form_of(peer: HttpPeer, n: int = -1) -> dict[str, tuple[str, bytes]]:
    """The fields of a request: file name, if any, and content."""
    taken = peer.taken[n]
    kind = {name.lower(): value for name, value in taken.headers.items()}["content-type"]
    parsed = BytesParser(policy=HTTP).parsebytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + taken.body
    )
    found = {}
    for part in parsed.iter_parts():
        name = part.get_param("name", header="content-disposition")
        found[str(name)] = (part.get_filename() or "", part.get_payload(decode=True))
    return found


def engine(peer: HttpPeer, **more: Any) -> Speech:
    return Speech(SpeechSettings(url=f"{peer.address}/v1/audio/transcriptions", **more))


async def test_a_recording_is_asked_as_the_interface_wants() -> None:
    async with http_peer(always={"text": f"  {ASKED}\n"}) as peer:
        assert await engine(peer, key=KEY, model="sense").words(AMR) == ASKED
        form = form_of(peer)
        assert form["file"] == ("voice.amr", AMR)
        assert (form["model"][1], form["language"][1]) == (b"sense", b"zh")
        assert peer.taken[0].headers["Authorization"] == f"Bearer {KEY}"
        peer.always = {"text": "说" * 9_000}
        assert len(await engine(peer, language="").words(AMR)) == MOST_CHARS
        assert "language" not in form_of(peer)
        assert "Authorization" not in peer.taken[1].headers


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((500, {}), TransientError),
        ((429, {}), TransientError),
        ((401, {"error": KEY}), Misconfigured),
        ((302, {}, {"Location": "http://127.0.0.1:9/"}), Misconfigured),
        ((400, {"error": KEY}), PermanentError),
        ((413, {}), PermanentError),
        (b"<html>" + KEY.encode(), TransientError),
    ],
)
async def test_errors_tell_neither_key_nor_answer(answer: Any, error: type[Exception]) -> None:
    async with http_peer(answers=[answer]) as peer:
        with pytest.raises(error) as raised:
            await engine(peer, key=KEY).words(AMR)
        assert KEY not in str(raised.value)
        assert peer.address not in str(raised.value)


async def test_what_is_no_text_is_nothing_said_and_limits_hold() -> None:
    async with http_peer(always={"text": ["a"], "error": 1}) as peer:
        assert await engine(peer).words(AMR) == ""
        with pytest.raises(PermanentError, match="too large"):
            await engine(peer, max_bytes=1_000).words(bytes(1_001))
        elsewhere = [ip_network("10.0.0.0/8")]
        with pytest.raises(Misconfigured, match="address"):
            await engine(peer, allowed_networks=elsewhere).words(AMR)
        assert len(peer.taken) == 1


def test_recordings_are_told_apart_by_their_beginning() -> None:
    known = {b"OggS..": "ogg", b"RIFFxxxxWAVE": "wav", b"....ftypM4A ": "m4a", b"": "bin"}
    assert {start: kind_of(start) for start in known} == known


async def test_amr_becomes_a_wave_where_there_is_ffmpeg(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(FFMPEG.format(python=sys.executable))
    program.chmod(0o755)
    async with http_peer(always={"text": ASKED}) as peer:
        speech = engine(peer, ffmpeg=str(program))
        assert await speech.words(AMR) == ASKED
        assert form_of(peer)["file"] == ("voice.wav", b"RIFF" + AMR)
        assert await speech.words(b"OggS") == ASKED
        assert form_of(peer)["file"] == ("voice.ogg", b"OggS")
        with pytest.raises(PermanentError):
            await speech.words(AMR + b"broken")
        with pytest.raises(PermanentError, match="too long"):
            await engine(peer, ffmpeg=str(program), timeout_s=0.5).words(AMR + b"slow")
        with pytest.raises(PermanentError, match="FileNotFoundError"):
            await engine(peer, ffmpeg="/nowhere/ffmpeg").words(AMR)
        assert len(peer.taken) == 2


@dataclass
class World:
    product: Product
    peer: HttpPeer

    async def speak(self, number: int) -> None:
        files = self.product.services.channel_files
        fetch = {"wecom": self._fetch}
        said = InboundMessage("wecom", f"v{number}", "", "lihua", action={"media_id": "m"})
        files = replace(files, fetch=fetch)
        await files.receive(said, kind="voice")
        await files.receive(said, kind="voice")  # the platform posts it again
        self.product.services.relay._handlers.update(files.handlers())
        self.product.services.relay.wake()

    @staticmethod
    async def _fetch(_media_id: str) -> Fetched:
        return Fetched("voice.amr", AMR)

    async def told(self, words: str, times: int) -> list[Message]:
        """All that was said after the greeting, once these words were said so often."""
        for _ in range(1_200):
            async with self.product.services.database.reading() as session:
                query = select(Message).where(Message.kind != "greeting").order_by(Message.seq)
                found = list((await session.scalars(query)).all())
            if sum(words in one.text for one in found) >= times:
                return found
            await asyncio.sleep(0.05)
        raise TimeoutError([one.text for one in found])


@pytest.fixture
async def world(prepared_workspace: Path, tmp_path: Path) -> AsyncIterator[World]:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    async with http_peer(always={"text": f"{ASKED} 13912345678"}) as peer:
        speech = engine(peer, tries=1).settings
        settings = make_settings(home).model_copy(update={"speech": speech})
        async with serving(settings) as product:
            yield World(product, peer)


async def test_what_was_spoken_is_answered_and_an_engine_that_is_away_asks_to_type(
    world: World,
) -> None:
    await world.speak(1)
    spoken, answer, *_ = await world.told("出处", 1)
    assert spoken.text == f"{ASKED} 139****5678"
    assert (spoken.sender, answer.kind) == ("user", "answer")
    assert len(world.peer.taken) == 1
    for number, failure in enumerate(((500, {}), (400, {}), {"text": " "}), 1):
        world.peer.always = failure
        await world.speak(1 + number)
        *_, noted, asked = await world.told("用文字说一下", number)
        assert (noted.sender, noted.text) == ("user", "【语音】")
        assert asked.sender == "bot"
