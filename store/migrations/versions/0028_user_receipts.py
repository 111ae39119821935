"""Keep how far a conversation has come to its user's screen.

Revision: 0028
Follows: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_COLUMNS = ("user_received_seq", "user_read_seq")


def upgrade() -> None:
    for name in _COLUMNS:
        column = sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        op.add_column("conversations", column)


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("conversations", name)
