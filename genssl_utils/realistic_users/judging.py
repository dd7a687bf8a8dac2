"""How near made buyers are to the true ones of new homes, and how the unit shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from genssl_utils.kit import plots
from genssl_utils.kit.samples import coverage, energy_distance
from genssl_utils.kit.tables import Table, table
from genssl_utils.realistic_users.homes import EXTRAS, PLACES, Home, Homes
from genssl_utils.realistic_users.makers import Maker
from genssl_utils.realistic_users.market import Market
from genssl_utils.realistic_users.people import (
    ATTRIBUTES,
    CATEGORIES,
    NUMBERS,
    People,
    draw_people,
)

__all__ = [
    "Judged", "attribute_table", "crowd_picture", "crowds_table", "distance_picture",
    "first_picture", "flat_of_the_data", "judge", "novelty", "novelty_table", "people_table",
]  # fmt: skip

MADE, TRUE, HEAP = 600, 3000, 250
"""Buyers made for a home; true ones that they are held against; how many of both are compared as
whole rows."""

Distance = Callable[[Tensor, Tensor], Tensor]
"""(codes (N, 6), codes (M, 6)) → (6, 6), the student's `population_distance`."""


@dataclass(frozen=True)
class Judged:
    """What came out for one maker, on average over the new homes.

    Attributes:
        matrix: the student's distances, attributes on the diagonal, pairs beside it, (6, 6).
        energy: energy distance of whole rows.
        coverage: share of the true buyers that have a made one near.
    """

    matrix: Tensor
    energy: float
    coverage: float

    @property
    def alone(self) -> float:
        """Mean distance of an attribute."""
        return float(self.matrix.diagonal().mean())

    @property
    def pairs(self) -> float:
        """Mean distance of a pair of attributes."""
        apart = ~torch.eye(len(self.matrix), dtype=torch.bool)
        return float(self.matrix[apart].mean())


def judge(
    makers: Sequence[Maker], market: Market, population_distance: Distance, *,
    homes: Homes | None = None, seed: int = 0,
) -> dict[str, Judged]:  # fmt: skip
    """Hold made buyers of homes that nobody has clicked on against the true ones.

    Args:
        makers: the ways to make buyers.
        market: whose new homes and whose truth are used.
        population_distance: the student's function.
        homes: other homes than the new ones.
        seed: of all draws; every maker is held against the same true buyers.

    Returns:
        Name → what came out.
    """
    homes = market.new if homes is None else homes
    draw = torch.Generator(market.clicks.device).manual_seed(seed)
    true = [market.truth.buyers(homes[[j]], TRUE, draw) for j in range(len(homes))]
    codes = [crowd.codes for crowd in true]
    found = {}
    for maker in makers:
        matrices, others = [], []
        for j, wanted in enumerate(true):
            made = maker(homes[[j]], MADE, draw)
            distance = population_distance(made.codes, codes[j])
            matrices.append(torch.as_tensor(distance).detach().double().cpu())
            heaps = wanted.rows[:HEAP], made.rows[:HEAP]
            others.append((energy_distance(*heaps), coverage(*heaps)))
        energy, covered = np.mean(others, 0)
        found[maker.name] = Judged(torch.stack(matrices).mean(0), float(energy), float(covered))
    return found


def crowds_table(judged: Mapping[str, Judged]) -> Table:
    """One row a maker: distances of attributes, of pairs, of whole rows; coverage."""
    rows = [
        {
            "buyers by": name, "one attribute": j.alone, "two together": j.pairs,
            "whole rows (energy)": j.energy, "coverage": j.coverage,
        }
        for name, j in judged.items()
    ]  # fmt: skip
    return table("Made buyers of new homes against the true ones: distances should be 0", rows)


def attribute_table(judged: Mapping[str, Judged]) -> Table:
    """The distance of each attribute alone, one row a maker."""
    rows = [
        {"buyers by": name, **dict(zip(ATTRIBUTES, j.matrix.diagonal().tolist(), strict=True))}
        for name, j in judged.items()
    ]
    return table("Distance of each attribute by itself, averaged over the new homes", rows)


def distance_picture(judged: Mapping[str, Judged]) -> Figure:
    """The matrices of distances, one panel a maker."""
    figure, panels = plots.panels(len(judged), size=(2.5, 2.9))
    for axes, (name, j) in zip(panels, judged.items(), strict=True):
        axes.imshow(j.matrix.numpy(), cmap="Oranges", vmin=0, vmax=0.3)
        for (row, column), value in np.ndenumerate(j.matrix.numpy()):
            axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=7,
                      color="white" if value > 0.2 else plots.INK)  # fmt: skip
        axes.set_xticks(range(len(ATTRIBUTES)), ATTRIBUTES, rotation=90, fontsize=8)
        axes.set_yticks(
            range(len(ATTRIBUTES)),
            ATTRIBUTES if axes is panels[0] else [""] * len(ATTRIBUTES),
            fontsize=8,
        )
        axes.grid(visible=False)
        axes.set_title(name, fontsize=8)
    figure.suptitle("Distances in hundredths: an attribute on the diagonal, a pair beside it",
                    fontsize=10)  # fmt: skip
    return figure


