"""Schema migrations, for SQLite and PostgreSQL alike. They never import application code."""
