"""A message's way: opened, recorded, thought about, acted on, shown."""
