"""Golden questions: kept, asked before publishing, judged."""
