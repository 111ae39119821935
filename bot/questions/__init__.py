"""What people really asked and where it led: material for similar questions."""
