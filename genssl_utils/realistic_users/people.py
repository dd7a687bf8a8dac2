"""The people who look at homes: what is known of them, and what only their maker knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from genssl_utils.realistic_users.homes import PRICE, SIZE, Homes

__all__ = ["ATTRIBUTES", "BANDS", "CATEGORIES", "NUMBERS", "SIZES", "TYPES", "People", "Tastes",
           "draw_people", "people_of"]  # fmt: skip

CATEGORIES = {
    "household": ("single", "couple", "family"),
    "purpose": ("live there", "let it", "holidays"),
    "work": ("employed", "own business", "retired", "studying"),
    "channel": ("search", "social media", "newspaper", "agent"),
}
"""Attribute → its values. A channel is where this person can be reached."""
NUMBERS = {"age": (48.0, 16.0), "income": (4.0, 0.55)}
"""Number → middle and spread by which it is standardised; income (thousands of euros a year) as a
logarithm."""
BANDS = {"age": (30.0, 40.0, 50.0, 60.0, 70.0), "income": (30.0, 45.0, 65.0, 90.0, 130.0)}
"""Number → the edges of its six bands."""
ATTRIBUTES = (*CATEGORIES, *NUMBERS)
SIZES = tuple(len(values) for values in CATEGORIES.values())
"""How many values each category has: the blocks of a row's first columns."""


@dataclass(frozen=True)
class Type:
    """A kind of person, which nobody but the maker of the data sees.

    Attributes:
        share: of all who look.
        age: mean and standard deviation.
        income: median and standard deviation of the logarithm.
        shares: one row a category, the share of each of its values.
        budget: price over income.
        wanted: the best size in square metres.
        places: liking for each place.
        extras: liking for pool, garden, parking, lift, new.
    """

    share: float
    age: tuple[float, float]
    income: tuple[float, float]
    shares: tuple[tuple[float, ...], ...]
    budget: float
    wanted: float
    places: tuple[float, ...]
    extras: tuple[float, ...]


TYPES = {
    "starter": Type(
        0.22, (27, 4), (34, 0.25),
        ((0.60, 0.38, 0.02), (0.95, 0.05, 0), (0.68, 0.07, 0, 0.25), (0.35, 0.60, 0.01, 0.04)),
        5.0, 48, (1.3, 0.2, -1.5, -0.3), (-0.5, -0.4, 0.0, 0.1, 0.2),
    ),
    "young family": Type(
        0.22, (36, 4.5), (58, 0.25),
        ((0.02, 0.08, 0.90), (0.98, 0.01, 0.01), (0.85, 0.15, 0, 0), (0.55, 0.30, 0.05, 0.10)),
        5.5, 105, (-0.6, 1.2, 0.5, -0.4), (0.7, 1.3, 0.6, -0.2, 0.5),
    ),
    "settled family": Type(
        0.16, (48, 6), (95, 0.30),
        ((0.03, 0.17, 0.80), (0.90, 0.04, 0.06), (0.60, 0.40, 0, 0), (0.35, 0.10, 0.15, 0.40)),
        6.0, 150, (-0.2, 0.9, 0.6, 0.3), (1.4, 0.9, 0.8, 0.0, 0.3),
    ),
    "retired": Type(
        0.17, (70, 6), (33, 0.30),
        ((0.40, 0.58, 0.02), (0.92, 0.03, 0.05), (0.02, 0.05, 0.93, 0), (0.10, 0.05, 0.60, 0.25)),
        12.0, 75, (0.0, 0.1, 0.5, 0.9), (-0.9, 0.4, 0.4, 1.6, 0.2),
    ),
    "investor": Type(
        0.12, (53, 9), (120, 0.35),
        ((0.25, 0.45, 0.30), (0.04, 0.93, 0.03), (0.30, 0.65, 0.05, 0), (0.30, 0.05, 0.15, 0.50)),
        2.6, 48, (1.4, 0.3, -2.0, 0.3), (-0.8, -0.9, 0.2, 0.6, 1.0),
    ),
    "holiday maker": Type(
        0.11, (57, 8), (88, 0.30),
        ((0.10, 0.72, 0.18), (0.06, 0.10, 0.84), (0.50, 0.30, 0.20, 0), (0.20, 0.35, 0.30, 0.15)),
        3.2, 80, (-1.5, -1.5, 0.6, 1.9), (1.4, 0.0, 0.3, 0.0, -0.6),
    ),
}  # fmt: skip

PICKY = {"price": 1.6, "size": 1.0}
"""How much a home that misses the budget or the wanted size by one spread loses."""
EAGER = -1.2
"""The utility of a home that is right in price and size and has nothing that one likes."""


