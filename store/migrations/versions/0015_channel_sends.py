"""Keep what was sent to whom, so that a restart does not forget the platforms' limits.

Revision: 0015
Follows: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "channel_sends",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("delivery_key", sa.String(length=200), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("arrived", sa.Boolean(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_sends")),
        sa.UniqueConstraint(
            "channel",
            "delivery_key",
            "part",
            name=op.f("uq_channel_sends_channel_delivery_key_part"),
        ),
    )
    op.create_index(
        op.f("ix_channel_sends_channel_person_sent_at"),
        "channel_sends",
        ["channel", "person", "sent_at"],
    )
    op.create_index(op.f("ix_channel_sends_sent_at"), "channel_sends", ["sent_at"])


def downgrade() -> None:
    op.drop_table("channel_sends")
