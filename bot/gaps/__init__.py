"""What the knowledge base lacks: found, grouped, closed, told."""
