"""Rules of tickets with what they did, tags and custom fields, canned phrases, changes.

Revision: 0024
Follows: 0023
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "canned_phrases",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=10), nullable=False),
        sa.Column("module", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_phrases")),
    )
    op.create_index(op.f("ix_canned_phrases_position"), "canned_phrases", ["position"])
    op.create_table(
        "configuration_changes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("staff_name", sa.String(length=80), nullable=False),
        sa.Column("content", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_configuration_changes")),
    )
    op.create_index(
        op.f("ix_configuration_changes_kind_subject_id_at"),
        "configuration_changes",
        ["kind", "subject_id", "at"],
    )
    op.create_table(
        "ticket_fields",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("choices", _JSON, nullable=False),
        sa.Column("categories", _JSON, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('line', 'choice', 'number', 'date')", name=op.f("ck_ticket_fields_kind")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ticket_fields")),
    )
    op.create_table(
        "ticket_rule_trials",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("beat_at", _INSTANT, nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("rule", _JSON, nullable=False),
        sa.Column("result", _JSON, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'failed')", name=op.f("ck_ticket_rule_trials_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_rule_trials")),
    )
    op.create_index(op.f("ix_ticket_rule_trials_started_at"), "ticket_rule_trials", ["started_at"])
    op.create_table(
        "ticket_rules",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("active_since", _INSTANT, nullable=True),
        sa.Column("occasion", sa.String(length=10), nullable=False),
        sa.Column("matching", sa.String(length=5), nullable=False),
        sa.Column("conditions", _JSON, nullable=False),
        sa.Column("steps", _JSON, nullable=False),
        sa.Column("stop", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.CheckConstraint("matching IN ('all', 'any')", name=op.f("ck_ticket_rules_matching")),
        sa.CheckConstraint(
            "occasion IN ('opened', 'changed', 'time')", name=op.f("ck_ticket_rules_occasion")
        ),
        sa.CheckConstraint(
            "NOT enabled OR active_since IS NOT NULL", name=op.f("ck_ticket_rules_active")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_rules")),
    )
    op.create_table(
        "ticket_marks",
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_marks_ticket_id")
        ),
        sa.PrimaryKeyConstraint("ticket_id", "name", "value", name=op.f("pk_ticket_marks")),
    )
    op.create_index(op.f("ix_ticket_marks_name_value"), "ticket_marks", ["name", "value"])
    op.create_table(
        "ticket_rule_firings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("rule_id", sa.String(length=32), nullable=False),
        sa.Column("rule_name", sa.String(length=80), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("occasion", sa.String(length=10), nullable=False),
        sa.Column("stop", sa.Boolean(), nullable=False),
        sa.Column("ticket_id", sa.String(length=32), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("reasons", _JSON, nullable=False),
        sa.Column("outcomes", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_rule_firings_ticket_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_rule_firings")),
        sa.UniqueConstraint(
            "rule_id",
            "ticket_id",
            "episode",
            name=op.f("uq_ticket_rule_firings_rule_id_ticket_id_episode"),
        ),
    )
    op.create_index(
        op.f("ix_ticket_rule_firings_rule_id_at"), "ticket_rule_firings", ["rule_id", "at"]
    )
    op.create_index(
        op.f("ix_ticket_rule_firings_ticket_id_at"), "ticket_rule_firings", ["ticket_id", "at"]
    )


def downgrade() -> None:
    op.drop_table("ticket_rule_firings")
    op.drop_table("ticket_marks")
    op.drop_table("ticket_rules")
    op.drop_table("ticket_rule_trials")
    op.drop_table("ticket_fields")
    op.drop_table("configuration_changes")
    op.drop_table("canned_phrases")
