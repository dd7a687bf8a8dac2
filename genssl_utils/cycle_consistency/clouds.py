"""Two clouds in the plane, and pairs of maps between them that train side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from genssl_utils.cycle_consistency.answers import Answers, play
from genssl_utils.kit.tables import Table, table
from genssl_utils.kit.training import seed_all

__all__ = [
    "CLOUDS",
    "SPREAD",
    "Cloud",
    "Judged",
    "Pairs",
    "apply",
    "cloud_table",
    "judge_maps",
    "train_maps",
]

SPREAD, HIDDEN, BATCH, RATE = 0.15, 24, 64, 4e-3
"""Standard deviation of a group; width of the two hidden layers; points a step of each cloud;
learning rate at the start."""

Weights = list[Tensor]
"""Of S networks side by side: a matrix (S, in, out) and a row (S, 1, out) for each layer."""


@dataclass(frozen=True)
class Cloud:
    """Round groups of points, and the same groups turned: the two sides of a translation.

    Data card:
        Source: made here, as many points as asked for.
        Licence: MIT, as this code.
        Size: every group is equally likely.
        Split: none; draw again with another seed.
        Must not be used for: claims about data with more than two dimensions.

    Attributes:
        name: what it is called.
        centres: of the groups in X, (K, 2).
        degrees: by how much Y is turned against X, anticlockwise.
    """

    name: str
    centres: Tensor
    degrees: float

    def turned(self, points: Tensor) -> Tensor:
        """The true partners in Y of points (…, 2) of X."""
        a = math.radians(self.degrees)
        matrix = [[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]
        return points @ torch.tensor(matrix, dtype=points.dtype, device=points.device)

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Points of X (*shape, 2) and the group of each (*shape,)."""
        device = generator.device
        group = torch.randint(len(self.centres), tuple(shape), generator=generator, device=device)
        noise = torch.randn(*shape, 2, generator=generator, device=device)
        return self.centres.to(device)[group] + SPREAD * noise, group


CLOUDS: Mapping[str, Cloud] = {
    "lopsided": Cloud(
        "lopsided", torch.tensor([[-1.5, -0.8], [-1.0, 1.2], [1.3, 0.9], [0.6, -1.1]]), 25.0
    ),
    "square": Cloud(
        "square", torch.tensor([[-1.1, -1.1], [-1.1, 1.1], [1.1, 1.1], [1.1, -1.1]]), 45.0
    ),
}
"""Name → cloud. The square, turned by an eighth of a turn, looks the same from four sides."""


@dataclass(frozen=True)
class Pairs:
    """S trained pairs of maps, from S starts.

    Attributes:
        cloud: what they were trained on.
        f: weights of the maps from X to Y.
        g: weights of the maps from Y to X.
    """

    cloud: Cloud
    f: Weights
    g: Weights


def apply(weights: Weights, points: Tensor) -> Tensor:
    """S maps x + net(x) on S batches of points (S, N, 2)."""
    return points + _net(weights, points, torch.tanh)


def _net(weights: Weights, h: Tensor, activation) -> Tensor:
    for i in range(0, len(weights), 2):
        h = torch.baddbmm(weights[i + 1], h, weights[i])  # (S, N, out)
        if i + 2 < len(weights):
            h = activation(h)
    return h


def _fresh(starts: int, widths: Sequence[int], gain: float, draw: torch.Generator) -> Weights:
    made = []
    for n, m in pairwise(widths):
        made.append(torch.randn(starts, n, m, generator=draw, device=draw.device))
        made[-1] = (made[-1] * gain / math.sqrt(n)).requires_grad_()
        made.append(torch.zeros(starts, 1, m, device=draw.device).requires_grad_())
    return made


