"""The live figure of two decoders that answer one point, and the first picture of the unit."""

from __future__ import annotations

from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import torch
import traitlets as t
from matplotlib.figure import Figure as Picture
from torch import Tensor, nn

from genssl_utils.gan_or_vae.makers import decoder_net
from genssl_utils.kit import plots
from genssl_utils.kit.data import digits
from genssl_utils.kit.figure import Figure, packed
from genssl_utils.kit.sheets import named_rows

__all__ = ["EDGE", "PlaneFigure", "Planes", "plane_figure", "shipped", "who_made_picture"]

EDGE, WIDTH, LAYERS = 2.6, 128, ((2, 128), (128, 128), (128, 64))
"""Half the side of the plane; units of a hidden layer; inputs and outputs of each layer."""

_ALT = (
    "Two planes of codes side by side, the VAE's and the GAN's, each covered with the small "
    "pictures that its decoder makes there, and above each one large picture of the point that the "
    "reader moves in both planes at once. On the VAE's plane digits turn into each other by way of "
    "grey; on the GAN's plane regions of dark, clear digits meet at narrow borders. A button shows "
    "where the VAE's encoder puts true digits that it never saw; the GAN has no encoder."
)


class Planes(NamedTuple):
    """What the figure was shipped with.

    Attributes:
        vae: the VAE's decoder, codes (N, 2) → logits (N, 64).
        gan: the GAN's.
        codes: where the VAE's encoder puts some test digits, (n, 2).
        labels: which digits they are, (n,).
    """

    vae: nn.Sequential
    gan: nn.Sequential
    codes: Tensor
    labels: Tensor


def _saved() -> dict[str, np.ndarray]:
    file = resources.files("genssl_utils.gan_or_vae") / "data" / "planes.npz"
    with file.open("rb") as stream, np.load(stream) as saved:
        return dict(saved)


def shipped() -> Planes:
    """Both decoders with codes of two numbers; they were trained longer than in the notebook."""
    saved = _saved()
    nets = []
    for numbers in saved["weights"]:
        net, rest = decoder_net(2, WIDTH), torch.tensor(numbers.astype("f4"))
        with torch.no_grad():
            for part in net.parameters():
                part.copy_(rest[: part.numel()].view_as(part))
                rest = rest[part.numel() :]
        nets.append(net)
    codes = torch.tensor(saved["codes"].astype("f4"))
    return Planes(*nets, codes, torch.tensor(saved["labels"].astype("i8")))


class PlaneFigure(Figure):
    """A point of the plane of codes, and what two decoders make of it, computed in the browser.

    ``weights`` are float16: the VAE's decoder, then the GAN's, layer by layer matrix and bias.
    ``codes`` (n, 2) and ``labels`` are true digits as the VAE's encoder sees them. ``z`` is the
    point, ``shows`` what the planes are covered with (``made`` or ``true``); both follow the
    browser.
    """

    _script = "plane.js"

    weights = t.Bytes(b"").tag(sync=True)
    layers = t.List().tag(sync=True)
    codes = t.List().tag(sync=True)
    labels = t.List(t.Int()).tag(sync=True)
    edge = t.Float(EDGE).tag(sync=True)
    z = t.List(t.Float(), [0.0, 0.0]).tag(sync=True)
    shows = t.Unicode("made").tag(sync=True)

    @t.validate("z")
    def _check_z(self, proposal: dict[str, Any]) -> list[float]:
        z = proposal["value"]
        if len(z) != 2 or max(map(abs, z)) > self.edge + 1e-9:
            raise ValueError(f"z is two numbers from {-self.edge} to {self.edge}, not {z}.")
        return z

    @t.validate("shows")
    def _check_shows(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in ("made", "true"):
            raise ValueError(f"shows is 'made' or 'true', not {proposal['value']!r}.")
        return proposal["value"]


def plane_figure(z: tuple[float, float] = (0.4, 0.6), shows: str = "made") -> PlaneFigure:
    """A live figure of two planes of codes under one point.

    Args:
        z: where the point begins, two numbers from −2.6 to 2.6.
        shows: what covers the planes: `made` pictures, or codes of `true` digits.

    Returns:
        The figure.

    Raises:
        ValueError: the point lies outside, or there is nothing of that name to show.
    """
    saved = _saved()
    return PlaneFigure(
        title="One point, two decoders",
        alt=_ALT,
        weights=packed(saved["weights"].astype("<f2").tobytes()),
        layers=[list(shape) for shape in LAYERS],
        codes=[[round(float(c), 3) for c in row] for row in saved["codes"]],
        labels=[int(k) for k in saved["labels"]],
        z=list(z),
        shows=shows,
    )


@torch.no_grad()
def who_made_picture(columns: int = 12) -> Picture:
    """Three rows of digits without a name: made by the GAN, by people, by the VAE."""
    planes, draw = shipped(), torch.Generator().manual_seed(5)
    z = torch.randn(2, columns, 2, generator=draw)
    rows = [
        ("A", planes.gan(z[0]).sigmoid()),
        ("B", digits(flat=True).x_test[:columns]),
        ("C", planes.vae(z[1]).sigmoid()),
    ]
    figure, (axes,) = plots.panels(1, size=(0.55 * columns + 0.6, 2.1))
    named_rows(
        axes, [(name, x.view(-1, 1, 8, 8)) for name, x in rows],
        gap=0.12, cmap="gray_r", vmin=0, vmax=1,
    )  # fmt: skip
    axes.set_title("Who made which row?", fontsize=10)
    return figure
