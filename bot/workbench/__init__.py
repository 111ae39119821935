"""The editors' side of answers, doubts and the lexicon."""
