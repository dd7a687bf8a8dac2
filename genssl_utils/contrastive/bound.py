"""The third live figure of the unit: how the InfoNCE bound saturates at log N."""

from __future__ import annotations

from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["BATCH_RANGE", "INFORMATION_RANGE", "BoundFigure", "bound_figure"]

INFORMATION_RANGE = (0.1, 10.0)
BATCH_RANGE = (2, 1024)
MOST_DIMS = 16

_ALT = (
    "A plot over the batch size N, on a log axis from 2 to 1024. A level line is the true mutual "
    "information of correlated Gaussians in {dims} dimensions, which you can change. A rising line "
    "is log N, the ceiling. The mean InfoNCE bound with the best critic stays below both: it rises "
    "with log N while N is small and then bends towards the truth. Small rings at the chosen N are "
    "single batches: some exceed the truth, none exceeds log N."
)


class BoundFigure(Figure):
    """The InfoNCE bound log N − E[loss] by batch size N, beside log N and the true information.

    van den Oord et al. 2018 (arXiv:1807.03748). ``information`` in nats, ``batch`` and ``seed``
    follow the browser.
    """

    _script = "bound.js"

    information = t.Float(3.0).tag(sync=True)
    batch = t.Int(64).tag(sync=True)
    dims = t.Int(4).tag(sync=True)
    seed = t.Int(1).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        traits.setdefault("title", "A batch of N can vouch for at most log N nats")
        traits.setdefault("alt", _ALT.format(dims=traits.get("dims", 4)))
        super().__init__(**traits)

    @t.validate("information")
    def _check_information(self, proposal: dict[str, Any]) -> float:
        return _require_information(proposal["value"])

    @t.validate("batch")
    def _check_batch(self, proposal: dict[str, Any]) -> int:
        return _require_batch(proposal["value"])

    @t.validate("dims")
    def _check_dims(self, proposal: dict[str, Any]) -> int:
        return _require_dims(proposal["value"])


def bound_figure(
    information: float = 3.0, batch: int = 64, dims: int = 4, seed: int = 1
) -> BoundFigure:
    """A live figure of the InfoNCE bound with the best critic as the batch grows.

    Each of ``dims`` coordinates of z and c is a pair of standard Gaussians with correlation ρ, so
    that their mutual information is −½ · dims · log(1 − ρ²). The critic is the log density ratio
    log p(z|c) / p(z), the best there is; the bound is log N − E[loss] (van den Oord et al. 2018,
    arXiv:1807.03748), computed in the browser by Monte Carlo.

    Args:
        information: the true mutual information at the start, in nats, from 0.1 to 10.
        batch: N at the start, from 2 to 1024.
        dims: coordinates of z and of c, from 1 to 16.
        seed: of the draws.

    Returns:
        The figure; ``information``, ``batch`` and ``seed`` follow what the reader does.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        >>> bound_figure(information=6).batch
        64
        >>> bound_figure(batch=1)
        Traceback (most recent call last):
        ...
        ValueError: batch is 1: choose a whole number from 2 to 1024.
    """
    return BoundFigure(
        information=_require_information(information),
        batch=_require_batch(batch),
        dims=_require_dims(dims),
        seed=int(seed),
    )


def _require_information(information: float) -> float:
    low, high = INFORMATION_RANGE
    if not low <= float(information) <= high:
        raise ValueError(f"information is {information}: choose from {low:g} to {high:g} nats.")
    return float(information)


def _require_batch(batch: int) -> int:
    low, high = BATCH_RANGE
    if int(batch) != batch or not low <= batch <= high:
        raise ValueError(f"batch is {batch}: choose a whole number from {low} to {high}.")
    return int(batch)


def _require_dims(dims: int) -> int:
    if int(dims) != dims or not 1 <= dims <= MOST_DIMS:
        raise ValueError(f"dims is {dims}: choose a whole number from 1 to {MOST_DIMS}.")
    return int(dims)
