"""Framing: bytes in, events out; no socket, no thread."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openjd.adaptor_runtime_client.wire import framing, messages
from openjd.adaptor_runtime_client.wire.errors import LocalProtocolError, RemoteProtocolError
from openjd.adaptor_runtime_client.wire.framing import END, NEED_DATA, PREAMBLE, Framer

HELLO = {"type": "hello", "pid": 1}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=6,
)
any_message = st.builds(
    lambda fields, kind: {**fields, "type": kind},
    st.dictionaries(st.text(max_size=8), json_values, max_size=4),
    st.text(max_size=12),
)
any_event = any_message | st.binary(max_size=300)


def encode(event: dict | bytes) -> bytes:
    """One event as a frame."""
    if isinstance(event, bytes):
        return framing.encode_output(event)
    return framing.encode_message(event)


def frame(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    """A frame with any kind, body and announced length."""
    announced = len(body) if length is None else length
    return kind + announced.to_bytes(4, "big") + body


def take(framer: Framer) -> list:
    """The events that are there."""
    events = []
    while True:
        event = framer.next_event()
        if event is NEED_DATA or event is END:
            return events
        events.append(event)


def refused(*chunks: bytes) -> str:
    """What the framer says of bytes that it must refuse."""
    framer = Framer()

    def feed() -> None:
        for chunk in chunks:
            framer.receive_data(chunk)
            take(framer)

    with pytest.raises(RemoteProtocolError) as caught:
        feed()
    return str(caught.value)


def test_preamble_names_protocol_and_version() -> None:
    """The first eight bytes are fixed: other versions must be able to recognise them."""
    assert PREAMBLE == b"OJDA\x00\x01\x00\x00"


def test_message_frame_as_bytes() -> None:
    """A message is its kind, its length in four bytes, most significant first, and JSON."""
    assert framing.encode_message({"type": "next"}) == b'M\x00\x00\x00\x0f{"type":"next"}'


def test_output_frame_as_bytes() -> None:
    """Output is passed through as it is, whatever is in it."""
    assert framing.encode_output(b'a\n"\xff\x00') == b'O\x00\x00\x00\x05a\n"\xff\x00'


def test_events_in_order() -> None:
    """Messages and output come out in the order in which they went in."""
    framer = Framer()
    events = [HELLO, b"one\n", {"type": "final", "ok": True}, b"", b"two\n"]
    framer.receive_data(PREAMBLE + b"".join(map(encode, events)))
    assert take(framer) == events


def test_every_split_of_the_stream() -> None:
    """Wherever the bytes are cut in two, the same events come out."""
    events = [HELLO, b"line\n", {"type": "final", "text": "\u00e4\n\U0001f600"}, b"\x00\xff"]
    stream = PREAMBLE + b"".join(map(encode, events))
    for cut in range(len(stream) + 1):
        framer = Framer()
        framer.receive_data(stream[:cut])
        came = take(framer)
        framer.receive_data(stream[cut:])
        assert came + take(framer) == events, cut


def test_byte_by_byte() -> None:
    """Bytes that come one at a time make the same events."""
    events = [HELLO, b"line\n"]
    framer = Framer()
    came = []
    for byte in PREAMBLE + b"".join(map(encode, events)):
        framer.receive_data(bytes([byte]))
        came += take(framer)
    assert came == events


def test_needs_data() -> None:
    """A framer asks for data before the first byte, within each part and between frames."""
    framer = Framer()
    assert framer.next_event() is NEED_DATA
    stream = PREAMBLE + encode(HELLO)
    for byte in stream[:-1]:
        framer.receive_data(bytes([byte]))
        assert framer.next_event() is NEED_DATA
    framer.receive_data(stream[-1:])
    assert framer.next_event() == HELLO
    assert framer.next_event() is NEED_DATA


@pytest.mark.parametrize("before", [b"", PREAMBLE, PREAMBLE + encode(HELLO)])
def test_end_between_frames(before: bytes) -> None:
    """An end before the first byte, after the preamble or after a frame is in good order."""
    framer = Framer()
    framer.receive_data(before)
    framer.receive_data(b"")
    take(framer)
    assert framer.next_event() is END
    assert framer.next_event() is END


def test_end_after_what_is_still_buffered() -> None:
    """What came before the end is given out before the end is."""
    framer = Framer()
    framer.receive_data(PREAMBLE + encode(HELLO) + encode(b"last words\n"))
    framer.receive_data(b"")
    assert framer.next_event() == HELLO
    assert framer.next_event() == b"last words\n"
    assert framer.next_event() is END


def test_truncated_anywhere() -> None:
    """An end anywhere else than between two frames is an error that says so."""
    stream = PREAMBLE + encode(HELLO) + encode(b"text")
    good = {0, len(PREAMBLE), len(PREAMBLE + encode(HELLO)), len(stream)}
    for cut in set(range(len(stream) + 1)) - good:
        assert "within a frame" in refused(stream[:cut], b""), cut


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\n", b"\x00" * 8, b"ojda\x00\x01\x00\x00", b"OJDB", b"X", b"OX"],
)
def test_another_protocol(garbage: bytes) -> None:
    """The first wrong byte is enough, and the message shows what came."""
    said = refused(garbage)
    assert "does not speak this protocol" in said
    assert repr(garbage)[2:-1] in said


def test_garbage_is_shown_shortened() -> None:
    """What came is shown, but not megabytes of it."""
    assert len(refused(b"x" * 1_000_000)) < 200


@pytest.mark.parametrize("version", [0, 2, 258, 0xFFFF])
def test_another_version(version: int) -> None:
    """Another version is refused with both versions and the remedy."""
    said = refused(b"OJDA" + version.to_bytes(2, "big") + bytes(2))
    assert f"version {version} of the protocol, this side version 1" in said
    assert "install the same openjd-adaptor-runtime" in said


def test_reserved_bytes_are_ignored() -> None:
    """The two bytes that are kept for later may hold anything."""
    framer = Framer()
    framer.receive_data(PREAMBLE[:6] + b"\xab\xcd" + encode(HELLO))
    assert framer.next_event() == HELLO


@pytest.mark.parametrize("kind", [b"\x00", b"m", b"X", b"\xff", b"{"])
def test_unknown_kind(kind: bytes) -> None:
    """A frame of an unknown kind is refused, and the kind named."""
    assert repr(kind) in refused(PREAMBLE + frame(kind, b"body"))


@pytest.mark.parametrize("kind", [b"M", b"O"])
def test_oversized_announcement(kind: bytes) -> None:
    """A frame over the limit is refused when it is announced, before any of it is held."""
    header = frame(kind, b"", length=framing.MAX_BODY + 1)
    said = refused(PREAMBLE + header)
    assert "16,777,217 bytes, over the limit of 16,777,216" in said


def test_largest_frame() -> None:
    """A frame of just the limit comes through."""
    framer = Framer()
    body = b"x" * framing.MAX_BODY
    framer.receive_data(PREAMBLE + framing.encode_output(body))
    assert framer.next_event() == body


def test_message_over_the_limit_is_not_encoded() -> None:
    """This side never sends what the other side would refuse."""
    with pytest.raises(LocalProtocolError, match="over the limit of 16,777,216 bytes"):
        framing.encode_message({"type": "run", "data": "x" * framing.MAX_BODY})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"type": "next"} and more',
        b"\xff\xfe",
        b'{"type": "\xe4"}',
        b'\xef\xbb\xbf{"type": "next"}',
        pytest.param(b'{"type": "next", "n": ' + b"9" * 5000 + b"x}", id="long number"),
    ],
)
def test_body_that_is_no_json(body: bytes) -> None:
    """A message that is no JSON in UTF-8 is refused."""
    assert "no JSON" in refused(PREAMBLE + frame(b"M", body))


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deeply_nested_json(opening: bytes) -> None:
    """JSON so deep that it cannot be read is refused like any other that cannot."""
    assert "no JSON" in refused(PREAMBLE + frame(b"M", opening * 1_000_000))


@pytest.mark.parametrize(
    "body", [b"null", b"1", b'"next"', b"[]", b"{}", b'{"type": 1}', b'{"type": null}']
)
def test_message_without_a_type(body: bytes) -> None:
    """A message is an object with a type that is a string; everything else is refused."""
    assert "without a type" in refused(PREAMBLE + frame(b"M", body))


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_message_that_json_cannot_express(value: object) -> None:
    """Sending what JSON cannot express is this side's error, and is called so."""
    with pytest.raises(LocalProtocolError, match="cannot be sent as JSON"):
        framing.encode_message({"type": "action", "args": value})


