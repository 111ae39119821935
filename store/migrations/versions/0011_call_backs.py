"""Keep call-backs after closing.

Revision: 0011
Follows: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "call_backs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("why", sa.String(length=10), nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("done_at", _INSTANT, nullable=True),
        sa.CheckConstraint(
            "why IN ('major', 'reopened', 'sample')", name=op.f("ck_call_backs_why")
        ),
        sa.CheckConstraint(
            "result IS NULL OR result IN ('satisfied', 'acceptable', 'unsatisfied', 'unreachable')",
            name=op.f("ck_call_backs_result"),
        ),
        sa.CheckConstraint(
            "done_at IS NULL OR result IS NOT NULL", name=op.f("ck_call_backs_done")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_call_backs_ticket_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_call_backs_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_backs")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_call_backs_ticket_id")),
    )
    op.create_index(op.f("ix_call_backs_done_at_due_at"), "call_backs", ["done_at", "due_at"])


def downgrade() -> None:
    op.drop_table("call_backs")
