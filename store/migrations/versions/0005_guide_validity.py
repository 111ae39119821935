"""Keep validity of guides, doubts about answers, release notes and import jobs.

Revision: 0005
Follows: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=32), nullable=nullable)


def _key(table: str, name: str, to: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [name], [f"{to}.id"], name=op.f(f"fk_{table}_{name}"), ondelete=ondelete
    )


def upgrade() -> None:
    for column in (
        sa.Column("document_number", sa.String(length=100), nullable=False, server_default=""),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("effective_until", sa.Date(), nullable=True),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("regions", _JSON, nullable=False, server_default="[]"),
        sa.Column("audience", _JSON, nullable=False, server_default="[]"),
    ):
        op.add_column("guide_versions", column)
    _notes_and_sources()
    _marks()
    _imports()


def _notes_and_sources() -> None:
    op.create_table(
        "release_notes",
        _id("id"),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _id("author_id"),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_notes")),
    )
    op.create_table(
        "answer_sources",
        _id("article_id"),
        _id("base_section_id", nullable=True),
        _id("section_id"),
        sa.Column("updated_at", _INSTANT, nullable=False),
        _key("answer_sources", "article_id", "articles", "CASCADE"),
        _key("answer_sources", "section_id", "guide_sections", "CASCADE"),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_answer_sources")),
    )
    op.create_index(op.f("ix_answer_sources_section_id"), "answer_sources", ["section_id"])


def _marks() -> None:
    op.create_table(
        "stale_marks",
        _id("id"),
        _id("article_id"),
        sa.Column("reason", sa.String(length=32), nullable=False),
        _id("guide_id", nullable=True),
        _id("old_section_id", nullable=True),
        _id("new_section_id", nullable=True),
        _id("note_id", nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("cleared_at", _INSTANT, nullable=True),
        sa.Column("cleared_by", sa.String(length=100), nullable=False),
        sa.Column("cleared_how", sa.String(length=16), nullable=False),
        _key("stale_marks", "article_id", "articles", "CASCADE"),
        _key("stale_marks", "guide_id", "guides", "SET NULL"),
        _key("stale_marks", "old_section_id", "guide_sections", "SET NULL"),
        _key("stale_marks", "new_section_id", "guide_sections", "SET NULL"),
        _key("stale_marks", "note_id", "release_notes", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stale_marks")),
    )
    op.create_index("ix_stale_marks_article", "stale_marks", ["article_id", "cleared_at"])
    op.create_index("ix_stale_marks_open", "stale_marks", ["cleared_at", "since"])
    op.create_index(op.f("ix_stale_marks_guide_id"), "stale_marks", ["guide_id"])


def _imports() -> None:
    op.create_table(
        "guide_imports",
        _id("id"),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("publish", sa.Boolean(), nullable=False),
        _id("guide_id", nullable=True),
        _id("owner_id"),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("beat_at", _INSTANT, nullable=True),
        sa.Column("finished_at", _INSTANT, nullable=True),
        _key("guide_imports", "guide_id", "guides", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guide_imports")),
    )
    op.create_index("ix_guide_imports_order", "guide_imports", ["created_at"])
    op.create_table(
        "guide_import_files",
        _id("id"),
        _id("import_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("size", _BIG, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("record", _JSON, nullable=False),
        _id("guide_id", nullable=True),
        _key("guide_import_files", "import_id", "guide_imports", "CASCADE"),
        _key("guide_import_files", "guide_id", "guides", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guide_import_files")),
    )
    op.create_index("ix_guide_import_files_order", "guide_import_files", ["import_id", "position"])


def downgrade() -> None:
    for table in (
        "guide_import_files",
        "guide_imports",
        "stale_marks",
        "answer_sources",
        "release_notes",
    ):
        op.drop_table(table)
    for name in (
        "audience",
        "regions",
        "fiscal_year",
        "effective_until",
        "effective_from",
        "document_number",
    ):
        op.drop_column("guide_versions", name)
