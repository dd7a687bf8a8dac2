"""DiffFlow, DDPM and RealNVP on one set: trained with equal parameters and steps, and judged."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from genssl_utils.diffflow.peers import DDPM, WAYS, trained_ddpm, trained_realnvp
from genssl_utils.diffflow.process import (
    DiffFlow,
    Recipe,
    path_loss,
    path_loss_recomputed,
    weights_of,
)
from genssl_utils.diffflow.sets import SETS, EdgeSet
from genssl_utils.kit.samples import energy_distance
from genssl_utils.kit.training import Objective, fit

__all__ = [
    "LONGER",
    "PLAN",
    "SHORT_PLAN",
    "Comparison",
    "Row",
    "compare",
    "longer_peers",
    "trained_diffflow",
]

PLAN = ((5, 300), (10, 250), (20, 100), (50, 30))
SHORT_PLAN = ((5, 200), (10, 160))
"""Stages of a training: steps N of the path, and how many updates."""
BATCH, RATE, CLIP = 128, 6e-3, 5.0
POINTS = 2500
"""Test points, and as many made ones."""
LONGER = {"DDPM": 3600, "RealNVP": 950}
"""Updates of peers with longer training; they still take fewer seconds than DiffFlow's."""
TRUE = "true points"


class Row(NamedTuple):
    """One method in so many steps.

    Attributes:
        method: its name.
        steps: N; 0 where a method has none.
        nats: its bound on the mean −log p of test points (RealNVP: the number itself), in nats.
        energy: energy distance of made points from test points.
        off: share of made points that lie off the set.
        updates: training updates.
        seconds: processor time of the training.
    """

    method: str
    steps: int
    nats: float
    energy: float
    off: float
    updates: int
    seconds: float


@dataclass
class Comparison:
    """All that was measured on one set.

    Attributes:
        name: of the set.
        rows: one a method and number of steps.
        made: points of some of them, by (method, steps), (n, 2).
        test: the test points, (n, 2).
        floor: mean −log p under the truth, in nats.
        weights: method → how many numbers it learned.
        stages: DiffFlow's training, (steps, updates so far, seconds so far) after each.
        blurred: share of DiffFlow's points off the set if its last step adds noise, too, by steps.
        model: the trained DiffFlow.
    """

    name: str
    rows: list[Row] = field(default_factory=list)
    made: dict[tuple[str, int], Tensor] = field(default_factory=dict)
    test: Tensor = field(default_factory=lambda: torch.zeros(0, 2))
    floor: float = 0.0
    weights: dict[str, int] = field(default_factory=dict)
    stages: list[tuple[int, int, float]] = field(default_factory=list)
    blurred: dict[int, float] = field(default_factory=dict)
    model: DiffFlow | None = None

    def row(self, method: str, steps: int = 0) -> Row:
        """The row of a method with so many steps."""
        return next(r for r in self.rows if (r.method, r.steps) == (method, steps))

    @property
    def lengths(self) -> list[int]:
        """The numbers of steps that DiffFlow was judged with."""
        return [r.steps for r in self.rows if r.method == "DiffFlow"]

    def add(self, method: str, steps: int, nats: float, made: Tensor, points: EdgeSet,
            updates: int, seconds: float) -> None:  # fmt: skip
        """Judge made points, and note them down."""
        made = made.cpu()
        off = 1 - points.inside(made).float().mean().item()
        energy = energy_distance(self.test, made)
        self.rows.append(Row(method, steps, nats, energy, off, updates, seconds))
        self.made[method, steps] = made


def trained_diffflow(
    model: DiffFlow, recipe: Recipe, points: EdgeSet, plan: Sequence[tuple[int, int]], *,
    seed: int = 0, recompute: bool = False,
) -> Iterator[tuple[int, int, float]]:  # fmt: skip
    """Train in stages, the path longer in each; after each (steps, updates, seconds) so far.

    The learning rate stays for the first half of all updates, then falls to 0.

    Args:
        model: moved in place.
        recipe: the student's functions.
        points: the set; 128 fresh points an update.
        plan: steps N and updates of each stage.
        seed: of the batches and the noise.
        recompute: take the gradient that keeps only the points of a path.
    """
    draw, chance = (torch.Generator().manual_seed(s) for s in (seed, seed + 1000))
    adam = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    total = sum(updates for _, updates in plan)
    falls = torch.optim.lr_scheduler.LambdaLR(adam, lambda n: min(1.0, 2 * (1 - n / total)))
    device, done, spent = next(model.parameters()).device, 0, 0.0
    loss = path_loss_recomputed if recompute else path_loss
    for steps, updates in plan:

        def cost(_: int, steps: int = steps) -> Tensor:
            return loss(model, recipe, points.draw(BATCH, draw).to(device), steps, chance)

        began = time.process_time()
        fit(
            Objective(adam, cost, clip=CLIP), updates, title=f"DiffFlow, N = {steps}",
            picture=False, after_step=lambda _: falls.step(),
        )  # fmt: skip
        spent += time.process_time() - began
        done += updates
        yield steps, done, spent


