"""Benchmarks: they print figures and judge nothing."""
