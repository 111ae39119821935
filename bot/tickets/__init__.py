"""Tickets in people's hands: who works on them, what is done to them, what is read of them."""
