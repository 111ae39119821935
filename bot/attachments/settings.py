"""What a deployment may choose about pictures and files (environment CAIWEN_ATTACHMENTS__)."""

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024


class AttachmentSettings(BaseModel):
    """Pictures and files in conversations: limits, how long they are kept, reading, scanning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=True, description="Take pictures and files at all.")
    max_bytes: int = Field(
        default=10 * MIB, ge=10_000, le=200 * MIB, description="The largest single file, bytes."
    )
    max_pixels: int = Field(
        default=40_000_000, ge=10_000, description="The largest picture, width times height."
    )
    max_per_conversation: int = Field(
        default=50, ge=1, description="Files in one conversation, on both sides together."
    )
    keep_days: int = Field(
        default=180,
        ge=0,
        description="Files are deleted after so many days, and with them the text read out of"
        " them; 0 keeps them for good.",
    )
    read_text: bool = Field(
        default=True, description="Read the text of pictures and documents on this machine."
    )
    wait_s: float = Field(
        default=12.0,
        ge=0,
        le=60,
        description="How long an answer waits for the text of its picture; it is read all the"
        " same, for the engineer.",
    )
    read_s: int = Field(default=20, ge=1, le=300, description="Time limit of one picture.")
    read_threads: int = Field(
        default=1, ge=1, le=16, description="Processor cores that reading pictures may use."
    )
    read_memory_mb: int = Field(
        default=3072, ge=512, description="Address space of the reading process, MiB."
    )
    rest_after_s: float = Field(
        default=300.0, ge=1, description="The reading process ends after so long without pictures."
    )
    clamd: str = Field(
        default="",
        description="A clamd virus scanner: unix:/run/clamav/clamd.ctl or tcp:host:3310.",
    )
    clamd_s: float = Field(default=30.0, gt=0, description="Time limit of one scan.")
    clamd_required: bool = Field(
        default=True,
        description="Refuse files while the scanner that is set does not answer; off: take them"
        " unscanned.",
    )
