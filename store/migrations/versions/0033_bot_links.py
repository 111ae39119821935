"""Say how a bot's long connection does, and what is sent over it.

Revision: 0033
Follows: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name in ("request_id", "chat"):
        column = sa.Column(name, sa.String(length=200), nullable=False, server_default="")
        op.add_column("bot_streams", column)
    op.add_column(
        "bot_streams",
        sa.Column("push", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    refusal = sa.Column("refusal", sa.String(length=60), nullable=False, server_default="")
    op.add_column("bot_stream_parts", refusal)
    op.create_table(
        "bot_links",
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("retry_at", _INSTANT, nullable=True),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("last_in", _INSTANT, nullable=True),
        sa.Column("last_out", _INSTANT, nullable=True),
        sa.Column("bad_frames", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_bot_links")),
    )


def downgrade() -> None:
    op.drop_table("bot_links")
    op.drop_column("bot_stream_parts", "refusal")
    for name in ("push", "chat", "request_id"):
        op.drop_column("bot_streams", name)
