"""Numbers that say how good a model is: agreement, distance between distributions, coverage."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["accuracy", "effective_number", "mass_covered", "total_variation", "variation_floor"]


def accuracy(scores: Tensor, labels: Tensor) -> float:
    """Share of the rows whose highest score is at the label.

    Args:
        scores: one row of class scores an example, shape (B, K).
        labels: the right classes, shape (B,).

    Returns:
        A share between 0 and 1.

    Raises:
        ValueError: the shapes do not fit together.

    Example:
        >>> accuracy(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0]))
        0.5
    """
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise ValueError(
            f"Give scores of shape (B, K) and labels of shape (B,), not {tuple(scores.shape)} "
            f"and {tuple(labels.shape)}."
        )
    return (scores.argmax(dim=1) == labels).double().mean().item()


def total_variation(p: Tensor, q: Tensor) -> float:
    """Total variation distance between two distributions: ½ Σ_k |p_k − q_k|.

    It is the largest difference that the two can show in the probability of any event: 0 for
    equal distributions, 1 for distributions that share no outcome.

    Args:
        p: weights or counts of K outcomes, shape (K,), not negative; made to sum to one.
        q: the same for the other distribution, shape (K,).

    Returns:
        A number between 0 and 1.

    Raises:
        ValueError: the shapes differ, or a weight is negative, or all are zero.

    Example:
        >>> total_variation(torch.tensor([1, 1]), torch.tensor([3, 1]))
        0.25
    """
    p, q = _normalise(p), _normalise(q)
    if p.shape != q.shape:
        raise ValueError(
            f"Both distributions must be over the same outcomes; one has {len(p)}, one {len(q)}."
        )
    return 0.5 * (p - q).abs().sum().item()


def variation_floor(p: Tensor, draws: int) -> float:
    """Total variation that a *perfect* model of p shows on average, for want of more samples.

    The counts of n draws from p itself differ from n·p by chance. Their mean total variation is
    ½ Σ_k E|N_k/n − p_k| with N_k binomial, and De Moivre's formula gives each term exactly:
    E|N − np| = 2 m C(n, m) p^m (1 − p)^(n−m+1), with m = ⌊np⌋ + 1
    (Diaconis & Zabell 1991, Statistical Science 6, 284).

    Args:
        p: weights of K outcomes, shape (K,); made to sum to one.
        draws: number n of samples, at least 1.

    Returns:
        The floor, between 0 and 1: a measured distance near it is no distance.

    Raises:
        ValueError: the weights are no distribution, or draws is not positive.

    Example:
        >>> variation_floor(torch.tensor([0.5, 0.5]), draws=1)
        0.5
    """
    if draws < 1:
        raise ValueError(f"draws is the number of samples, at least 1, not {draws}.")
    p = _normalise(p)
    p = p[(p > 0) & (p < 1)]  # an outcome that is sure, or never comes, has no spread
    n = torch.tensor(float(draws), dtype=p.dtype, device=p.device)
    m = (n * p).floor() + 1
    log_binomial = (n + 1).lgamma() - (m + 1).lgamma() - (n - m + 1).lgamma()
    log_term = m.log() + log_binomial + m * p.log() + (n - m + 1) * (-p).log1p()
    return (log_term.exp().sum() / n).item()


def mass_covered(p: Tensor, counts: Tensor) -> float:
    """Probability under p of the outcomes that were seen at least once.

    A model that repeats one outcome covers little, however good that outcome is.

    Args:
        p: weights of K outcomes, shape (K,); made to sum to one.
        counts: how often each was seen, shape (K,).

    Returns:
        A share between 0 and 1.

    Raises:
        ValueError: the shapes differ, or the weights are no distribution.

    Example:
        >>> mass_covered(torch.tensor([0.5, 0.25, 0.25]), torch.tensor([7, 0, 1]))
        0.75
    """
    p = _normalise(p)
    if p.shape != counts.shape:
        raise ValueError(f"Give one count for each of the {len(p)} outcomes, not {len(counts)}.")
    return p[counts > 0].sum().item()


def effective_number(counts: Tensor) -> float:
    """Number of equally likely outcomes that are as varied as these: exp(−Σ_k p_k log p_k).

    The exponential of the entropy: K for K equal counts, 1 when one outcome takes all
    (Hill 1973, Ecology 54, 427).

    Args:
        counts: weights or counts of K outcomes, shape (K,).

    Returns:
        A number between 1 and K.

    Raises:
        ValueError: a count is negative, or all are zero.

    Example:
        >>> round(effective_number(torch.tensor([5, 5, 0])), 6)
        2.0
    """
    return torch.special.entr(_normalise(counts)).sum().exp().item()


def _normalise(weights: Tensor) -> Tensor:
    """The weights in float64, summing to one."""
    if weights.ndim != 1 or len(weights) == 0:
        raise ValueError(f"Give one weight an outcome, shape (K,), not {tuple(weights.shape)}.")
    weights = weights.double()
    total = weights.sum()
    if not (torch.isfinite(total) and total > 0) or (weights < 0).any():
        raise ValueError("Weights must be finite, none of them negative and not all zero.")
    return weights / total
