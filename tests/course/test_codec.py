"""What is sent arrives as it was; what no honest side sends is refused, at no great cost."""

from __future__ import annotations

import contextlib
import enum
import json
import math
import tracemalloc
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genssl_utils.course.grade import codec
from genssl_utils.course.grade.codec import (
    BadMessage,
    Message,
    Opaque,
    pack_header,
    read_header,
)
from genssl_utils.course.grade.decoder import Decoder
from genssl_utils.course.grade.encoder import Encoder
from genssl_utils.course.grade.raw import DTYPES, MOST_PAYLOAD

QUICK = settings(
    derandomize=True,
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def no_functions(*_: Any) -> Any:
    """Neither side has a function in these tests."""
    raise BadMessage("no functions here")


def sent(x: Any) -> Message:
    """The message that carries one value, as it arrives."""
    encoder = Encoder(no_functions)
    part = encoder.value(x)
    message = encoder.message({"value": part})
    payload = bytearray().join(message.chunks)
    return Message(read_header(pack_header(message.header)), payload)


def across(x: Any) -> Any:
    """A value on the other side."""
    message = sent(x)
    return Decoder(message, no_functions).value(message.header["value"])


def same(a: Any, b: Any) -> bool:
    """Equal in class, structure and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return (
            a.dtype == b.dtype
            and a.shape == b.shape
            and a.stride() == b.stride()
            and a.contiguous().reshape(-1).view(torch.uint8).tolist()
            == b.contiguous().reshape(-1).view(torch.uint8).tolist()
        )
    if isinstance(a, float):
        if a != a or b != b:  # JSON knows one NaN
            return a != a and b != b
        return math.copysign(1, a) == math.copysign(1, b) and a == b
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    return bool(a == b)


# --- the identity -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (2, 3), (2, 0, 4), (2, 3, 4, 5)], ids=str)
def test_a_tensor_of_every_dtype_and_shape(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    """Bits, shape and strides arrive."""
    x = torch.randint(0, 2, shape).to(dtype)
    if dtype.is_floating_point or dtype.is_complex:
        x = x * torch.tensor(-1.37, dtype=dtype)
    assert same(across(x), x)


def test_odd_floats_keep_their_bits() -> None:
    """NaN, infinities, −0 and the smallest numbers."""
    numbers = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7e308]
    x = torch.tensor(numbers, dtype=torch.float64)
    assert same(across(x), x)
    assert same(across(numbers), numbers)


def test_layouts() -> None:
    """Transposed and permuted tensors keep their strides; gaps and expansion don't cross."""
    x = torch.arange(24.0).reshape(2, 3, 4)
    for turned in (x.mT, x.permute(2, 0, 1), x[0].t(), x.movedim(0, -1)):
        assert same(across(turned), turned)
    assert torch.equal(across(x[:, ::2]), x[:, ::2])
    assert across(x[:, ::2]).is_contiguous()
    wide = torch.tensor([[1.0], [2.0]]).expand(2, 3)
    assert torch.equal(across(wide), wide)
    assert torch.equal(across(torch.tensor(3).expand(4)), torch.full((4,), 3))
    z = torch.tensor([1 + 2j, 3 - 1j])
    assert torch.equal(across(z.conj()), z.conj())
    assert torch.equal(across(z.conj().imag), z.conj().imag)  # the negative bit is set


def test_the_judge_sends_an_expanded_axis_as_one_number() -> None:
    """What is expanded there is expanded here, and no side blows up its message by it."""
    wide = torch.tensor([[1.0, 2.0]]).t().expand(2, 1 << 16)
    encoder = Encoder(no_functions, compact=True)
    part = encoder.value(wide)
    message = encoder.message({})
    assert sum(map(len, message.chunks)) < 100
    arrived = Message(message.header, bytearray().join(message.chunks))
    assert torch.equal(Decoder(arrived, no_functions, expand=True).value(part), wide)
    untrusted = Decoder(arrived, no_functions).value(part)
    assert untrusted.numel() == 2


Point = namedtuple("Point", "x y")


class Text(str):
    """A string with a class."""


class Whole(int):
    """A number with a class."""


class Colour(enum.IntEnum):
    """A number with a name."""

    RED = 3


@pytest.mark.parametrize(
    "x",
    [
        None, True, False, 0, -1, 2**63, -(2**200), 10**299, 0.1, 1 + 2j, "", "α\x00\n\"\\",
        "\ud800 alone", "x" * 70_000, (), [], {}, (1, (2.0, [3, ()])), {"a": 1, 2: [None]},
        {(1, "b"): 2, None: 3, 2.5: 4, True: 5}, torch.float16, torch.bool,
        [[1], {"k": (torch.int64,)}],
    ],
    ids=lambda x: repr(x)[:20],
)  # fmt: skip
def test_plain_values(x: Any) -> None:
    """Everything of the contract that is no tensor."""
    assert same(across(x), x)


@pytest.mark.parametrize(
    ("x", "plain"),
    [
        (Text("a"), "a"), (Whole(4), 4), (Colour.RED, 3), (Point(1, [2]), (1, [2])),
        (torch.Size([2, 3]), (2, 3)), (OrderedDict(a=1), {"a": 1}),
        *[(x, x) for x in (np.float64(0.5), np.int32(-7), np.bool_(True), np.float16(1.5))],
    ],
)  # fmt: skip
def test_subclasses_arrive_as_the_plain_kind(x: Any, plain: Any) -> None:
    """A namedtuple as a tuple, an IntEnum as an int; numpy's numbers stay numpy's."""
    assert same(across(x), plain)


def test_parameters_and_subclasses_of_tensor_arrive_as_tensors() -> None:
    """Whatever a subclass overrides, its numbers are sent."""

    class Odd(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            raise RuntimeError("nobody looks at me")

    raw = torch.arange(3.0)
    assert same(across(raw.as_subclass(Odd)), raw)
    assert same(across(torch.nn.Parameter(raw)), raw)


def test_shared_objects_stay_shared() -> None:
    """One object sent twice is one object; a list that holds itself does so there."""
    x, inner = torch.ones(2), [1]
    got = across([x, inner, (x, inner), {"k": inner}])
    assert got[0] is got[2][0]
    assert got[1] is got[2][1] is got[3]["k"]
    loop: list[Any] = []
    loop.append(loop)
    there = across(loop)
    assert there[0] is there


def test_a_generator_goes_on_where_it_was() -> None:
    """Its state crosses."""
    g = torch.Generator().manual_seed(11)
    torch.randn(5, generator=g)
    there = across(g)
    assert torch.equal(torch.randn(9, generator=there), torch.randn(9, generator=g))


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (np.zeros(2), "ndarray"), ({1}, "set"), (b"x", "bytes"), (10**400, "int"),
        (torch.eye(2).to_sparse(), "Tensor"), (torch.empty(2, device="meta"), "Tensor"),
        (torch.nn.Tanh, "type"), (object(), "object"),
    ],
)  # fmt: skip
def test_what_cannot_cross_keeps_the_name_of_its_class(x: Any, name: str) -> None:
    """And nothing else."""
    got = across([x])[0]
    assert isinstance(got, Opaque)
    assert type(got).__name__ == name
    assert not vars(got)


