"""Keep calendars as administrators edited them.

Revision: 0010
Follows: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "calendar_edits",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("calendar_id", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("editor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_edits")),
    )
    op.create_index(
        op.f("ix_calendar_edits_calendar_id_id"), "calendar_edits", ["calendar_id", "id"]
    )


def downgrade() -> None:
    op.drop_table("calendar_edits")
