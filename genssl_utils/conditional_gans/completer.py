"""A network that fills holes, trained with the squared error and then against discriminators."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genssl_utils.conditional_gans.holes import SIDE, WINDOW, GroundPatches, Holes, punch, window
from genssl_utils.conditional_gans.mixing import between
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall

__all__ = [
    "Completer",
    "CompletionAnswers",
    "FillNet",
    "HoleJudge",
    "go_on",
    "train_plain",
]

WIDTH, DILATIONS, LEAK = 24, (1, 2, 4, 1), 0.1
"""Features of the filling network, its dilations, and the slope below 0."""

BATCH, RATE, ALPHA = 12, 3e-3, 0.1
"""Pictures a step; learning rate of the squared error alone; weight of the adversary."""

TUNING, JUDGING, AHEAD = 2e-3, 4e-3, 20
"""Learning rates against the discriminator: the network's and its own; steps of its own before."""

MaskedLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(fill, image, mask) → the mean squared error in the hole."""


class CompletionAnswers(NamedTuple):
    """The student's four functions; the exercises say what each takes and returns."""

    composite: Callable[[Tensor, Tensor, Tensor], Tensor]
    masked_loss: MaskedLoss
    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor], Tensor]


class FillNet(nn.Module):
    """From a picture with a hole to a picture: what should be in the hole, and something outside.

    Convolutions at half of the resolution, of which some are dilated, so that each pixel of the
    hole sees the whole picture (Iizuka et al. 2017). The pixels under the hole are not looked at.
    """

    def __init__(self, width: int = WIDTH, dilations: Sequence[int] = DILATIONS) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, padding=step, dilation=step)
            for inputs, outputs, step in [
                (8, width, 1), *((width, width, step) for step in dilations), (width, 4, 1)
            ]
        )  # fmt: skip
        for layer in self.layers:
            nn.init.kaiming_normal_(layer.weight, a=LEAK, nonlinearity="leaky_relu")
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.layers[-1].weight.mul_(0.3)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Pictures (N, 1, H, W) and masks of the same shape → pictures from −1 to 1."""
        known = x.masked_fill(mask > 0, 0.0)
        mean = known.sum((2, 3), keepdim=True) / (1 - mask).sum((2, 3), keepdim=True)
        h = F.pixel_unshuffle(torch.cat([known + mean * mask, mask], 1), 2)  # (N, 8, H/2, W/2)
        for layer in self.layers[:-1]:
            h = F.leaky_relu(layer(h), LEAK)
        return torch.tanh(F.pixel_shuffle(self.layers[-1](h), 2))


class HoleJudge(nn.Module):
    """A discriminator: the whole picture, the window around the hole, or both, to one logit.

    Args:
        sees: of `global` and `local`.
        width: features after the first convolution.
    """

    def __init__(self, sees: Sequence[str] = ("global", "local"), width: int = 16) -> None:
        super().__init__()
        sides = {"global": (2, SIDE), "local": (1, WINDOW)}
        if not sees or set(sees) - set(sides):
            raise ValueError(f"A discriminator sees some of {list(sides)}, not {list(sees)}.")
        self.towers = nn.ModuleDict({name: self._tower(*sides[name], width) for name in sees})
        self.score = nn.Linear(32 * len(sees), 1)

    @staticmethod
    def _tower(channels: int, side: int, width: int) -> nn.Sequential:
        def halved(inputs: int, outputs: int) -> list[nn.Module]:
            return [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]

        return nn.Sequential(
            *halved(channels, width), *halved(width, 2 * width), *halved(2 * width, 2 * width),
            nn.Flatten(), nn.Linear(2 * width * (side // 8) ** 2, 32), nn.LeakyReLU(0.2),
        )  # fmt: skip

    def forward(self, x: Tensor, holes: Holes) -> Tensor:
        """Pictures (N, 1, 24, 24), filled or true, and where their holes are or could be → (N,)."""
        looks = {
            "global": lambda: torch.cat([x, holes.mask], 1),
            "local": lambda: window(x, holes.middle),
        }
        told = [tower(looks[name]()) for name, tower in self.towers.items()]
        return self.score(torch.cat(told, 1))[:, 0]


@dataclass(frozen=True)
class Completer:
    """A trained network.

    Attributes:
        name: how it was trained.
        net: (pictures, masks) → what it would put in the holes, and something outside of them.
    """

    name: str
    net: FillNet

    @torch.no_grad()
    def __call__(self, x: Tensor, mask: Tensor) -> Tensor:
        """Pictures of which only the pixels in the hole are of use."""
        return self.net(x, mask)

    def towards(self, other: Completer, share: float) -> Completer:
        """The one whose weights lie between its own (share 0) and another's (share 1)."""
        return Completer(f"{share:g} of the way", between(self.net, other.net, share))


