"""Keep cards that a bot sends over its long connection.

Revision: 0034
Follows: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    card = sa.Column("card", sa.Text(), nullable=False, server_default="")
    op.add_column("bot_stream_parts", card)


def downgrade() -> None:
    op.drop_column("bot_stream_parts", "card")
