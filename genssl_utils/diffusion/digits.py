"""The digits: the bank of other makers' pictures, scores by steps, and the way into the latent."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genssl_utils.diffusion.denoiser import WAYS, Denoiser, Walkers, moments
from genssl_utils.kit.reader import Reader
from genssl_utils.kit.samples import Scores, scores

__all__ = ["Heap", "Quality", "bank", "judge", "quality_by_steps", "round_trip"]

NAMES, LEVELS = ("GAN", "VAE", "flow"), 63


class Heap(NamedTuple):
    """Pictures of one maker, and what they took.

    Attributes:
        pictures: (N, 64), from 0 to 1.
        weights: of all networks that were trained.
        trained: seconds of processor time for the training.
        drawn: the same for drawing the pictures.
        passes: how often a network was run for a picture.
        latent: numbers of the noise that a picture is made of.
    """

    pictures: Tensor
    weights: int
    trained: float
    drawn: float
    passes: int
    latent: int


class Quality(NamedTuple):
    """Scores of pictures that were drawn in so many steps, and seconds of processor time."""

    way: str
    steps: int
    seconds: float
    scores: Scores


def bank(seed: int, device: torch.device | str = "cpu") -> dict[str, Heap]:
    """540 digits each by the GAN and the VAE of unit 07 and by the flow of unit 08.

    Data card:
        Source: made here by `bench/once/digit_bank.py` from the answers of those units, trained on
            the training digits of `kit.data.digits` (the flow kept a fifth of them to choose its
            best step), 256,000 of them seen, about 117,000 weights each.
        Licence: MIT, as this code.
        Size: five trainings of each maker, 540 pictures of 8 × 8 pixels and 64 grey levels each.
        Split: none; nothing is trained on them.
        Must not be used for: claims about GANs, VAEs or flows at another size.

    Args:
        seed: which of the trainings, counted round.
        device: where the pictures are put.
    """
    file = resources.files("genssl_utils.diffusion") / "data" / "bank.npz"
    with file.open("rb") as stream, np.load(stream) as saved:
        kept = dict(saved)
    row = seed % len(kept["pictures"])
    found = {}
    for k, (name, latent) in enumerate(zip(NAMES, (16, 16, 64), strict=True)):
        pictures = torch.tensor(kept["pictures"][row, k] / LEVELS, dtype=torch.float32)
        numbers = (kept[what][row, k].item() for what in ("weights", "trained", "drawn"))
        found[name] = Heap(pictures.to(device), *numbers, 1, latent)
    return found


def judge(heaps: Mapping[str, Tensor], real: Tensor, reader: Reader) -> dict[str, Scores]:
    """Compare heaps (N, 64) with true pictures that nothing was trained on, in the features."""
    right = reader.features(real)
    return {name: scores(right, reader.features(heap)) for name, heap in heaps.items()}


def quality_by_steps(
    denoiser: Denoiser, walkers: Walkers, real: Tensor, reader: Reader, *, steps: Sequence[int],
    seed: int = 0,
) -> tuple[list[Quality], dict[tuple[str, int], Tensor]]:  # fmt: skip
    """Draw as many pictures as there are true ones, by both ways, in fewer and more steps.

    Returns:
        What each took and how near it came; and the pictures, (way, steps) → (N, 64).
    """
    found, drawn = [], {}
    for way in WAYS:
        for number in steps:
            began = time.process_time()
            rows = denoiser.draw(len(real), walkers, way, number, seed=seed)
            took = time.process_time() - began
            drawn[way, number] = rows.clamp(0, 1)
            score = judge({"": drawn[way, number]}, real, reader)[""]
            found.append(Quality(way, number, took, score))
    return found, drawn


@torch.no_grad()
def round_trip(
    denoiser: Denoiser, walkers: Walkers, x: Tensor, steps: int
) -> tuple[Tensor, Tensor, float]:
    """Pictures into the latent and back by DDIM, which is the same step with its two ends swapped.

    Args:
        denoiser: a trained network.
        walkers: the student's.
        x: pictures, (N, D).
        steps: each way.

    Returns:
        The codes (N, D), what comes back (N, D), and its root mean square error a pixel.
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
    return code, back, float((back - x).square().mean().sqrt())
