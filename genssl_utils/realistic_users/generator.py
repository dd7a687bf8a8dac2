"""The conditional GAN that generates buyers, and the conditional VAE beside it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genssl_utils.kit.nets import mlp
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall
from genssl_utils.realistic_users.homes import Homes
from genssl_utils.realistic_users.makers import Condition, Maker, misfit, trained
from genssl_utils.realistic_users.market import Market
from genssl_utils.realistic_users.people import SIZES, People

__all__ = ["GAN_STEPS", "BuyerNet", "Choose", "train_cvae", "train_gan"]

NOISE, HIDDEN, TAU = 16, (96, 96), 0.7
"""Numbers that a buyer begins as; widths of the networks; temperature of the choice."""
BATCH, RATE, PENALTY, EVERY, EASE = 512, 2e-3, 1.0, 4, 0.99
"""Buyers a step; learning rate; weight of the slope penalty, and in which steps it is charged, that
many times over; memory of the averaged weights."""
GAN_STEPS = 1200

Choose = Callable[[Tensor, Sequence[int], float, torch.Generator], Tensor]
"""(logits, sizes, tau, generator) → one-hot blocks, the student's `multi_categorical_st`."""


class BuyerNet(nn.Module):
    """From noise and a home's numbers to the logits of the categories, and the numbers.

    Args:
        told: how many numbers a home has.
    """

    def __init__(self, told: int) -> None:
        super().__init__()
        self.layers = mlp(
            NOISE + told, sum(SIZES) + 2, hidden=HIDDEN, activation=lambda: nn.LeakyReLU(0.1)
        )

    def forward(self, noise: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, 14) and numbers (B, 2) from noise (B, 16) and homes (B, C)."""
        out = self.layers(torch.cat([noise, told], 1))
        return out[:, : sum(SIZES)], out[:, sum(SIZES) :]


def train_gan(
    market: Market, condition: Condition, multi_categorical_st: Choose, *, name: str = "GAN",
    steps: int = GAN_STEPS, seed: int = 0, picture: bool = False,
) -> Maker:  # fmt: skip
    """A generator of buyers against a discriminator that knows the home, too.

    Non-saturating losses, a penalty on the discriminator's slope at true buyers (Mescheder et al.
    2018, arXiv:1801.04406), learning rates that fall to 0 over the second half, and a moving
    average of the generator's weights.

    Args:
        market: the clicks: a true pair is a home and somebody who clicked on it.
        condition: what is told of a home.
        multi_categorical_st: the student's function.
        name: for tables.
        steps: of both networks, each on 512 buyers.
        seed: of weights, batches and noise.
        picture: whether to draw the losses.
    """
    told = condition(market.homes)
    device = told.device
    draw = seed_all(seed, device)
    net = BuyerNet(told.shape[1]).to(device)
    width = told.shape[1] + sum(SIZES) + 2
    judge = mlp(width, 1, hidden=HIDDEN, activation=lambda: nn.LeakyReLU(0.1)).to(device)
    average = copy.deepcopy(net)

    def batch() -> tuple[Tensor, Tensor]:
        rows = torch.randint(len(market.clicks), (BATCH,), generator=draw, device=device)
        who, what = market.clicks[rows].unbind(1)
        return market.people.rows[who], told[what]

    turn: dict[str, Tensor] = {}

    def judge_loss(step: int) -> Tensor:
        real, home = batch()
        made = _made(net, home, multi_categorical_st, draw)
        turn.update(made=made, home=home)  # the generator's own turn goes on from here
        charged = step % EVERY == 0
        real.requires_grad_(charged)
        on_real = judge(torch.cat([real, home], 1))
        on_made = judge(torch.cat([made.detach(), home], 1))
        loss = F.softplus(-on_real).mean() + F.softplus(on_made).mean()
        if charged:
            (slope,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
            loss = loss + EVERY * PENALTY / 2 * slope.square().sum(1).mean()
        return loss

    def net_loss(step: int) -> Tensor:
        for weight in judge.parameters():
            weight.requires_grad_(False)
        loss = F.softplus(-judge(torch.cat([turn["made"], turn["home"]], 1))).mean()
        for weight in judge.parameters():
            weight.requires_grad_(True)
        return loss

    movers = [
        torch.optim.Adam(one.parameters(), RATE, betas=(0.0, 0.99), fused=True)
        for one in (judge, net)
    ]
    falls = [stay_then_fall(mover, steps) for mover in movers]

    @torch.no_grad()
    def after(step: int) -> None:
        for fall in falls:
            fall.step()
        ease = min(EASE, (step + 1) / (step + 10))
        torch._foreach_lerp_([*average.parameters()], [*net.parameters()], 1 - ease)

    turns = {
        "discriminator": Objective(movers[0], judge_loss),
        "generator": Objective(movers[1], net_loss),
    }
    fit(
        turns,
        steps,
        title=name,
        record_every=max(50, steps // 5),
        picture=picture,
        after_step=after,
    )
    return maker_of(name, trained(average), condition, multi_categorical_st)


def maker_of(name: str, net: BuyerNet, condition: Condition, multi_categorical_st: Choose) -> Maker:
    """What a trained generator makes."""

    @torch.no_grad()
    def make(home: Homes, n: int, generator: torch.Generator) -> People:
        told = condition(home).expand(n, -1)
        return People(_made(net, told, multi_categorical_st, generator))

    return Maker(name, make, next(net.parameters()).device, net)


def _made(net: BuyerNet, told: Tensor, choose: Choose, draw: torch.Generator) -> Tensor:
    noise = torch.randn(len(told), NOISE, generator=draw, device=told.device)
    logits, numbers = net(noise, told)
    return torch.cat([choose(logits, SIZES, TAU, draw), numbers], 1)


def train_cvae(
    market: Market, condition: Condition, *, steps: int = GAN_STEPS, latent: int = 8, seed: int = 0
) -> Maker:
    """The same task for a conditional VAE (Kingma et al. 2014,
    arXiv:1406.5298), with a decoder of the same size.

    The encoder reads a buyer and the home; the decoder says logits of the categories, means of the
    numbers and one spread for each number. The loss is the exact negative ELBO.

    Args:
        market: the clicks.
        condition: what is told of a home.
        steps: of the training, each on 512 buyers.
        latent: numbers that a buyer is made of.
        seed: of weights, batches and noise.
    """
    told = condition(market.homes)
    device, columns = told.device, market.people.rows.shape[1]
    draw = seed_all(seed, device)
    reader = mlp(columns + told.shape[1], 2 * latent, hidden=HIDDEN).to(device)
    writer = mlp(latent + told.shape[1], columns, hidden=HIDDEN).to(device)
    log_spread = torch.zeros(2, device=device, requires_grad=True)

    def loss(step: int) -> Tensor:
        rows = torch.randint(len(market.clicks), (BATCH,), generator=draw, device=device)
        who, what = market.clicks[rows].unbind(1)
        people, home = market.people.rows[who], told[what]
        mean, log_sd = reader(torch.cat([people, home], 1)).chunk(2, 1)
        noise = torch.randn(mean.shape, generator=draw, device=device)
        guess = writer(torch.cat([mean + log_sd.exp() * noise, home], 1))
        far = (mean.square() + (2 * log_sd).exp() - 1) / 2 - log_sd
        return (misfit(guess, people, log_spread) + far.sum(1)).mean()

    learned = [*reader.parameters(), *writer.parameters(), log_spread]
    adam = torch.optim.Adam(learned, 2e-3, fused=True)
    fall = stay_then_fall(adam, steps)
    fit(
        Objective(adam, loss), steps, title="conditional VAE", picture=False,
        after_step=lambda step: fall.step(),
    )  # fmt: skip
    trained(writer)
    spread = log_spread.detach().exp()

    @torch.no_grad()
    def make(home: Homes, n: int, generator: torch.Generator) -> People:
        where = condition(home).expand(n, -1)
        z = torch.randn(n, latent, generator=generator, device=device)
        *logits, means = writer(torch.cat([z, where], 1)).split([*SIZES, 2], 1)
        drawn = (torch.multinomial(part.softmax(1), 1, generator=generator) for part in logits)
        hot = [F.one_hot(one[:, 0], size) for one, size in zip(drawn, SIZES, strict=True)]
        noise = torch.randn(n, 2, generator=generator, device=device)
        return People(torch.cat([*hot, means + spread * noise], 1))

    return Maker("conditional VAE", make, device)
