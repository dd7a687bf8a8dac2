"""Two small networks whose features say how alike pictures look; shipped with their weights.

SRGAN takes its features from VGG, which was trained beforehand on a million photographs. Ours were
trained on the photographs to learn from, `python -m genssl_utils.conditional_gans.perception`
trains them again: one tells what was *done* to a patch (blur, noise, blocks), the other from which
*photograph* it comes. A network may learn from the first; it is judged by the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genssl_utils.conditional_gans.photographs import LEARNED_FROM, Patches, patches
from genssl_utils.kit.training import Objective, fit, seed_all

__all__ = ["DAMAGES", "Eye", "blurred", "coach", "damaged", "judge", "train_eyes"]

WEIGHTS = "data/perception.npz"
_TOLD_APART = 1e-4
"""Added to the squared length of a feature vector: where there is no contrast, there is nothing to
compare."""


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Pictures (N, 1, H, W) after a Gaussian blur; sigma is in pixels."""
    reach = int(3 * sigma + 1)
    place = torch.arange(-reach, reach + 1).to(x)
    weight = (-place.square() / (2 * sigma**2)).exp()
    weight = weight / weight.sum()
    wide = F.pad(x, (reach,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(wide, weight.view(1, 1, 1, -1)), weight.view(1, 1, -1, 1))


def _coarse(x: Tensor, factor: int, mode: str) -> Tensor:
    """Made small, and large again."""
    small = F.interpolate(x, scale_factor=1 / factor, mode="bicubic", antialias=True)
    return F.interpolate(small, size=x.shape[2:], mode=mode)


def _noisy(x: Tensor, size: float, draw: torch.Generator) -> Tensor:
    return x + size * torch.randn(x.shape, generator=draw, device=x.device)


DAMAGES = {
    "none": lambda x, draw: x,
    "blur of 0.6": lambda x, draw: blurred(x, 0.6),
    "blur of 1": lambda x, draw: blurred(x, 1.0),
    "blur of 1.7": lambda x, draw: blurred(x, 1.7),
    "noise of 0.02": lambda x, draw: _noisy(x, 0.02, draw),
    "noise of 0.05": lambda x, draw: _noisy(x, 0.05, draw),
    "noise of 0.12": lambda x, draw: _noisy(x, 0.12, draw),
    "2 times smaller": lambda x, draw: _coarse(x, 2, "bicubic"),
    "4 times smaller": lambda x, draw: _coarse(x, 4, "bicubic"),
    "blocks of 2": lambda x, draw: _coarse(x, 2, "nearest"),
    "blocks of 4": lambda x, draw: _coarse(x, 4, "nearest"),
    "edges too strong": lambda x, draw: x + 0.8 * (x - blurred(x, 1.0)),
}
"""What may have been done to a patch: name → (patches, generator) → patches."""


def damaged(x: Tensor, kinds: Tensor, draw: torch.Generator) -> Tensor:
    """Patches (N, 1, H, W), each with its kind of damage (N,), by its place in `DAMAGES`."""
    out = x.clone()
    for kind, damage in enumerate(DAMAGES.values()):
        at = kinds == kind
        if at.any():
            out[at] = damage(x[at], draw)
    return out


class Eye(nn.Module):
    """A small convolutional classifier, and how far apart two pictures are in its features.

    Args:
        classes: what it tells apart.
        widths: channels of its layers; each but the first halves the picture.
    """

    def __init__(self, classes: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        before = (1, *widths)
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=1 if place == 0 else 2, padding=1)
            for place, (a, b) in enumerate(zip(before, widths, strict=False))
        )
        self.out = nn.Linear(widths[-1], classes)

    def features(self, x: Tensor) -> Iterator[Tensor]:
        """What each layer makes of pictures (N, 1, H, W), one after the other."""
        h = 4 * (x - 0.5)
        for layer in self.layers:
            h = F.relu(layer(h))
            yield h

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, classes)."""
        *_, last = self.features(x)
        return self.out(last.mean((2, 3)))

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """How unlike two pictures look: 0 where all features agree.

        At each place of each layer but the first, the feature vectors are made of length 1, and the
        squares of their differences added; then the mean over places and layers. This is the
        distance of Zhang et al. 2018 (arXiv:1801.03924) without learned weights.

        Args:
            a: pictures (N, 1, H, W).
            b: as many others.

        Returns:
            Tensor (N,), at least 0.
        """
        apart = a.new_zeros(len(a))
        pairs = zip(self.features(a), self.features(b), strict=True)
        for u, v in islice(pairs, 1, None):
            apart = apart + (_unit(u) - _unit(v)).square().sum(1).mean((1, 2))
        return apart / (len(self.layers) - 1)


def _unit(features: Tensor) -> Tensor:
    return features * (features.square().sum(1, keepdim=True) + _TOLD_APART).rsqrt()


_EYES = {"coach": (len(DAMAGES), (16, 24, 32)), "judge": (len(LEARNED_FROM), (16, 24, 32, 48))}


@cache
def _shipped(name: str) -> Eye:
    eye = Eye(*_EYES[name])
    with resources.files("genssl_utils.conditional_gans").joinpath(WEIGHTS).open("rb") as file:
        stored = np.load(file)
        weights = {key: torch.tensor(stored[f"{name}/{key}"]).float() for key in eye.state_dict()}
    eye.load_state_dict(weights)
    return eye.requires_grad_(False).eval()


def coach() -> Eye:
    """The network to learn from: three layers, trained to tell what was done to a patch."""
    return _shipped("coach")


def judge() -> Eye:
    """The network to be judged by: four layers, trained to tell photographs apart."""
    return _shipped("judge")


def train_eyes(steps: int = 1500, *, seed: int = 0) -> dict[str, Eye]:
    """Train both networks on the photographs to learn from.

    Args:
        steps: of Adam, each on 60 patches.
        seed: the coach's; the judge has the next one.
    """
    return {"coach": _train_coach(steps, seed), "judge": _train_judge(steps, seed + 1)}


def _train_coach(steps: int, seed: int) -> Eye:
    draw = seed_all(seed)
    pool = patches(400 * len(LEARNED_FROM), seed=seed)
    eye = Eye(*_EYES["coach"])
    kinds = torch.arange(60) % len(DAMAGES)

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rows = torch.randint(len(pool.large), (len(kinds),), generator=draw)
        return damaged(turned(pool.large[rows], step), kinds, draw), kinds

    return _classify(eye, batch, steps, "the coach")


def _train_judge(steps: int, seed: int) -> Eye:
    """Its patches change in brightness, contrast, and half of them by mild noise, which say nothing
    of the photograph."""
    draw = seed_all(seed)
    each = 600
    pool: Patches = patches(each * len(LEARNED_FROM), seed=seed)
    eye = Eye(*_EYES["judge"])

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rows = torch.randint(len(pool.large), (60,), generator=draw)
        x = turned(pool.large[rows], step)
        contrast, light, noise = torch.rand(3, len(x), 1, 1, 1, generator=draw)
        x = (0.6 + 0.8 * contrast) * (x - x.mean((2, 3), keepdim=True)) + 0.3 + 0.4 * light
        noise = 0.08 * (noise - 0.5).clamp(min=0)
        return x + noise * torch.randn(x.shape, generator=draw), rows // each

    return _classify(eye, batch, steps, "the judge")


def _classify(eye: Eye, batch, steps: int, title: str) -> Eye:
    adam = torch.optim.Adam(eye.parameters(), 2e-3)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)

    def loss(step: int) -> Tensor:
        x, label = batch(step)
        return F.cross_entropy(eye(x), label)

    fit(Objective(adam, loss), steps, title=title, after_step=lambda step: fall.step())
    return eye.requires_grad_(False).eval()


def turned(x: Tensor, step: int) -> Tensor:
    """Pictures in one of the eight ways that a square can lie, by the number of the step."""
    if step % 2:
        x = x.transpose(2, 3)
    if step % 4 > 1:
        x = x.flip(2)
    return x.flip(3) if step % 8 > 3 else x


def _save(eyes: Mapping[str, Eye]) -> Path:
    path = Path(__file__).parent / WEIGHTS
    path.parent.mkdir(exist_ok=True)
    weights = {
        f"{name}/{key}": value.half().numpy()
        for name, eye in eyes.items()
        for key, value in eye.state_dict().items()
    }
    np.savez_compressed(path, **weights)
    return path


if __name__ == "__main__":
    print(f"written: {_save(train_eyes())}")
