"""Keep for which fiscal year and for whom an answer is, and what groups a person belongs to.

Revision: 0016
Follows: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("articles", sa.Column("fiscal_year", sa.Integer(), nullable=True))
    op.add_column("articles", sa.Column("audience", sa.Text(), nullable=False, server_default=""))
    op.add_column("users", sa.Column("audience", sa.String(length=200), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "audience")
    op.drop_column("articles", "audience")
    op.drop_column("articles", "fiscal_year")
