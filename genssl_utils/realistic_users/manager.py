"""What a manager asks of made buyers, and how right the answers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy import stats
from sklearn.linear_model import Ridge
from torch import Tensor

from genssl_utils.kit import plots
from genssl_utils.kit.explore import Explorer, explore
from genssl_utils.kit.tables import Table, table
from genssl_utils.realistic_users.homes import EXTRAS, PLACES, Home, home, homes_of
from genssl_utils.realistic_users.judging import describe
from genssl_utils.realistic_users.makers import Maker
from genssl_utils.realistic_users.market import Market
from genssl_utils.realistic_users.people import CATEGORIES, SIZES, People
from genssl_utils.realistic_users.recommender import Recommender, clicks_nearby

__all__ = [
    "COLUMNS", "Asked", "Popularity", "ask_makers", "asked_table", "extra_picture", "generator_of",
    "popularity", "popularity_table", "readable", "shift_table", "true_shift",
    "what_if_explorer",
]  # fmt: skip

COLUMNS = (*(value for values in CATEGORIES.values() for value in values), "age", "income")
"""The columns of `readable`: shares of the 14 values, then years and thousands of euros a year."""
ASKED = 1000
"""Buyers that are made to answer a question."""

Generate = Callable[[Home], Tensor]
WhatIf = Callable[[Generate, Home, Mapping[str, float]], tuple[Tensor, Tensor]]
"""(generate, product, change) → (shift (A,), error (A,)), the student's `what_if`."""


def readable(people: People) -> Tensor:
    """People as numbers that a manager reads: 0 or 1 a value, years, thousands; (N, 16)."""
    numbers = torch.stack([people.number("age"), people.number("income")], 1)
    return torch.cat([people.rows[:, : sum(SIZES)], numbers], 1)


def generator_of(maker: Maker, n: int = ASKED, *, seed: int = 0) -> Generate:
    """A function from a home, as a mapping, to a table of n made buyers, see `readable`.

    Each call goes on where the one before stopped, so that two crowds share no luck: the standard
    error of a difference is that of independent crowds.
    """
    draw = maker.draw(seed)

    def generate(product: Home) -> Tensor:
        return readable(maker(product, n, draw)).cpu()

    return generate


def true_shift(market: Market, product: Home, change: Mapping[str, float]) -> Tensor:
    """How the true buyers change, without any chance in it: (16,)."""
    table_of = readable(market.truth.people)
    both = homes_of([product, {**product, **change}]).to(table_of.device)
    chance = market.truth.tastes.chance(both)  # (N, 2)
    mean = chance.T @ table_of / chance.sum(0)[:, None]
    return (mean[1] - mean[0]).cpu()


def shift_table(
    caption: str, shift: Tensor, error: Tensor, truth: Tensor, *, rows: int = 8
) -> Table:  # fmt: skip
    """The largest changes, in standard errors: made, and true."""
    order = (shift / error.clamp(min=1e-9)).abs().argsort(descending=True)[:rows].tolist()
    told = [
        {
            "of the buyers": COLUMNS[k] + ("" if k < 14 else ", mean"),
            "made: change": shift[k].item(), "standard error": error[k].item(),
            "truth: change": truth[k].item(),
        }
        for k in order
    ]  # fmt: skip
    return table(caption, told)


# --- popularity ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Popularity:
    """How well new homes are ranked by how many click on them.

    Attributes:
        truth: chance of a click for each new home, (n,).
        guesses: name → score of each new home, (n,).
    """

    truth: Tensor
    guesses: Mapping[str, Tensor]

    def correlation(self, name: str) -> float:
        """Spearman's rank correlation of a guess with the truth."""
        guess, truth = self.guesses[name].cpu().numpy(), self.truth.cpu().numpy()
        return float(stats.spearmanr(guess, truth).statistic)


def popularity(
    maker: Maker, market: Market, recommender: Recommender, *, seed: int = 0
) -> Popularity:  # fmt: skip
    """Rank new homes by how a made public likes them.

    For each home that has clicks the maker makes 20 buyers: a public without one real person in it.
    Ridge regression gives each of them a vector, as a new home gets one, and a home's score is the
    mean share of the old homes that they would like less.

    Args:
        maker: makes the public.
        market: the homes.
        recommender: whose vectors are used.
        seed: of the public.
    """
    draw = torch.Generator(market.clicks.device).manual_seed(seed)
    reader = Ridge(1.0).fit(market.people.rows.cpu().numpy(), recommender.users.cpu().numpy())
    public = torch.cat([maker(market.homes[[j]], 20, draw).rows for j in range(len(market.homes))])
    vectors = torch.tensor(reader.predict(public.cpu().numpy())).to(recommender.homes)
    old = vectors @ recommender.vectors_of(market.homes).T  # (N, M)
    new = vectors @ recommender.vectors_of(market.new).T
    below = torch.searchsorted(old.sort(1).values, new).float() / old.shape[1]
    guesses = {
        f"public made by the {maker.name}": below.mean(0),
        "clicks of the 5 most similar homes": clicks_nearby(market, market.new),
    }
    return Popularity(market.truth.popularity(market.new), guesses)


def popularity_table(found: Popularity) -> Table:
    """One row a guess."""
    rows = [{"guess": name, "rank correlation": found.correlation(name)} for name in found.guesses]
    return table("How well the popularity of new homes is ranked: 1 is right, 0 is chance", rows)


