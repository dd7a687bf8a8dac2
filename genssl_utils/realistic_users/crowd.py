"""The live figure of a home under the reader's hand, and the crowd of buyers that it draws."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
import torch
import traitlets as t
from torch import Tensor

from genssl_utils.kit.figure import Figure, packed
from genssl_utils.realistic_users.generator import HIDDEN, NOISE, BuyerNet
from genssl_utils.realistic_users.homes import EXTRAS, PLACES, PRICE, SIZE, Home, homes_of
from genssl_utils.realistic_users.makers import Maker
from genssl_utils.realistic_users.market import Market
from genssl_utils.realistic_users.people import CATEGORIES, NUMBERS, SIZES, People
from genssl_utils.realistic_users.recommender import Recommender

__all__ = ["CROWD", "PARTS", "CrowdFigure", "crowd_figure", "made_crowd", "numbers_of", "shipped"]

CROWD, PUBLIC = 240, 1500
"""Buyers that the figure makes; people of whom it reads the truth."""

PARTS = ("reader", "network", "noise", "gumbel", "tastes", "people")
"""What is shipped, in this order: the map from features to the home's vector; the generator; noise
and Gumbel noise of each buyer; tastes of a public; who they are."""

_ALT = (
    "A home with sliders for size and price, buttons for its place, and switches for pool, garden, "
    "parking, lift and new. A scatter of 240 generated buyers by age and income redraws as the "
    "home changes: circles are singles, triangles couples, squares families, a cross their mean. "
    "Bars beside it give the shares of household, purpose, work and channel, with a line where the "
    "true share is. A small flat in the centre draws the young, people who let flats, and the old; "
    "a large home in the suburb draws families."
)


class CrowdFigure(Figure):
    """Chonwiharnphan et al. 2020 in small, computed in the browser.

    ``numbers`` are float16, the `PARTS` one after another, and ``shapes`` says how many rows and
    columns each has. ``size``, ``price``, ``place``, ``extras`` (numbers of `EXTRAS`) and ``shown``
    (`made` or `true`) follow the browser.
    """

    _script = "crowd.js"

    numbers = t.Bytes(b"").tag(sync=True)
    shapes = t.Dict().tag(sync=True)
    widths = t.List(t.Int()).tag(sync=True)
    words = t.Dict().tag(sync=True)
    scales = t.Dict().tag(sync=True)
    size = t.Float(60.0).tag(sync=True)
    price = t.Float(230.0).tag(sync=True)
    place = t.Int(0).tag(sync=True)
    extras = t.List(t.Int(), [3]).tag(sync=True)
    shown = t.Unicode("made").tag(sync=True)


def _squares(told: Tensor) -> Tensor:
    """1, the features, their squares and products: (n, 78) from (n, 11)."""
    rows, columns = torch.triu_indices(told.shape[1], told.shape[1])
    return torch.cat([torch.ones_like(told[:, :1]), told, told[:, rows] * told[:, columns]], 1)


def numbers_of(
    market: Market, recommender: Recommender, maker: Maker, *, seed: int = 0
) -> dict[str, np.ndarray]:  # fmt: skip
    """What the figure needs of trained models, in half precision.

    Args:
        market: whose truth is shown.
        recommender: whose guess of a vector the generator is told.
        maker: a GAN that `train_gan` trained on these vectors.
        seed: of the noise and of the public.
    """
    _powers, scaler, ridge = (step for _, step in recommender.reader.steps)
    slopes = ridge.coef_ / scaler.scale_  # (D, 77)
    start = ridge.intercept_ - slopes @ scaler.mean_
    mean, spread = (part.cpu().numpy() for part in recommender.scale)
    reader = np.concatenate([(start - mean)[:, None], slopes], 1) / spread[:, None]  # (D, 78)
    draw = torch.Generator().manual_seed(seed)
    noise = torch.randn(CROWD, NOISE, generator=draw)
    gumbel = -torch.log(-torch.log(torch.rand(CROWD, sum(SIZES), generator=draw).clamp(min=1e-7)))
    weights = [part.detach().cpu().flatten() for part in maker.net.parameters()]
    chosen = torch.randperm(len(market.truth.people), generator=draw)[:PUBLIC]
    found = {
        "reader": reader, "network": torch.cat(weights)[None].numpy(), "noise": noise.numpy(),
        "gumbel": gumbel.numpy(), "tastes": market.truth.tastes.weights.cpu()[chosen].numpy(),
        "people": market.truth.people.rows.cpu()[chosen].numpy(),
    }  # fmt: skip
    return {name: found[name].astype("<f2") for name in PARTS}


def shipped() -> dict[str, Tensor]:
    """The numbers of the figure, float32, by the names in `PARTS`."""
    file = resources.files("genssl_utils.realistic_users") / "data" / "crowd.npz"
    with file.open("rb") as stream, np.load(stream) as saved:
        return {name: torch.tensor(saved[name].astype("<f4")) for name in PARTS}


@torch.no_grad()
def made_crowd(home: Home, numbers: Mapping[str, Tensor]) -> People:
    """The figure's buyers of a home, by torch.

    Args:
        home: the home.
        numbers: what `shipped` gives.
    """
    told = (_squares(homes_of([home]).described()) @ numbers["reader"].T).expand(CROWD, -1)
    net, rest = BuyerNet(told.shape[1]), numbers["network"][0]
    for part in net.parameters():
        part.copy_(rest[: part.numel()].view_as(part))
        rest = rest[part.numel() :]
    logits, values = net(numbers["noise"], told)
    blocks = (logits + numbers["gumbel"]).split(list(SIZES), 1)
    hot = [torch.nn.functional.one_hot(block.argmax(1), block.shape[1]) for block in blocks]
    return People(torch.cat([*hot, values], 1))


def crowd_figure(
    size: float = 60, price: float = 230, place: str = "centre", extras: tuple[str, ...] = ("lift",)
) -> CrowdFigure:  # fmt: skip
    """A live figure of a home and the crowd that it draws.

    Args:
        size: square metres to begin with, 25 to 260.
        price: thousands of euros, 60 to 1500.
        place: `centre`, `suburb`, `village` or `coast`.
        extras: what it has, of `pool`, `garden`, `parking`, `lift`, `new`.

    Returns:
        The figure.

    Raises:
        ValueError: a size, price, place or extra is out of range.
    """
    if not (25 <= size <= 260 and 60 <= price <= 1500):
        raise ValueError(f"Sizes go from 25 to 260, prices from 60 to 1500; not {size}, {price}.")
    if place not in PLACES or not set(extras) <= set(EXTRAS):
        raise ValueError(f"Places are {PLACES}, extras {EXTRAS}; not {place!r} with {extras}.")
    parts: dict[str, Any] = {name: part.numpy() for name, part in shipped().items()}
    told = parts["reader"].shape[0]
    return CrowdFigure(
        title="One home, several kinds of buyers: the crowd that it draws",
        alt=_ALT,
        numbers=packed(b"".join(parts[name].astype("<f2").tobytes() for name in PARTS)),
        shapes={name: list(parts[name].shape) for name in PARTS},
        widths=[NOISE + told, *HIDDEN, sum(SIZES) + 2],
        words={
            "places": list(PLACES), "extras": list(EXTRAS),
            "categories": [[name, list(values)] for name, values in CATEGORIES.items()],
        },
        scales={
            name: list(pair) for name, pair in {"size": SIZE, "price": PRICE, **NUMBERS}.items()
        },
        size=float(size),
        price=float(price),
        place=PLACES.index(place),
        extras=sorted(EXTRAS.index(name) for name in extras),
    )  # fmt: skip