def train_maps(
    cloud: Cloud, answers: Answers, lam: float, *,
    identity: float = 0.0, starts: int = 8, steps: int = 400, seed: int = 0,
    device: torch.device | str = "cpu",
) -> Pairs:  # fmt: skip
    """Train S CycleGANs on one cloud, from S starts at once.

    The networks of a start see batches of their own and no other start's; the losses are means over
    all, and Adam does not mind that each gradient is S times smaller for it.

    Args:
        cloud: the two sides; training never sees a pair.
        answers: the student's functions; `replay` is not used here.
        lam: weight λ of the cycle loss, both ways.
        identity: weight of the identity loss.
        starts: how many pairs of maps S.
        steps: of all networks.
        seed: of the initial weights and the batches.
        device: where to compute.
    """
    draw = seed_all(seed, device)
    maps, judges = [2, HIDDEN, HIDDEN, 2], [2, HIDDEN, HIDDEN, 1]
    f, g = _fresh(starts, maps, 1.0, draw), _fresh(starts, maps, 1.0, draw)
    d_x, d_y = _fresh(starts, judges, 1.5, draw), _fresh(starts, judges, 1.5, draw)
    made: dict[str, tuple[Tensor, Tensor]] = {}

    def score(weights: Weights, points: Tensor) -> Tensor:
        return _net(weights, points, lambda h: F.leaky_relu(h, 0.2))

    def to_y(points: Tensor) -> Tensor:
        return apply(f, points)

    def to_x(points: Tensor) -> Tensor:
        return apply(g, points)

    def maps_loss(step: int) -> Tensor:
        x, _ = cloud.draw((starts, BATCH), draw)
        y = cloud.turned(cloud.draw((starts, BATCH), draw)[0])
        loss, fake_x, fake_y = answers.maps_loss(
            x, y, to_y, to_x, partial(score, d_x), partial(score, d_y), lam=lam, identity=identity
        )
        made["y"], made["x"] = (y, fake_y), (x, fake_x)
        return loss

    def judges_loss(step: int) -> Tensor:
        (y, fake_y), (x, fake_x) = made["y"], made["x"]
        one = answers.lsgan_losses(score(d_y, y), score(d_y, fake_y))[0]
        return one + answers.lsgan_losses(score(d_x, x), score(d_x, fake_x))[0]

    title = f"{starts} starts, λ = {lam:g}, {cloud.name}"
    play([*f, *g], [*d_x, *d_y], maps_loss, judges_loss, rate=RATE, steps=steps, title=title)
    return Pairs(cloud, [w.detach() for w in f], [w.detach() for w in g])


@dataclass(frozen=True)
class Judged:
    """What S pairs of maps do with new points, one number a start, (S,).

    Attributes:
        right: share of the points that land in their own group of Y.
        gap: total variation between the shares of the groups of Y and of what lands there.
        off: mean distance from a translated point to the nearest centre of Y, in spreads of a
            group; a true point has √(π/2) = 1.25 on average.
        forth: mean |g(f(x)) − x|.
        back: mean |f(g(y)) − y|.
    """

    right: Tensor
    gap: Tensor
    off: Tensor
    forth: Tensor
    back: Tensor


@torch.no_grad()
def judge_maps(pairs: Pairs, *, points: int = 1000, seed: int = 1) -> Judged:
    """Judge maps by the truth that training did not see, on the same new points for each start."""
    cloud, starts, device = pairs.cloud, len(pairs.f[0]), pairs.f[0].device
    one, group = cloud.draw((points,), torch.Generator(device).manual_seed(seed))
    x = one.expand(starts, points, 2)
    y = cloud.turned(x)
    there, back = apply(pairs.f, x), apply(pairs.g, y)
    centres = cloud.turned(cloud.centres.to(device))
    distance = torch.cdist(there, centres.expand(starts, -1, 2))  # (S, N, K)
    near, landed = distance.min(2)
    kinds = range(len(centres))
    shares = torch.stack([(landed == k).float().mean(1) for k in kinds], 1)  # (S, K)
    true = torch.stack([(group == k).float().mean() for k in kinds])
    return Judged(
        right=(landed == group).float().mean(1),
        gap=0.5 * (shares - true).abs().sum(1),
        off=near.mean(1) / SPREAD,
        forth=(apply(pairs.g, there) - x).abs().mean((1, 2)),
        back=(apply(pairs.f, back) - y).abs().mean((1, 2)),
    )


def cloud_table(judged: Mapping[str, Judged]) -> Table:
    """What came out of the starts, one row a setting."""
    rows = [
        {
            "setting": name,
            "starts whose map is right": f"{int((j.right > 0.9).sum())} of {len(j.right)}",
            "points in their own group": j.right.mean().item(),
            "shares off by": j.gap.mean().item(),
            "in the worst start": j.gap.max().item(),
            "|g(f(x)) − x|": j.forth.mean().item(),
            "|f(g(y)) − y|": j.back.mean().item(),
        }
        for name, j in judged.items()
    ]
    return table("Maps between clouds, from several starts, judged by the hidden pairs", rows)
