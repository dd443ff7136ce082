"""Frames made and read by hand mean what py-amqp means by them."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from amqp import Message
from amqp.method_framing import frame_handler, frame_writer
from amqp.serialization import decode_properties_basic, loads
from hypothesis import given
from hypothesis import strategies as st

from chassis.wire import frames
from chassis.wire.frames import BrokenStream, Delivered, Inbound

FRAME_MAX = 4096

names = st.text(max_size=20)
numbers = st.integers(-(2**63), 2**63 - 1)
tables = st.recursive(
    st.dictionaries(names, st.text() | numbers | st.booleans(), max_size=4),
    lambda inner: st.dictionaries(names, inner | st.text(), max_size=3),
    max_leaves=6,
)
shorts = st.text(max_size=60)
written = st.fixed_dictionaries(
    {},
    optional={
        "content_type": shorts,
        "application_headers": tables,
        "delivery_mode": st.sampled_from([1, 2]),
        "correlation_id": shorts,
        "reply_to": shorts,
        "expiration": shorts,
    },
)
#: What others may send, beside what we do.
foreign = st.fixed_dictionaries(
    {},
    optional={
        "content_encoding": shorts,
        "priority": st.integers(0, 9),
        "message_id": shorts,
        "timestamp": st.integers(0, 2**40),
        "type": shorts,
        "user_id": shorts,
        "app_id": shorts,
    },
)
bodies = st.binary(max_size=100) | st.integers(1, 4).map(lambda n: b"\xce" * n * (FRAME_MAX - 8)) | st.just(b"x" * 9001)


class Taken:
    """py-amqp's side of a connection: what it makes of frames, and what it writes."""

    def __init__(self) -> None:
        self.bytes_recv = self.bytes_sent = 0
        self.frame_max = FRAME_MAX
        self.methods: list[tuple[int, tuple[int, int], bytes, Any]] = []
        self.on_frame = frame_handler(self, lambda *method: self.methods.append(method))
        self.out = bytearray()
        self.write_frame = frame_writer(self, self)

    def write(self, data: bytes) -> None:
        self.out += data


def split(data: bytes) -> list[tuple[int, int, bytes]]:
    """The frames in bytes; each must end as frames do and be no larger than was agreed."""
    found, at = [], 0
    while at < len(data):
        kind, channel, size = struct.unpack_from(">BHI", data, at)
        assert size + 8 <= FRAME_MAX
        assert data[at + 7 + size] == 0xCE
        found.append((kind, channel, data[at + 7 : at + 7 + size]))
        at += size + 8
    return found


def delivery(channel: int, tag: int, redelivered: bool, message: Message, consumer: str = "c") -> bytes:
    """A delivery as py-amqp would write it."""
    arguments = bytes([len(consumer)]) + consumer.encode() + struct.pack(">QB", tag, redelivered) + b"\x01e\x03key"
    side = Taken()
    side.write_frame(1, channel, (60, 60), arguments, message)
    return bytes(side.out)


