"""Likely duplicates: what a record is known by (`keys`), and how alike two records are (`score`)."""
