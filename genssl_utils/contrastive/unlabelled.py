"""Learning with no labels: two views of a picture are a pair, the rest of the batch are negatives.

SimCLR's recipe (Chen et al. 2020, arXiv:2002.05709) at the size of the digits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genssl_utils.contrastive.judging import probe
from genssl_utils.contrastive.views import jitter
from genssl_utils.kit import nets
from genssl_utils.kit.data import Split, digits
from genssl_utils.kit.training import History, Objective, fit, seed_all

__all__ = [
    "Unlabelled",
    "ask_twice",
    "askew_digits",
    "pixel_probes",
    "probe_accuracy",
    "train_unlabelled",
    "which_way_up",
]

LABELS = 5
"""Labelled pictures a class that the linear probe gets."""
DRAWS = 10
"""How often those are drawn; the mean accuracy is reported."""


@dataclass(frozen=True)
class Unlabelled:
    """A network trained without labels, and the accuracy of a probe on its features.

    The loss sees `head(model(x))`; the features are `model(x)`, as in SimCLR.
    """

    name: str
    batch: int
    steps: int
    model: nn.Module
    head: nn.Module
    history: History
    seconds: float
    accuracy: float


def askew_digits() -> Split:
    """All ten digits, the test pictures turned and shifted a little, the same for every seed."""
    data = digits()
    chance = torch.Generator().manual_seed(0)
    return data._replace(x_test=jitter(data.x_test, chance))


def train_unlabelled(
    info_nce: Callable[..., Tensor],
    data: Split,
    *,
    batch: int = 128,
    pictures: int = 12_800,
    temperature: float = 0.1,
    turn: float = 15.0,
    rate: float = 2e-3,
    seed: int = 0,
    device: torch.device | str = "cpu",
    name: str = "InfoNCE",
) -> Unlabelled:
    """Train on pairs of views with the student's InfoNCE, in both directions.

    Args:
        info_nce: the student's.
        data: whose training pictures are used, without their labels.
        batch: pictures in a batch, N: each has N − 1 negatives.
        pictures: how many pictures are shown in all, so that every batch size costs the same.
        temperature: of the loss.
        turn: largest rotation of a view, in degrees.
        rate: learning rate of Adam.
        seed: of weights, batches and views.
        device: where to train.
        name: what to call it.
    """
    start = time.perf_counter()
    seed_all(seed)
    chance = torch.Generator().manual_seed(seed)
    model = nets.cnn(64, width=16).to(device)
    head = nn.Sequential(nn.ReLU(), nets.mlp(64, 32, hidden=(64,))).to(device)
    steps = max(1, pictures // batch)

    def loss(step: int) -> Tensor:
        at = torch.randint(len(data.x_train), (batch,), generator=chance)
        x = data.x_train[at].to(device)
        one, two = (
            F.normalize(head(model(jitter(x, chance, turn=turn))), dim=-1) for _ in range(2)
        )
        there = info_nce(one, two, temperature=temperature)
        return (there + info_nce(two, one, temperature=temperature)) / 2

    adam = torch.optim.Adam([*model.parameters(), *head.parameters()], lr=rate)
    history = fit(
        Objective(adam, loss), steps,
        title=f"{name}, N = {batch}", record_every=max(1, steps // 10), picture=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    accuracy = probe_accuracy(model, data)
    return Unlabelled(name, batch, steps, model, head, history, seconds, accuracy)


def probe_accuracy(
    features: Callable[[Tensor], Tensor], data: Split, *, each: int = LABELS, copies: int = 10
) -> float:
    """Test accuracy of logistic regression on features, from a few labelled pictures a class.

    Every labelled picture is shown in several views, so that no method lacks augmentation.

    Args:
        features: (B, 1, 8, 8) → (B, D).
        data: the labelled pictures are drawn from its training part.
        each: labelled pictures a class.
        copies: views of each.

    Returns:
        The mean over ten draws, the same for every method and seed.
    """
    chance = torch.Generator().manual_seed(1)
    device = next(features.parameters()).device if isinstance(features, nn.Module) else "cpu"
    with torch.no_grad():
        test = features(data.x_test.to(device)).cpu()
        total = 0.0
        for _ in range(DRAWS):
            rows = [(data.y_train == c).nonzero().squeeze(1) for c in range(10)]
            at = torch.cat([r[torch.randperm(len(r), generator=chance)[:each]] for r in rows])
            at = at.repeat(copies)
            train = features(jitter(data.x_train[at], chance).to(device)).cpu()
            total += probe(train, data.y_train[at], test, data.y_test)
    return total / DRAWS


def pixel_probes(data: Split, *, seed: int = 0) -> dict[str, float]:
    """What the same probe gets from pixels, and from the same network untrained."""
    seed_all(seed)
    return {
        "pixels": probe_accuracy(lambda x: x.flatten(1), data),
        "untrained network": probe_accuracy(nets.cnn(64, width=16), data),
    }


def which_way_up(features: nn.Module, data: Split, *, labels: int = 200) -> float:
    """Accuracy of a linear probe that says by how many quarters a picture was turned.

    Args:
        features: (B, 1, 8, 8) → (B, D).
        data: the probe learns on pictures of its training part, and is tested on the test part.
        labels: pictures that the probe learns from, each in all four positions.

    Returns:
        A share; guessing gives 0.25.
    """
    device = next(features.parameters()).device

    def turned(x: Tensor) -> tuple[Tensor, Tensor]:
        four = torch.cat([x.rot90(q, (-2, -1)) for q in range(4)])
        with torch.no_grad():
            return features(four.to(device)).cpu(), torch.arange(4).repeat_interleave(len(x))

    (train, train_y), (test, test_y) = turned(data.x_train[:labels]), turned(data.x_test)
    return probe(train, train_y, test, test_y)


def ask_twice(found: Sequence[Unlabelled], data: Split) -> dict[str, tuple[float, float]]:
    """Two questions to the space that the loss sees, behind the head: which digit, which way up?

    Args:
        found: networks trained with different views.
        data: for the probes.

    Returns:
        Name → the two accuracies.
    """
    spaces = {u.name: nn.Sequential(u.model, u.head) for u in found}
    return {
        name: (probe_accuracy(space, data), which_way_up(space, data))
        for name, space in spaces.items()
    }
