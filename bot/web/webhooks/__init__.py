"""What platforms and monitoring systems post to us."""
