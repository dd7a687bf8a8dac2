"""The digits: the bank of other makers' pictures, scores by steps, and the way into the latent."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genssl_utils.diffusion.denoiser import WAYS, Denoiser, SimpleLoss, Walkers, moments
from genssl_utils.diffusion.exact import knows_by_heart, mean_loss
from genssl_utils.kit.data import Split
from genssl_utils.kit.reader import Reader
from genssl_utils.kit.samples import Scores, scores

__all__ = [
    "Copies",
    "Heap",
    "Quality",
    "Trip",
    "all_heaps",
    "bank",
    "copies",
    "judge",
    "quality_by_steps",
    "round_trip",
    "trips",
]

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


def judge(
    heaps: Mapping[str, Tensor], real: Tensor, reader: Reader, known: Sequence[Quality] = ()
) -> dict[str, Scores]:
    """Compare heaps with true pictures that nothing was trained on, in the reader's features.

    Args:
        heaps: name → pictures (N, 64).
        real: the true pictures.
        reader: in whose features they are compared.
        known: heaps that were judged before, under their names `way, number steps`.
    """
    right = reader.features(real)
    told = {f"{row.way}, {row.steps} steps": row.scores for row in known}
    return {
        name: told.get(name) or scores(right, reader.features(heap)) for name, heap in heaps.items()
    }


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


def all_heaps(
    bank: Mapping[str, Heap], denoiser: Denoiser, scan: Sequence[Quality],
    drawn: Mapping[tuple[str, int], Tensor], digits: Split, *, seed: int = 0,
) -> dict[str, Heap]:  # fmt: skip
    """As many pictures of each maker as there are test digits; first of all training digits."""
    n = len(digits.x_test)
    source = torch.Generator().manual_seed(seed)
    some = torch.randperm(len(digits.x_train), generator=source)[:n].to(digits.x_train.device)
    found = {"training digits": Heap(digits.x_train[some], 0, 0.0, 0.0, 0, 0), **bank}
    took = {(row.way, row.steps): row.seconds for row in scan}
    pixels = digits.x_train.shape[1]
    for way, steps in (("DDIM", 20), ("DDIM", 1000), ("DDPM", 1000)):
        latent = pixels if way == "DDIM" else pixels * steps  # the last of its steps adds none
        found[f"{way}, {steps} steps"] = Heap(
            drawn[way, steps], denoiser.weights, denoiser.seconds, took[way, steps], steps, latent
        )
    return found


class Trip(NamedTuple):
    """Pictures that went into the latent and came back.

    Attributes:
        codes: where they were, (N, D).
        back: what came back, (N, D).
        error: root mean square a pixel, of a range of 1.
        energy: mean square of a code's numbers; 1 for a standard normal.
    """

    codes: Tensor
    back: Tensor
    error: float
    energy: float


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
    return Trip(code, back, error, float(code.square().mean()))


class Copies(NamedTuple):
    """How far pictures are training pictures.

    Attributes:
        pictures: (N, 64).
        near: median distance to the nearest training picture, root mean square a pixel.
        share: how many are copies.
        seen: the student's loss on training digits; nan where nobody guessed.
        new: the same on test digits.
        scores: against the test digits.
    """

    pictures: Tensor
    near: float
    share: float
    seen: float
    new: float
    scores: Scores


def copies(
    denoiser: Denoiser, best: Denoiser, drawn: Mapping[tuple[str, int], Tensor], walkers: Walkers,
    digits: Split, reader: Reader, simple_loss: SimpleLoss, *, steps: int = 100, seed: int = 0,
) -> dict[str, Copies]:  # fmt: skip
    """The network beside the perfect guesser of its training set, and true digits beside both."""
    x, new = digits.x_train, digits.x_test
    # Test digits are all near themselves: their scores say nothing, their distances do.
    heaps = {
        "perfect guesser": best.draw(len(new), walkers, "DDIM", steps, seed=seed).clamp(0, 1),
        "network": drawn["DDIM", steps],
        "test digits": new,
    }
    judged = judge(heaps, new, reader)
    losses = {
        name: [mean_loss(one, rows, simple_loss, rounds=2, seed=seed) for rows in (x, new)]
        for name, one in (("perfect guesser", best), ("network", denoiser))
    }
    nobody = [float("nan")] * 2
    return {
        name: Copies(
            heap, *knows_by_heart(heap, x), *losses.get(name, nobody), judged[name]
        )
        for name, heap in heaps.items()
    }  # fmt: skip
