"""Guides in, the right passage out."""
