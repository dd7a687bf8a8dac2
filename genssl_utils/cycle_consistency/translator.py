"""A small convolutional CycleGAN for digits, and the judge of its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genssl_utils.cycle_consistency.answers import Answers, Remembered, play
from genssl_utils.cycle_consistency.styles import Heaps, Reader
from genssl_utils.kit.tables import Table, table
from genssl_utils.kit.training import seed_all

__all__ = [
    "Discriminator",
    "Translated",
    "Translator",
    "Translators",
    "bounds",
    "digit_table",
    "judge_digits",
    "readers",
    "train_translators",
]

WIDTH, BATCH, POOL, RATE = 16, 8, 48, 5e-3
"""Channels; pictures a step of each heap; pictures that a buffer holds; learning rate at the start,
which falls to 0 over the second half."""


class Translator(nn.Module):
    """Pictures (N, 1, 8, 8) to pictures: four convolutions, two of them on a detour.

    Each sees 3 × 3 pixels, so a pixel that comes out depends on 9 × 9 that went in.
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()

        def block(inputs: int) -> list[nn.Module]:
            # A group for each channel: instance normalisation, by a faster road.
            return [nn.Conv2d(inputs, width, 3, padding=1), nn.GroupNorm(width, width)]

        self.read = nn.Sequential(*block(1), nn.ReLU())
        self.detour = nn.Sequential(*block(width), nn.ReLU(), *block(width))
        self.paint = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """From −1 to 1, as what goes in."""
        h = self.read(x)
        return torch.tanh(self.paint(torch.relu(h + self.detour(h))))


class Discriminator(nn.Sequential):
    """Pictures (N, 1, 8, 8) to scores (N, 1, 4, 4), each for one patch (a PatchGAN)."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__(
            nn.Conv2d(1, width, 3, padding=1),  # (N, W, 8, 8)
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width, 4, stride=2, padding=1),  # (N, W, 4, 4)
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 1, 3, padding=1),  # (N, 1, 4, 4)
        )


@dataclass(frozen=True)
class Translators:
    """Two trained networks.

    Attributes:
        name: how they were trained.
        f: from X, ink, to Y.
        g: from Y to X.
    """

    name: str
    f: nn.Module
    g: nn.Module


def train_translators(
    heaps: Heaps, answers: Answers, *,
    lam: float = 1.0, identity: float = 0.5, name: str = "", steps: int = 240, seed: int = 0,
) -> Translators:  # fmt: skip
    """Train a CycleGAN (Zhu et al. 2017, arXiv:1703.10593) on two heaps of pictures.

    Args:
        heaps: the pictures; their labels and partners are not looked at.
        answers: the student's functions.
        lam: weight λ of the cycle loss, both ways.
        identity: weight of the identity loss.
        name: for tables.
        steps: of all networks.
        seed: of the initial weights, the batches and the buffers.
    """
    device = heaps.x.device
    draw = seed_all(seed, device)
    f, g = Translator().to(device), Translator().to(device)
    d_x, d_y = Discriminator().to(device), Discriminator().to(device)
    buffers: dict[str, Tensor] = {}
    made: dict[str, tuple[Tensor, Tensor]] = {}

    def some(pictures: Tensor) -> Tensor:
        rows = torch.randint(len(pictures), (BATCH,), generator=draw, device=device)
        return pictures[rows]

    def shown(side: str, new: Tensor) -> Tensor:
        """Fakes for a discriminator: through the student's buffer, once that is full."""
        old = buffers.get(side, new[:0])
        if len(old) < POOL:
            buffers[side] = torch.cat([old, new])
            return new
        fakes, buffers[side] = answers.replay(old, new, draw)
        return fakes

    def maps_loss(step: int) -> Tensor:
        x, y = some(heaps.x), some(heaps.y)
        to_y = Remembered(f, x, y) if identity else Remembered(f, x)
        to_x = Remembered(g, y, x) if identity else Remembered(g, y)
        loss, fake_x, fake_y = answers.maps_loss(
            x, y, to_y, to_x, d_x, d_y, lam=lam, identity=identity
        )
        made["y"], made["x"] = (y, fake_y), (x, fake_x)
        return loss

    def judges_loss(step: int) -> Tensor:
        loss = torch.zeros((), device=device)
        for side, judge in (("y", d_y), ("x", d_x)):
            real, fake = made[side]
            scores = Remembered(judge, real, fakes := shown(side, fake))
            loss = loss + answers.lsgan_losses(scores(real), scores(fakes))[0]
        return loss

    name = name or f"λ = {lam:g}, identity {identity:g}"
    maps, judges = [*f.parameters(), *g.parameters()], [*d_x.parameters(), *d_y.parameters()]
    play(maps, judges, maps_loss, judges_loss, rate=RATE, steps=steps, title=name)
    return Translators(name, f.eval(), g.eval())


@dataclass(frozen=True)
class Translated:
    """What a pair of translators does with new pictures.

    Attributes:
        kept: share of digits read as they were, after ink → Y.
        kept_back: the same after Y → ink.
        pair: mean |f(x) − true partner|, over pixels from −1 to 1.
        forth: mean |g(f(x)) − x|.
        back: mean |f(g(y)) − y|.
    """

    kept: float
    kept_back: float
    pair: float
    forth: float
    back: float


def readers(heaps: Heaps, *, seed: int = 0) -> tuple[Reader, Reader]:
    """A reader of ink and a reader of the second style, from true pictures and their labels."""
    return (
        Reader(heaps.x, heaps.x_labels, seed=seed),
        Reader(heaps.y, heaps.y_labels, seed=seed),
    )


@torch.no_grad()
def judge_digits(pair: Translators, heaps: Heaps, of_x: Reader, of_y: Reader) -> Translated:
    """Judge a pair by readers, and by the partners that training did not see."""
    x, y = heaps.x_test, heaps.y_test
    there, back = pair.f(x), pair.g(y)

    def error(one: Tensor, other: Tensor) -> float:
        return (one - other).abs().mean().item()

    return Translated(
        kept=of_y.share_right(there, heaps.labels),
        kept_back=of_x.share_right(back, heaps.labels),
        pair=error(there, y),
        forth=error(pair.g(there), x),
        back=error(pair.f(back), y),
    )


def bounds(heaps: Heaps, of_x: Reader, of_y: Reader) -> dict[str, Translated]:
    """What the readers say of the true partners, and of pictures that nobody translates.

    Args:
        heaps: whose test pictures are read.
        of_x: a reader of ink.
        of_y: a reader of the second style.
    """
    labels = heaps.labels
    perfect = Translated(
        kept=of_y.share_right(heaps.y_test, labels),
        kept_back=of_x.share_right(heaps.x_test, labels),
        pair=0.0,
        forth=0.0,
        back=0.0,
    )
    idle = Translators("", nn.Identity(), nn.Identity())
    return {
        "true partners": perfect,
        "left as it is": judge_digits(idle, heaps, of_x, of_y),
    }


def digit_table(judged: Mapping[str, Translated]) -> Table:
    """What came out, one row a training."""
    rows = [
        {
            "training": name, "digit kept, ink → relief": j.kept,
            "digit kept, relief → ink": j.kept_back, "|f(x) − partner|": j.pair,
            "|g(f(x)) − x|": j.forth, "|f(g(y)) − y|": j.back,
        }
        for name, j in judged.items()
    ]  # fmt: skip
    return table("New digits, judged by readers and hidden partners", rows)
