"""Ways of looking at a list, kept under names."""
