"""What monitoring systems report: taken in, folded, proposed as incidents."""
