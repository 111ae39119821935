"""Keep which questions led to which answers, and proposals that were declined.

Revision: 0013
Follows: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "led_questions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("answer_id", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_led_questions_conversation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_led_questions")),
        sa.UniqueConstraint(
            "conversation_id", "seq", name=op.f("uq_led_questions_conversation_id_seq")
        ),
    )
    op.create_index("ix_led_questions_answer", "led_questions", ["answer_id", "asked_at"])
    op.create_table(
        "declined_questions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("article_id", sa.String(length=32), nullable=False),
        sa.Column("form", sa.String(length=500), nullable=False),
        sa.Column("declined_by", sa.String(length=100), nullable=False),
        sa.Column("declined_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles.id"],
            name=op.f("fk_declined_questions_article_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declined_questions")),
        sa.UniqueConstraint(
            "article_id", "form", name=op.f("uq_declined_questions_article_id_form")
        ),
    )


def downgrade() -> None:
    op.drop_table("declined_questions")
    op.drop_index("ix_led_questions_answer", table_name="led_questions")
    op.drop_table("led_questions")
