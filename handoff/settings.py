"""What a deployment may choose about tickets (environment prefix CAIWEN_HANDOFF__)."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from handoff.contract import SeverityTable

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Routing(StrEnum):
    """Who brings tickets and engineers together. The values but ``off`` are routing methods."""

    OFF = "off"
    LEAST_LOADED = "least_loaded"
    ROUND_ROBIN = "round_robin"


class HandoffSettings(BaseModel):
    """Settings of tickets, service levels and queues."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contract: Identifier = Field(
        default="foshan", description="The service contract in force where no region has its own."
    )
    region_contracts: dict[str, Identifier] = Field(
        default_factory=dict, description="Contracts of single regions, by the region's name."
    )
    calendar: Identifier = Field(
        default="foshan", description="The calendar that dates ticket numbers and the console."
    )
    terms_dir: Path | None = Field(
        default=None,
        description="A folder with contracts/ and calendars/ of your own instead of the shipped.",
    )
    severity_table: SeverityTable | None = Field(
        default=None, description="Overrides the contract's own definition of severity."
    )
    auto_close_days: int = Field(
        default=3, ge=1, le=60, description="Working days the asker has to confirm a resolution."
    )
    capacity: int = Field(
        default=8, ge=1, le=100, description="Open tickets one engineer is given at most."
    )
    routing: Routing = Field(
        default=Routing.OFF,
        description=(
            "off: engineers take tickets themselves. least_loaded or round_robin: tickets are "
            "handed to engineers who are present, by region, module and load."
        ),
    )
    unanswered_minutes: int = Field(
        default=3, ge=1, le=240, description="A routed ticket not taken up by then goes back."
    )
    offers_before_escalation: int = Field(
        default=2, ge=1, le=20, description="Routed offers let pass before the next level is asked."
    )
    presence_timeout_s: int = Field(
        default=60, ge=20, le=600, description="A console silent for longer means nobody is there."
    )
    away_minutes: int = Field(
        default=10, ge=1, le=240, description="Without mouse or keyboard for longer means away."
    )
    callback_sample_percent: int = Field(
        default=10, ge=0, le=100, description="Closed tickets called back besides the major ones."
    )
    callback_days: int = Field(
        default=2, ge=1, le=30, description="Working days after closing to call back within."
    )
    wait_window_minutes: int = Field(
        default=120, ge=10, description="Recent claims that the expected wait is reckoned from."
    )
    wait_cap_minutes: int = Field(
        default=240, ge=1, description="A longer expected wait is not told as a number."
    )
    incident_rules: Path | None = Field(
        default=None,
        description="Your own numbers for when tickets are one fault, as in data/incidents.yml.",
    )
    holiday_warning_days: int = Field(
        default=45, ge=0, description="Days before a year that its holidays should be loaded."
    )

    def contract_of(self, region: str | None) -> str:
        """The contract in force for a region."""
        return self.region_contracts.get(region or "", self.contract)
