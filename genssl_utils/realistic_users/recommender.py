"""A recommender: one vector a person, one a home, from clicks alone; and vectors for new homes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from torch import Tensor

from genssl_utils.kit import plots
from genssl_utils.kit.tables import Table, table
from genssl_utils.kit.training import Objective, fit, seed_all
from genssl_utils.realistic_users.homes import Homes
from genssl_utils.realistic_users.market import Market

__all__ = [
    "BprLoss",
    "Ranked",
    "Recommender",
    "by_svd",
    "clicks_nearby",
    "clicks_picture",
    "judge_recommenders",
    "ranked_right",
    "recommender_table",
    "train_recommender",
]

WIDTH = 12
"""Numbers in a vector."""
BATCH, RATE, DECAY = 2048, 0.02, 0.03

BprLoss = Callable[[Tensor, Tensor, Tensor, float], Tensor]
"""(users, chosen, passed, decay) → loss, the student's `bpr_loss`."""


@dataclass(frozen=True)
class Recommender:
    """Vectors whose product says how much a person would like a home.

    Attributes:
        name: for tables.
        users: one row a person, (N, D).
        homes: one row a home, (M, D).
        reader: features → vector, learnt on the homes that have clicks.
    """

    name: str
    users: Tensor
    homes: Tensor
    reader: Pipeline

    def vectors_of(self, homes: Homes) -> Tensor:
        """Vectors of homes that nobody has clicked on, from their features, (n, D)."""
        told = self.reader.predict(homes.described().cpu().numpy())
        return torch.tensor(told, dtype=self.homes.dtype, device=self.homes.device)

    @property
    def scale(self) -> tuple[Tensor, Tensor]:
        """Mean and spread of the homes' vectors, each (D,)."""
        return self.homes.mean(0), self.homes.std(0).clamp(min=1e-6)


def regression() -> Pipeline:
    """Ridge regression on the features, their squares and products; its penalty is chosen by
    leaving out one home at a time."""
    return make_pipeline(
        PolynomialFeatures(2, include_bias=False), StandardScaler(),
        RidgeCV(np.logspace(-1, 4, 16), alpha_per_target=True),
    )  # fmt: skip


def _finished(name: str, users: Tensor, homes: Tensor, market: Market) -> Recommender:
    reader = regression().fit(market.homes.described().cpu().numpy(), homes.cpu().numpy())
    return Recommender(name, users, homes, reader)


def train_recommender(
    market: Market, bpr_loss: BprLoss, *, steps: int = 800, width: int = WIDTH, seed: int = 0,
    picture: bool = False,
) -> Recommender:  # fmt: skip
    """Matrix factorisation of the clicks by Bayesian personalised ranking.

    In each step people who clicked, what they clicked on, and homes that they did not click on
    (Rendle et al. 2009, arXiv:1205.2618). The last number of a person's vector is 1, so that the
    last one of a home's is what all like in it.

    Args:
        market: the clicks.
        bpr_loss: the student's function.
        steps: of the training, each on 2048 clicks.
        width: numbers in a vector, at least 2.
        seed: of the first vectors and the batches.
        picture: whether to draw the loss as it falls.
    """
    device = market.clicks.device
    draw = seed_all(seed, device)
    n, m = market.matrix.shape
    people = (0.1 * torch.randn(n, width - 1, generator=draw, device=device)).requires_grad_()
    homes = (0.1 * torch.randn(m, width, generator=draw, device=device)).requires_grad_()

    def users(rows: Tensor) -> Tensor:
        return F.pad(F.embedding(rows, people), (0, 1), value=1.0)

    def loss(step: int) -> Tensor:
        rows = torch.randint(len(market.clicks), (BATCH,), generator=draw, device=device)
        who, chosen = market.clicks[rows].unbind(1)
        other = torch.randint(m, (BATCH,), generator=draw, device=device)
        fair = market.matrix[who, other] == 0
        who, chosen, other = who[fair], chosen[fair], other[fair]
        return bpr_loss(users(who), F.embedding(chosen, homes), F.embedding(other, homes), DECAY)

    adam = torch.optim.Adam([people, homes], RATE)
    fall = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 1 - step / steps)
    fit(
        Objective(adam, loss), steps, title="a recommender", picture=picture,
        after_step=lambda step: fall.step(),
    )  # fmt: skip
    everybody = torch.arange(n, device=device)
    return _finished("BPR", users(everybody).detach(), homes.detach(), market)


