"""The live figure of two clouds and the maps between them, at each weight of the cycle loss."""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np
import torch
import traitlets as t

from genssl_utils.cycle_consistency.clouds import CLOUDS, HIDDEN, SPREAD
from genssl_utils.kit.figure import Figure, packed

__all__ = ["LAMBDAS", "MapsFigure", "maps_figure"]

LAMBDAS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0)
STARTS = 6
POINTS = 120
"""Points of each cloud that are judged; a third of them get an arrow."""

_ALT = (
    "On the left a cloud X of four numbered groups, on the right a cloud Y, which is X turned. "
    "Arrows lead from points of X to where the map f sends them in Y; they are dashed and dark red "
    "where that is another group. From each end the map g leads home to a cross in X, which lies "
    "on the point if the round trip is right. A slider sets the weight λ of the cycle loss, "
    "buttons choose the cloud and the start of the training. Without the cycle loss some starts "
    "fill Y in the wrong order, others leave a group of Y empty, and most crosses lie elsewhere; "
    "from λ = 1 on all come home, from wrong places, too. Below, for each λ and start, the share "
    "of points in their own group and the error of the round trip."
)


class MapsFigure(Figure):
    """Trained maps, evaluated in the browser for each cloud, weight λ and start.

    ``weights`` are float32, (cloud, λ, start, map, numbers): of f, then g, each layer's matrix
    (in, out) row by row and then its bias. ``cloud``, ``lam`` (a place in ``lambdas``), ``start``
    and ``place``, a point of X, follow the browser.
    """

    _script = "maps.js"

    weights = t.Bytes(b"").tag(sync=True)
    lambdas = t.List(t.Float()).tag(sync=True)
    clouds = t.List().tag(sync=True)
    starts = t.Int(STARTS).tag(sync=True)
    hidden = t.Int(HIDDEN).tag(sync=True)
    cloud = t.Int(0).tag(sync=True)
    lam = t.Int(0).tag(sync=True)
    start = t.Int(0).tag(sync=True)
    place = t.List(t.Float(), [0.0, 0.0]).tag(sync=True)

    @t.validate("cloud", "lam", "start")
    def _check_choice(self, proposal: dict[str, Any]) -> int:
        name = proposal["trait"].name
        many = {"cloud": len(CLOUDS), "lam": len(LAMBDAS), "start": STARTS}[name]
        if not 0 <= proposal["value"] < many:
            raise ValueError(f"{name} goes from 0 to {many - 1}, not {proposal['value']}.")
        return proposal["value"]


def flat(layers: list[torch.Tensor]) -> np.ndarray:
    """The numbers of S networks, (S, n), in the order that the figure reads."""
    return torch.cat([w.flatten(1) for w in layers], 1).numpy()


def _clouds() -> list[dict[str, Any]]:
    """What the browser needs of each cloud: its name, centres, and points with their groups."""
    told = []
    for name, cloud in CLOUDS.items():
        draw = torch.Generator().manual_seed(7)
        # As many of each group, so that a right map leaves no gap in the shares.
        group = torch.arange(POINTS) % len(cloud.centres)
        points = cloud.centres[group] + SPREAD * torch.randn(POINTS, 2, generator=draw)
        told.append({
            "name": name,
            "centres": cloud.centres.tolist(),
            "turned": cloud.turned(cloud.centres).tolist(),
            "points": points.double().round(decimals=3).tolist(),
            "group": group.tolist(),
            "spread": SPREAD,
        })  # fmt: skip
    return told


def maps_figure(cloud: str = "lopsided", lam: float = 0.0, start: int = 1) -> MapsFigure:
    """A live figure of what the cycle loss does to maps between two clouds.

    Args:
        cloud: `lopsided` or `square`.
        lam: the weight λ at the start; the nearest one that was trained is shown.
        start: which start of the training, from 1 to 6.

    Returns:
        The figure.

    Raises:
        ValueError: there is no such cloud or start.
    """
    if cloud not in CLOUDS:
        raise ValueError(f"cloud is {cloud!r}; choose one of {sorted(CLOUDS)}.")
    file = resources.files("genssl_utils.cycle_consistency") / "data" / "maps.npz"
    with file.open("rb") as stream, np.load(stream) as saved:
        weights = saved["weights"].astype("<f4")
    nearest = min(range(len(LAMBDAS)), key=lambda i: abs(LAMBDAS[i] - lam))
    return MapsFigure(
        title="The cycle loss makes two maps inverse, not right",
        alt=_ALT,
        weights=packed(weights.tobytes()),
        lambdas=list(LAMBDAS),
        clouds=_clouds(),
        cloud=list(CLOUDS).index(cloud),
        lam=nearest,
        start=start - 1,
    )
