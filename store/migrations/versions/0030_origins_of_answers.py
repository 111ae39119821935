"""Which ticket an answer was drafted from.

Revision: 0030
Follows: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer_origins",
        sa.Column("article_id", sa.String(length=32), nullable=False),
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles.id"],
            name=op.f("fk_answer_origins_article_id_articles"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_answer_origins_ticket_id_tickets")
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_answer_origins")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_answer_origins_ticket_id")),
    )


def downgrade() -> None:
    op.drop_table("answer_origins")
