"""Homes, the products of this unit: no two of them are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

__all__ = ["EXTRAS", "FEATURES", "PLACES", "Homes", "draw_homes", "home", "homes_of"]

PLACES = ("centre", "suburb", "village", "coast")
EXTRAS = ("pool", "garden", "parking", "lift", "new")
FEATURES = ("size", "price", "place", *EXTRAS)
"""What is known of a home: square metres, thousands of euros, which place, and 0 or 1."""

SIZE, PRICE = (4.4, 0.5), (5.7, 0.6)
"""Middle and spread of the logarithms of size and price, for `Homes.described`."""

Home = Mapping[str, float]


class Homes:
    """Homes with their features.

    Args:
        table: one row a home, the columns as in `FEATURES`, (N, 8), float.
    """

    def __init__(self, table: Tensor) -> None:
        if table.ndim != 2 or table.shape[1] != len(FEATURES):
            raise ValueError(f"Give {len(FEATURES)} columns, not {tuple(table.shape)}.")
        self.table = table

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, rows: Tensor | slice | Sequence[int]) -> Homes:
        return Homes(self.table[rows])

    def column(self, name: str) -> Tensor:
        """One feature of all of them, (N,)."""
        return self.table[:, FEATURES.index(name)]

    def dicts(self) -> list[dict[str, float]]:
        """One mapping a home, feature → value."""
        return [dict(zip(FEATURES, row, strict=True)) for row in self.table.tolist()]

    def described(self) -> Tensor:
        """Numbers that a model can read: size and price as logarithms of about unit spread, one
        column a place, and the extras: (N, 11)."""
        size, price = (
            (self.column(name).log() - middle) / spread
            for name, (middle, spread) in (("size", SIZE), ("price", PRICE))
        )
        place = torch.nn.functional.one_hot(self.column("place").long(), len(PLACES))
        return torch.cat(
            [size[:, None], price[:, None], place.to(size), self.table[:, 3:]], 1
        )  # fmt: skip

    def to(self, device: torch.device | str) -> Homes:
        """The same homes on another device."""
        return Homes(self.table.to(device))


def homes_of(several: Sequence[Home]) -> Homes:
    """Homes from mappings, each with all of `FEATURES`.

    Raises:
        ValueError: a feature is missing or unknown.
    """
    for one in several:
        if set(one) != set(FEATURES):
            raise ValueError(f"A home has the features {FEATURES}, not {sorted(one)}.")
    return Homes(torch.tensor([[float(one[name]) for name in FEATURES] for one in several]))


def home(
    size: float, price: float, place: str = "suburb", *extras: str
) -> dict[str, float]:  # fmt: skip
    """One home, as a mapping from feature to number.

    Args:
        size: square metres.
        price: thousands of euros.
        place: one of `PLACES`.
        extras: what it has, of `EXTRAS`.

    Raises:
        ValueError: the place or an extra is unknown.

    Example:
        >>> home(60, 240, "centre", "lift")["lift"]
        1.0
    """
    if place not in PLACES or not set(extras) <= set(EXTRAS):
        raise ValueError(f"Places are {PLACES}, extras {EXTRAS}; not {place!r} with {extras}.")
    has = {name: float(name in extras) for name in EXTRAS}
    return {"size": float(size), "price": float(price), "place": float(PLACES.index(place)), **has}


def draw_homes(n: int, generator: torch.Generator) -> Homes:
    """Homes as a builder could offer them: larger and cheaper away from the centre.

    Data card:
        Source: made here, see `market`.
        Licence: MIT, as this code.
        Size: as many as asked for.
        Split: none; draw others with another generator.
        Must not be used for: claims about real homes or prices.

    Args:
        n: how many.
        generator: the source of chance.
    """
    device = generator.device

    def chance(*shares: float) -> Tensor:
        """Whether each home has an extra, by place."""
        return (torch.rand(n, generator=generator, device=device)
                < torch.tensor(shares, device=device)[place]).float()  # fmt: skip

    shares = torch.tensor([0.30, 0.35, 0.20, 0.15], device=device)
    place = torch.multinomial(shares, n, True, generator=generator)
    middle, rate = torch.tensor(
        [[65.0, 100.0, 120.0, 75.0], [4.6, 3.0, 1.9, 3.9]], device=device
    )[:, place]  # fmt: skip
    noise = torch.randn(2, n, generator=generator, device=device)
    size = (middle * (0.4 * noise[0]).exp()).clamp(25, 260)
    pool = chance(0.04, 0.18, 0.25, 0.35)
    garden = chance(0.10, 0.70, 0.90, 0.40)
    parking = chance(0.50, 0.80, 0.90, 0.70)
    lift = chance(0.70, 0.30, 0.02, 0.50)
    new = chance(0.25, 0.25, 0.25, 0.25)
    worth = 1 + 0.12 * pool + 0.06 * new + 0.05 * parking
    price = (size * rate * worth * (0.2 * noise[1]).exp()).clamp(60, 1500)
    return Homes(torch.stack([size, price, place.float(), pool, garden, parking, lift, new], 1))
