"""What a deployment may choose about the knowledge base (environment prefix CAIWEN_KB__)."""

from pydantic import BaseModel, ConfigDict, Field


class ImportSettings(BaseModel):
    """Limits of one imported file; beyond one it is refused, a picture beyond one is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file_mb: int = Field(default=100, ge=1, description="Size of a file.")
    unpacked_mb: int = Field(default=500, ge=1, description="Size of an archive once unpacked.")
    pages: int = Field(default=2_000, ge=1, description="Pages of a PDF, slides of a deck.")
    scanned_pages: int = Field(
        default=100,
        ge=0,
        description="Scanned pages of a PDF whose text is read from their pictures, a few seconds "
        "each; 0 switches it off.",
    )
    pictures: int = Field(default=5_000, ge=1, description="Different pictures in a file.")
    picture_mb: int = Field(default=30, ge=1, description="Size of one picture.")
    rows: int = Field(default=50_000, ge=1, description="Rows of a sheet.")
    seconds: float = Field(default=120.0, gt=0, description="Time to read a file.")
    memory_mb: int = Field(
        default=1536, ge=256, description="Memory of the process that reads files."
    )
    convert_seconds: float = Field(
        default=90.0, gt=0, description="Time for LibreOffice or antiword to convert an old format."
    )
    convert_memory_mb: int = Field(
        default=3072, ge=256, description="Address space of that converter."
    )


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
    seed: int = Field(default=2, description="Seed of everything random in training.")
    training_threads: int = Field(
        default=2,
        ge=1,
        le=2,
        description="Train for calibration and for use one by one or at once.",
    )
    answer_from: float = Field(
        default=0.28,
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
    importing: ImportSettings = Field(default_factory=ImportSettings)
    own_review: bool = Field(
        default=False,
        description="Reviewers may approve what they wrote themselves, for teams of one person; "
        "each such approval is marked in the audit.",
    )