def test_odd_names_become_object() -> None:
    """A class may call itself anything."""
    for name in ("a b", "", "x" * 100, "<b>"):
        assert type(across(type(name, (), {})())).__name__ == "object"


def test_odd_keys_do_not_end_the_link() -> None:
    """An honest dict with keys that can't cross is a dict all the same."""
    got = across({torch.ones(1): 1, (1, (2, 3)): 2, 2**70: 3, "a": 4})
    assert got["a"] == 4
    assert [type(key).__name__ for key in got] == ["Tensor", "tuple", "int", "str"]


def test_too_many_tuple_keys_cross_as_others_do() -> None:
    """A thousand keys keep their value; the others keep their number."""
    got = across({(at, at): at for at in range(codec.MOST_TUPLE_KEYS + 50)})
    assert list(got.values()) == list(range(codec.MOST_TUPLE_KEYS + 50))


def test_what_lies_too_deep_or_is_too_much_is_left_out() -> None:
    """The sender cuts it off, so that the receiver need not refuse it."""
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    got, depth = across(deep), 0
    while isinstance(got, list):
        got, depth = got[0], depth + 1
    assert isinstance(got, Opaque)
    assert depth == codec.DEEPEST + 1
    many = across([0] * (codec.MOST_NODES + 10))
    assert isinstance(many[-1], Opaque)


