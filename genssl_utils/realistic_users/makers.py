"""Makers of buyers: a home goes in, people come out. The simple ways stand here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genssl_utils.kit.nets import mlp
from genssl_utils.kit.training import Objective, fit, seed_all
from genssl_utils.realistic_users.homes import Home, Homes, homes_of
from genssl_utils.realistic_users.market import Market
from genssl_utils.realistic_users.people import SIZES, People
from genssl_utils.realistic_users.recommender import Recommender

__all__ = ["Condition", "Maker", "all_buyers", "by_features", "by_vectors", "nearest_buyers",
           "one_mean_buyer", "true_buyers"]  # fmt: skip

NEIGHBOURS = (1, 3, 5, 10, 20, 40)
"""How many homes `nearest_buyers` tries."""

Condition = Callable[[Homes], Tensor]
"""Homes → what a model is told of them, (n, C), each column of about unit spread."""


@dataclass(frozen=True)
class Maker:
    """A way to make buyers.

    Attributes:
        name: for tables.
        make: (one home, n, source of chance) → n buyers.
        device: where it works.
        net: the generator of a GAN.
    """

    name: str
    make: Callable[[Homes, int, torch.Generator], People]
    device: torch.device
    net: nn.Module | None = None

    def __call__(self, home: Home | Homes, n: int, generator: torch.Generator) -> People:
        """Make n buyers of one home."""
        one = home if isinstance(home, Homes) else homes_of([home])
        return self.make(one.to(self.device), n, generator)

    def draw(self, seed: int) -> torch.Generator:
        """A source of chance on its device."""
        return torch.Generator(self.device).manual_seed(seed)


def by_vectors(recommender: Recommender) -> Condition:
    """Homes by the vectors that the recommender expects of them, standardised."""
    mean, spread = recommender.scale

    def told(homes: Homes) -> Tensor:
        return (recommender.vectors_of(homes) - mean) / spread

    return told


def by_features(market: Market) -> Condition:
    """Homes by their features, standardised."""
    known = market.homes.described()
    mean, spread = known.mean(0), known.std(0).clamp(min=1e-6)

    def told(homes: Homes) -> Tensor:
        return (homes.described() - mean) / spread

    return told


def true_buyers(market: Market) -> Maker:
    """Drawn by the law that made the data: nothing can be nearer to the truth."""
    return Maker("the truth, drawn again", market.truth.buyers, market.clicks.device)


def all_buyers(market: Market) -> Maker:
    """All who click on anything, whatever the home."""
    who = market.clicks[:, 0]

    def make(home: Homes, n: int, generator: torch.Generator) -> People:
        rows = torch.randint(len(who), (n,), generator=generator, device=who.device)
        return market.people[who[rows]]

    return Maker("buyers of any home", make, who.device)


def nearest_buyers(market: Market, condition: Condition) -> Maker:
    """Those who clicked on the most similar homes.

    How many homes is chosen on the homes that have clicks: each stands once for a new one, and the
    number wins whose buyers' mean attributes come nearest to its own.
    """
    places = condition(market.homes)
    clicks = market.matrix
    sums = clicks.T @ market.people.rows  # (M, 16)
    counts = clicks.sum(0)
    apart = torch.cdist(places, places)
    apart.fill_diagonal_(torch.inf)
    order = apart.argsort(1)
    own = sums / counts.clamp(min=1)[:, None]

    def missed(k: int) -> float:
        near = order[:, :k]
        guess = sums[near].sum(1) / counts[near].sum(1).clamp(min=1)[:, None]
        return float(((guess - own).square().sum(1) * counts).sum())

    k = min(NEIGHBOURS, key=missed)

    def make(home: Homes, n: int, generator: torch.Generator) -> People:
        near = torch.cdist(condition(home), places)[0].argsort()[:k]
        who = clicks[:, near].nonzero()[:, 0]
        rows = torch.randint(len(who), (n,), generator=generator, device=who.device)
        return market.people[who[rows]]

    return Maker(f"buyers of the {k} nearest homes", make, places.device)


def one_mean_buyer(
    market: Market, condition: Condition, *, steps: int = 400, seed: int = 0
) -> Maker:
    """Supervised regression: from a home to one buyer, as near as possible to all of them.

    The likeliest value of each category and the mean of each number, for everybody the same.

    Args:
        market: the clicks.
        condition: what is told of a home.
        steps: of the training.
        seed: of weights and batches.
    """
    told = condition(market.homes)
    draw = seed_all(seed, told.device)
    net = mlp(told.shape[1], market.people.rows.shape[1], hidden=(64,)).to(told.device)

    def loss(step: int) -> Tensor:
        rows = torch.randint(len(market.clicks), (512,), generator=draw, device=told.device)
        who, what = market.clicks[rows].unbind(1)
        return misfit(net(told[what]), market.people.rows[who]).mean()

    fit(
        Objective(torch.optim.Adam(net.parameters(), 3e-3), loss), steps,
        title="supervised regression", picture=False,
    )  # fmt: skip

    @torch.no_grad()
    def make(home: Homes, n: int, generator: torch.Generator) -> People:
        *logits, numbers = net(condition(home)).split([*SIZES, 2], 1)
        hot = [F.one_hot(part.argmax(1), part.shape[1]) for part in logits]
        return People(torch.cat([*hot, numbers], 1).float().expand(n, -1))

    return Maker("supervised regression", make, told.device)


def misfit(guess: Tensor, rows: Tensor, log_spread: Tensor | None = None) -> Tensor:
    """Minus the log-probability of people under logits and the means of their numbers, (B,).

    Args:
        guess: logits of the categories, then means of the numbers, (B, 16).
        rows: people, (B, 16).
        log_spread: log standard deviation of the numbers, (2,); 0 where it is not given.
    """
    *logits, means = guess.split([*SIZES, 2], 1)
    *hot, numbers = rows.split([*SIZES, 2], 1)
    cost = sum(-(one * part.log_softmax(1)).sum(1) for part, one in zip(logits, hot, strict=True))
    log_spread = torch.zeros_like(means[0]) if log_spread is None else log_spread
    off = (numbers - means) / log_spread.exp()
    return cost + (off.square() / 2 + log_spread).sum(1)


def trained(net: nn.Module) -> nn.Module:
    """A network that learns no more."""
    for weight in net.parameters():
        weight.requires_grad_(False)
    return net.eval()
