"""Indexes for searching tickets by parts of names and for reading the audit trail.

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
    op.create_index(op.f("ix_audit_entries_actor_id"), "audit_entries", ["actor", "id"])
    op.create_index(op.f("ix_audit_entries_action_id"), "audit_entries", ["action", "id"])
    op.create_index(op.f("ix_audit_entries_at"), "audit_entries", ["at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_entries_at"), "audit_entries")
    op.drop_index(op.f("ix_audit_entries_action_id"), "audit_entries")
    op.drop_index(op.f("ix_audit_entries_actor_id"), "audit_entries")
    op.drop_index("ix_tickets_named", "tickets")