def test_too_large_is_an_error_of_the_sender() -> None:
    """It is said before anything is sent, and before an expanded tensor is written out."""
    with pytest.raises(ValueError, match="MiB"):
        sent(torch.zeros(1).expand(1 << 40))
    with pytest.raises(ValueError, match="MiB"):
        sent(["\x01" * codec.LONGEST_TEXT] * 2)


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.complex_numbers() | st.sampled_from(list(DTYPES.values()))
)  # fmt: skip
KEYS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=3)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=20,
)


@QUICK
@given(VALUES)
def test_decode_undoes_encode(x: Any) -> None:
    """On any nesting of plain values."""
    assert same(across(x), x)


# --- what no honest side sends ------------------------------------------------------------------


def decoded(header: Any, payload: bytes = b"") -> Any:
    """What becomes of a header and a payload."""
    return Decoder(Message(header, payload), no_functions).value(header.get("value"))


def one_tensor(**about: Any) -> dict[str, Any]:
    """A header with one tensor, described so."""
    return {"value": ["T", 0], "tensors": [{"y": "float32", "n": [2]} | about]}


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (one_tensor(y="float8"), 8), (one_tensor(y=["float32"]), 8), (one_tensor(y=None), 8),
        (one_tensor(n=[2.0]), 8), (one_tensor(n=[True, 2]), 8), (one_tensor(n=[-1]), 8),
        (one_tensor(n="2"), 8), (one_tensor(n=[1] * 33), 4), (one_tensor(n=[5]), 16),
        (one_tensor(n=[2, 2]), 8), (one_tensor(n=[1]), 32), (one_tensor(n=[0]), 16),
        (one_tensor(n=[0] + [1 << 26] * 5), 0), (one_tensor(n=[1 << 26] * 3 + [0]), 0),
        (one_tensor(n=[1 << 60]), 8), (one_tensor(p=[1]), 16), (one_tensor(p=[True]), 16),
        (one_tensor(p=["0"]), 16), (one_tensor(p=3), 16), (one_tensor(y="bool", n=[16]), 16),
        ({"tensors": [None]}, 0), ({"tensors": {}}, 0), ({"tensors": 3}, 0),
        ({"value": ["T", 0], "tensors": []}, 0), ({"value": ["T", -1]}, 0),
        ({"value": ["@", 0]}, 0), ({"value": ["@", True]}, 0), ({"value": ["A", 0, [1]]}, 0),
        ({"value": [["T"]]}, 0), ({"value": []}, 0), ({"value": {}}, 0), ({"value": ["?"]}, 0),
        ({"value": "s"}, 0), ({"value": ["s", 3]}, 0), ({"value": ["F", 0]}, 0),
        ({"value": ["c", 1, 2]}, 0), ({"value": ["y", "float8"]}, 0), ({"value": ["y", []]}, 0),
        ({"value": ["n", "uint8", 300]}, 0), ({"value": ["n", "int64", math.nan]}, 0),
        ({"value": ["n", "object_", 1]}, 0), ({"value": ["d", [[1]]]}, 0),
        ({"value": ["d", [[["l", []], 1]]]}, 0), ({"value": ["d", [[["t", [["l", []]]], 1]]]}, 0),
        ({"value": ["d", [[1 << 63, 1]]]}, 0), ({"value": ["d", 7]}, 0),
        ({"value": ["G", 0], "tensors": [{"y": "uint8", "n": [16]}]}, 16), ({"value": 10**300}, 0),
    ],
    ids=lambda x: json.dumps(x)[:60] if isinstance(x, dict) else "",
)  # fmt: skip
def test_refused(header: dict[str, Any], size: int) -> None:
    """Each of these claims is false."""
    with pytest.raises(BadMessage):
        decoded(header, b"\x05" * size)


