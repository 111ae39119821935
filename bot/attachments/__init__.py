"""Pictures and files of conversations: taken in, kept, read, shown, and forgotten in time."""