def novelty(
    makers: Sequence[Maker], market: Market,
    nearest_copy_rate: Callable[[Tensor, Tensor, Tensor], Tensor | float], *, seed: int = 0,
) -> dict[str, float]:  # fmt: skip
    """Share of copies among the buyers that are made for the new homes.

    Args:
        makers: the ways to make buyers.
        market: whose people the makers have seen.
        nearest_copy_rate: the student's function.
        seed: of the buyers, and of as many people as the market has, whom no maker has seen.

    Returns:
        Name → rate.
    """
    draw = torch.Generator(market.clicks.device).manual_seed(seed + 1)
    strangers, _ = draw_people(len(market.people), draw)
    found = {}
    for maker in makers:
        made = torch.cat([maker(market.new[[j]], 50, draw).rows for j in range(len(market.new))])
        found[maker.name] = float(nearest_copy_rate(made, market.people.rows, strangers.rows))
    return found


def novelty_table(found: Mapping[str, float]) -> Table:
    """One row a maker."""
    rows = [{"buyers by": name, "copies": rate} for name, rate in found.items()]
    return table("Copies of people in the data: 1 means all, 0 means none", rows)


def people_table(caption: str, people: People, rows: int = 6) -> Table:
    """The first of some people, one row each."""
    told = []
    for k in range(min(rows, len(people))):
        one = people[[k]]
        words = {name: values[int(one.category(name))] for name, values in CATEGORIES.items()}
        numbers = {name: str(round(float(one.number(name)))) for name in NUMBERS}
        told.append({**words, **numbers})
    return table(caption, told)


def describe(home: Home) -> str:
    """A home in a few words."""
    extras = [name for name in EXTRAS if home[name]]
    place = PLACES[int(home["place"])]
    return ", ".join([f"{home['size']:.0f} m²", f"{home['price']:.0f} k€", place, *extras])


MARKS = {"single": ("o", "data"), "couple": ("^", "model"), "family": ("s", "teacher")}
"""Household → its mark and its colour."""


def crowd_picture(
    home: Home, crowds: Mapping[str, People], shown: int = 250
) -> Figure:  # fmt: skip
    """Crowds of buyers by age and income, one panel a crowd; marks say the household.

    Args:
        home: whose buyers they are.
        crowds: title → buyers.
        shown: how many of each are drawn.
    """
    figure, panels = plots.panels(len(crowds), size=(3.3, 2.9), sharey=True)
    for axes, (name, people) in zip(panels, crowds.items(), strict=True):
        some = people[: min(shown, len(people))]
        age, income, kind = some.number("age"), some.number("income"), some.category("household")
        for k, word in enumerate(CATEGORIES["household"]):
            mark, role = MARKS[word]
            at = kind == k
            axes.scatter(
                age[at].cpu(), income[at].cpu(), s=13, marker=mark, alpha=0.7, linewidths=0,
                color=plots.COLOURS[role], label=word,
            )  # fmt: skip
        axes.set(title=name, xlabel="age", xlim=(15, 95), yscale="log", ylim=(10, 400))
        axes.set_yticks([20, 50, 100, 200], ["20", "50", "100", "200"])
        axes.minorticks_off()
    panels[0].set_ylabel("income, thousands a year")
    panels[-1].legend(fontsize=8, loc="upper left", handletextpad=0.1)
    figure.suptitle(f"Who clicks on: {describe(home)}", fontsize=10)
    return figure


def flat_of_the_data(market: Market) -> int:
    """The home of the centre, of at most 70 m², on which most people clicked: its number."""
    homes = market.homes
    fits = (homes.column("place") == PLACES.index("centre")) & (homes.column("size") <= 70)
    return int((market.matrix.sum(0) * fits).argmax())


def first_picture(market: Market) -> Figure:
    """All who came, and those who clicked on one flat of the centre."""
    one = flat_of_the_data(market)
    buyers = market.buyers_of(one)
    crowds = {
        f"{len(market.people)} who look for a home": market.people,
        f"{len(buyers)} who clicked on this one": buyers,
    }
    return crowd_picture(market.homes.dicts()[one], crowds)
