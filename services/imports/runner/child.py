"""Run by itself, as a child process: reads a source and tells it on standard output (architecture, rule 13).

Frames, each a length of eight bytes and a pickle: the rows by table, then lists of items, then None; or the sentence
(str) that says why the source is none. A pipe that is full makes it wait, so that neither side holds more than a few.
"""

from __future__ import annotations

import os
import pickle
import sys
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from services.imports.records import NotADolibarrError
from services.imports.runner.sources import DemoSource, DolibarrSource, Source

BATCH = 200


def source_of(order: list[str]) -> Source:
    """`dolibarr PATH` or `demo CLIENTS SEED DAY`."""
    if order[0] == "dolibarr":
        return DolibarrSource(Path(order[1]))
    return DemoSource(int(order[1]), int(order[2]), date.fromisoformat(order[3]))


def main(order: list[str]) -> None:
    """Tells the whole source."""
    source = source_of(order)
    try:
        _tell(source.rows())
        items = source.items()
        while batch := list(islice(items, BATCH)):
            _tell(batch)
    except NotADolibarrError as error:
        _tell(str(error))
    else:
        _tell(None)


def _tell(frame: Any) -> None:
    body = pickle.dumps(frame, pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.write(len(body).to_bytes(8, "big") + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    # Whoever works in the pages comes first.
    os.nice(5)
    main(sys.argv[1:])
