"""What administrators changed: kept whole, told as differences, restorable."""