# --- type of buyer, channel, an extra more --------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """How right a maker's answers are, over the new homes.

    Attributes:
        household: mean error of a household's share, in points of a hundred.
        leading: share of the homes whose most frequent buyer (household and purpose) is named.
        reach: buyers reached by the channel that it names, of those that the best one reaches.
        extra: share of the true change by a lift or a pool that it foretells: 1 − the squared error
            over that of "nothing changes".
    """

    household: float
    leading: float
    reach: float
    extra: float


def ask_makers(
    makers: Sequence[Maker], market: Market, what_if: WhatIf, *, seed: int = 0
) -> dict[str, Asked]:  # fmt: skip
    """Ask makers what a manager asks, of each new home, and compare with the truth.

    Args:
        makers: the ways to make buyers.
        market: whose new homes and whose truth are used.
        what_if: the student's function.
        seed: of the made buyers.

    Returns:
        Name → how right the answers are.
    """
    truth = readable(market.truth.people).cpu()
    groups = _groups(truth)
    chance = market.truth.tastes.chance(market.new).cpu()
    chance = chance / chance.sum(0)
    shares, in_groups = chance.T @ truth[:, : sum(SIZES)], chance.T @ groups
    channel = slice(sum(SIZES[:3]), sum(SIZES))
    questions = [
        (product, {extra: 1.0})
        for product in market.new.dicts()
        for extra in ("lift", "pool")
        if not product[extra]
    ]
    wanted = torch.stack([true_shift(market, *question) for question in questions])[:, :14]
    found = {}
    for maker in makers:
        generate = generator_of(maker, seed=seed)
        tables = [generate(product) for product in market.new.dicts()]
        made = torch.stack([one[:, : sum(SIZES)].mean(0) for one in tables])
        leading = torch.stack([_groups(one).mean(0) for one in tables]).argmax(1)
        named = made[:, channel].argmax(1, keepdim=True)
        reached = shares[:, channel].gather(1, named)[:, 0] / shares[:, channel].amax(1)
        told = torch.stack(
            [torch.as_tensor(what_if(generate, dict(product), dict(change))[0])[:14]
             for product, change in questions]
        )  # fmt: skip
        missed = (told - wanted).square().sum() / wanted.square().sum()
        found[maker.name] = Asked(
            household=100 * float((made - shares)[:, : SIZES[0]].abs().mean()),
            leading=float((leading == in_groups.argmax(1)).float().mean()),
            reach=float(reached.mean()),
            extra=1 - float(missed),
        )
    return found


def _groups(told: Tensor) -> Tensor:
    """Household by purpose, one column a pair: (N, 9)."""
    household, purpose = told[:, : SIZES[0]], told[:, SIZES[0] : SIZES[0] + SIZES[1]]
    return (household[:, :, None] * purpose[:, None]).flatten(1)


def asked_table(found: Mapping[str, Asked]) -> Table:
    """One row a maker."""
    rows = [
        {
            "buyers by": name, "household, error in points": one.household,
            "main buyer named": one.leading, "reached by the named channel": one.reach,
            "change by a lift or a pool": one.extra,
        }
        for name, one in found.items()
    ]  # fmt: skip
    return table("A manager's questions on new homes: 0 points of error and 1 are right", rows)


def extra_picture(
    market: Market, makers: Sequence[Maker], what_if: WhatIf, product: Home, extra: str
) -> Figure:  # fmt: skip
    """How an extra changes the shares of the buyers: made, and true.

    Args:
        market: holds the truth.
        makers: the ways to make buyers.
        what_if: the student's function.
        product: a home without the extra.
        extra: which one.
    """
    shown = [k for k in range(14) if COLUMNS[k] in _TOLD]
    figure, (axes,) = plots.panels(1, size=(6.4, 3.4))
    truth = true_shift(market, product, {extra: 1.0})[shown].numpy()
    at, high = np.arange(len(shown)), 0.8 / (len(makers) + 1)
    axes.barh(at, 100 * truth, high, color=plots.COLOURS["data"], label="truth")
    for k, (maker, role) in enumerate(
        zip(makers, ("model", "teacher", "student"), strict=False), 1
    ):
        shift, error = what_if(generator_of(maker), product, {extra: 1.0})
        shift, error = (torch.as_tensor(x).detach().numpy() for x in (shift, error))
        axes.barh(
            at + k * high, 100 * shift[shown], high, xerr=100 * error[shown], label=maker.name,
            color=plots.COLOURS[role], error_kw={"lw": 0.8, "ecolor": plots.INK},
        )  # fmt: skip
    axes.set_yticks(at + 0.3, [COLUMNS[k] for k in shown])
    axes.invert_yaxis()
    axes.set(
        title=f"What a {extra} changes: {describe(product)}", xlabel="change in points of a hundred"
    )
    axes.legend(fontsize=8)
    return figure


_TOLD = {"single", "couple", "family", "let it", "holidays", "retired", "newspaper", "social media"}


def what_if_explorer(market: Market, maker: Maker, what_if: WhatIf) -> Explorer:
    """Controls over what an extra changes, by the student's own function."""

    def draw(size: int, price: int, place: str, extra: str) -> Figure:
        return extra_picture(market, [maker], what_if, home(size, price, place), extra)

    return explore(
        draw, size=(30, 200, 75), price=(80, 900, 260), place=list(PLACES), extra=list(EXTRAS),
        alt="Bars: how the shares of households, purposes and channels among the buyers change by "
        "an extra, for the made buyers and for the true ones.",
    )  # fmt: skip
