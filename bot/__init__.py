"""Deciding what to say, and assembling the product."""
