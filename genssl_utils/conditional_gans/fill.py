"""The live figure of a hole that the reader drags: two networks fill it, and all between them."""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np
import torch
import traitlets as t

from genssl_utils.conditional_gans.completer import DILATIONS, WIDTH, Completer, FillNet
from genssl_utils.conditional_gans.holes import GROUNDS, RIM, SIDE, ground_patches
from genssl_utils.kit.figure import Figure, packed

__all__ = ["SHOWN", "SIZES", "FillFigure", "fill_figure", "flat_weights", "shipped"]

SIZES = (8, 10, 12)
"""Sides of a hole that the figure offers."""

SHOWN = {"brick 1": 8, "brick 2": 2, "grass 1": 3, "grass 2": 0, "gravel 1": 1, "gravel 2": 4}
"""Picture of the figure → which of its ground's held-out patches it is."""

_ALT = (
    "A grey picture of 24 by 24 pixels with a square hole that a network has filled; small beside "
    "it the same hole filled by the network trained with the squared error alone, by the "
    "adversarial one, and the true picture. A slider mixes the weights of the two networks. On "
    "grass and gravel the squared error leaves grey fog in the hole, and on the way to the "
    "adversarial network the fog becomes stones and blades while the masked error grows. Buttons "
    "choose the picture and the size of the hole, which can be dragged."
)


class FillFigure(Figure):
    """Iizuka et al. 2017 (doi:10.1145/3072959.3073659) in small, computed in the browser.

    ``weights`` are float16: of the network of the squared error, then of the adversarial one,
    layer by layer kernel and bias. ``pictures`` are bytes, (n, 24, 24), from −1 to 1. ``picture``,
    ``share`` (0 is the squared error, 1 the adversary), ``at`` (row and column of the hole's first
    pixel) and ``side`` follow the browser.
    """

    _script = "fill.js"

    weights = t.Bytes(b"").tag(sync=True)
    pictures = t.Bytes(b"").tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    shapes = t.List().tag(sync=True)
    sizes = t.List(t.Int(), list(SIZES)).tag(sync=True)
    pixels = t.Int(SIDE).tag(sync=True)
    picture = t.Int(0).tag(sync=True)
    share = t.Float(0.0).tag(sync=True)
    at = t.List(t.Int(), [7, 7]).tag(sync=True)
    side = t.Int(10).tag(sync=True)

    @t.validate("share")
    def _check_share(self, proposal: dict[str, Any]) -> float:
        if not 0 <= proposal["value"] <= 1:
            raise ValueError(f"share goes from 0 to 1, not {proposal['value']}.")
        return proposal["value"]


def flat_weights(net: FillNet) -> np.ndarray:
    """A network's numbers in the order that the figure reads, in half precision."""
    numbers = [part.detach().flatten() for layer in net.layers for part in layer.parameters()]
    return torch.cat(numbers).cpu().numpy().astype("<f2")


def _saved() -> np.ndarray:
    file = resources.files("genssl_utils.conditional_gans") / "data" / "completers.npz"
    with file.open("rb") as stream, np.load(stream) as saved:
        return saved["weights"]  # (2, n)


def shipped() -> tuple[Completer, Completer]:
    """The two networks of the figure: of the squared error, and trained on from it by adversaries.

    They were trained on brick, grass and gravel, longer than in the notebook.
    """
    made = []
    for name, numbers in zip(("MSE", "adversarial"), _saved(), strict=True):
        net, rest = FillNet(), torch.tensor(numbers.astype("f4"))
        with torch.no_grad():
            for part in (part for layer in net.layers for part in layer.parameters()):
                part.copy_(rest[: part.numel()].view_as(part))
                rest = rest[part.numel() :]
        made.append(Completer(name, net))
    return made[0], made[1]


def fill_figure(picture: str = "gravel 1", share: float = 0.0, side: int = 10) -> FillFigure:
    """A live figure of a hole that is filled as it moves.

    Args:
        picture: one of `brick 1`, `brick 2`, `grass 1`, `grass 2`, `gravel 1`, `gravel 2`.
        share: where the slider begins: 0 is the squared error alone, 1 the adversarial network.
        side: of the hole in pixels: 8, 10 or 12.

    Returns:
        The figure.

    Raises:
        ValueError: there is no such picture or size, or the share is out of range.
    """
    if picture not in SHOWN:
        raise ValueError(f"picture is {picture!r}; choose one of {list(SHOWN)}.")
    if side not in SIZES:
        raise ValueError(f"side is {side}; choose one of {list(SIZES)}.")
    new = ground_patches(10 * len(GROUNDS), held_out=True, names=tuple(GROUNDS), seed=0)
    kind = {name: new.x[new.ground == k] for k, name in enumerate(GROUNDS)}
    x = torch.stack([kind[name.split()[0]][place, 0] for name, place in SHOWN.items()])
    widths = [8, *[WIDTH] * (len(DILATIONS) + 1), 4]
    steps = [1, *DILATIONS, 1]
    first = (SIDE - side) // 2
    return FillFigure(
        title="Where many answers fit, the squared error answers with fog",
        alt=_ALT,
        weights=packed(_saved().astype("<f2").tobytes()),
        pictures=packed(((x + 1) * 127.5).round().to(torch.uint8).numpy().tobytes()),
        names=list(SHOWN),
        shapes=[list(shape) for shape in zip(widths, widths[1:], steps, strict=False)],
        picture=list(SHOWN).index(picture),
        share=share,
        at=[max(RIM, first)] * 2,
        side=side,
    )
