"""Call-backs that a rule asks for.

Revision: 0026
Follows: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _allow("'major', 'reopened', 'sample', 'rule'")


def downgrade() -> None:
    op.execute("UPDATE call_backs SET why = 'sample' WHERE why = 'rule'")
    _allow("'major', 'reopened', 'sample'")


def _allow(words: str) -> None:
    with op.batch_alter_table("call_backs") as batch:
        batch.drop_constraint(op.f("ck_call_backs_why"), type_="check")
        batch.create_check_constraint(op.f("ck_call_backs_why"), f"why IN ({words})")
