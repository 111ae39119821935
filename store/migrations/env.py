"""Alembic's environment. Imports no domain: the caller brings connection and metadata.

``bot.schema`` gathers the metadata; see ``bot.migrate``.
"""

from alembic import context
from sqlalchemy import Connection

config = context.config
connection: Connection = config.attributes["connection"]

context.configure(
    connection=connection,
    target_metadata=config.attributes["metadata"],
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    compare_server_default=True,
)
if connection.dialect.name == "postgresql":
    # A migration that cannot get its lock fails instead of queueing every request behind it.
    connection.exec_driver_sql("SET lock_timeout = '10s'")
with context.begin_transaction():
    context.run_migrations()