def by_svd(market: Market, *, width: int = WIDTH, seed: int = 0) -> Recommender:
    """The same by scikit-learn: the largest singular vectors of the matrix of clicks."""
    svd = TruncatedSVD(width, random_state=seed)
    users = svd.fit_transform(market.matrix.cpu().numpy())
    device = market.matrix.device
    users, homes = (
        torch.tensor(part, dtype=torch.float32, device=device)
        for part in (users, svd.components_.T.copy())
    )
    return _finished("SVD", users, homes, market)


def ranked_right(scores: Tensor, liked: Tensor, other: Tensor) -> float:
    """The chance that a home that somebody liked scores above one that they did not: AUC.

    Args:
        scores: of each person for each home, (N, M).
        liked: pairs of person and home, (k, 2).
        other: where a home may stand against it, (N, M), bool.

    Example:
        >>> scores, other = torch.tensor([[3.0, 1.0, 2.0]]), torch.tensor([[False, True, True]])
        >>> ranked_right(scores, torch.tensor([[0, 0]]), other)
        1.0
    """
    who, what = liked.unbind(1)
    own, against, fair = scores[who, what][:, None], scores[who], other[who]
    above = (own > against).double() + (own == against).double() / 2
    return float(((above * fair).sum(1) / fair.sum(1).clamp(min=1)).mean())


@dataclass(frozen=True)
class Ranked:
    """How well one way ranks homes, each as an AUC, see `ranked_right`.

    Attributes:
        kept: of clicks that were kept back, by what is known of each home from clicks.
        guessed: of the same clicks, by what would be guessed of each home from its features.
        new: of clicks on new homes, by the guess.
    """

    kept: float
    guessed: float
    new: float


def judge_recommenders(
    market: Market, recommenders: Sequence[Recommender]
) -> dict[str, Ranked]:  # fmt: skip
    """How well recommenders rank: clicks that were kept back, and clicks on new homes.

    Args:
        market: the clicks.
        recommenders: the trained ones. Beside them stands the number of clicks of each home, which
            says the same to everybody; of a new home, that of the 5 most similar ones.

    Returns:
        Name → what came out.
    """
    unseen, never = market.matrix == 0, torch.ones(len(market.people), len(market.new)) > 0
    unseen[market.kept[:, 0], market.kept[:, 1]] = False
    never[market.later[:, 0], market.later[:, 1]] = False
    n = len(market.people)
    found = {
        "number of clicks": Ranked(
            ranked_right(market.matrix.sum(0).expand(n, -1), market.kept, unseen),
            ranked_right(clicks_nearby(market, market.homes).expand(n, -1), market.kept, unseen),
            ranked_right(clicks_nearby(market, market.new).expand(n, -1), market.later, never),
        )
    }
    for one in recommenders:
        old, new = (one.vectors_of(homes) for homes in (market.homes, market.new))
        found[one.name] = Ranked(
            ranked_right(one.users @ one.homes.T, market.kept, unseen),
            ranked_right(one.users @ old.T, market.kept, unseen),
            ranked_right(one.users @ new.T, market.later, never),
        )
    return found


def clicks_nearby(market: Market, homes: Homes, several: int = 5) -> Tensor:
    """The mean number of clicks on the most similar homes, a home itself left out, (n,)."""
    apart = torch.cdist(homes.described(), market.homes.described())
    apart = apart.masked_fill(apart < 1e-6, torch.inf)
    return market.matrix.sum(0)[apart.topk(several, largest=False).indices].mean(1)


def clicks_picture(market: Market, people: int = 80, homes: int = 160) -> Figure:
    """A corner of the matrix of clicks."""
    corner = market.matrix[:people, :homes].cpu()
    who, what = corner.nonzero().unbind(1)
    figure, (axes,) = plots.panels(1, size=(7.0, 3.4))
    axes.scatter(what, who, s=5, color=plots.COLOURS["data"], linewidths=0)
    share = 100 * float(market.matrix.mean())
    axes.set(
        title=f"Who clicked on what: {share:.0f} % of the matrix is filled", xlabel="home",
        ylabel="person", xlim=(-1, homes), ylim=(-1, people),
    )  # fmt: skip
    return figure


def recommender_table(found: Mapping[str, Ranked]) -> Table:
    """One row a recommender."""
    rows = [
        {
            "recommender": name, "kept clicks": one.kept,
            "kept clicks, homes guessed": one.guessed, "new homes, guessed": one.new,
        }
        for name, one in found.items()
    ]  # fmt: skip
    return table("AUC: the chance that a liked home is ranked above another one; ½ is a coin", rows)
