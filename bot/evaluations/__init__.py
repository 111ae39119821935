"""Measuring the answers of a workspace: asking, counting, keeping, drawing."""
