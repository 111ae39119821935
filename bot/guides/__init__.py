"""The editors' side of guides."""
