"""An index that holds what lists are narrowed to by parts of names.

Revision: 0025
Follows: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_tickets_named",
        "tickets",
        ["opened_at", "id", "region", "module", "unit", "status", "severity"],
    )


def downgrade() -> None:
    op.drop_index("ix_tickets_named", "tickets")
