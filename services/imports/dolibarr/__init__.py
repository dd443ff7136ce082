"""Dolibarr, versions 3 to 20, read from its tables as CSV."""

from services.imports.dolibarr.reader import is_business, read, row_counts
from services.imports.records import NotADolibarrError

__all__ = ["NotADolibarrError", "is_business", "read", "row_counts"]
