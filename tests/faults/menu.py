"""The faults: each breaks something while the load goes on, and mends only what an administrator would have mended."""

from tests.faults import of_processes, of_servers, of_events, of_time  # noqa: F401, I001  (in the order of the rows)
from tests.faults.registry import FAULTS

__all__ = ["FAULTS"]