def test_message_too_deep_or_in_a_circle() -> None:
    """A message in a circle, or too deep for the encoder, is this side's error as well."""
    circle: dict = {"type": "action"}
    circle["args"] = circle
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for message in (circle, {"type": "action", "args": deep}):
        with pytest.raises(LocalProtocolError):
            framing.encode_message(message)


def test_error_stays() -> None:
    """After an error nothing more is read from the stream, however good it looks."""
    framer = Framer()
    framer.receive_data(PREAMBLE + frame(b"M", b"no json") + encode(HELLO))
    for _ in range(3):
        with pytest.raises(RemoteProtocolError):
            framer.next_event()


def test_surrogates_survive() -> None:
    """Text with bytes that did not decode (surrogateescape) comes out as it went in."""
    message = {"type": "run", "path": "/mnt/\udcff\ud83d"}
    assert messages.decode(messages.encode(message)) == message


def test_unknown_fields_and_types_pass() -> None:
    """Framing knows nothing of the exchanges: a newer peer's fields and types go through."""
    framer = Framer()
    framer.receive_data(PREAMBLE + frame(b"M", b'{"type":"later","new":[1]}'))
    assert framer.next_event() == {"type": "later", "new": [1]}


def test_a_large_frame_in_small_pieces_costs_its_size() -> None:
    """A frame that is announced large but comes in pieces is held once, not many times."""
    piece = b"x" * 65536
    count = framing.MAX_BODY // len(piece)
    framer = Framer()
    tracemalloc.start()
    try:
        framer.receive_data(PREAMBLE + frame(b"O", b"", length=framing.MAX_BODY))
        for _ in range(count - 1):
            framer.receive_data(piece)
            assert framer.next_event() is NEED_DATA
        framer.receive_data(piece)
        event = framer.next_event()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(event, bytes)
    assert len(event) == framing.MAX_BODY
    assert peak < 3 * framing.MAX_BODY


