"""Predictors that learn beside an adversary, which guesses the protected attribute from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genssl_utils.adversarial_debiasing.tables import Records
from genssl_utils.kit.nets import mlp
from genssl_utils.kit.training import Objective, fit, seed_all

__all__ = ["Predictor", "plain", "with_projection", "with_reversal"]

ReverseGradient = Callable[[Tensor, float], Tensor]
"""(x, lam) → x, whose gradient is −lam times what comes back."""
ProjectOut = Callable[[Tensor, Tensor, float], Tensor]
"""(g_task (P,), g_adversary (P,), alpha) → the step's gradient (P,)."""

BATCH = 256
GOALS = ("parity", "odds")
"""What the adversary sees beside the score: nothing (parity), or the label as well (odds)."""


@dataclass(frozen=True)
class Predictor:
    """A trained linear score.

    Attributes:
        name: how it was trained.
        weight: one weight a column, (D,).
        bias: a number.
    """

    name: str
    weight: Tensor
    bias: Tensor

    def score(self, records: Records) -> Tensor:
        """The logit of y = 1 for each row, (N,)."""
        return records.x @ self.weight + self.bias

    def decide(self, records: Records) -> Tensor:
        """The decisions, (N,), 0 or 1."""
        return (self.score(records) > 0).long()


def plain(records: Records, *, steps: int = 600, seed: int = 0, name: str = "plain") -> Predictor:
    """A logistic regression with no adversary: the baseline.

    Args:
        records: the training table.
        steps: of Adam, each on 256 rows.
        seed: of the initial weights and the batches.
        name: for tables.
    """
    seed_all(seed)
    net = nn.Linear(records.x.shape[1], 1).to(records.x.device)
    batches = _batches(records, seed)

    def loss(step: int) -> Tensor:
        x, y, _ = next(batches)
        return _cross_entropy(net(x)[:, 0], y)

    fit(Objective(torch.optim.Adam(net.parameters(), 0.02), loss), steps, title=name, picture=False)
    return _predictor(name, net)


def with_reversal(
    records: Records, reverse_gradient: ReverseGradient, lam: float, *, goal: str = "parity",
    steps: int = 1000, seed: int = 0, name: str = "",
) -> Predictor:  # fmt: skip
    """A logistic regression whose score goes through a reversed gradient to an adversary.

    Both learn at once: the adversary lowers its own loss, and the same gradient, turned round,
    takes out of the score what the adversary used (Ganin & Lempitsky 2015, arXiv:1409.7495).

    Args:
        records: the training table.
        reverse_gradient: the function under test.
        lam: λ, the adversary's weight in the predictor's loss, at least 0.
        goal: `parity` (the adversary sees the score) or `odds` (the score and the label).
        steps: of Adam, each on 256 rows.
        seed: of the initial weights and the batches.
        name: for tables.

    Raises:
        ValueError: there is no such goal.
    """
    _require_goal(goal)
    seed_all(seed)
    net = nn.Linear(records.x.shape[1], 1).to(records.x.device)
    adversary = mlp(2 if goal == "odds" else 1, 1, hidden=(16,)).to(records.x.device)
    batches = _batches(records, seed)

    def loss(step: int) -> Tensor:
        x, y, s = next(batches)
        score = net(x)[:, 0]
        guess = adversary(_seen(reverse_gradient(score, lam), y, goal))[:, 0]
        return _cross_entropy(score, y) + _cross_entropy(guess, s)

    # The adversary is faster: its gradient is worth something only while it is near its best.
    descent = torch.optim.Adam(net.parameters(), 0.01)
    descent.add_param_group({"params": adversary.parameters(), "lr": 0.03})
    name = name or f"reversal, λ = {lam:g}"
    fit(Objective(descent, loss), steps, title=name, picture=False)
    return _predictor(name, net)


def with_projection(
    records: Records, project_out: ProjectOut, alpha: float, *, goal: str = "parity",
    steps: int = 1000, seed: int = 0, name: str = "",
) -> Predictor:  # fmt: skip
    """A logistic regression stepped by the rule of Zhang et al. (arXiv:1801.07593, section 3).

    Args:
        records: the training table.
        project_out: the rule under test, on the gradients of all of the predictor's weights.
        alpha: weight of the adversary's gradient, at least 0.
        goal: `parity` or `odds`, as in `with_reversal`.
        steps: of Adam, each on 256 rows.
        seed: of the initial weights and the batches.
        name: for tables.

    Raises:
        ValueError: there is no such goal.
    """
    _require_goal(goal)
    seed_all(seed)
    net = nn.Linear(records.x.shape[1], 1).to(records.x.device)
    adversary = mlp(2 if goal == "odds" else 1, 1, hidden=(16,)).to(records.x.device)
    batches = _batches(records, seed)
    weights = list(net.parameters())

    def adversary_loss(step: int) -> Tensor:
        x, y, s = next(batches)
        return _cross_entropy(adversary(_seen(net(x)[:, 0].detach(), y, goal))[:, 0], s)

    def predictor_loss(step: int) -> Tensor:
        x, y, s = next(batches)
        score = net(x)[:, 0]
        task = _cross_entropy(score, y)
        guess = _cross_entropy(adversary(_seen(score, y, goal))[:, 0], s)
        g_task, g_adversary = (
            torch.cat([g.flatten() for g in torch.autograd.grad(part, weights, retain_graph=True)])
            for part in (task, guess)
        )
        step_along = project_out(g_task, g_adversary, alpha).detach()
        along = torch.cat([w.flatten() for w in weights]) @ step_along
        return task.detach() + along - along.detach()  # the task's loss, with the rule's gradient

    objectives = {
        "adversary": Objective(torch.optim.Adam(adversary.parameters(), 0.03), adversary_loss),
        "predictor": Objective(torch.optim.Adam(weights, 0.01), predictor_loss),
    }
    name = name or f"projection, α = {alpha:g}"
    fit(objectives, steps, title=name, picture=False)
    return _predictor(name, net)


def _batches(records: Records, seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    draw = torch.Generator(records.x.device).manual_seed(seed)
    while True:
        rows = torch.randint(len(records), (BATCH,), generator=draw, device=records.x.device)
        yield records.x[rows], records.y[rows].float(), records.s[rows].float()


def _seen(score: Tensor, y: Tensor, goal: str) -> Tensor:
    """What the adversary looks at: (B, 1) or (B, 2)."""
    return torch.stack([score, y], 1) if goal == "odds" else score[:, None]


def _cross_entropy(logit: Tensor, label: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logit, label)


def _predictor(name: str, net: nn.Linear) -> Predictor:
    return Predictor(name, net.weight.detach()[0], net.bias.detach()[0])


def _require_goal(goal: str) -> None:
    if goal not in GOALS:
        raise ValueError(f"goal is one of {GOALS}, not {goal!r}.")
