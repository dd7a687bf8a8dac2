"""The digits: the bank of other makers' pictures, scores by steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genssl_utils.diffusion.denoiser import WAYS, Denoiser, SimpleLoss, Walkers
from genssl_utils.diffusion.exact import knows_by_heart, mean_loss
from genssl_utils.kit.data import Split
from genssl_utils.kit.reader import Reader
from genssl_utils.kit.samples import Scores, scores
from genssl_utils.kit.training import cpu_threads

__all__ = [
    "Copies",
    "Fewer",
    "Heap",
    "Quality",
    "all_heaps",
    "bank",
    "copies",
    "judge",
    "noise_put_back",
    "quality_by_steps",
    "read_noised",
]

NAMES, LEVELS, SEEN = ("GAN", "VAE", "flow"), 63, 256_000


class Heap(NamedTuple):
    """Pictures of one maker, and what they took.

    Attributes:
        pictures: (N, 64), from 0 to 1.
        weights: of all networks that were trained.
        seen: digits that the training saw, counted each time.
        trained: seconds of processor time for the training, on one thread.
        drawn: the same for drawing the pictures.
    """

    pictures: Tensor
    weights: int
    seen: int
    trained: float
    drawn: float


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
    for k, name in enumerate(NAMES):
        pictures = torch.tensor(kept["pictures"][row, k] / LEVELS, dtype=torch.float32)
        weights, trained, made = (
            kept[what][row, k].item() for what in ("weights", "trained", "drawn")
        )
        found[name] = Heap(pictures.to(device), weights, SEEN, trained, made)
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
        denoiser.draw(len(real), walkers, way, 1, seed=seed)  # once to warm up
        for number in steps:
            began = time.process_time()
            with cpu_threads(1):
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
    found = {"training digits": Heap(digits.x_train[some], 0, 0, 0.0, 0.0), **bank}
    took = {(row.way, row.steps): row.seconds for row in scan}
    for way, steps in (("DDIM", 20), ("DDIM", 1000), ("DDPM", 1000)):
        found[f"{way}, {steps} steps"] = Heap(
            drawn[way, steps], denoiser.weights, denoiser.seen, denoiser.seconds, took[way, steps]
        )
    return found


class Fewer(NamedTuple):
    """Pictures drawn in few steps: scores, and the spread of a pixel from picture to picture."""

    scores: Scores
    spread: float


def with_all_of_beta(walkers: Walkers) -> Walkers:
    """DDPM's step with noise of variance β, the other choice of Ho et al. 2020; none at t = 1."""

    def step(xt: Tensor, eps: Tensor, t: Tensor, alpha_bar: Tensor, noise: Tensor) -> Tensor:
        mean = walkers.ancestral_step(xt, eps, t, alpha_bar, torch.zeros_like(noise))
        beta = (1 - alpha_bar[t] / alpha_bar[t - 1]) * (t > 1)
        return mean + beta.sqrt()[:, None] * noise

    return walkers._replace(ancestral_step=step)


def noise_put_back(
    denoiser: Denoiser, walkers: Walkers, drawn: Mapping[tuple[str, int], Tensor], real: Tensor,
    reader: Reader, *, steps: Sequence[int], seed: int = 0,
) -> dict[tuple[int, str], Fewer]:  # fmt: skip
    """Does DDPM lose in few steps because too little noise comes back? Put back more, and see.

    Returns:
        (steps, noise that is put back) → how the pictures are; (0, "true digits") for the spread.
    """
    heaps = {}
    for number in steps:
        more = denoiser.draw(len(real), with_all_of_beta(walkers), "DDPM", number, seed=seed)
        heaps[number, "posterior's variance (DDPM)"] = drawn["DDPM", number]
        heaps[number, "variance β (DDPM)"] = more.clamp(0, 1)
        heaps[number, "none, along the guess (DDIM)"] = drawn["DDIM", number]
    heaps[0, "true digits"] = real
    judged = judge({str(key): heap for key, heap in heaps.items()}, real, reader)
    return {key: Fewer(judged[str(key)], float(heap.std(0).mean())) for key, heap in heaps.items()}


def read_noised(
    reader: Reader, digits: Split, q_sample: Callable[..., Tensor], shares: Sequence[float]
) -> dict[float, float]:
    """How often the reader still reads test digits that the student's function has noised.

    Args:
        reader: trained on clean digits; a digit's mean pixel is shown to it as in the pictures.
        digits: which were split.
        q_sample: the student's.
        shares: of the variance that are left, falling.

    Returns:
        Share of the variance → share of the 540 digits that are read rightly.
    """
    x, device = digits.x_test, digits.x_test.device
    shift, scale = digits.x_train.mean(), digits.x_train.std()
    alpha_bar = torch.tensor([1.0, *shares], device=device)
    fresh = torch.randn(x.shape, generator=torch.Generator(device).manual_seed(0), device=device)
    found = {}
    for k, share in enumerate(shares, start=1):
        t = torch.full((len(x),), k, device=device)
        seen = shift + scale * q_sample((x - shift) / scale, t, fresh, alpha_bar)
        found[share] = float((reader.read(seen) == digits.y_test).double().mean())
    return found


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
