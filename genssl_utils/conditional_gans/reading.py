"""Two readers trained beforehand on true pictures: one for captions, one that judges pictures.

Their weights are shipped. `python -m genssl_utils.conditional_gans.reading` trains them anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genssl_utils.conditional_gans.captions import (
    PARTS,
    SCENE,
    draw_scenes,
    pictures,
    render,
    words,
)
from genssl_utils.kit.samples import energy_distance
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall

__all__ = ["CODE", "Faithfulness", "distance", "enlarged", "faithfulness", "read", "read_pictures"]

CODE = 48
"""Numbers of a caption's code."""
FEATURES = 96
WEIGHTS = Path(__file__).parent / "data" / "reading.npz"


class CaptionReader(nn.Module):
    """The words of a caption (N, 20) to its code (N, 48): each number with mean 0 and variance 1.

    It was trained so that the code tells, under noise, what a picture of the caption shows: codes
    of different scenes lie apart.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(sum(SCENE), 64), nn.Tanh(), nn.Linear(64, CODE))
        self.register_buffer("centre", torch.zeros(CODE))
        self.register_buffer("spread", torch.ones(CODE))

    def forward(self, said: Tensor) -> Tensor:
        return (self.body(said) - self.centre) / self.spread


class Detector(nn.Module):
    """Pictures (N, 3, 32, 32) to features (N, 96), and from these scores of all seven parts."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 12, 3, 2, 1), nn.ReLU(),  # (N, 12, 16, 16)
            nn.Conv2d(12, 24, 3, 2, 1), nn.ReLU(),  # (N, 24, 8, 8)
            nn.Conv2d(24, 32, 3, 2, 1), nn.ReLU(),  # (N, 32, 4, 4)
            nn.Flatten(), nn.Linear(512, FEATURES), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, sum(SCENE))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.head(self.body(x)).split(SCENE, 1)


@dataclass(frozen=True)
class Faithfulness:
    """Shares of pictures that show what their caption says, as a detector sees them.

    Attributes:
        colour, shape, size: of the two things, each counted.
        relation: how the things stand.
        all: all seven parts of the caption are right.
    """

    colour: float
    shape: float
    size: float
    relation: float
    all: float


def read(scenes: Tensor) -> Tensor:
    """The codes of captions of these scenes, (N, 7) → (N, 48)."""
    with torch.no_grad():
        return _readers(str(scenes.device))[0](words(scenes))


def read_pictures(x: Tensor) -> tuple[Tensor, Tensor]:
    """What the detector sees in pictures.

    Args:
        x: (N, 3, 32, 32), or (N, 3, 16, 16), which are made larger first.

    Returns:
        scenes: (N, 7), int64.
        features: (N, 96), to compare sets of pictures with.
    """
    _, detector = _readers(str(x.device))
    with torch.no_grad():
        features = detector.body(enlarged(x) if x.shape[-1] == 16 else x)
        scores = detector.head(features).split(SCENE, 1)
    return torch.stack([s.argmax(1) for s in scores], 1), features


def enlarged(x: Tensor) -> Tensor:
    """Pictures at twice the side, smoothly (bilinear)."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def faithfulness(x: Tensor, scenes: Tensor) -> Faithfulness:
    """How far pictures show the scenes (N, 7) that they should."""
    right = read_pictures(x)[0] == scenes
    shares = {
        what: float(right[:, [k for k, part in enumerate(PARTS) if part == what]].double().mean())
        for what in ("colour", "shape", "size", "relation")
    }
    return Faithfulness(**shares, all=float(right.all(1).double().mean()))


def distance(x: Tensor, true: Tensor) -> float:
    """Energy distance between two sets of pictures in the detector's features, over the mean
    distance of two true pictures: 0 for sets alike.

    Args:
        x: pictures, (N, 3, 16, 16) or (N, 3, 32, 32).
        true: the same of true ones, (M, 3, 32, 32).
    """
    made, real = (read_pictures(part)[1] for part in (x, true))
    apart = torch.pdist(real).mean().item()
    return energy_distance(made, real) / apart


@cache
def _readers(device: str) -> tuple[CaptionReader, Detector]:
    readers = CaptionReader(), Detector()
    with np.load(WEIGHTS) as kept:
        for name, reader in zip(("caption", "detector"), readers, strict=True):
            reader.load_state_dict(
                {
                    key: torch.from_numpy(kept[f"{name}.{key}"]).float()
                    for key in reader.state_dict()
                }
            )
            reader.to(device).eval().requires_grad_(False)
    return readers


def _train_caption_reader(seed: int, steps: int = 200) -> CaptionReader:
    reader, head = CaptionReader(), nn.Linear(CODE, sum(SCENE))
    draw = torch.Generator().manual_seed(seed)

    def loss(step: int) -> Tensor:
        scenes = draw_scenes(256, draw)
        code = reader(words(scenes))
        noisy = code + 0.5 * torch.randn(code.shape, generator=draw)
        return _cross_entropy(head(noisy).split(SCENE, 1), scenes)

    adam = torch.optim.Adam([*reader.parameters(), *head.parameters()], 1e-2)
    fit(Objective(adam, loss), steps, title="captions")
    with torch.no_grad():
        scenes = draw_scenes(20_000, draw)
        code = reader(words(scenes))
        reader.centre.copy_(code.mean(0))
        reader.spread.copy_(code.std(0))
    return reader


def _train_detector(seed: int, steps: int = 3000) -> Detector:
    detector, draw = Detector(), torch.Generator().manual_seed(seed)
    both = [pictures(n, held_out=out, seed=seed) for n, out in ((16_000, False), (4000, True))]
    x, scenes = (torch.cat([getattr(p, name) for p in both]) for name in ("large", "scenes"))

    def loss(step: int) -> Tensor:
        rows = torch.randint(len(x), (64,), generator=draw)
        shown = x[rows]
        if step % 2:  # smooth pictures and noisy ones are read, too
            shown = enlarged(F.avg_pool2d(shown, 2))
        noise = torch.randn(shown.shape, generator=draw)
        shown = shown + 0.15 * torch.rand(64, 1, 1, 1, generator=draw) * noise
        return _cross_entropy(detector(shown), scenes[rows])

    adam = torch.optim.Adam(detector.parameters(), 2e-3)
    falling = stay_then_fall(adam, steps)
    fit(Objective(adam, loss), steps, title="detector", after_step=lambda step: falling.step())
    return detector


def _cross_entropy(scores: tuple[Tensor, ...], scenes: Tensor) -> Tensor:
    return sum(F.cross_entropy(s, scenes[:, k]) for k, s in enumerate(scores))


def main(seed: int = 20) -> None:
    """Train both readers, and write their weights as float16."""
    seed_all(seed)
    trained = {"caption": _train_caption_reader(seed), "detector": _train_detector(seed)}
    kept = {
        f"{name}.{key}": value.numpy().astype(np.float16)
        for name, reader in trained.items()
        for key, value in reader.state_dict().items()
    }
    np.savez_compressed(WEIGHTS, **kept)
    _readers.cache_clear()
    draw = torch.Generator().manual_seed(seed + 1)
    for out in (False, True):
        scenes = draw_scenes(2000, draw, held_out=out)
        print("held out" if out else "seen", faithfulness(render(scenes, draw), scenes))


if __name__ == "__main__":
    main()
