"""Whatever comes out of a box, the judge's end refuses it in time, and nothing else happens."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genssl_utils.course.grade.codec import BadMessage, Message, pack_header
from genssl_utils.course.grade.peer import Peer
from genssl_utils.course.grade.raw import MOST_PAYLOAD
from genssl_utils.course.grade.wire import _HEAD, _MAGIC, Severed, TooSlow, Wire
from genssl_utils.kit.check import CheckFailed

FUZZ = settings(
    derandomize=True,
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
REFUSED = (BadMessage, Severed, TooSlow)


def frame(header: Any, payload: bytes = b"", *, says: tuple[int, int] | None = None) -> bytes:
    """A message as bytes; it may claim other lengths than it has."""
    data = header if isinstance(header, bytes) else pack_header(header)
    lengths = says or (len(data), len(payload))
    return _HEAD.pack(_MAGIC, *lengths) + data + payload


@contextlib.contextmanager
def box_that_sends(data: bytes, *, ends: bool = True) -> Iterator[Peer]:
    """A judge's end whose other side sends these bytes, reads nothing, and then ends or waits."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        theirs.send(data)
    if ends:
        theirs.shutdown(socket.SHUT_WR)
    try:
        yield Peer(Wire(ours), trusting=False)
    finally:
        theirs.close()
        ours.close()


def asks(peer: Peer, seconds: float = 5.0) -> Any:
    """Call into the box with one of everything that it might misuse."""
    peer.wire.deadline = time.monotonic() + seconds
    x = torch.ones(2, requires_grad=True)
    args = (x, [1], {"a": 1}, torch.Generator().manual_seed(0), lambda v: v * x)
    return peer.call(("N", "f"), args, {})


def refused(data: bytes, **how: Any) -> bool:
    """Whether the judge refuses what a box sends; anything but a value or a calm refusal fails."""
    began = time.monotonic()
    with box_that_sends(data, **how) as peer:
        try:
            asks(peer)
        except (*REFUSED, CheckFailed):
            return True
        except Exception as error:
            if not hasattr(error, "elsewhere"):
                raise  # not one that the box told of
            return False
        finally:
            assert time.monotonic() - began < 10
    return False


# --- the wire alone -----------------------------------------------------------------------------


def test_messages_arrive_in_order_and_whole() -> None:
    """Small and large ones, several at once, from a slow sender."""
    a, b = socket.socketpair()
    one, other = Wire(a), Wire(b)
    sizes = [0, 1, 17, 1 << 16, 3 << 20, 5]
    thread = threading.Thread(
        target=lambda: [one.send(Message({"n": n}, bytes([n % 251]) * n)) for n in sizes]
    )
    thread.start()
    for n in sizes:
        got = other.receive()
        assert got.header == {"n": n}
        assert bytes(got.payload) == bytes([n % 251]) * n
    thread.join()


def test_a_message_in_many_pieces() -> None:
    """More pieces than one system call takes."""
    a, b = socket.socketpair()
    Wire(a).send(Message({}, chunks=[bytes([at % 256]) for at in range(3000)]))
    assert bytes(Wire(b).receive().payload) == bytes(at % 256 for at in range(3000))


def test_a_claimed_length_allocates_nothing() -> None:
    """Until the bytes are there."""
    a, b = socket.socketpair()
    wire = Wire(b)
    wire.deadline = time.monotonic() + 0.2
    a.sendall(frame({}, says=(2, MOST_PAYLOAD)))
    tracemalloc.start()
    with pytest.raises(TooSlow):
        wire.receive()
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("says", [(0xFFFFFFFF, 0), (2, MOST_PAYLOAD + 1), (2, 2**64 - 1)])
def test_an_impossible_length_is_refused_at_once(says: tuple[int, int]) -> None:
    """Without waiting for what it claims."""
    assert refused(frame({}, says=says), ends=False)


def test_the_deadline_holds_against_a_trickle() -> None:
    """A byte now and then does not buy time."""
    a, b = socket.socketpair()
    wire = Wire(b)
    wire.deadline = time.monotonic() + 0.3
    stop = threading.Event()

    def trickle() -> None:
        with contextlib.suppress(OSError):
            for byte in frame({"kind": "return"}, bytes(1000)):
                if stop.wait(0.01):
                    return
                a.send(bytes([byte]))

    thread = threading.Thread(target=trickle)
    thread.start()
    began = time.monotonic()
    with pytest.raises(TooSlow):
        wire.receive()
    assert time.monotonic() - began < 1
    stop.set()
    thread.join()


def test_the_deadline_holds_for_what_is_received_already() -> None:
    """Messages that lie ready are not read past it."""
    a, b = socket.socketpair()
    a.sendall(frame({}) * 100)
    wire = Wire(b)
    wire.deadline = time.monotonic() + 5
    wire.receive()
    wire.deadline = time.monotonic() - 1
    with pytest.raises(TooSlow):
        wire.receive()


