"""The AMQP 0-9-1 frames of which most of the traffic consists, made and read by hand: publish, deliver, acknowledge.

py-amqp makes and reads all others, and whatever looks unusual here is left to it (`other`, or its own decoder), so
that a message means the same by both ways: `tests/chassis/wire/test_frames.py` holds them against each other.
A frame: type (1 method, 2 content header, 3 body, 8 heartbeat), channel, size, payload, 0xCE.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from amqp.serialization import decode_properties_basic

Properties = dict[str, Any]

_FRAME = struct.Struct(">BHI")
_HEADER = struct.Struct(">BHIHHQ")
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_END = b"\xce"
_DELIVER, _ACK = b"\x00\x3c\x00\x3c", b"\x00\x3c\x00\x50"
#: Tables within tables that are read here; what nests deeper is py-amqp's.
_DEPTH = 4

HEARTBEAT = _FRAME.pack(8, 0, 0) + _END


class BrokenStream(ConnectionError):
    """What came is not made of frames."""


class _Unusual(Exception):
    """For py-amqp."""


# --- to the broker ---------------------------------------------------------------------------------------------------


def _short(text: str) -> bytes:
    data = text.encode()
    return bytes((len(data),)) + data  # ValueError beyond 255


def _table(values: Mapping[str, Any]) -> bytes:
    parts = []
    for name, value in values.items():
        parts.append(_short(name))
        if isinstance(value, str):
            data = value.encode()
            parts += (b"S", _U32.pack(len(data)), data)
        elif isinstance(value, bool):
            parts.append(b"t\x01" if value else b"t\x00")
        elif isinstance(value, int):
            small = -(2**31) <= value < 2**31
            parts.append(b"I" + value.to_bytes(4, "big", signed=True) if small else _long(value))
        elif isinstance(value, Mapping):
            parts += (b"F", _table(value))
        else:
            raise TypeError(f"{name}: {type(value).__name__} is not for a header")
    data = b"".join(parts)
    return _U32.pack(len(data)) + data


def _long(value: int) -> bytes:
    return b"l" + value.to_bytes(8, "big", signed=True)


def properties_of(properties: Mapping[str, Any]) -> bytes:
    """Flags and values of a content header. Raises `TypeError` or `ValueError` for what is not written here."""
    flags, parts = 0, []
    left = len(properties)
    for name, flag, write in _WRITTEN:
        if name in properties:
            flags |= flag
            parts.append(write(properties[name]))
            left -= 1
    if left:
        raise TypeError(f"not written by hand: {sorted(set(properties) - {name for name, _, _ in _WRITTEN})}")
    return flags.to_bytes(2, "big") + b"".join(parts)


#: In the order of the protocol.
_WRITTEN: tuple[tuple[str, int, Callable[[Any], bytes]], ...] = (
    ("content_type", 0x8000, _short),
    ("application_headers", 0x2000, _table),
    ("delivery_mode", 0x1000, lambda mode: bytes((mode,))),
    ("correlation_id", 0x0400, _short),
    ("reply_to", 0x0200, _short),
    ("expiration", 0x0100, _short),
)


@lru_cache(maxsize=1_000)
def _publish_method(channel: int, exchange: str, routing_key: str, mandatory: bool) -> bytes:
    arguments = b"\x00\x3c\x00\x28\x00\x00" + _short(exchange) + _short(routing_key) + bytes((mandatory,))
    return _FRAME.pack(1, channel, len(arguments)) + arguments + _END


def publish(
    channel: int,
    exchange: str,
    routing_key: str,
    body: bytes,
    properties: Mapping[str, Any],
    *,
    mandatory: bool,
    frame_max: int,
) -> bytes:
    """The frames of a message; none is larger than `frame_max`."""
    written, size = properties_of(properties), len(body)
    parts = [
        _publish_method(channel, exchange, routing_key, mandatory),
        _HEADER.pack(2, channel, 12 + len(written), 60, 0, size),
        written,
        _END,
    ]
    room = frame_max - 8
    for start in range(0, size, room):
        piece = body if size <= room else body[start : start + room]
        parts += (_FRAME.pack(3, channel, len(piece)), piece, _END)
    return b"".join(parts)


def ack(channel: int, tag: int, multiple: bool = False) -> bytes:
    """The frame that acknowledges a delivery, or all up to it."""
    return _FRAME.pack(1, channel, 13) + _ACK + _U64.pack(tag) + bytes((multiple,)) + _END


# --- from the broker -------------------------------------------------------------------------------------------------


class Delivered:
    """A message as the broker brought it. Properties bear py-amqp's names; none where they could not be read."""

    __slots__ = ("body", "properties", "redelivered", "tag")

    def __init__(self, tag: int, redelivered: bool, properties: Properties, body: bytes) -> None:
        self.tag = tag
        self.redelivered = redelivered
        self.properties = properties
        self.body = body

    @property
    def headers(self) -> dict[str, Any]:
        """The headers; empty where there are none."""
        return self.properties.get("application_headers") or {}


def _text(data: bytes, at: int, size: int, end: int) -> tuple[str, int]:
    if at + size > end:
        raise _Unusual
    return data[at : at + size].decode(), at + size


