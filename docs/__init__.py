"""The documentation; ``docs.generate`` writes the pages that are derived from the code."""
