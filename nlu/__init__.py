"""Text in, understanding out."""
