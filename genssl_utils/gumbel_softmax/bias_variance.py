"""The second figure of the unit: bias against variance of each gradient estimator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import traitlets as t

from genssl_utils.kit.figure import Figure

__all__ = ["BiasVarianceFigure", "bias_variance_figure"]

SAMPLES_RANGE = (1, 1000)
MOST_ESTIMATORS = 6  # as many as there are pairs of colour and shape

_ALT = (
    "Each estimator of the gradient is a point: relative bias to the right, relative variance "
    "upwards, both on log scales. {fixed} {moving} Below stands a table with the error "
    "bias² + variance / n of each. The best estimator depends on τ and on n, the number of samples "
    "you average."
)


class BiasVarianceFigure(Figure):
    """Relative bias against relative variance of gradient estimators, and which is best.

    The mean squared error of an average over n samples is bias² + variance / n. ``tau`` and ``n``
    follow the browser.
    """

    _script = "bias_variance.js"

    curves = t.Dict().tag(sync=True)
    tau = t.Float(1.0).tag(sync=True)
    n = t.Int(1).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        if not traits.get("curves"):
            raise ValueError("the figure has no curves: make it with bias_variance_figure(curves).")
        super().__init__(**traits)

    @t.validate("tau")
    def _check_tau(self, proposal: dict[str, Any]) -> float:
        return _require_tau(proposal["value"], self.curves["tau"])

    @t.validate("n")
    def _check_n(self, proposal: dict[str, Any]) -> int:
        return _require_n(proposal["value"])


def bias_variance_figure(
    curves: Mapping[str, Any], tau: float | None = None, n: int = 10
) -> BiasVarianceFigure:
    """A live figure of bias against variance of gradient estimators as the temperature moves.

    With g the exact gradient and ĝ an estimate from one sample, relative bias is ‖E ĝ − g‖ / ‖g‖,
    relative variance E‖ĝ − E ĝ‖² / ‖g‖², and the error of the mean of n samples is
    bias² + variance / n. REINFORCE: Williams 1992; Gumbel-softmax and straight-through:
    Jang et al. 2017 (arXiv:1611.01144).

    Args:
        curves: ``{"tau": [...], "estimators": {name: {"bias": [...], "variance": [...],
            "depends_on_tau": bool}}}``. ``tau`` rises; bias and variance hold one number a
            temperature, or a single one where the estimator does not depend on τ.
        tau: the temperature at the start; the geometric middle of the range when None.
        n: samples averaged at the start, from 1 to 1000.

    Returns:
        The figure; ``tau`` and ``n`` on it follow what the reader does.

    Raises:
        ValueError: a name, a length or a number of ``curves`` does not fit, or ``tau`` or ``n`` is
            out of range. The message says which.

    Example:
        >>> curves = {"tau": [0.1, 1.0], "estimators": {
        ...     "REINFORCE": {"bias": [0.02], "variance": [7.0], "depends_on_tau": False},
        ...     "Gumbel-softmax": {"bias": [0.07, 0.53], "variance": [22.9, 0.53],
        ...                        "depends_on_tau": True}}}
        >>> bias_variance_figure(curves, tau=0.5).tau
        0.5
    """
    tidy = _require_curves(curves)
    low, high = tidy["tau"][0], tidy["tau"][-1]
    start = math.sqrt(low * high) if tau is None else tau
    moving = [curve["name"] for curve in tidy["estimators"] if curve["depends_on_tau"]]
    fixed = [curve["name"] for curve in tidy["estimators"] if not curve["depends_on_tau"]]
    return BiasVarianceFigure(
        title="The best estimator changes with τ and with the number of samples",
        alt=_ALT.format(
            fixed=f"{', '.join(fixed)}: a point that stays." if fixed else "",
            moving=f"{', '.join(moving)}: a point that moves with τ." if moving else "",
        ),
        curves=tidy,
        tau=_require_tau(start, tidy["tau"]),
        n=_require_n(n),
    )


def _require_curves(curves: Mapping[str, Any]) -> dict[str, Any]:
    """The curves as plain lists of floats, one entry a temperature where they depend on it.

    The estimators become a list: a saved notebook sorts the keys of a dict, and their order says
    which colour and shape each has.
    """
    missing = {"tau", "estimators"} - set(curves)
    if missing:
        raise ValueError(f"curves lacks {sorted(missing)}: give both 'tau' and 'estimators'.")
    tau = _floats("tau", curves["tau"])
    if len(tau) < 2 or tau[0] <= 0 or any(b <= a for a, b in pairwise(tau)):
        raise ValueError(f"tau must hold at least two positive, rising numbers: got {tau}.")
    if not isinstance(curves["estimators"], Mapping) or not curves["estimators"]:
        raise ValueError("curves['estimators'] must name at least one estimator.")
    if len(curves["estimators"]) > MOST_ESTIMATORS:
        raise ValueError(
            f"the figure shows at most {MOST_ESTIMATORS} estimators: choose among them."
        )
    estimators = []
    for name, curve in curves["estimators"].items():
        missing = {"bias", "variance", "depends_on_tau"} - set(curve)
        if missing:
            raise ValueError(f"{name} lacks {sorted(missing)}.")
        moves = bool(curve["depends_on_tau"])
        tidy: dict[str, Any] = {"name": str(name), "depends_on_tau": moves}
        for key in ("bias", "variance"):
            values = _floats(f"{key} of {name}", curve[key])
            if any(v < 0 for v in values):
                raise ValueError(f"{key} of {name} is negative: {key} here is a size.")
            if not moves and len(set(values)) != 1:
                raise ValueError(
                    f"{name} does not depend on tau, so its {key} is one number: got {values}."
                )
            if moves and len(values) != len(tau):
                raise ValueError(
                    f"{key} of {name} has {len(values)} numbers for {len(tau)} temperatures."
                )
            tidy[key] = values if moves else values[:1]
        estimators.append(tidy)
    return {"tau": tau, "estimators": estimators}


def _floats(name: str, values: Sequence[float]) -> list[float]:
    try:
        numbers = [float(v) for v in values]
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a list of numbers: got {values!r}.") from None
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{name} must be a list of finite numbers: got {numbers}.")
    return numbers


def _require_tau(tau: float, temperatures: Sequence[float]) -> float:
    low, high = temperatures[0], temperatures[-1]
    if not low * (1 - 1e-9) <= float(tau) <= high * (1 + 1e-9):
        raise ValueError(f"tau is {tau}: the curves run from {low:g} to {high:g}.")
    return float(tau)


def _require_n(n: int) -> int:
    low, high = SAMPLES_RANGE
    if int(n) != n or not low <= n <= high:
        raise ValueError(f"n is {n}: choose a whole number of samples from {low} to {high}.")
    return int(n)
