"""Say which host page a conversation began on, and how often its proofs were refused.

Revision: 0031
Follows: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    widget = sa.Column("widget", sa.String(length=40), nullable=False, server_default="")
    op.add_column("conversations", widget)
    op.create_table(
        "widget_refusals",
        sa.Column("widget", sa.String(length=40), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("widget", "hour", name=op.f("pk_widget_refusals")),
    )


def downgrade() -> None:
    op.drop_table("widget_refusals")
    op.drop_column("conversations", "widget")
