"""A program of `bench.peers.Callers`: reads one address over HTTP as fast as it can.

`python -m bench.reading URL TOKEN PATH BYTES`: an answer that is much shorter than BYTES ends it.
"""

from __future__ import annotations

import sys

from bench.page import Api
from bench.peers import ask_while_told
from bench.raw import end_with_parent


def main(url: str, token: str, path: str, size: int) -> None:
    """See the module."""
    api = Api(url, token)
    end_with_parent()

    def once() -> None:
        body = api.ask("GET", path)
        assert len(body) > 0.9 * size, len(body)
        assert b'"unavailable"' not in body

    ask_while_told(once)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
