"""Tensors as raw bytes: how they are described, and what is made of a description.

A description is a dict: `y` the dtype's name, `n` the sizes, and where needed `p`, the order of
axes in which the numbers lie, and `e`, the sizes to which axes of one number are expanded. It may
come from a hostile side: whatever it claims, no more is allocated than there are bytes for.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

MOST_PAYLOAD = 64 << 20
"""Bytes of numbers in one message."""
ALIGN = 16
_MOST_AXES = 32

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64,
        torch.complex128, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
        torch.bool,
    )
}  # fmt: skip
NAMES = {dtype: name for name, dtype in DTYPES.items()}


class BadMessage(Exception):
    """The other side sent what no honest one sends."""


def crosses(x: Tensor) -> bool:
    """Whether a tensor is of a kind that can be sent: dense numbers of a known dtype."""
    return x.layout == torch.strided and x.dtype in NAMES and not x.is_meta and not x.is_quantized


def tensor_bytes(x: Tensor) -> memoryview:
    """The numbers of a CPU tensor in row-major order, as a view where they lie so already."""
    if not x.numel():
        return memoryview(b"")
    flat = x.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    if flat.stride(0) != 1:  # one number, expanded
        flat = flat.as_strided((1,), (1,))
    return memoryview(flat.view(torch.uint8).numpy())


def describe(x: Tensor, *, compact: bool = False) -> tuple[dict[str, Any], memoryview]:
    """A tensor's description, and its numbers.

    Args:
        x: of a kind that crosses.
        compact: whether an expanded axis is sent as the one number that it holds.

    Raises:
        ValueError: it holds too many numbers.
    """
    about: dict[str, Any] = {}
    kept = x.detach()
    if compact and 0 in x.stride():
        for axis, step in enumerate(x.stride()):
            if step == 0 and x.shape[axis] > 1:
                kept = kept.narrow(axis, 0, 1)
                about["e"] = list(x.shape)
    if kept.numel() * kept.element_size() > MOST_PAYLOAD:
        raise ValueError(f"More than {MOST_PAYLOAD >> 20} MiB of numbers in one call.")
    kept = kept.cpu()
    if not kept.is_contiguous():
        order = sorted(range(kept.ndim), key=lambda axis: -kept.stride(axis))
        turned = kept.permute(order)
        if turned.is_contiguous():
            kept, about["p"] = turned, order
    return {"y": NAMES[x.dtype], "n": list(kept.shape)} | about, tensor_bytes(kept)


def size_of(told: Any) -> int:
    """Bytes that a description needs.

    Raises:
        BadMessage: it is none: no such dtype, an impossible shape, too large.
    """
    if not isinstance(told, dict):
        raise BadMessage("a tensor without a description")
    dtype, shape = told.get("y"), told.get("n")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise BadMessage("unknown dtype")
    if not isinstance(shape, list) or len(shape) > _MOST_AXES:
        raise BadMessage("shape is not a list of sizes")
    if not all(type(size) is int and 0 <= size <= MOST_PAYLOAD for size in shape):
        raise BadMessage("shape holds what is no size")
    # An empty tensor has strides, too: they must not overflow.
    if math.prod(size or 1 for size in shape) * DTYPES[dtype].itemsize > MOST_PAYLOAD:
        raise BadMessage("a tensor is too large")
    return math.prod(shape) * DTYPES[dtype].itemsize


def tensor_of(told: dict[str, Any], payload: bytearray, start: int, *, expand: bool) -> Tensor:
    """The tensor of a description that `size_of` let pass; it lives in the payload itself.

    Args:
        told: the description.
        payload: holds the numbers.
        start: where they begin.
        expand: whether axes may be expanded: from an untrusted side they may not.

    Raises:
        BadMessage: a boolean that is none, or an order of axes that is none.
    """
    dtype, shape = DTYPES[told["y"]], told["n"]
    count = math.prod(shape)
    if not count:
        x = torch.empty(shape, dtype=dtype)
    else:
        if dtype == torch.bool and payload[start : start + count].strip(b"\0\1"):
            raise BadMessage("a boolean is neither 0 nor 1")
        # `data` makes it a tensor of its own: a view could not be changed in place by a caller.
        x = torch.frombuffer(payload, dtype=dtype, count=count, offset=start).reshape(shape).data
    if "p" in told:
        x = x.permute(_inverse(told["p"], len(shape))).data
    if expand and "e" in told:
        x = x.expand(told["e"])
    return x


def _inverse(order: Any, axes: int) -> list[int]:
    """The order that undoes an order of axes."""
    if not isinstance(order, list) or not all(type(axis) is int for axis in order):
        raise BadMessage("an order of axes is none")
    if sorted(order) != list(range(axes)):
        raise BadMessage("an order of axes is none")
    return sorted(range(axes), key=order.__getitem__)
