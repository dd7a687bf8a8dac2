"""How good a space is for classes that nobody trained it on: neighbours, a probe, verification."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

__all__ = ["Verdict", "equal_error", "few_labels", "judge", "pair_distances", "probe", "roc"]

DRAWS = 50
"""How often the few labelled pictures are drawn; the mean is reported."""


@dataclass(frozen=True)
class Verdict:
    """What a space is worth on unseen classes.

    Attributes:
        one_label: accuracy of the nearest neighbour among one known picture a class.
        probe: accuracy of a linear classifier trained on all known pictures.
        eer: equal error rate of "are these two the same class?", a share.
        accept: share of true pairs accepted where 1 % of false pairs are.
        false_alarms: the ROC curve's shares of false pairs accepted, rising.
        true_pairs: the shares of true pairs accepted at the same thresholds.
    """

    one_label: float
    probe: float
    eer: float
    accept: float
    false_alarms: Tensor
    true_pairs: Tensor


def judge(gallery: Tensor, gallery_y: Tensor, query: Tensor, query_y: Tensor) -> Verdict:
    """Judge embeddings of unseen classes.

    Args:
        gallery: embeddings of known pictures, (n, D).
        gallery_y: their classes, (n,).
        query: embeddings of pictures to be recognised, (m, D).
        query_y: their classes, (m,).
    """
    distance, same = pair_distances(query, query_y)
    false_alarms, true_pairs = roc(distance, same)
    at = int(torch.searchsorted(false_alarms, torch.tensor(0.01, dtype=torch.float64), right=True))
    return Verdict(
        few_labels(gallery, gallery_y, query, query_y, each=1),
        probe(gallery, gallery_y, query, query_y),
        equal_error(distance, same),
        float(true_pairs[max(0, at - 1)]),
        false_alarms,
        true_pairs,
    )


def few_labels(
    gallery: Tensor, gallery_y: Tensor, query: Tensor, query_y: Tensor, *, each: int, seed: int = 0
) -> float:
    """Accuracy of the nearest of `each` known pictures a class, mean of 50 draws of those."""
    distance = torch.cdist(query, gallery)
    chance = torch.Generator().manual_seed(seed)
    total = 0.0
    for _ in range(DRAWS):
        rows = [(gallery_y == c).nonzero().squeeze(1) for c in gallery_y.unique()]
        at = torch.cat([r[torch.randperm(len(r), generator=chance)[:each]] for r in rows])
        total += (gallery_y[at][distance[:, at].argmin(1)] == query_y).double().mean().item()
    return total / DRAWS


def probe(train: Tensor, train_y: Tensor, test: Tensor, test_y: Tensor) -> float:
    """Accuracy of logistic regression on embeddings, standardised by the training part.

    Args:
        train: embeddings to learn from, (n, D).
        train_y: their classes, (n,).
        test: embeddings to be classified, (m, D).
        test_y: their classes, (m,).

    Returns:
        A share of the test embeddings.
    """
    mean, sd = train.mean(0), train.std(0).clamp(min=1e-6)
    model = LogisticRegression(max_iter=200, tol=1e-3)
    model.fit(((train - mean) / sd).numpy(), train_y.numpy())
    return float(model.score(((test - mean) / sd).numpy(), test_y.numpy()))


def pair_distances(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Distance of every unordered pair, (P,), and whether the two are of one class, (P,)."""
    i, j = torch.triu_indices(len(x), len(x), 1)
    return torch.cdist(x, x)[i, j], y[i] == y[j]


def roc(distance: Tensor, same: Tensor) -> tuple[Tensor, Tensor]:
    """The ROC curve of "the same, if nearer than a threshold".

    Args:
        distance: of P pairs, (P,).
        same: whether each is a true pair, (P,).

    Returns:
        Shares of false and of true pairs accepted, (T + 1,) each, from (0, 0) to (1, 1), one
        point for every distinct distance.

    Raises:
        ValueError: there is no true pair, or no false one.
    """
    if same.all() or not same.any():
        raise ValueError("A ROC curve needs pairs of one class and pairs of two.")
    order = distance.argsort()
    value, right = distance[order], same[order].double()
    last = torch.ones(len(value), dtype=torch.bool)
    last[:-1] = value[1:] != value[:-1]  # ties are accepted together
    zero = torch.zeros(1, dtype=torch.float64)
    true = torch.cat([zero, (right.cumsum(0) / right.sum())[last]])
    false = torch.cat([zero, ((1 - right).cumsum(0) / (1 - right).sum())[last]])
    return false, true


def equal_error(distance: Tensor, same: Tensor) -> float:
    """The error rate at the threshold where false alarms and misses are equally frequent.

    Example:
        >>> d = torch.tensor([0.1, 0.2, 0.3, 0.4])
        >>> equal_error(d, torch.tensor([True, True, False, False]))
        0.0
        >>> equal_error(d, torch.tensor([True, False, True, False]))
        0.5
    """
    false, true = roc(distance, same)
    gap = false - (1 - true)  # rises from −1 to 1
    right = int((gap >= 0).nonzero()[0])
    left = right - 1
    share = float(gap[left] / (gap[left] - gap[right]))
    return float(false[left] + share * (false[right] - false[left]))
