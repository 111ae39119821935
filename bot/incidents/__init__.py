"""Faults that many report: noticed, proposed, confirmed, told about, ended."""
