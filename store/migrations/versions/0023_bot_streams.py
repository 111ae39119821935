"""Keep replies that a bot's platform comes to fetch.

Revision: 0023
Follows: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "bot_streams",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("response_url", sa.Text(), nullable=False),
        sa.Column("welcome", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bot_streams")),
        sa.UniqueConstraint("message_id", name=op.f("uq_bot_streams_message_id")),
    )
    op.create_index(op.f("ix_bot_streams_opened_at"), "bot_streams", ["opened_at"])
    op.create_index(op.f("ix_bot_streams_person_opened_at"), "bot_streams", ["person", "opened_at"])
    op.create_table(
        "bot_stream_parts",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("stream_id", sa.String(length=32), nullable=False),
        sa.Column("delivery_key", sa.String(length=200), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("pictures", sa.Text(), nullable=False),
        sa.Column("answer_seq", sa.Integer(), nullable=False),
        sa.Column("put_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["stream_id"],
            ["bot_streams.id"],
            name=op.f("fk_bot_stream_parts_stream_id_bot_streams"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bot_stream_parts")),
        sa.UniqueConstraint(
            "delivery_key", "part", name=op.f("uq_bot_stream_parts_delivery_key_part")
        ),
    )
    op.create_index(op.f("ix_bot_stream_parts_stream_id"), "bot_stream_parts", ["stream_id"])


def downgrade() -> None:
    op.drop_table("bot_stream_parts")
    op.drop_table("bot_streams")
