"""Noise that can be known: where the data are a mixture of Gaussians, or a finite heap."""

from __future__ import annotations

import torch
from torch import Tensor

from genssl_utils.diffusion.denoiser import Denoiser, Predict, SimpleLoss

__all__ = ["knows_by_heart", "mean_loss", "mixture_noise", "perfect"]


def mixture_noise(alpha_bar: Tensor, middles: Tensor, spread: float) -> Predict:
    """The best guess of the noise for a mixture of equally likely round Gaussians, exactly.

    Noised to time t, cloud k is a Gaussian with mean √ᾱ μ_k and variance v = ᾱ s² + 1 − ᾱ. The best
    guess is the mean of the noise over all that could have happened, √(1−ᾱ) / v · Σ_k r_k (x − √ᾱ
    μ_k), with r_k the probability of cloud k given x; it is −√(1−ᾱ) times the score.

    Args:
        alpha_bar: the schedule, (T + 1,).
        middles: means of the clouds, (K, D).
        spread: standard deviation s of each; 0 for single points.

    Returns:
        A function of rows (N, D) and times (N,) from 1 on.
    """

    def predict(x: Tensor, t: Tensor) -> Tensor:
        kept = alpha_bar[t][:, None].to(x)
        size = kept * spread**2 + 1 - kept  # (N, 1)
        dots = kept.sqrt() * (x @ middles.T) - kept / 2 * middles.square().sum(1)
        share = (dots / size).softmax(1)  # (N, K): what all clouds have in common cancels
        return (1 - kept).sqrt() / size * (x - kept.sqrt() * (share @ middles))

    return predict


def perfect(denoiser: Denoiser, middles: Tensor, spread: float) -> Denoiser:
    """The best guesser of noise for data that a network was trained on, in its place.

    Args:
        denoiser: whose schedule and scale count.
        middles: of the clouds, as the data are, (K, D); all training rows for a finite heap.
        spread: of each cloud, as the data are; 0 for single rows.
    """
    within = denoiser.inward(middles)
    guess = mixture_noise(denoiser.alpha_bar, within, spread / float(denoiser.scale))
    return Denoiser(guess, denoiser.alpha_bar, denoiser.shift, denoiser.scale)


@torch.no_grad()
def mean_loss(
    denoiser: Denoiser, x: Tensor, simple_loss: SimpleLoss, *, times: tuple[int, int] | None = None,
    rounds: int = 4, seed: int = 0,
) -> float:  # fmt: skip
    """The student's loss on rows (N, D), each noised so many times at times drawn evenly.

    Args:
        denoiser: who guesses.
        x: rows, as the data are.
        simple_loss: the student's.
        times: the first and the last time that count; all by default.
        rounds: how often each row is noised.
        seed: of times and noise.
    """
    source = torch.Generator(x.device).manual_seed(seed)
    first, last = times or (1, len(denoiser.alpha_bar) - 1)
    rows, total = denoiser.inward(x), 0.0
    for _ in range(rounds):
        t = torch.randint(first, last + 1, (len(x),), generator=source, device=x.device)
        fresh = torch.randn(x.shape, generator=source, device=x.device)
        total += float(simple_loss(denoiser.predict, rows, t, fresh, denoiser.alpha_bar))
    return total / rounds


def knows_by_heart(heap: Tensor, train: Tensor) -> tuple[float, float]:
    """How near pictures lie to training ones: (median distance, share of copies).

    Distances are root mean squares a pixel; a copy has one below 0.01, which no eye sees.
    """
    near = torch.cdist(heap, train).amin(1) / heap.shape[1] ** 0.5
    return float(near.median()), float((near < 0.01).double().mean())
