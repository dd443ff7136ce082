"""The suite of the wires in a process whose threads are eventlet's, as those of a service are. Arguments: pytest's."""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402

import pytest  # noqa: E402

if __name__ == "__main__":
    sys.exit(pytest.main(sys.argv[1:]))