def _source(seed: int, steps: int, use: int = 0) -> torch.Generator:
    """What judging with so many steps draws from, whatever was drawn before."""
    return torch.Generator().manual_seed(7000 + 1000 * seed + 10 * steps + use)


def _judge_peers(
    found: Comparison, points: EdgeSet, updates: Mapping[str, int], lengths: Sequence[int],
    seed: int, device: torch.device | str,
) -> tuple[DDPM, nn.Module]:  # fmt: skip
    """Train a DDPM and a RealNVP, and add their rows."""
    test = found.test.to(device)
    known = points.draw(POINTS, torch.Generator().manual_seed(seed + 5000)).to(device)
    ddpm, spent = trained_ddpm(points, steps=updates["DDPM"], seed=seed, device=device)
    for steps in lengths:
        nats = ddpm.bound(test, known, steps, _source(seed, steps)).mean().item()
        for way in WAYS:
            fit_on = known if way == "DDPM" else None
            made = ddpm.draw(POINTS, steps, _source(seed, steps, 1), way=way, known=fit_on)
            told = nats if way == "DDPM" else float("nan")
            found.add(way, steps, told, made, points, updates["DDPM"], spent)
    flow, spent = trained_realnvp(points, steps=updates["RealNVP"], seed=seed, device=device)
    with torch.no_grad():
        torch.manual_seed(seed)
        nats = -flow().log_prob(test).mean().item()
        made = flow().sample((POINTS,))
    found.add("RealNVP", 0, nats, made, points, updates["RealNVP"], spent)
    return ddpm, flow


def longer_peers(
    board: Comparison, *, updates: Mapping[str, int] = LONGER, seed: int = 0,
    lengths: Sequence[int] = (5, 10, 20), device: torch.device | str = "cpu",
) -> Comparison:  # fmt: skip
    """The same DDPM and RealNVP trained for more updates, judged on the same test points.

    Args:
        board: whose set and test points.
        updates: how many of each.
        seed: of weights, batches and noise.
        lengths: numbers of steps.
        device: where to train.

    Returns:
        Their rows.
    """
    found = Comparison(board.name, test=board.test, floor=board.floor)
    _judge_peers(found, SETS[board.name], updates, lengths, seed, device)
    return found


def compare(
    recipe: Recipe, name: str = "checkerboard", *, plan: Sequence[tuple[int, int]] = PLAN,
    seed: int = 0, device: torch.device | str = "cpu", recompute: bool = False,
) -> Comparison:  # fmt: skip
    """Train all three on one set and judge them.

    DDPM and RealNVP train for as many updates as all of DiffFlow's stages together, on batches of
    the same size. The one model that each comes to walks in every number of steps. Test points are
    the same for every seed, and none of them was trained on; the first row holds other true points.

    Args:
        recipe: the student's functions.
        name: of the set.
        plan: DiffFlow's stages: steps N, updates.
        seed: of weights, batches and noise.
        device: where to train.
        recompute: DiffFlow's gradient keeps only the points of a path.

    Returns:
        What was measured.
    """
    points = SETS[name]
    found = Comparison(name, floor=points.nats)
    found.test = points.draw(POINTS, torch.Generator().manual_seed(2024))
    test = found.test.to(device)
    true = points.draw(POINTS, torch.Generator().manual_seed(seed + 6000))
    found.add(TRUE, 0, points.nats, true, points, 0, 0.0)
    torch.manual_seed(seed)
    found.model = model = DiffFlow().to(device)
    found.stages = list(
        trained_diffflow(model, recipe, points, plan, seed=seed, recompute=recompute)
    )
    _, updates, spent = found.stages[-1]
    for steps, _ in plan:
        nats = model.bound(recipe, test, steps, _source(seed, steps)).mean().item()
        made = model.draw(POINTS, steps, _source(seed, steps, 1))
        found.add("DiffFlow", steps, nats, made, points, updates, spent)
        made = model.draw(POINTS, steps, _source(seed, steps, 1), noise_at_last=True)
        found.blurred[steps] = 1 - points.inside(made).double().mean().item()
    same = dict.fromkeys(("DDPM", "RealNVP"), updates)
    ddpm, flow = _judge_peers(found, points, same, found.lengths, seed, device)
    found.weights = {
        "DiffFlow": weights_of(model), "DDPM": weights_of(ddpm), "RealNVP": weights_of(flow),
    }  # fmt: skip
    return found
