"""The two comparisons of the unit on unseen classes: by loss, and by kind of negatives."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from genssl_utils.contrastive.judging import equal_error, pair_distances
from genssl_utils.contrastive.objectives import Classifier, Loss, Together
from genssl_utils.contrastive.unseen import (
    SIZE,
    Embedding,
    Strangers,
    pixels,
    strangers,
    train_embedding,
)

__all__ = ["mining_study", "unseen_study"]


def unseen_study(
    losses: Mapping[str, Loss],
    *,
    steps: int = 300,
    seed: int = 0,
    device: torch.device | str = "cpu",
    data: Strangers | None = None,
) -> list[Embedding]:
    """One network for each loss, with the same batches, steps and first weights.

    Args:
        losses: name → loss of a batch, made of the student's functions.
        steps: updates of each.
        seed: of weights and batches.
        device: where to train.
        data: the classes; digits 0 to 4 seen and 5 to 9 unseen by default.

    Returns:
        Pixels first, then a plain classifier's features, then the losses in their order, and the
        last of them once more with the classifier's loss added.
    """
    data = data or strangers()

    def plain() -> Classifier:
        return Classifier(len(data.y.unique()), SIZE, seed=seed)

    last, loss = list(losses.items())[-1]
    every = {"classifier (cross-entropy)": plain()} | dict(losses)
    every[f"{last} + classifier"] = Together(loss, plain())
    return [pixels(data)] + [
        train_embedding(name, loss, data, steps=steps, seed=seed, device=device)
        for name, loss in every.items()
    ]


def mining_study(
    losses: Mapping[str, Loss],
    *,
    steps: int = 300,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> list[Embedding]:
    """One network for each kind of negatives; error and spread are recorded as training goes."""

    def error(z: torch.Tensor, y: torch.Tensor) -> float:
        return equal_error(*pair_distances(z, y))

    def spread(z: torch.Tensor, y: torch.Tensor) -> float:
        return float(torch.nn.functional.pdist(z).square().mean())

    data = strangers()
    watch = {"error": error, "spread": spread}
    return [
        train_embedding(name, loss, data, steps=steps, seed=seed, device=device, watch=watch)
        for name, loss in losses.items()
    ]
