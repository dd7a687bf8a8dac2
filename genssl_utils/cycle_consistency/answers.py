"""What the student wrote, by name, and the game that both experiments play with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from genssl_utils.kit.training import Objective, fit, stay_then_fall

__all__ = ["Answers", "Map", "Remembered", "play"]

Map = Callable[[Tensor], Tensor]
"""From points or pictures to as many of the other kind."""


class Answers(NamedTuple):
    """The student's four functions; the exercises say what each takes and returns."""

    cycle_loss: Callable[[Tensor, Map, Map], Tensor]
    lsgan_losses: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    identity_loss: Callable[[Tensor, Tensor, Map, Map], Tensor]
    replay: Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]

    def maps_loss(
        self, x: Tensor, y: Tensor, to_y: Map, to_x: Map, judge_x: Map, judge_y: Map, *,
        lam: float, identity: float,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """What both maps lower together: fooling the discriminators, cycles and identity.

        Args:
            x: a batch of X.
            y: a batch of Y.
            to_y: from X to Y.
            to_x: from Y to X.
            judge_x: scores of what should be X.
            judge_y: scores of what should be Y.
            lam: weight λ of the cycle loss, both ways.
            identity: weight of the identity loss.

        Returns:
            The loss, and the fakes that it judged, detached: those of X, and those of Y.
        """
        fake_y, fake_x = to_y(x), to_x(y)
        with torch.no_grad():
            real_y, real_x = judge_y(y), judge_x(x)
        loss = self.lsgan_losses(real_y, judge_y(fake_y))[1]
        loss = loss + self.lsgan_losses(real_x, judge_x(fake_x))[1]
        if lam:
            there = self.cycle_loss(x, to_y, to_x)
            loss = loss + lam * (there + self.cycle_loss(y, to_x, to_y))
        if identity:
            loss = loss + identity * self.identity_loss(x, y, to_y, to_x)
        return loss, fake_x.detach(), fake_y.detach()


class Remembered:
    """A network that is run once on some batches, together, and does not run on them again.

    A loss may then ask for f(x) as often as its formula says. Any other tensor goes through the
    network as usual.

    Args:
        net: treats each row of a batch by itself.
        batches: what it is run on at once, each (B, …).
    """

    def __init__(self, net: Map, *batches: Tensor) -> None:
        self.net = net
        parts = net(torch.cat(batches)).split([len(batch) for batch in batches])
        self.known = list(zip(batches, parts, strict=True))

    def __call__(self, x: Tensor) -> Tensor:
        """The network's output for x."""
        for seen, out in self.known:
            if seen is x:
                return out
        return self.net(x)


def play(
    maps: Iterable[Tensor], judges: Iterable[Tensor], maps_loss: Callable[[int], Tensor],
    judges_loss: Callable[[int], Tensor], *, rate: float, steps: int, title: str,
) -> None:  # fmt: skip
    """Maps and discriminators in turns, by Adam with the paper's momentum.

    Args:
        maps: the parameters of the maps.
        judges: those of the discriminators.
        maps_loss: the number of a step → what the maps lower.
        judges_loss: the same for the discriminators.
        rate: learning rate of both; it falls to 0 over the second half.
        steps: of each.
        title: what is trained.
    """
    forth, against = (
        torch.optim.Adam(learned, rate, betas=(0.5, 0.999), fused=True)
        for learned in (maps, judges)
    )
    falls = [stay_then_fall(optimizer, steps) for optimizer in (forth, against)]
    turns = {
        "translators": Objective(forth, maps_loss),
        "discriminators": Objective(against, judges_loss),
    }
    fit(
        turns, steps, title=title, picture=False,
        after_step=lambda step: [fall.step() for fall in falls],
    )  # fmt: skip