class Heard:
    """Our side: what it tells of what it is fed."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.inbound = Inbound(self.deliver, lambda *ack: self.told.append(ack), self.told.append, FRAME_MAX)

    def deliver(self, consumer: str, message: Delivered) -> None:
        self.told.append((consumer, message.tag, message.redelivered, message.properties, message.body))


@given(st.integers(1, 65535), shorts, shorts, bodies, written, st.booleans())
def test_py_amqp_reads_what_is_published(
    channel: int, exchange: str, key: str, body: bytes, properties: dict[str, Any], mandatory: bool
) -> None:
    data = frames.publish(channel, exchange, key, body, properties, mandatory=mandatory, frame_max=FRAME_MAX)
    side = Taken()
    # The same content under a method that py-amqp expects to receive.
    kind, of, method = split(data)[0]
    assert (kind, of, method[:4]) == (1, channel, b"\x00\x3c\x00\x28")
    assert loads("Bssbb", method, 4)[0] == [0, exchange, key, mandatory, False]
    side.on_frame((1, channel, b"\x00\x3c\x00\x3c"))
    for frame in split(data)[1:]:
        side.on_frame(frame)
    ((_, _, _, message),) = side.methods
    assert bytes(message.body.encode() if isinstance(message.body, str) else message.body) == body
    assert message.properties == properties


@given(st.integers(1, 65535), st.integers(0, 2**64 - 1), st.booleans())
def test_py_amqp_reads_what_is_acknowledged(channel: int, tag: int, multiple: bool) -> None:
    side = Taken()
    side.on_frame(split(frames.ack(channel, tag, multiple))[0])
    ((of, method, payload, _),) = side.methods
    assert (of, method) == (channel, (60, 80))
    assert loads("Lb", payload, 4)[0] == [tag, multiple]


@given(
    st.lists(
        st.tuples(st.integers(0, 2**64 - 1), st.booleans(), bodies, st.one_of(written, foreign)), min_size=1, max_size=4
    ),
    st.data(),
)
def test_what_py_amqp_writes_is_read_however_it_is_cut(
    sent: list[tuple[int, bool, bytes, dict[str, Any]]], data: st.DataObject
) -> None:
    stream, expected = b"", []
    for tag, redelivered, body, properties in sent:
        stream += delivery(3, tag, redelivered, Message(body, **properties)) + frames.HEARTBEAT
        expected += [("c", tag, redelivered, properties, body), (8, 0, b"")]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    heard = Heard()
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        if start < stop:
            heard.inbound.feed(stream[start:stop])
    assert heard.told == expected
    assert heard.inbound.take_back() == b""


@given(st.binary(max_size=60) | written.map(frames.properties_of), st.data())
def test_properties_of_any_bytes_are_those_that_py_amqp_reads(raw: bytes, data: st.DataObject) -> None:
    """Also with some bytes of a good header replaced."""
    for _ in range(data.draw(st.integers(0, 2))):
        if raw:
            at = data.draw(st.integers(0, len(raw) - 1))
            raw = raw[:at] + data.draw(st.binary(min_size=1, max_size=2)) + raw[at + 1 :]
    try:
        expected = decode_properties_basic(raw, 0)[0]
    except Exception:  # whatever it raises, the message has no properties
        expected = {}
    found = frames.read_properties(raw)
    assert repr(found) == repr(expected)  # as texts, so that NaN equals itself and True is not 1


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_told_kept_or_refused(chunks: list[bytes]) -> None:
    heard = Heard()
    try:
        for chunk in chunks:
            heard.inbound.feed(chunk)
    except (BrokenStream, UnicodeDecodeError, struct.error, IndexError):
        return
    assert len(heard.inbound.take_back()) <= sum(map(len, chunks))


@given(st.binary(max_size=60), bodies)
def test_a_delivery_with_any_header_is_told_with_its_body(raw: bytes, body: bytes) -> None:
    good = split(delivery(1, 7, False, Message(body)))
    header = good[1][2][:12] + raw
    stream = b"".join(
        struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"
        for kind, channel, payload in [good[0], (2, 1, header), *good[2:]]
    )
    heard = Heard()
    heard.inbound.feed(stream)
    assert heard.told == [("c", 7, False, frames.read_properties(raw), body)]


def test_frames_between_those_of_a_message_leave_it_to_py_amqp() -> None:
    stream = delivery(1, 7, False, Message(b"x" * 9000, correlation_id="n"))
    method, header, *pieces = split(stream)
    other = (1, 2, b"\x00\x32\x00\x0b\x01q\0\0\0\0\0\0\0\0")
    mixed = [method, header, pieces[0], other, *pieces[1:]]
    heard = Heard()
    for kind, channel, payload in mixed:
        heard.inbound.feed(struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce")
    assert heard.told == mixed
    side = Taken()
    for frame in heard.told:
        side.on_frame(frame)
    assert [(of, sig) for of, sig, _, _ in side.methods] == [(2, (50, 11)), (1, (60, 60))]
    assert side.methods[1][3].body == b"x" * 9000


def test_half_a_message_is_given_back_whole() -> None:
    stream = delivery(1, 7, False, Message(b"x" * 9000))
    heard = Heard()
    heard.inbound.feed(stream[:5000])
    heard.inbound.feed(stream[5000:5001])
    assert heard.inbound.take_back() == stream[:5001]
    heard.inbound.feed(stream)
    assert [told[1] for told in heard.told] == [7]


def test_confirms_are_told_and_methods_are_left() -> None:
    nack = b"\x00\x3c\x00\x78" + struct.pack(">QB", 3, 0)
    stream = frames.ack(1, 5, True) + struct.pack(">BHI", 1, 1, len(nack)) + nack + b"\xce" + frames.ack(1, 6)
    heard = Heard()
    heard.inbound.feed(stream)
    assert heard.told == [(5, True), (1, 1, nack), (6, False)]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">BHI", 1, 1, 2**31) + b"\0",
        struct.pack(">BHI", 1, 1, 1) + b"\0\0",
        delivery(1, 1, False, Message(b"xyz"))[:-11].replace(struct.pack(">Q", 3), struct.pack(">Q", 2))
        + struct.pack(">BHI", 3, 1, 3)
        + b"xyz\xce",
    ],
)
def test_a_stream_that_is_not_made_of_frames_is_given_up(data: bytes) -> None:
    with pytest.raises(BrokenStream):
        Heard().inbound.feed(data + b"\0" * 20)


def test_what_cannot_be_written_is_refused_before_anything_is() -> None:
    for properties in ({"priority": 1}, {"application_headers": {"a": 1.5}}, {"correlation_id": "x" * 256}):
        with pytest.raises((TypeError, ValueError)):
            frames.publish(1, "", "q", b"", properties, mandatory=False, frame_max=FRAME_MAX)
