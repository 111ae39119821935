"""Saved views of more than one list.

Revision: 0021
Follows: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_COLUMNS = "id, staff_id, staff_name, name, query, shared, created_at"


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=20), nullable=False),
        *_columns(),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_saved_views_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint(
            "staff_id", "place", "name", name=op.f("uq_saved_views_staff_id_place_name")
        ),
    )
    op.create_index(op.f("ix_saved_views_place_shared"), "saved_views", ["place", "shared"])
    op.execute(
        f"INSERT INTO saved_views (place, {_COLUMNS})"  # noqa: S608  # our own names
        f" SELECT 'answers', {_COLUMNS} FROM answer_views"
    )
    op.drop_index(op.f("ix_answer_views_shared"), table_name="answer_views")
    op.drop_table("answer_views")


def downgrade() -> None:
    op.create_table(
        "answer_views",
        sa.Column("id", sa.String(length=32), nullable=False),
        *_columns(),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_answer_views_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_views")),
        sa.UniqueConstraint("staff_id", "name", name=op.f("uq_answer_views_staff_id_name")),
    )
    op.create_index(op.f("ix_answer_views_shared"), "answer_views", ["shared"])
    op.execute(
        f"INSERT INTO answer_views ({_COLUMNS})"  # noqa: S608  # our own names
        f" SELECT {_COLUMNS} FROM saved_views WHERE place = 'answers'"
    )
    op.drop_index(op.f("ix_saved_views_place_shared"), table_name="saved_views")
    op.drop_table("saved_views")


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("staff_name", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
    ]
