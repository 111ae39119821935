"""Indexes for lists of very many tickets.

Revision: 0014
Follows: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_tickets_over", "tickets", ["status", "opened_at", "id"])
    op.create_index(op.f("ix_tickets_module_opened_at"), "tickets", ["module", "opened_at"])
    op.create_index(
        "ix_tickets_counted", "tickets", ["status", "severity", "region", "module", "assignee_id"]
    )


def downgrade() -> None:
    op.drop_index("ix_tickets_counted", "tickets")
    op.drop_index(op.f("ix_tickets_module_opened_at"), "tickets")
    op.drop_index("ix_tickets_over", "tickets")
