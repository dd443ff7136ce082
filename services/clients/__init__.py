"""Client records: who they are, what was said, where."""