def test_an_expansion_from_the_untrusted_side_is_no_expansion() -> None:
    """Only the judge may say that axes are expanded."""
    got = decoded(one_tensor(n=[1], e=[1 << 40]), bytes(16))
    assert got.shape == (1,)


def test_memory_of_ours_in_another_shape() -> None:
    """A result may share memory with what was given, and with nothing beyond it."""
    x = torch.arange(6.0)
    decoder = Decoder(Message({}), no_functions, given=[x, []])
    got = decoder.value(["A", 0, [2, 3]])
    got += 1
    assert x[0] == 1
    for part in (["A", 0, [7]], ["A", 0, [3]], ["A", 1, [6]], ["A", 0, [-6]], ["A", 0, [6, 0]]):
        with pytest.raises(BadMessage):
            decoder.value(part)


def test_a_flood_of_equal_hashes_is_refused() -> None:
    """Integers that all hash to 0, and tuples, whose hashes anybody can compute."""
    modulus = 2**61 - 1
    for keys in ([at * modulus for at in range(4, 5000)], [["t", [at]] for at in range(5000)]):
        with pytest.raises(BadMessage):
            decoded({"value": ["d", [[key, 0] for key in keys]]})


def test_ten_thousand_odd_names_stay_cheap() -> None:
    """The classes that stand for them are not kept."""
    parts = [["o", f"name{at}"] for at in range(10_000)]
    assert len(decoded({"value": ["l", parts]})) == 10_000
    assert codec._class_named.cache_info().currsize <= 1024


def test_a_claimed_size_costs_nothing() -> None:
    """Memory grows with what came, never with what was said of it."""
    tracemalloc.start()
    for shape in ([1 << 24], [MOST_PAYLOAD // 4], [1 << 12, 1 << 12], [1 << 40], [0, 1 << 26]):
        with pytest.raises(BadMessage):
            decoded(one_tensor(n=shape), bytes(64))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_headers_that_are_none() -> None:
    """Not JSON, not an object, nested without end, numbers without end."""
    for data in (b"", b"[]", b"3", b"{", b"\xff", b"[" * 200_000, b'{"a":' * 100_000, b"nul"):
        with pytest.raises(BadMessage):
            read_header(data)
    with pytest.raises(BadMessage):
        read_header(b'{"value":' + b"9" * 100_000 + b"}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
    | st.sampled_from([*"TstldA@GcynoFR", "float32", "bool", "uint8", "int64"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=25,
)  # fmt: skip
DESCRIPTIONS = st.fixed_dictionaries(
    {"y": st.sampled_from([*DTYPES, "float8"]) | JSON, "n": st.lists(st.integers(-1, 5)) | JSON},
    optional={"p": st.lists(st.integers(-1, 3)) | JSON, "e": JSON, "g": st.booleans()},
)


@QUICK
@given(JSON, st.lists(DESCRIPTIONS | JSON, max_size=3) | JSON, st.binary(max_size=200))
def test_any_json_is_decoded_or_refused(value: Any, tensors: Any, payload: bytes) -> None:
    """Nothing else happens."""
    with contextlib.suppress(BadMessage):
        decoded({"value": value, "tensors": tensors}, payload)


@QUICK
@given(st.data())
def test_a_mutated_message_is_decoded_or_refused(data: st.DataObject) -> None:
    """One byte of a real message is another one, or its end is missing."""
    example = [
        torch.arange(5.0),
        {"a": (1, "b")},
        torch.Generator(),
        [True, 2.5],
        torch.tensor(True),
    ]
    message = sent(example)
    header, payload = bytearray(pack_header(message.header)), bytearray(message.payload)
    target = data.draw(st.sampled_from([header, payload]))
    at = data.draw(st.integers(0, len(target) - 1))
    if data.draw(st.booleans()):
        target[at] = data.draw(st.integers(0, 255))
    else:
        del target[at:]
    with contextlib.suppress(BadMessage):
        read = read_header(header)
        Decoder(Message(read, payload), no_functions).value(read.get("value"))
