"""Keep what platforms call our pictures, and what tells one send from another.

Revision: 0019
Follows: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_media",
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_id", sa.String(length=300), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "sha256", name=op.f("pk_channel_media")),
    )
    with op.batch_alter_table("channel_sends") as table:
        table.add_column(sa.Column("slot", sa.Integer(), nullable=False, server_default="0"))
        table.alter_column("slot", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("channel_sends") as table:
        table.drop_column("slot")
    op.drop_table("channel_media")