def test_nobody_takes_what_is_sent() -> None:
    """The sender does not hang, either."""
    a, _b = socket.socketpair()
    wire = Wire(a)
    wire.deadline = time.monotonic() + 0.2
    with pytest.raises(TooSlow):
        wire.send(Message({}, bytes(8 << 20)))


def test_a_closed_wire_says_so() -> None:
    """And never waits on a file that somebody else opened meanwhile."""
    a, b = socket.socketpair()
    wire = Wire(a)
    wire.close()
    for use in (wire.receive, lambda: wire.send(Message({}))):
        with pytest.raises(Severed):
            use()
    b.close()


# --- a hostile box ------------------------------------------------------------------------------

OK = {"kind": "return", "to": 1, "value": 1, "tensors": []}
STATE = {"y": "uint8", "n": [5056]}
LONG = ("name", "words", "where", "line")
ONE = {"y": "float32", "n": [2]}


def without(name: str, **others: Any) -> dict[str, Any]:
    """A good reply with a part missing or others."""
    return {k: v for k, v in (OK | others).items() if k != name}


@pytest.mark.parametrize(
    "header",
    [
        without("to"), OK | {"to": 2}, OK | {"to": 0}, OK | {"to": "1"}, without("kind"),
        {"kind": "shutdown", "id": 1}, {"kind": ["return"], "id": 1}, {"kind": "call", "id": "1"},
        {"kind": "call", "id": 1, "of": ["F", 77], "args": [], "kwargs": []},
        {"kind": "call", "id": 1, "of": ["N", "open"], "args": [], "kwargs": []},
        {"kind": "call", "id": 1, "of": ["R", 0], "args": [], "kwargs": []},
        {"kind": "call", "id": 1, "of": ["F", -1], "args": [], "kwargs": []},
        {"kind": "call", "id": 1, "of": ["F", True], "args": [], "kwargs": []},
        {"kind": "call", "id": 1, "of": ["F", 0], "args": 3, "kwargs": []},
        {"kind": "call", "id": 1, "of": ["F", 0], "args": [1], "kwargs": [[1, 2]]},
        {"kind": "vjp", "id": 1, "of": 1, "grads": []},
        {"kind": "vjp", "id": 1, "of": [], "grads": []},
        {"kind": "vjp", "id": 1, "of": 99, "grads": [None], "create": True, "fill": True},
        OK | {"value": ["R", 5]}, OK | {"value": ["F", -1]}, OK | {"value": ["F", 1.5]},
        OK | {"changed": [[0, "grad", 1]]}, OK | {"changed": [[9, "grad"]]},
        OK | {"changed": [[[1, 0], "grad"]]}, OK | {"changed": [[1, ["T", 0]]]},
        OK | {"changed": [[1, ["l", []]]] * 2}, OK | {"changed": {"a": 1}},
        OK | {"changed": [[True, "grad"]]}, OK | {"forget": 3, "drop": []},
        OK | {"forget": [], "drop": [[0]]}, OK | {"forget": []}, OK | {"noise": 4},
        {"kind": "raise", "to": 1}, {"kind": "raise", "to": 1, "error": {"name": 3}},
        {"kind": "raise", "to": 1, "error": dict.fromkeys(LONG, "x" * 3000) | {"bases": []}},
    ],
    ids=lambda header: str(header)[:70],
)  # fmt: skip
def test_a_message_out_of_turn_is_refused(header: dict[str, Any]) -> None:
    """Wrong number, unknown kind, a function never given, a gradient of nothing."""
    assert refused(frame(header), ends=False)


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (OK | {"value": ["T", 0], "tensors": [ONE | {"y": "int32", "g": True}]}, bytes(16)),
        (OK | {"changed": [[4, ["G", 0]]], "tensors": [STATE | {"n": [16]}]}, bytes(16)),
        (OK | {"changed": [[4, ["G", 0]]], "tensors": [STATE]}, bytes(5056)),
        (OK | {"changed": [[3, ["G", 0]]] * 2, "tensors": [STATE]}, bytes(5056)),
    ],
)  # fmt: skip
def test_false_tensors_are_refused(header: dict[str, Any], payload: bytes) -> None:
    """A gradient of whole numbers, a state that is none."""
    assert refused(frame(header, payload), ends=False)


def test_a_noise_that_is_none_is_passed_over() -> None:
    """Torch's own generator stays the judge's."""
    torch.manual_seed(4)
    before = torch.get_rng_state()
    assert not refused(frame(OK | {"noise": 0, "tensors": [STATE]}, bytes(5056)), ends=False)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_reply_cannot_be_replayed() -> None:
    """The second call does not take the first one's answer."""
    with box_that_sends(frame(OK) * 2) as peer:
        assert asks(peer) == 1
        with pytest.raises(BadMessage):
            asks(peer)
        with pytest.raises(CheckFailed):  # and then it is closed
            asks(peer)


