"""Everything at rest; no domain."""
