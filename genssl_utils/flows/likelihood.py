"""Maximum likelihood for a flow, and the simplest flow of all as its baseline."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genssl_utils.flows.realnvp import Layer, RealNVP, Recipe, standard_normal_log_prob
from genssl_utils.kit.training import History, Objective, fit

__all__ = ["Fitted", "affine_log_prob", "fit_flow"]


@dataclass(frozen=True)
class Fitted:
    """What a training left: its record, the best step on the validation data, the time it took."""

    history: History
    best_step: int
    seconds: float


def fit_flow(
    flow: RealNVP,
    batch: Callable[[], Tensor],
    valid: Callable[[], float],
    *,
    steps: int,
    lr: float,
    title: str,
    unit: float = 1.0,
    after_step: Callable[[int], None] | None = None,
) -> Fitted:
    """Minimise −log p of batches; keep the weights that were best on the validation data.

    Adam, with a learning rate that falls from `lr` to 0 along half a cosine.

    Args:
        flow: the flow; it ends in evaluation mode with its best weights.
        batch: draws a batch of training data, (B, D).
        valid: the cost on the validation data, lower is better.
        steps: number of steps.
        lr: learning rate at the start.
        title: what is trained, for the progress bar.
        unit: the loss is −log p in nats divided by this number (D, say).
        after_step: called after each step with its number from 0.

    Returns:
        The record of the training.
    """
    optimizer = torch.optim.Adam(flow.parameters(), lr=lr)
    best: tuple[float, int, dict[str, Tensor]] = (math.inf, 0, {})

    def record(done: int) -> dict[str, float]:
        nonlocal best
        flow.eval()
        with torch.no_grad():
            cost = valid()
        flow.train()
        if cost < best[0]:
            best = (cost, done, copy.deepcopy(flow.state_dict()))
        return {"validation": cost}

    def step_ended(step: int) -> None:
        for group in optimizer.param_groups:
            group["lr"] = lr * 0.5 * (1 + math.cos(math.pi * (step + 1) / steps))
        if after_step is not None:
            after_step(step)

    start = time.perf_counter()
    flow.train()
    history = fit(
        Objective(optimizer, lambda step: -flow.log_prob(batch()).mean() / unit),
        steps,
        title=title,
        record_every=-(-steps // 6),
        on_record=record,
        after_step=step_ended,
    )
    flow.load_state_dict(best[2])
    flow.eval()
    return Fitted(history, best[1], time.perf_counter() - start)


def affine_log_prob(
    recipe: Recipe,
    affine_log_det: Callable[[Tensor], Tensor],
    train: Tensor,
    x: Tensor,
    first: tuple[Layer, ...] = (),
) -> Tensor:
    """log p(x) under a flow with one layer that only shifts and scales each coordinate.

    Its maximum-likelihood fit is known without training: subtract the mean, divide by the standard
    deviation. It is a Gaussian without correlations.

    Args:
        recipe: the student's functions.
        affine_log_det: the student's, (B, D) → (B,).
        train: what the mean and the deviation are taken from, (n, D).
        x: where the density is wanted, (B, D).
        first: layers in front that learn nothing (a logit, say).

    Returns:
        Tensor (B,), in nats.
    """
    for layer in first:
        train, _ = layer(train)
    mean, scale = train.mean(0), 1 / train.std(0, correction=0).clamp(min=1e-6)  # (D,)

    def standardise(v: Tensor) -> tuple[Tensor, Tensor]:
        return (v - mean) * scale, affine_log_det(scale.expand(len(v), -1))

    return recipe.log_prob(x, [*first, standardise], standard_normal_log_prob)
