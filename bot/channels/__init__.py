"""Channels with one thread per person: in, out, how they do, and what is said there."""
