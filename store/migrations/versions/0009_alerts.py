"""Keep alerts, their sources and silences.

Revision: 0009
Follows: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:

    op.create_table(
        "alert_silences",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("labels", _JSON, nullable=False),
        sa.Column("comment", sa.String(length=300), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_silences")),
    )
    op.create_index(op.f("ix_alert_silences_ends_at"), "alert_silences", ["ends_at"], unique=False)
    op.create_table(
        "alert_sources",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("config", _JSON, nullable=False),
        sa.Column("secrets", _JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("last_in_at", _INSTANT, nullable=True),
        sa.Column("last_flaw_at", _INSTANT, nullable=True),
        sa.Column("last_flaw", sa.String(length=20), nullable=False),
        sa.Column("accepted", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_sources")),
    )
    op.create_table(
        "alert_deliveries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("flaw", sa.String(length=20), nullable=False),
        sa.Column("truncated", sa.Integer(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", _INSTANT, nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["alert_sources.id"], name=op.f("fk_alert_deliveries_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_deliveries")),
        sa.UniqueConstraint(
            "source_id", "digest", name=op.f("uq_alert_deliveries_source_id_digest")
        ),
    )
    op.create_index(
        op.f("ix_alert_deliveries_last_at"), "alert_deliveries", ["last_at"], unique=False
    )
    op.create_table(
        "alert_instances",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("region", sa.String(length=80), nullable=False),
        sa.Column("module", sa.String(length=80), nullable=False),
        sa.Column("labels", _JSON, nullable=False),
        sa.Column("link", sa.String(length=600), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("flaps", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", _INSTANT, nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "status IN ('firing', 'resolved')", name=op.f("ck_alert_instances_status")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["alert_sources.id"], name=op.f("fk_alert_instances_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_instances")),
        sa.UniqueConstraint(
            "source_id",
            "fingerprint",
            "starts_at",
            name=op.f("uq_alert_instances_source_id_fingerprint_starts_at"),
        ),
    )
    op.create_index(
        op.f("ix_alert_instances_status_last_at"),
        "alert_instances",
        ["status", "last_at"],
        unique=False,
    )


def downgrade() -> None:

    op.drop_table("alert_instances")
    op.drop_table("alert_deliveries")
    op.drop_table("alert_sources")
    op.drop_table("alert_silences")
