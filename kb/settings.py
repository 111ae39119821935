"""What a deployment may choose about the knowledge base (environment prefix CAIWEN_KB__)."""

from pydantic import BaseModel, ConfigDict, Field


class KnowledgeSettings(BaseModel):
    """Settings of import, training and search."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedder: str = Field(
        default="",
        description="A sentence-transformers model: a local folder or a hub name. Empty: a small "
        "model is trained from the knowledge base itself.",
    )
    query_prompt: str = Field(
        default="", description="Put before every query when the set model asks for one."
    )
    seed: int = Field(default=20260101, description="Seed of everything random in training.")
    training_threads: int = Field(
        default=2,
        ge=1,
        le=2,
        description="Train for calibration and for use one by one or at once.",
    )
    answer_from: float = Field(
        default=0.33,
        gt=0.0,
        lt=1.0,
        description="An answer is given directly from this probability that it is the right one. "
        "Chosen on the dev splits of data/evaluation: see ADR 7.",
    )
    offer_from: float = Field(
        default=0.25,
        gt=0.0,
        lt=1.0,
        description="Otherwise the first three are offered from this probability that the right "
        "one is among them.",
    )
    gate_drop: float = Field(
        default=0.02,
        ge=0.0,
        le=1.0,
        description="Golden questions that may get worse through one change, as a share; beyond "
        "it only a reviewer with a reason may publish.",
    )
    refresh_seconds: float = Field(
        default=1.0, ge=0.0, description="How often a running process looks for a new index."
    )
    own_review: bool = Field(
        default=False,
        description="Reviewers may approve what they wrote themselves, for teams of one person; "
        "each such approval is marked in the audit.",
    )