def train_plain(
    seen: GroundPatches,
    masked_loss: MaskedLoss,
    *,
    steps: int = 200,
    seed: int = 0,
    name: str = "MSE",
) -> Completer:
    """Train a network with the squared error in the hole, and nothing else.

    Args:
        seen: the training pictures.
        masked_loss: the student's function.
        steps: each on 12 pictures with new holes.
        seed: of the initial weights, the batches and the holes.
        name: for tables.
    """
    draw = seed_all(seed, seen.x.device)
    net = FillNet().to(seen.x.device)

    def loss(step: int) -> Tensor:
        x, holes = _batch(seen, draw)
        return masked_loss(net(x, holes.mask), x, holes.mask)

    optimizer = torch.optim.Adam(net.parameters(), RATE, fused=True)
    fall = stay_then_fall(optimizer, steps)
    fit(
        Objective(optimizer, loss), steps, title=name, picture=False,
        after_step=lambda step: fall.step(),
    )  # fmt: skip
    return Completer(name, net)


def go_on(
    begun: Completer, seen: GroundPatches, answers: CompletionAnswers, *,
    sees: Sequence[str] = ("global", "local"), alpha: float = ALPHA, steps: int = 100,
    seed: int = 0, name: str = "",
) -> Completer:  # fmt: skip
    """Train on from a network that knows the squared error, against a discriminator.

    As Iizuka et al. 2017 (doi:10.1145/3072959.3073659) do in three phases: the squared error alone
    (`train_plain`), the discriminator alone, both in turns.

    Args:
        begun: where to begin; it stays as it is.
        seen: the training pictures.
        answers: the student's functions.
        sees: what the discriminator looks at, of `global` and `local`; with nothing there is none,
            and the squared error goes on for as many steps.
        alpha: weight of the adversarial loss beside the squared error.
        steps: of both in turns.
        seed: of the discriminator's weights, the batches and the holes.
        name: for tables.
    """
    device = seen.x.device
    draw = seed_all(seed + 1, device)
    net = copy.deepcopy(begun.net)
    judge = HoleJudge(sees).to(device) if sees else None
    turn: dict[str, object] = {}

    def judge_loss(step: int) -> Tensor:
        x, holes = _batch(seen, draw)
        fill = net(x, holes.mask)
        filled = answers.composite(x, fill, holes.mask)
        turn.update(x=x, holes=holes, fill=fill, filled=filled)
        true, _ = _batch(seen, draw)
        twice = Holes(holes.mask.repeat(2, 1, 1, 1), holes.middle.repeat(2, 1))
        real, fake = judge(torch.cat([true, filled.detach()]), twice).chunk(2)
        return answers.discriminator_loss(real, fake)

    def net_loss(step: int) -> Tensor:
        if judge is None:
            x, holes = _batch(seen, draw)
            return answers.masked_loss(net(x, holes.mask), x, holes.mask)
        x, holes, fill, filled = (turn[key] for key in ("x", "holes", "fill", "filled"))
        with _frozen(judge):
            fooled = answers.generator_loss(judge(filled, holes))
        return answers.masked_loss(fill, x, holes.mask) + alpha * fooled

    def adam(learned: nn.Module, rate: float) -> torch.optim.Adam:
        return torch.optim.Adam(learned.parameters(), rate, betas=(0.5, 0.99), fused=True)

    name = name or (" and ".join(sees) or "no adversary")
    turns, mover = {}, adam(net, TUNING)
    falls = [stay_then_fall(mover, steps)]
    if judge is not None:
        against = adam(judge, JUDGING)
        turns["discriminator"] = Objective(against, judge_loss)
        fit(turns, AHEAD, title=f"{name}: the discriminator alone", picture=False)
        falls.append(stay_then_fall(against, steps))
    fit(
        turns | {"network": Objective(mover, net_loss)}, steps, title=name, picture=False,
        after_step=lambda step: [fall.step() for fall in falls],
    )  # fmt: skip
    return Completer(name, net)


def _batch(seen: GroundPatches, draw: torch.Generator) -> tuple[Tensor, Holes]:
    """Some pictures, each with a new hole."""
    rows = torch.randint(len(seen), (BATCH,), generator=draw, device=draw.device)
    return seen.x[rows], punch(BATCH, generator=draw)


@contextmanager
def _frozen(net: nn.Module) -> Iterator[None]:
    """What runs inside gets its gradient through the network, and the network gets none."""
    for weight in net.parameters():
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in net.parameters():
            weight.requires_grad_(True)
