"""A ticket from opening to closing."""
