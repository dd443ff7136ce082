"""A multipart body read as it comes: fields first, then the file's bytes, never whole in memory nor on this disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData, Preamble

from chassis.errors import Invalid, TooLarge

CHUNK = 256 * 1024
#: Bytes of a part's head, at most: what is held at once.
HEAD_LIMIT = 1024 * 1024
#: Bytes that all fields beside the file may have.
FIELDS_LIMIT = 64 * 1024
_NO_FORM = "Joignez un fichier (champ file d’un formulaire multipart)."


@dataclass
class Form:
    """What a form says before its file, then the file. `chunks` is read once; fields behind the file come with it."""

    fields: dict[str, str] = field(default_factory=dict)
    name: str = ""
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))


def read_form(stream: IO[bytes], content_type: str) -> Form:
    """The form up to the beginning of its field `file`. Raises `Invalid` where there is none."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise Invalid.field("file", _NO_FORM)
    form = Form()
    events = _events(MultipartDecoder(options["boundary"].encode("latin-1"), HEAD_LIMIT, max_parts=50), stream)
    try:
        for part, data in events:
            if isinstance(part, File) and part.name == "file" and part.filename:
                form.name = part.filename
                form.chunks = _file(form, part, data, events)
                return form
            _keep(form, part, data)
    except ValueError:
        raise Invalid.field("file", "Ce formulaire est mal formé.") from None
    raise Invalid.field("file", _NO_FORM)


def _file(form: Form, part: File, first: bytes, events: Iterator[tuple[Field | File, bytes]]) -> Iterator[bytes]:
    yield first
    try:
        for of, data in events:
            if of is part:
                yield data
            else:
                _keep(form, of, data)
    except ValueError:
        raise Invalid.field("file", "Le fichier n’est pas arrivé en entier\u202f: envoyez-le de nouveau.") from None


def _keep(form: Form, part: Field | File, data: bytes) -> None:
    if isinstance(part, Field):
        form.fields[part.name] = form.fields.get(part.name, "") + data.decode("utf-8", "replace")
        if sum(map(len, form.fields.values())) > FIELDS_LIMIT:
            raise TooLarge("Les champs de ce formulaire sont trop longs.")


def _events(decoder: MultipartDecoder, stream: IO[bytes]) -> Iterator[tuple[Field | File, bytes]]:
    """Each piece of data with the part it belongs to. Raises `ValueError` where the body ends too early."""
    part: Field | File | None = None
    while True:
        event = decoder.next_event()
        if isinstance(event, NeedData):
            decoder.receive_data(stream.read(CHUNK) or None)
        elif isinstance(event, Field | File):
            part = event
        elif isinstance(event, Data) and part is not None:
            yield part, event.data
        elif isinstance(event, Epilogue):
            return
        elif not isinstance(event, Preamble):
            raise ValueError(event)
