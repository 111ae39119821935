"""What to say next, as pure functions of what was said and found. No I/O, no words."""
