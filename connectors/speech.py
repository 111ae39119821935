"""What was spoken, in words: asks a speech engine of the deployment's own over HTTP.

The engine speaks as OpenAI's ``/v1/audio/transcriptions`` does, which servers of FunASR,
SenseVoice and whisper.cpp offer. What people say never leaves the networks that the deployment
lists. Refuses to keep a recording, and to guess what could not be understood.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import httpx
from pydantic import BaseModel, ConfigDict, Field

from connectors.base import PermanentError
from connectors.notify_http import post
from connectors.ssrf import AddressGuard, guarded_client

#: How recordings begin, and what engines have to be told that they are.
_BEGINNINGS: Mapping[bytes, str] = {
    b"#!AMR": "amr",
    b"OggS": "ogg",
    b"RIFF": "wav",
    b"ID3": "mp3",
    b"\xff\xfb": "mp3",
    b"fLaC": "flac",
    b"\x1aE\xdf\xa3": "webm",
}
_MEDIA_TYPES: Mapping[str, str] = {"mp3": "audio/mpeg", "m4a": "audio/mp4"}
#: Nobody asks a helpdesk in more words than these.
MOST_CHARS = 2_000


class SpeechSettings(BaseModel):
    """The speech engine that writes voice messages down. Without one people are asked to type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="The whole address, such as http://127.0.0.1:8000/v1/audio/transcriptions;"
        " empty: voice messages are not written down.",
    )
    key: str = Field(
        default="", repr=False, max_length=500, description="Sent as a bearer token, if there is."
    )
    model: str = Field(default="whisper-1", max_length=100, description="The engine's model.")
    language: str = Field(default="zh", max_length=20, description="Empty: the engine finds out.")
    timeout_s: float = Field(default=15.0, gt=0, le=18, description="Seconds for one recording.")
    max_bytes: int = Field(
        default=5_000_000, ge=1_000, description="A larger recording is not written down."
    )
    tries: int = Field(
        default=3, ge=1, le=10, description="So often an engine that is away is asked."
    )
    ffmpeg: str = Field(
        default="",
        description="Path of ffmpeg, for engines that do not read AMR; empty: AMR is passed on.",
    )
    allowed_networks: list[IPv4Network | IPv6Network] = Field(
        default_factory=lambda: [ip_network("127.0.0.0/8"), ip_network("::1/128")],
        description="Private networks (CIDR) that the engine may be in.",
    )
    ca_bundle: Path | None = Field(
        default=None, description="Certificates (PEM) of a private authority to trust."
    )


class Speech:
    """One engine."""

    def __init__(self, settings: SpeechSettings) -> None:
        self.settings = settings

    async def words(self, recording: bytes) -> str:
        """What was said, maybe nothing.

        Raises :class:`PermanentError` for what will never be understood, and
        :class:`~connectors.base.TransientError` while the engine cannot be asked. Neither carries
        an address, a key or an answer.
        """
        settings = self.settings
        if len(recording) > settings.max_bytes:
            raise PermanentError("the recording is too large")
        kind = kind_of(recording)
        if kind == "amr" and settings.ffmpeg:
            recording, kind = await as_wave(recording, settings), "wav"
        content, headers = _form(recording, kind, settings)
        context = ssl.create_default_context(cafile=settings.ca_bundle)
        guard = AddressGuard(tuple(settings.allowed_networks))
        async with guarded_client(guard, context, settings.timeout_s) as client:
            answer = await post(client, settings.url, content, headers)
        text = answer.fields().get("text")
        return " ".join(text.split())[:MOST_CHARS] if isinstance(text, str) else ""


def kind_of(recording: bytes) -> str:
    """What a recording is, as its file name should end; channels name them as they like."""
    if recording[4:8] == b"ftyp":
        return "m4a"
    found = (kind for start, kind in _BEGINNINGS.items() if recording.startswith(start))
    return next(found, "bin")


def _form(recording: bytes, kind: str, settings: SpeechSettings) -> tuple[bytes, Mapping[str, str]]:
    fields = {"model": settings.model, "language": settings.language, "response_format": "json"}
    media_type = _MEDIA_TYPES.get(kind, f"audio/{kind}")
    made = httpx.Request(
        "POST",
        settings.url,
        data={name: value for name, value in fields.items() if value},
        files={"file": (f"voice.{kind}", recording, media_type)},
    )
    headers = {"Content-Type": made.headers["content-type"]}
    if settings.key:
        headers["Authorization"] = f"Bearer {settings.key}"
    return made.read(), headers


async def as_wave(recording: bytes, settings: SpeechSettings) -> bytes:
    """AMR as a wave of 16 kHz. Raises :class:`PermanentError` for what is no recording."""
    command = (settings.ffmpeg, "-hide_banner", "-loglevel", "quiet", "-protocol_whitelist", "pipe",
               "-f", "amr", "-i", "pipe:0", "-t", "300", "-ac", "1", "-ar", "16000",
               "-f", "wav", "pipe:1")  # fmt: skip
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError as error:
        raise PermanentError(f"ffmpeg: {type(error).__name__}") from None
    try:
        async with asyncio.timeout(settings.timeout_s):
            wave, _ = await process.communicate(recording)
    except TimeoutError:
        raise PermanentError("ffmpeg takes too long") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode or not wave.startswith(b"RIFF"):
        raise PermanentError("no recording that can be read")
    return wave
