"""A network that embeds digits 0 to 4, trained by any loss, and asked about digits 5 to 9."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genssl_utils.contrastive.judging import Verdict, judge
from genssl_utils.contrastive.objectives import Loss
from genssl_utils.contrastive.views import jitter
from genssl_utils.kit import nets
from genssl_utils.kit.data import digits
from genssl_utils.kit.training import History, Objective, fit, seed_all

__all__ = ["Embedding", "Strangers", "embed", "pixels", "strangers", "train_embedding"]

SIZE = 32
"""Coordinates D of an embedding."""


class Strangers(NamedTuple):
    """Pictures of the classes seen in training, and of others.

    Attributes:
        x: training pictures of the seen classes, (n, 1, 8, 8).
        y: their labels, (n,).
        gallery_x: known pictures of unseen classes, from the training part of the digits.
        gallery_y: their labels.
        query_x: other pictures of unseen classes, to be judged.
        query_y: their labels.
    """

    x: Tensor
    y: Tensor
    gallery_x: Tensor
    gallery_y: Tensor
    query_x: Tensor
    query_y: Tensor


@dataclass(frozen=True)
class Embedding:
    """A trained network, how it was trained and what it is worth on unseen classes."""

    name: str
    model: nn.Module | None
    history: History
    seconds: float
    verdict: Verdict


def strangers(
    seen: tuple[int, ...] = (0, 1, 2, 3, 4),
    unseen: tuple[int, ...] = (5, 6, 7, 8, 9),
    *,
    choosing: bool = False,
) -> Strangers:
    """The digits (the kit's split) by class: seen in training, or met only afterwards.

    The settings were chosen among digits 0 to 4 alone (`bench/once/contrastive_settings.py`):
    two of them are kept unseen, and no picture of the test part is looked at.

    Args:
        seen: classes to train on.
        unseen: classes to judge on; their known pictures come from the training part of the
            digits, those to be judged from the test part.
        choosing: for choosing settings. Both kinds come from the training part, half and half.

    Raises:
        ValueError: a digit is in both.
    """
    if set(seen) & set(unseen):
        raise ValueError(f"{sorted(set(seen) & set(unseen))} cannot be seen and unseen at once.")
    data = digits()
    known, new = torch.tensor(seen), torch.tensor(unseen)
    train, gallery = torch.isin(data.y_train, known), torch.isin(data.y_train, new)
    asked_x, asked_y = data.x_test, data.y_test
    if choosing:
        half = torch.arange(len(data.y_train)) % 2 == 0
        asked_x, asked_y = data.x_train[~half], data.y_train[~half]
        gallery &= half
    query = torch.isin(asked_y, new)
    x, y = turned(data.x_train[train], data.y_train[train])
    chance = torch.Generator().manual_seed(0)  # the same askew pictures for every seed and loss
    return Strangers(
        x, y,
        jitter(data.x_train[gallery], chance), data.y_train[gallery],
        jitter(asked_x[query], chance), asked_y[query],
    )  # fmt: skip


def turned(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Eight classes out of each: every digit turned by quarters, and its mirror image.

    A digit on its side is another character. Copies that look the same (0 always, 1 and 8 upside
    down or mirrored) stay in one class, and only once.

    Args:
        x: pictures, (B, 1, S, S).
        y: digits 0 to 9, (B,).

    Returns:
        Pictures and their classes, numbered from 0 without a gap.
    """
    pictures, classes = [], []
    for mirror in (False, True):
        for quarter in range(4):
            keep = torch.ones(10, dtype=torch.bool)
            keep[0] = not mirror and quarter == 0
            keep[[1, 8]] = not mirror and quarter < 2
            at = keep[y]
            flipped = x[at].flip(-1) if mirror else x[at]
            pictures.append(flipped.rot90(quarter, (-2, -1)))
            classes.append(y[at] * 8 + 4 * mirror + quarter)
    _, classes = torch.cat(classes).unique(return_inverse=True)
    return torch.cat(pictures), classes


def embed(model: nn.Module, x: Tensor) -> Tensor:
    """Embeddings of length 1: (B, 1, 8, 8) → (B, D)."""
    return F.normalize(model(x), dim=-1)


def train_embedding(
    name: str,
    loss: Loss,
    data: Strangers,
    *,
    steps: int = 300,
    classes: int = 12,
    each: int = 6,
    rate: float = 2e-3,
    seed: int = 0,
    device: torch.device | str = "cpu",
    watch: Mapping[str, Callable[[Tensor, Tensor], float]] | None = None,
) -> Embedding:
    """Train one network by one loss; every loss gets the same net, batches, steps and optimiser.

    Args:
        name: of the loss.
        loss: takes unit embeddings, labels and a generator; if it is an `nn.Module`, its weights
            are trained too.
        data: the classes.
        steps: updates of Adam.
        classes: classes in a batch, drawn anew for each; all, where there are fewer.
        each: pictures of every one of them.
        rate: learning rate.
        seed: of the first weights and of the batches.
        device: where to train.
        watch: name → function of query embeddings and labels, recorded as training goes.

    Returns:
        The embedding, judged on the unseen classes.
    """
    start = time.perf_counter()
    seed_all(seed)
    chance = torch.Generator().manual_seed(seed)
    model = nets.cnn(SIZE, width=16).to(device)
    by_class = [(data.y == c).nonzero().squeeze(1) for c in data.y.unique()]
    queries = data.query_x.to(device)

    def batch_loss(step: int) -> Tensor:
        drawn = torch.randperm(len(by_class), generator=chance)[:classes].tolist()
        rows = [torch.randint(len(by_class[c]), (each,), generator=chance) for c in drawn]
        at = torch.cat([by_class[c][r] for c, r in zip(drawn, rows, strict=True)])
        labels = data.y[at].to(device)
        x = data.x[at].to(device)
        return loss(embed(model, jitter(x, chance)), labels, chance)

    def measured(step: int) -> dict[str, float]:
        with torch.no_grad():
            z = embed(model, queries).cpu()
        return {key: value(z, data.query_y) for key, value in (watch or {}).items()}

    own = loss.to(device).parameters() if isinstance(loss, nn.Module) else ()
    adam = torch.optim.Adam([*model.parameters(), *own], lr=rate)
    history = fit(
        Objective(adam, batch_loss), steps,
        title=name, record_every=max(1, steps // 10), on_record=measured, picture=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    with torch.no_grad():
        gallery = embed(model, data.gallery_x.to(device)).cpu()
        query = embed(model, queries).cpu()
    return Embedding(
        name, model, history, seconds, judge(gallery, data.gallery_y, query, data.query_y)
    )


def pixels(data: Strangers) -> Embedding:
    """No network at all: a picture is its 64 pixels."""
    gallery, query = data.gallery_x.flatten(1), data.query_x.flatten(1)
    verdict = judge(gallery, data.gallery_y, query, data.query_y)
    return Embedding("pixels, nothing learned", None, History(), 0.0, verdict)
