"""What a deployment may choose about notifications (environment prefix CAIWEN_NOTIFY__)."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from connectors.ssrf import AddressGuard


class NotifySettings(BaseModel):
    """Telling staff elsewhere: what channels may connect to, and when silence is reported."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Where staff reach the console; links in notifications begin with it.",
    )
    allowed_networks: list[IPv4Network | IPv6Network] = Field(
        default_factory=list,
        description="Private networks (CIDR) that channels may connect to; others are refused.",
    )
    ca_bundle: Path | None = Field(
        default=None, description="Certificates (PEM) of a private authority to trust."
    )
    timeout_s: float = Field(default=10.0, gt=0, le=15, description="Seconds for one send.")
    unanswered_minutes: int = Field(
        default=10,
        ge=0,
        le=1_440,
        description="Minutes without an answer before staff is told; 0 turns this off.",
    )

    def guard(self) -> AddressGuard:
        """The guard over addresses that administrators type."""
        return AddressGuard(tuple(self.allowed_networks))