def endless(make: Callable[[int], dict[str, Any]], payload: bytes = b"") -> type[BaseException]:
    """What ends a box that sends requests without end."""
    ours, theirs = socket.socketpair()

    def read() -> None:
        with contextlib.suppress(OSError):
            while theirs.recv(1 << 20):
                pass

    def write() -> None:
        with contextlib.suppress(OSError):
            for at in range(1, 1 << 40):
                theirs.sendall(frame(make(at), payload))

    threads = [threading.Thread(target=f, daemon=True) for f in (read, write)]
    for thread in threads:
        thread.start()
    peer = Peer(Wire(ours), trusting=False)
    began = time.monotonic()
    try:
        with pytest.raises(REFUSED) as caught:
            asks(peer, 0.5)
    finally:
        peer.wire.close()
        for thread in threads:
            thread.join(5)
        theirs.close()
    assert time.monotonic() - began < 3
    return caught.type


def test_requests_without_end_end_at_the_deadline() -> None:
    """Calls, each answered, do not buy time."""
    call = {"kind": "call", "of": ["F", 0], "args": [1], "kwargs": [], "tensors": []}
    assert endless(lambda at: call | {"id": at}) is TooSlow


def test_forged_states_without_end_end_at_the_deadline() -> None:
    """Each costs seconds to look through, and the clock is looked at meanwhile."""
    generator = torch.Generator().manual_seed(torch.initial_seed())
    state = bytearray(generator.get_state().numpy().tobytes())
    state[24] ^= 1
    call = {"kind": "call", "of": ["F", 0], "args": [1], "kwargs": [], "noise": 0}
    assert endless(lambda at: call | {"id": at, "tensors": [STATE]}, bytes(state)) is TooSlow


def test_nesting_without_end_is_refused() -> None:
    """A box that answers each call with another one."""
    data = b"".join(
        frame({"kind": "call", "id": at, "of": ["F", 0], "args": [["F", 0]], "kwargs": []})
        for at in range(1, 100)
    )
    ours, theirs = socket.socketpair()
    theirs.sendall(data)
    peer = Peer(Wire(ours), trusting=False)
    peer.wire.deadline = time.monotonic() + 0.5
    with pytest.raises(REFUSED):
        peer.call(("N", "f"), (lambda g: g(g),), {})
    theirs.close()


NAMES = ["kind", "to", "id", "of", "value", "changed", "args", "kwargs", "grads", "error", "noise",
         "forget", "drop", "origin", "remember", "tensors", "create", "fill", "grad"]  # fmt: skip
PARTS = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 6) | st.floats() | st.text(max_size=3)
    | st.sampled_from(["return", "raise", "call", "vjp", "grad", *"TDldAG@FRNsto"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=12,
)  # fmt: skip
TENSORS = st.lists(
    st.fixed_dictionaries(
        {"y": st.sampled_from(["float32", "bool", "int64", "uint8"]), "n": st.just([2])},
        optional={"g": st.booleans(), "leaf": st.booleans(), "e": PARTS, "p": PARTS},
    ),
    max_size=3,
)
HEADERS = st.dictionaries(st.sampled_from(NAMES), PARTS, max_size=8) | st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["return", "raise", "call", "vjp"]),
        "to": st.just(1), "id": st.integers(0, 3), "tensors": TENSORS,
        "of": st.sampled_from([["F", 0], ["N", "f"]]) | st.integers(0, 3),
    },
    optional={
        "value": PARTS, "changed": st.lists(st.tuples(st.integers(0, 5), PARTS), max_size=3),
        "args": st.lists(PARTS, max_size=2), "kwargs": st.just([]),
        "grads": st.lists(PARTS, max_size=2),
        "create": st.booleans(), "fill": st.booleans(), "grad": st.booleans(), "error": PARTS,
        "origin": st.integers(-1, 2), "forget": st.lists(PARTS), "drop": st.lists(PARTS),
    },
)  # fmt: skip


@FUZZ
@given(st.binary(max_size=400))
def test_any_bytes_are_refused(data: bytes) -> None:
    """Noise on the wire is no message."""
    assert refused(data)


@FUZZ
@given(st.binary(max_size=100), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_any_claimed_lengths_are_refused(data: bytes, header: int, payload: int) -> None:
    """Behind a good beginning."""
    assert refused(frame(data, says=(header, payload)))


@settings(FUZZ, max_examples=500)
@given(st.lists(st.tuples(HEADERS, st.integers(0, 3)), min_size=1, max_size=6))
def test_any_sequence_of_messages_is_answered_or_refused(messages: list) -> None:
    """A value comes of it, an error that was told, or a refusal; never a crash, never a wait."""
    data = b"".join(
        frame(header, b"\1" + bytes(16 * n - 1) if n else b"") for header, n in messages
    )
    refused(data)


@FUZZ
@given(st.data())
def test_a_good_reply_with_one_byte_changed(data: st.DataObject) -> None:
    """Anywhere in it."""
    reply = OK | {"value": ["t", [["T", 0], 1]], "changed": [[1, ["l", [2]]]], "tensors": [ONE]}
    whole = bytearray(frame(reply, bytes(16)))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    refused(bytes(whole))
