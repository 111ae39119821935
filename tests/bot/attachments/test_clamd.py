"""The scanner's protocol against a scanner that answers, finds, lies and keeps silent."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.attachments import errors
from bot.attachments.clamd import Clamd, ScannerSilent
from bot.attachments.intake import AttachmentIntake
from bot.attachments.settings import AttachmentSettings
from tests.bot.attachments.readers import png

EICAR = b"a signature"


@asynccontextmanager
async def scanner(path: Path, reply: bytes | None = None) -> AsyncIterator[str]:
    """A clamd on a Unix socket; it finds `EICAR` unless it has one fixed reply."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
            data = b""
            while size := struct.unpack(">I", await reader.readexactly(4))[0]:
                data += await reader.readexactly(size)
            found = b"stream: Eicar FOUND\0" if EICAR in data else b"stream: OK\0"
            writer.write(found if reply is None else reply)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, path)
    async with server:
        yield f"unix:{path}"


async def test_files_are_streamed_in_pieces(tmp_path: Path) -> None:
    async with scanner(tmp_path / "clamd") as address:
        clamd = Clamd(address, 10)
        assert await clamd.is_clean(bytes(300_000))
        assert await clamd.is_clean(b"")
        assert not await clamd.is_clean(bytes(100_000) + EICAR)


@pytest.mark.parametrize("reply", [b"", b"INSTREAM size limit exceeded. ERROR\0", b"\xff\xfe"])
async def test_anything_but_a_verdict_is_silence(tmp_path: Path, reply: bytes) -> None:
    async with scanner(tmp_path / "clamd", reply) as address:
        with pytest.raises(ScannerSilent):
            await Clamd(address, 10).is_clean(b"x")


@pytest.mark.parametrize("address", ["unix:/nowhere", "tcp:127.0.0.1:1", "tcp:3310", "nonsense"])
async def test_a_scanner_that_is_not_there_is_silent(address: str) -> None:
    with pytest.raises(ScannerSilent):
        await Clamd(address, 2).is_clean(b"x")


def intake(folder: Path, **changes: object) -> AttachmentIntake:
    return AttachmentIntake(AttachmentSettings.model_validate(changes), folder)


async def test_what_is_found_never_rests(tmp_path: Path) -> None:
    async with scanner(tmp_path / "clamd") as address:
        taking = intake(tmp_path / "files", clamd=address)
        assert (await taking.store(png(), "a.png")).scanned
        with pytest.raises(errors.AttachmentInfected):
            await taking.store(png(1) + EICAR, "b.png")
    assert len(list((tmp_path / "files").glob("*/*"))) == 1


async def test_without_the_scanner_nothing_is_taken_unless_told_so(tmp_path: Path) -> None:
    with pytest.raises(errors.AttachmentUnscanned):
        await intake(tmp_path, clamd="unix:/nowhere").store(png(), "a.png")
    assert list(tmp_path.iterdir()) == []
    lax = intake(tmp_path, clamd="unix:/nowhere", clamd_required=False)
    assert not (await lax.store(png(), "a.png")).scanned


async def test_limits_hold_without_any_request(tmp_path: Path) -> None:
    with pytest.raises(errors.AttachmentTooLarge):
        await intake(tmp_path, max_bytes=10_000).store(bytes(10_001), "a.png")
    with pytest.raises(errors.AttachmentsOff):
        await intake(tmp_path, enabled=False).store(png(), "a.png")
    assert list(tmp_path.iterdir()) == []
