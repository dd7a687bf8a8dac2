"""The third live figure: samples of the trained flow on their way through its layers."""

from __future__ import annotations

from typing import Any

import torch
import traitlets as t
from torch import Tensor

from genssl_utils.flows.moons import MoonsRun
from genssl_utils.kit.figure import Figure

__all__ = ["TravelFigure", "travel_figure"]

LIMIT = 6.0
"""Places are carried as 16-bit whole numbers over [−LIMIT, LIMIT]: steps of 0.0002."""

_ALT = (
    "A cloud of latent points from a Gaussian, with a ring around its middle, goes through the "
    "{layers} layers of the trained flow and becomes two moons. One slider goes through the "
    "layers, another through the training. Circles began on the left of the latent, triangles "
    "on the right. In each layer one coordinate of the points moves. Before training none does."
)


class TravelFigure(Figure):
    """Frames made by the student's own functions: latents through the layers, during training.

    ``layer`` (0 is the latent, K the data; between two whole numbers the points are on their way)
    and ``moment`` follow the browser.
    """

    _script = "travel.js"

    frames = t.Bytes(b"").tag(sync=True)
    data = t.Bytes(b"").tag(sync=True)
    limit = t.Float(LIMIT).tag(sync=True)
    steps = t.List(t.Int()).tag(sync=True)
    nll = t.List(t.Float()).tag(sync=True)
    floor = t.Float(0.0).tag(sync=True)
    moves = t.List(t.Int()).tag(sync=True)
    rings = t.List(t.Int()).tag(sync=True)
    layer = t.Float(0.0).tag(sync=True)
    moment = t.Int(0).tag(sync=True)

    @t.validate("layer")
    def _check_layer(self, proposal: dict[str, Any]) -> float:
        if not 0 <= proposal["value"] <= len(self.moves):
            raise ValueError(f"layer goes from 0 to {len(self.moves)}, not {proposal['value']}.")
        return proposal["value"]

    @t.validate("moment")
    def _check_moment(self, proposal: dict[str, Any]) -> int:
        if not 0 <= proposal["value"] < max(1, len(self.steps)):
            raise ValueError(f"moment goes from 0 to {len(self.steps) - 1}.")
        return proposal["value"]


def travel_figure(run: MoonsRun) -> TravelFigure:
    """A live figure of the trained flow: scrub through its layers and through its training.

    Args:
        run: what `train_moons` returned.

    Returns:
        The figure, at the end of the training and at the last layer.
    """
    journey, layers = run.journey, len(run.flow.masks)
    # Going back to data, the last layer is undone first; the coordinate with mask 0 moves.
    moves = [int(mask[0]) for mask in reversed(run.flow.masks.cpu())]
    return TravelFigure(
        title="Each layer moves one coordinate; together they fold a Gaussian into two moons",
        alt=_ALT.format(layers=layers),
        frames=_packed(torch.stack(journey.frames)),  # (moments, K + 1, points, 2)
        data=_packed(run.test[:500]),
        steps=journey.steps,
        nll=journey.nll,
        floor=run.floor,
        moves=moves,
        rings=list(journey.rings),
        layer=float(layers),
        moment=len(journey.steps) - 1,
    )


def _packed(places: Tensor) -> bytes:
    scaled = (places.clamp(-LIMIT, LIMIT) * (32767 / LIMIT)).round()
    return scaled.to(torch.int16).contiguous().numpy().astype("<i2").tobytes()
