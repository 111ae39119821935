"""Keep channels, rules and notifications.

Revision: 0007
Follows: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:

    op.create_table(
        "notification_channels",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("config", _JSON, nullable=False),
        sa.Column("secrets", _JSON, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("retry_at", _INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("last_ok_at", _INSTANT, nullable=True),
        sa.Column("last_error_at", _INSTANT, nullable=True),
        sa.Column("last_error", sa.String(length=120), nullable=False),
        sa.CheckConstraint(
            "state IN ('on', 'off', 'broken')", name=op.f("ck_notification_channels_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_channels")),
    )
    op.create_table(
        "notification_cursors",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", _BIG, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_notification_cursors")),
    )
    op.create_table(
        "notification_rules",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("recipients", _JSON, nullable=False),
        sa.Column("events", _JSON, nullable=False),
        sa.Column("severities", _JSON, nullable=False),
        sa.Column("regions", _JSON, nullable=False),
        sa.Column("days", _JSON, nullable=False),
        sa.Column("active_from", sa.String(length=5), nullable=False),
        sa.Column("active_until", sa.String(length=5), nullable=False),
        sa.Column("quiet_from", sa.String(length=5), nullable=False),
        sa.Column("quiet_until", sa.String(length=5), nullable=False),
        sa.Column("major_breaks_quiet", sa.Boolean(), nullable=False),
        sa.Column("digest_minutes", sa.Integer(), nullable=False),
        sa.Column("repeat_minutes", sa.Integer(), nullable=False),
        sa.Column("repeat_times", sa.Integer(), nullable=False),
        sa.Column("repeat_channel_id", sa.String(length=32), nullable=True),
        sa.Column("repeat_recipients", _JSON, nullable=False),
        sa.Column("title_template", sa.Text(), nullable=False),
        sa.Column("text_template", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["notification_channels.id"],
            name=op.f("fk_notification_rules_channel_id"),
        ),
        sa.ForeignKeyConstraint(
            ["repeat_channel_id"],
            ["notification_channels.id"],
            name=op.f("fk_notification_rules_repeat_channel_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_rules")),
    )
    op.create_index(
        op.f("ix_notification_rules_channel_id"), "notification_rules", ["channel_id"], unique=False
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("dedupe_key", sa.String(length=64), nullable=False),
        sa.Column("event_key", sa.String(length=160), nullable=False),
        sa.Column("event", sa.String(length=30), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("region", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("rule_id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=200), nullable=False),
        sa.Column("mentions", _JSON, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("link", sa.String(length=600), nullable=False),
        sa.Column("thread", sa.String(length=80), nullable=False),
        sa.Column("values", _JSON, nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("digest_id", sa.String(length=32), nullable=True),
        sa.Column("send_at", _INSTANT, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT, nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'gathering', 'sent', 'failed')",
            name=op.f("ck_notifications_status"),
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["notification_channels.id"], name=op.f("fk_notifications_channel_id")
        ),
        sa.ForeignKeyConstraint(
            ["digest_id"], ["notifications.id"], name=op.f("fk_notifications_digest_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_notifications_dedupe_key")),
    )
    op.create_index(
        op.f("ix_notifications_channel_id_created_at"),
        "notifications",
        ["channel_id", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_notifications_digest_id"), "notifications", ["digest_id"], unique=False
    )
    op.create_table(
        "notification_attempts",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("notification_id", sa.String(length=32), nullable=True),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("error", sa.String(length=120), nullable=False),
        sa.Column("elapsed_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["notification_channels.id"],
            name=op.f("fk_notification_attempts_channel_id"),
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_notification_attempts_notification_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_attempts")),
    )
    op.create_index(
        op.f("ix_notification_attempts_channel_id_at"),
        "notification_attempts",
        ["channel_id", "at"],
        unique=False,
    )


def downgrade() -> None:

    op.drop_table("notification_attempts")
    op.drop_table("notifications")
    op.drop_table("notification_rules")
    op.drop_table("notification_cursors")
    op.drop_table("notification_channels")
