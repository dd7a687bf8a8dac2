"""What a check saw, as numbers: it can be written to a key and recognised again.

A known mistake is stored as the observations that it gives. A student's failing observation is
compared with those, so that the message can name the mistake without any code of ours in the
student's hands. Random answers are stored as a law (quantiles or frequencies) and recognised by
a test of that law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

TOLERANCE = {
    torch.float64: (1e-6, 1e-8),
    torch.float32: (2e-4, 2e-5),
    torch.float16: (1e-2, 1e-2),
    torch.bfloat16: (4e-2, 4e-2),
}
"""Relative and absolute tolerance that follow from the dtype of the answer."""

LEVELS = np.linspace(0, 1, 43)[1:-1]  # where a law's quantiles are stored
RECOGNISE = 1e-4
"""A law is recognised unless it is this unlikely."""


class Observation(Protocol):
    """One thing seen in one check."""

    @property
    def specific(self) -> bool:
        """Whether it can name a mistake although other observations differ."""

    def to_json(self) -> dict[str, Any]:
        """The observation as numbers and words."""

    def matches(self, recorded: dict[str, Any]) -> bool:
        """Whether it is what was recorded, up to rounding or chance."""


def kind_of(dtype: torch.dtype) -> str:
    """float, integer, boolean or complex: the part of a dtype that must not differ."""
    if dtype == torch.bool:
        return "boolean"
    if dtype.is_complex:
        return "complex"
    return "float" if dtype.is_floating_point else "integer"


def wide(x: Tensor) -> Tensor:
    """The tensor on the CPU in the widest dtype of its kind."""
    x = x.detach()
    return x.to("cpu", torch.complex128 if x.dtype.is_complex else torch.float64)


def close(got: Tensor, expected: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Element-wise agreement within the tolerance of a dtype; NaN agrees with nothing.

    Args:
        got: the answer.
        expected: the right value, of the same shape.
        dtype: whose tolerance; the answer's own by default. The absolute one grows with the
            largest expected number, since sums of large numbers round by their size.
    """
    rtol, atol = TOLERANCE.get(dtype or got.dtype, (0.0, 0.0))
    got, expected = wide(got), wide(expected)
    sizes = expected.abs()[torch.isfinite(expected)]
    atol *= max(1.0, float(sizes.max()) if sizes.numel() else 1.0)
    near = (got - expected).abs() <= atol + rtol * expected.abs()
    return (got == expected) | (near & torch.isfinite(expected))  # infinity is near to nothing


def _to_number(x: float) -> float | str:
    return float(f"{x:.8g}") if math.isfinite(x) else str(x)


@dataclass(frozen=True)
class Value:
    """A tensor with its shape, its kind of dtype and its numbers."""

    tensor: Tensor
    dtype: torch.dtype | None = None
    """Whose tolerance counts; the tensor's own by default."""
    slope: bool = False
    """Whether it is a gradient: one that a constant adds nothing to, so that mistakes share it."""

    @property
    def specific(self) -> bool:
        """Whether another mistake would hardly give the same numbers by chance."""
        if self.slope:
            return False
        flat = self.tensor.detach().reshape(-1)
        return bool(flat.numel() > 1 and torch.isfinite(flat).all() and (flat != 0).any())

    def to_json(self) -> dict[str, Any]:
        """Shape, kind and the flattened numbers; of complex ones the real and imaginary parts."""
        whole = wide(self.tensor).reshape(-1)
        flat = (torch.view_as_real(whole).reshape(-1) if whole.is_complex() else whole).tolist()
        return {
            "kind": "value",
            "shape": list(self.tensor.shape),
            "dtype": kind_of(self.tensor.dtype),
            "data": [_to_number(x) for x in flat],
        }

    def matches(self, recorded: dict[str, Any]) -> bool:
        """Same shape, same kind of dtype, same numbers (a NaN in both counts as the same)."""
        if recorded["kind"] != "value" or recorded["shape"] != list(self.tensor.shape):
            return False
        kinds = {recorded["dtype"], kind_of(self.tensor.dtype)}
        if len(kinds) > 1 and (self.tensor.ndim or kinds != {"integer", "float"}):
            return False  # of plain numbers, 0 says what 0.0 says
        expected, got = value_of(recorded), self.tensor.detach()
        both_nan = wide(got).isnan() & expected.isnan()
        return bool((close(got, expected, self.dtype) | both_nan).all())


