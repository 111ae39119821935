"""Telling staff elsewhere what happened here."""