@given(st.lists(any_event, max_size=4), st.data())
def test_any_events_in_any_chunks(events: list, data: st.DataObject) -> None:
    """Any sequence of messages and output, cut anywhere, comes out equal and in order."""
    stream = PREAMBLE + b"".join(map(encode, events))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    framer = Framer()
    came = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)]):
        if end > start:
            framer.receive_data(stream[start:end])
        came += take(framer)
    framer.receive_data(b"")
    assert came == events
    assert framer.next_event() is END


def consume(chunks: list[bytes]) -> None:
    """Feeds a framer; it must end, need data, or refuse, and stay within its cap meanwhile."""
    framer = Framer()
    try:
        for chunk in [*chunks, b""]:
            framer.receive_data(chunk)
            for event in take(framer):
                assert isinstance(event, bytes) or isinstance(event["type"], str)
            assert len(framer._buffer) <= framing.MAX_BODY + 5
    except RemoteProtocolError:
        pass


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6))
@example([b"OJ", b"DA\x00\x01\x00\x00", b"M\x00\x00\x00\x02[]"])
def test_random_bytes(chunks: list[bytes]) -> None:
    """Random bytes never raise anything but RemoteProtocolError."""
    consume(chunks)


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6))
def test_random_bytes_after_a_good_preamble(chunks: list[bytes]) -> None:
    """The same where the stream began well."""
    consume([PREAMBLE, *chunks])


@given(
    st.lists(
        st.builds(
            frame,
            st.sampled_from([b"M", b"O", b"X"]),
            st.binary(max_size=40) | json_values.map(lambda v: json.dumps(v).encode()),
            st.none() | st.integers(0, 2**32 - 1),
        ),
        max_size=5,
    )
)
def test_random_frames(frames: list[bytes]) -> None:
    """Frames with any body and any announced length never raise anything else either."""
    consume([PREAMBLE, *frames])
