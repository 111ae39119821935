"""Keep presence and capacity of engineers.

Revision: 0008
Follows: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "routing_profiles",
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("presence", sa.String(length=10), nullable=False),
        sa.Column("presence_until", _INSTANT, nullable=True),
        sa.Column("beat_at", _INSTANT, nullable=True),
        sa.Column("active_at", _INSTANT, nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "presence IN ('online', 'away', 'on_call', 'off')",
            name=op.f("ck_routing_profiles_presence"),
        ),
        sa.CheckConstraint(
            "capacity IS NULL OR capacity BETWEEN 0 AND 100",
            name=op.f("ck_routing_profiles_capacity"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_routing_profiles_staff_id")
        ),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_routing_profiles")),
    )


def downgrade() -> None:
    op.drop_table("routing_profiles")