@dataclass(frozen=True)
class People:
    """People, as a model may see them.

    Attributes:
        rows: one-hot categories, then standardised numbers, (N, 16), float.
    """

    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: Tensor | slice | Sequence[int]) -> People:
        return People(self.rows[at])

    def category(self, name: str) -> Tensor:
        """One category of all of them, (N,), whole numbers."""
        place = list(CATEGORIES).index(name)
        start = sum(SIZES[:place])
        return self.rows[:, start : start + SIZES[place]].argmax(1)

    def number(self, name: str) -> Tensor:
        """Ages in years, or incomes in thousands of euros, (N,)."""
        middle, spread = NUMBERS[name]
        value = middle + spread * self.rows[:, sum(SIZES) + list(NUMBERS).index(name)]
        return value.exp() if name == "income" else value

    @property
    def codes(self) -> Tensor:
        """All attributes as whole numbers, the numbers by their bands: (N, 6), int64."""
        columns = [self.category(name) for name in CATEGORIES]
        for name, edges in BANDS.items():
            edge = torch.tensor(edges, device=self.rows.device)
            columns.append(torch.bucketize(self.number(name).contiguous(), edge, right=True))
        return torch.stack(columns, 1)

    def to(self, device: torch.device | str) -> People:
        """The same people on another device."""
        return People(self.rows.to(device))


def people_of(categories: Tensor, age: Tensor, income: Tensor) -> People:
    """People from their categories (N, 4), ages and incomes (N,)."""
    hot = [F.one_hot(c, size) for c, size in zip(categories.unbind(1), SIZES, strict=True)]
    numbers = [
        (value - middle) / spread
        for value, (middle, spread) in zip((age, income.log()), NUMBERS.values(), strict=True)
    ]
    return People(torch.cat([*hot, torch.stack(numbers, 1)], 1).float())


@dataclass(frozen=True)
class Tastes:
    """What people like: the truth that no model sees.

    Attributes:
        weights: one row a person, the weight of each number of `basis`, (N, 14).
        kind: the type of each, (N,).
    """

    weights: Tensor
    kind: Tensor

    def chance(self, homes: Homes) -> Tensor:
        """The chance that each person clicks on each home, if they see it: (N, homes)."""
        return torch.sigmoid(self.weights @ basis(homes).T)


def basis(homes: Homes) -> Tensor:
    """What a liking is linear in: 1, size, size², price, price², places, extras; (N, 14)."""
    told = homes.described()
    size, price = told[:, :1], told[:, 1:2]
    return torch.cat([torch.ones_like(size), size, size**2, price, price**2, told[:, 2:]], 1)


def draw_people(n: int, generator: torch.Generator) -> tuple[People, Tastes]:
    """People of six types, and what each of them likes.

    A type sets the law of the attributes and the middle of the tastes; budget follows income, the
    wanted size the household, the liking for a lift the age, and each person has whims.

    Data card:
        Source: made here; nobody is meant.
        Licence: MIT, as this code.
        Size: as many as asked for.
        Split: none; draw others with another generator.
        Must not be used for: claims about real people, of any age, income or household.

    Args:
        n: how many.
        generator: the source of chance.

    Returns:
        What may be seen of them, and the truth.
    """
    device, types = generator.device, list(TYPES.values())

    def of_type(numbers: Sequence[object]) -> Tensor:
        return torch.tensor(numbers, device=device, dtype=torch.float32)[kind]

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=device)

    shares = torch.tensor([one.share for one in types], device=device)
    kind = torch.multinomial(shares, n, True, generator=generator)
    age_mean, age_spread = of_type([one.age for one in types]).T
    age = (age_mean + age_spread * normal(n)).clamp(19, 92)
    median, spread = of_type([one.income for one in types]).T
    income = median * (spread * normal(n) + 0.01 * (age - age_mean)).exp()
    laws = (of_type([one.shares[k] for one in types]) for k in range(len(CATEGORIES)))
    categories = torch.cat([torch.multinomial(law, 1, generator=generator) for law in laws], 1)
    people = people_of(categories, age, income)

    budget = (income * of_type([one.budget for one in types])).log() + 0.2 * normal(n)
    budget = (budget - PRICE[0]) / PRICE[1]
    household = torch.tensor([-0.25, 0.0, 0.25], device=device)[categories[:, 0]]
    wanted = (of_type([one.wanted for one in types]).log() - SIZE[0]) / SIZE[1]
    wanted = wanted + household + 0.25 * normal(n)
    likes = of_type([(*one.places, *one.extras) for one in types]) + 0.35 * normal(n, 9)
    likes[:, 4 + 3] += 0.03 * (age - 60).clamp(min=0)  # a lift
    price, size = PICKY["price"], PICKY["size"]
    known = [
        EAGER - price * budget**2 - size * wanted**2,
        2 * size * wanted, torch.full_like(wanted, -size),
        2 * price * budget, torch.full_like(budget, -price),
    ]  # fmt: skip
    return people, Tastes(torch.cat([torch.stack(known, 1), likes], 1), kind)