def _read_table(data: bytes, at: int, end: int, depth: int) -> tuple[dict[str, Any], int]:
    values: dict[str, Any] = {}
    limit = at + 4 + _U32.unpack_from(data, at)[0]
    at += 4
    if limit > end or depth > _DEPTH:
        raise _Unusual
    while at < limit:
        name, at = _text(data, at + 1, data[at], limit)
        kind = data[at]
        at += 1
        value: Any
        if kind == 0x53:  # S
            stop = at + 4 + _U32.unpack_from(data, at)[0]
            if stop > limit:
                raise _Unusual
            value, at = data[at + 4 : stop].decode(), stop
        elif kind == 0x49:  # I
            value, at = int.from_bytes(data[at : at + 4], "big", signed=True), at + 4
        elif kind == 0x6C:  # l
            value, at = int.from_bytes(data[at : at + 8], "big", signed=True), at + 8
        elif kind == 0x74:  # t
            value, at = data[at] != 0, at + 1
        elif kind == 0x46:  # F
            value, at = _read_table(data, at, limit, depth + 1)
        else:
            raise _Unusual
        values[name] = value
    if at != limit:
        raise _Unusual
    return values, at


def read_properties(data: bytes) -> Properties:
    """The properties in a content header, `data` being its payload behind class, weight and size.

    Those that py-amqp cannot read (bad UTF-8, moments out of range, tables without end) are none at all.
    """
    try:
        return _read_usual(data)
    except (_Unusual, IndexError, ValueError, ArithmeticError, struct.error):
        pass
    try:
        return dict(decode_properties_basic(data, 0)[0])
    except Exception:
        return {}


def _read_usual(data: bytes) -> Properties:
    flags, at, end = data[0] << 8 | data[1], 2, len(data)
    if flags & ~0xB700:
        raise _Unusual
    found: Properties = {}
    if flags & 0x8000:
        found["content_type"], at = _text(data, at + 1, data[at], end)
    if flags & 0x2000:
        found["application_headers"], at = _read_table(data, at, end, 0)
    if flags & 0x1000:
        found["delivery_mode"], at = data[at], at + 1
    if flags & 0x0400:
        found["correlation_id"], at = _text(data, at + 1, data[at], end)
    if flags & 0x0200:
        found["reply_to"], at = _text(data, at + 1, data[at], end)
    if flags & 0x0100:
        found["expiration"], at = _text(data, at + 1, data[at], end)
    return found


class Inbound:
    """Takes bytes as they come and tells of each message whole: `deliver(consumer, message)`, `confirmed(tag, many)`.

    Every other frame goes to `other((type, channel, payload))`, in order.
    """

    def __init__(
        self,
        deliver: Callable[[str, Delivered], None],
        confirmed: Callable[[int, bool], None],
        other: Callable[[tuple[int, int, bytes]], object],
        frame_max: int,
    ) -> None:
        self._deliver = deliver
        self._confirmed = confirmed
        self._other = other
        self._frame_max = frame_max
        self._parts: list[bytes] = []
        self._held = 0
        #: Bytes below which looking again at what is held makes no sense.
        self._needed = 8

    def take_back(self) -> bytes:
        """What is held of a message that has not wholly come; it is held no more."""
        data = b"".join(self._parts)
        self._parts, self._held, self._needed = [], 0, 8
        return data

    def feed(self, data: bytes) -> None:
        """Tells of what is whole by now. Raises `BrokenStream`, and what its listeners raise."""
        if self._held:
            self._parts.append(data)
            self._held += len(data)
            if self._held < self._needed:
                return
            data = self.take_back()
        at, end = 0, len(data)
        while end - at >= 8:
            kind, channel, stop = self._frame(data, at)
            if stop > end:
                self._needed = stop - at
                break
            method = data[at + 7 : at + 11] if kind == 1 else b""
            if method == _DELIVER:
                after = self._content(data, at, stop, channel)
                if after < 0:
                    self._needed = -after - at
                    break
                if after:
                    at = after
                    continue
            if method == _ACK:
                self._confirmed(_U64.unpack_from(data, at + 11)[0], data[at + 19] & 1 == 1)
            else:
                self._other((kind, channel, data[at + 7 : stop - 1]))
            at = stop
        if at < end:
            self._parts, self._held = [data[at:]], end - at

    def _frame(self, data: bytes, at: int) -> tuple[int, int, int]:
        """Type, channel and end of the frame at a place; its end may not have come yet."""
        kind, channel, size = _FRAME.unpack_from(data, at)
        stop: int = at + size + 8
        if size > self._frame_max or (stop <= len(data) and data[stop - 1] != 0xCE):
            raise BrokenStream(f"no frame of {size} bytes")
        return kind, channel, stop

    def _content(self, data: bytes, at: int, stop: int, channel: int) -> int:
        """Delivers the message whose method is at a place; returns where it ends.

        0: not frame after frame, so not for here. Negative: the (negated) place up to which more must come.
        """
        end = len(data)
        if end - stop < 8:
            return -(stop + 8)
        kind, of, header_stop = self._frame(data, stop)
        if kind != 2 or of != channel:
            return 0
        if header_stop > end:
            return -header_stop
        size: int = _U64.unpack_from(data, stop + 11)[0]
        pieces: list[bytes] = []
        place = header_stop
        while size:
            if end - place < 8:
                return -(place + size + 8)
            kind, of, piece_stop = self._frame(data, place)
            if kind != 3 or of != channel:
                return 0
            if piece_stop > end:
                return -max(piece_stop, place + size + 8)
            pieces.append(data[place + 7 : piece_stop - 1])
            size -= len(pieces[-1])
            place = piece_stop
            if size < 0:
                raise BrokenStream("a body that is longer than was told")
            if not pieces[-1]:
                return 0
        consumer_end = at + 12 + data[at + 11]
        message = Delivered(
            _U64.unpack_from(data, consumer_end)[0],
            data[consumer_end + 8] & 1 == 1,
            read_properties(data[stop + 19 : header_stop - 1]),
            pieces[0] if len(pieces) == 1 else b"".join(pieces),
        )
        self._deliver(data[at + 12 : consumer_end].decode(), message)
        return place