def value_of(recorded: dict[str, Any]) -> Tensor:
    """The float64 (or complex128) tensor that was recorded as a `Value`."""
    numbers = torch.tensor([float(x) for x in recorded["data"]], dtype=torch.float64)
    if recorded["dtype"] == "complex":
        numbers = torch.view_as_complex(numbers.reshape(-1, 2))
    return numbers.reshape(recorded["shape"])


@dataclass(frozen=True)
class Law:
    """A sample of a continuous quantity, remembered by its quantiles."""

    sample: np.ndarray

    @property
    def specific(self) -> bool:
        """Whether it is a law at all and not one number, or none."""
        return bool(self.sample.size and np.isfinite(self.sample).all() and np.ptp(self.sample) > 0)

    def to_json(self) -> dict[str, Any]:
        """Size and quantiles of the sample; -1 as size when it holds NaN, none when it is empty."""
        if np.isnan(self.sample).any():
            return {"kind": "law", "n": -1, "quantiles": []}
        if not self.sample.size:
            return {"kind": "law", "n": 0, "quantiles": []}
        quantiles = np.quantile(self.sample, LEVELS, method="inverted_cdf")
        numbers = [_to_number(float(f"{q:.5g}")) for q in quantiles]
        return {"kind": "law", "n": self.sample.size, "quantiles": numbers}

    def matches(self, recorded: dict[str, Any]) -> bool:
        """Two-sample Kolmogorov–Smirnov at the stored quantiles, ties allowed."""
        if recorded["kind"] != "law":
            return False
        nan = bool(np.isnan(self.sample).any())
        if nan or recorded["n"] < 0:
            return nan and recorded["n"] < 0
        if not self.sample.size or not recorded["n"]:
            return self.sample.size == recorded["n"]
        at = np.array([float(q) for q in recorded["quantiles"]])
        slack = 6e-5 * np.abs(np.where(np.isfinite(at), at, 0)) + 1e-7
        ordered = np.sort(self.sample)
        below = np.searchsorted(ordered, at - slack, side="left") / ordered.size
        upto = np.searchsorted(ordered, at + slack, side="right") / ordered.size
        distance = np.maximum(below - LEVELS, LEVELS - upto).max()
        size = 1 / ordered.size + 1 / recorded["n"]
        return bool(distance <= math.sqrt(-math.log(RECOGNISE / 2) / 2 * size))


@dataclass(frozen=True)
class Frequencies:
    """How often each of K categories came out."""

    counts: np.ndarray

    @property
    def specific(self) -> bool:
        """Whether more than one category came out."""
        return int((self.counts > 0).sum()) > 1

    def to_json(self) -> dict[str, Any]:
        """The counts."""
        return {"kind": "frequencies", "counts": [int(c) for c in self.counts]}

    def matches(self, recorded: dict[str, Any]) -> bool:
        """Two-sample G-test of homogeneity."""
        if recorded["kind"] != "frequencies" or len(recorded["counts"]) != self.counts.size:
            return False
        from scipy import stats

        table = np.array([self.counts, recorded["counts"]], dtype=float)
        table = table[:, table.sum(0) > 0]
        if table.shape[1] < 2:
            return True
        test = stats.chi2_contingency(table, lambda_="log-likelihood", correction=False)
        return bool(test.pvalue > RECOGNISE)


@dataclass(frozen=True)
class Fact:
    """Something that has a name and no number: an exception, a changed input, no gradient."""

    what: str
    specific = False
    """Many mistakes share a fact, so that it names none alone."""

    def to_json(self) -> dict[str, Any]:
        """The fact's name."""
        return {"kind": "fact", "what": self.what}

    def matches(self, recorded: dict[str, Any]) -> bool:
        """The same fact."""
        return recorded == self.to_json()
