"""Rules of tickets made without code: kept, tried on the past, run, told in words."""
