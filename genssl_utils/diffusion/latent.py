"""The way into the latent and back, by DDIM's step without chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from genssl_utils.diffusion.denoiser import Denoiser, Walkers, moments
from genssl_utils.kit.data import Split

__all__ = ["Trip", "code_sizes", "round_trip", "trips"]


class Trip(NamedTuple):
    """Pictures that went into the latent and came back.

    Attributes:
        codes: where they were, (N, D).
        back: what came back, (N, D).
        error: root mean square a pixel, of a range of 1.
    """

    codes: Tensor
    back: Tensor
    error: float

    @property
    def sizes(self) -> Tensor:
        """Mean square of each code's numbers, (N,); 1 is expected of standard normal ones."""
        return self.codes.square().mean(1)


def trips(
    denoiser: Denoiser, walkers: Walkers, x: Tensor, *, steps: Sequence[int]
) -> dict[int, Trip]:
    """A `round_trip` for each number of steps."""
    return {number: round_trip(denoiser, walkers, x, number) for number in steps}


@torch.no_grad()
def round_trip(denoiser: Denoiser, walkers: Walkers, x: Tensor, steps: int) -> Trip:
    """Pictures into the latent and back by DDIM, which is the same step with its two ends swapped.

    Args:
        denoiser: a trained network.
        walkers: the student's.
        x: pictures, (N, D).
        steps: each way.
    """
    times = moments(len(denoiser.alpha_bar) - 1, steps)
    times[0] = 1  # at time 0 there is no noise to guess
    kept = denoiser.alpha_bar[times].tolist()

    def guess(rows: Tensor, k: int) -> Tensor:
        return denoiser.predict(rows, torch.full((len(rows),), times[k], device=rows.device))

    code = denoiser.inward(x)
    for k in range(steps):
        code, _ = walkers.ddim_step(code, guess(code, k), kept[k], kept[k + 1], 0.0)
    rows = code
    for k in range(steps, 0, -1):
        rows, _ = walkers.ddim_step(rows, guess(rows, k), kept[k], kept[k - 1], 0.0)
    back = denoiser.outward(rows)
    error = float((back - x).square().mean().sqrt())
    return Trip(code, back, error)


def code_sizes(
    denoiser: Denoiser, walkers: Walkers, digits: Split, trip: Trip, steps: int = 100
) -> dict[str, Tensor]:
    """How large codes are, for digits that are like the training digits and for others.

    Args:
        denoiser: a trained network.
        walkers: the student's.
        digits: which were split.
        trip: that of the test digits.
        steps: each way; for the training digits.

    Returns:
        Name of a heap → mean square of each of its codes, (n,).
    """
    known = round_trip(denoiser, walkers, digits.x_train[: len(digits.x_test)], steps)
    beyond = (digits.x_test > digits.x_train.amax(0)).any(1)
    return {
        "training digits": known.sizes,
        "test digits": trip.sizes,
        "of these: a pixel darker there than in any training digit": trip.sizes[beyond],
        "all others of these": trip.sizes[~beyond],
    }
