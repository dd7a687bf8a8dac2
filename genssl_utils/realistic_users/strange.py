"""Homes such as no model has seen: what happens to the crowds when prices leave the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from genssl_utils.kit import plots
from genssl_utils.realistic_users.homes import FEATURES, Homes
from genssl_utils.realistic_users.judging import Distance, judge
from genssl_utils.realistic_users.makers import Maker
from genssl_utils.realistic_users.market import Market

__all__ = ["FACTORS", "Strange", "strange_picture", "strange_prices"]

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""What prices are multiplied by."""


@dataclass(frozen=True)
class Strange:
    """What came out when prices were multiplied.

    Attributes:
        distances: maker → mean distance of pairs at each of `FACTORS`.
        clicks: true mean chance of a click at each.
    """

    distances: Mapping[str, Sequence[float]]
    clicks: Sequence[float]


def strange_prices(
    makers: Sequence[Maker], market: Market, population_distance: Distance, *, homes: int = 8,
    seed: int = 0,
) -> Strange:  # fmt: skip
    """Judge makers on new homes whose prices are multiplied.

    Args:
        makers: the ways to make buyers.
        market: whose new homes and whose truth are used.
        population_distance: the student's function.
        homes: how many of the new homes.
        seed: of all draws.
    """
    found: dict[str, list[float]] = {maker.name: [] for maker in makers}
    clicks = []
    for factor in FACTORS:
        told = market.new.table[:homes].clone()
        told[:, FEATURES.index("price")] *= factor
        moved = Homes(told)
        judged = judge(makers, market, population_distance, homes=moved, seed=seed)
        for name, one in judged.items():
            found[name].append(one.pairs)
        clicks.append(float(market.truth.popularity(moved).mean()))
    return Strange(found, clicks)


def strange_picture(found: Strange) -> Figure:
    """Distances, and the true chance of a click, against the factor of the price."""
    figure, (left, right) = plots.panels(2, size=(4.2, 2.9))
    for (name, values), (role, style) in zip(
        found.distances.items(),
        (("baseline", "s:"), ("teacher", "^--"), ("model", "o-")), strict=False,
    ):  # fmt: skip
        left.plot(FACTORS, values, style, color=plots.COLOURS[role], label=name)
    left.legend(fontsize=8)
    left.set(title="Crowds go wrong", ylabel="distance of pairs", ylim=(0, None))
    right.plot(FACTORS, found.clicks, "o-", color=plots.COLOURS["data"])
    right.set(title="and few would click", ylabel="true chance of a click", ylim=(0, None))
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(FACTORS, ["¼", "½", "1", "2", "4"])
        axes.minorticks_off()
        axes.set_xlabel("price, times")
    return figure
