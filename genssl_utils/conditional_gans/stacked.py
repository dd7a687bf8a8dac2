"""StackGAN at a small size: a first stage draws at 16 × 16, a second one refines it to 32 × 32."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genssl_utils.conditional_gans.captions import SCENE, Pictures
from genssl_utils.conditional_gans.reading import CODE, enlarged, read
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall

__all__ = ["Losses", "Painter", "equal_work", "one_stage", "stage_one", "stage_two"]

BATCH = 32
RATE = 2e-3
NOISE = 16
CLOUD = 32
"""Numbers of the cloud's draw, D."""
MEMORY = 0.95
"""The painter that is kept is a moving average of the generator over about 20 steps."""
KL_WEIGHT = 0.003
"""Of the cloud's KL, which is summed over its D numbers."""


@dataclass(frozen=True)
class Losses:
    """The student's three functions.

    Attributes:
        discriminator_loss: (real logits (N,), made logits (M,)) → scalar.
        generator_loss: made logits (M,) → scalar.
        conditioning_augmentation: (mu (B, D), log_sigma (B, D), generator) → (c (B, D), kl).
    """

    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor], Tensor]
    conditioning_augmentation: Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Painter:
    """A trained generator.

    Attributes:
        generator: (codes (B, 48), torch.Generator) → (pictures (B, 3, S, S), kl).
        seconds: of the processor, that its training took; a second stage counts its own alone.
        below: the first stage, whose pictures this one refines; None where it starts from noise.
    """

    generator: nn.Module
    seconds: float
    below: Painter | None = None

    def paint(self, scenes: Tensor, *, seed: int = 0) -> Tensor:
        """Pictures of captions of these scenes (N, 7), each with noise of its own, (N, 3, S, S)."""
        draw = torch.Generator(scenes.device).manual_seed(seed)
        with torch.no_grad():
            return self.generator(read(scenes), draw)[0].clamp(-1, 1)


class _Cloud(nn.Module):
    """The code of a caption to a draw from the cloud around it."""

    def __init__(self, augmentation: Callable) -> None:
        super().__init__()
        self.layer, self.augmentation = nn.Linear(CODE, 2 * CLOUD), augmentation

    def forward(self, code: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        mu, log_sigma = self.layer(code).chunk(2, 1)  # (B, D) each
        return self.augmentation(mu, log_sigma, draw)


@dataclass(frozen=True)
class Layers:
    """A picture as three inks and where each of them goes.

    Attributes:
        where: scores (B, 3, 16, 16); a pixel's shares of the inks are their softmax.
        inks: colours (B, 3 inks, 3 channels), from −1 to 1.
    """

    where: Tensor
    inks: Tensor

    def picture(self, side: int) -> Tensor:
        """The picture (B, 3, side, side). At side 32 the scores are enlarged, not the picture: so
        its edges stay sharp."""
        where = self.where if side == 16 else enlarged(self.where)
        return torch.einsum("bkyx,bkc->bcyx", where.softmax(1), self.inks)


class _FromNoise(nn.Module):
    """Noise and a caption to a picture: Stage I at side 16, or the whole painter at side 32."""

    def __init__(self, side: int, augmentation: Callable) -> None:
        super().__init__()
        self.side, self.cloud = side, _Cloud(augmentation)
        self.first = nn.Linear(CLOUD + NOISE, 256)
        self.second, self.where = nn.Linear(256, 512), nn.Linear(512, 3 * 16**2)
        self.inks = nn.Linear(256, 9)
        with torch.no_grad():
            self.inks.bias[:3] += 0.5  # the first ink begins as light as paper

    def layers(self, code: Tensor, draw: torch.Generator) -> tuple[Layers, Tensor]:
        c, kl = self.cloud(code, draw)
        z = torch.randn(len(code), NOISE, generator=draw, device=code.device)
        h = _leaky(self.first(torch.cat([c, z], 1)))  # (B, 256)
        where = self.where(_leaky(self.second(h))).view(-1, 3, 16, 16)
        return Layers(where, self.inks(h).tanh().view(-1, 3, 3)), kl

    def forward(self, code: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        layers, kl = self.layers(code, draw)
        return layers.picture(self.side), kl


class _Refiner(nn.Module):
    """Stage II: what Stage I painted and the caption, read again, to a picture of 32 × 32. It adds
    to Stage I's scores and inks."""

    def __init__(self, below: _FromNoise, augmentation: Callable) -> None:
        super().__init__()
        self.cloud = _Cloud(augmentation)
        self._below = [below]  # in a list: its weights are not this net's, and do not learn
        self.first, self.second = nn.Linear(3 * 16**2 + 9 + CLOUD, 384), nn.Linear(384, 384)
        self.where, self.inks = nn.Linear(384, 3 * 16**2), nn.Linear(384, 9)
        with torch.no_grad():  # it begins by changing little
            self.where.weight.mul_(0.3)
            self.inks.weight.mul_(0.3)

    def layers(self, code: Tensor, draw: torch.Generator) -> tuple[Layers, Tensor]:
        with torch.no_grad():
            old, _ = self._below[0].layers(code, draw)
        c, kl = self.cloud(code, draw)
        seen = (old.where - old.where.mean(1, keepdim=True)).clamp(-6, 6) / 3
        h = _leaky(self.first(torch.cat([seen.flatten(1), old.inks.flatten(1), c], 1)))
        h = _leaky(self.second(h))  # (B, 384)
        inks = old.inks.clamp(-0.99, 0.99).atanh() + self.inks(h).view(-1, 3, 3)
        return Layers(old.where + self.where(h).view(-1, 3, 16, 16), inks.tanh()), kl

    def forward(self, code: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        layers, kl = self.layers(code, draw)
        return layers.picture(32), kl


class _Critic(nn.Module):
    """D: does this picture look real, and does it go with this caption? One logit."""

    def __init__(self, side: int, width: int = 16) -> None:
        super().__init__()
        fold = side // 16
        self.body = nn.Sequential(
            nn.PixelUnshuffle(fold),  # (B, 3 fold², 16, 16)
            nn.Conv2d(3 * fold**2, width, 4, 2, 1), nn.LeakyReLU(0.2),  # (B, W, 8, 8)
            nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(0.2),  # (B, 2W, 4, 4)
            nn.Flatten(), nn.Linear(32 * width, 128), nn.LeakyReLU(0.2),
        )  # fmt: skip
        self.look, self.agree = nn.Linear(128, 1), nn.Linear(CODE, 128)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        return self.agreement(self.body(x), code)

    def agreement(self, h: Tensor, code: Tensor) -> Tensor:
        """The logits (B,) of pictures by their features (B, 128), with these codes (B, 48)."""
        return self.look(h)[:, 0] + 2 * (h * self.agree(code)).sum(1) / 128**0.5


def _leaky(h: Tensor) -> Tensor:
    return F.leaky_relu(h, 0.2)


def stage_one(data: Pictures, losses: Losses, *, steps: int = 170, seed: int = 0) -> Painter:
    """Stage I: noise and a caption to a picture of 16 × 16.

    Args:
        data: pictures to learn from.
        losses: the functions under test.
        steps: of each network, on 32 pictures.
        seed: of the weights, the batches and the noise.
    """
    seed_all(seed)
    net = _FromNoise(16, losses.conditioning_augmentation)
    return _play(net, data.small, data.scenes, losses, steps, seed, "Stage I")


def stage_two(
    below: Painter, data: Pictures, losses: Losses, *, steps: int = 240, seed: int = 0
) -> Painter:
    """Stage II: what a trained Stage I paints, and the caption again, to a picture of 32 × 32.

    Args:
        below: the trained first stage; it does not learn any more.
        data, losses, steps, seed: as in `stage_one`.
    """
    seed_all(seed + 1)
    net = _Refiner(below.generator, losses.conditioning_augmentation)
    return _play(net, data.large, data.scenes, losses, steps, seed, "Stage II", below)


def one_stage(data: Pictures, losses: Losses, *, steps: int = 450, seed: int = 0) -> Painter:
    """The baseline: noise and a caption to 32 × 32 at once, by the same kind of networks.

    Args:
        data, losses, steps, seed: as in `stage_one`.
    """
    seed_all(seed)
    net = _FromNoise(32, losses.conditioning_augmentation)
    return _play(net, data.large, data.scenes, losses, steps, seed, "one stage")


def equal_work(first: int, second: int) -> int:
    """Steps of the one-stage painter that cost as many multiplications as so many of both stages.

    A step trains G on made pictures (forward and back: three times the multiplications of a pass)
    and D on real and on made ones; then the gradient comes back through D once more.

    Args:
        first, second: steps of Stage I and of Stage II.
    """
    augmentation: Callable = lambda mu, log_sigma, draw: (mu + log_sigma, mu.mean())  # noqa: E731
    small, large = _FromNoise(16, augmentation), _FromNoise(32, augmentation)
    refiner = _Refiner(small, augmentation)
    draw, code = torch.Generator(), torch.zeros(1, CODE)
    paint = [multiplications(net, code, draw) for net in (small, refiner, large)]
    look = [multiplications(_Critic(s), torch.zeros(1, 3, s, s), code) for s in (16, 32)]
    costs = 3 * paint[0] + 8 * look[0], 3 * paint[1] + paint[0] + 8 * look[1]
    return round((first * costs[0] + second * costs[1]) / (3 * paint[2] + 8 * look[1]))


def multiplications(net: nn.Module, *inputs: object) -> int:
    """What the linear layers and convolutions of one forward pass multiply."""
    counts: list[int] = []

    def count(layer: nn.Module, given: object, out: Tensor) -> None:
        counts.append(layer.weight[0].numel() * out.numel())

    layers = [m for m in net.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        net(*inputs)
    for hook in hooks:
        hook.remove()
    return sum(counts)


class _Game:
    """A generator against a D that knows the captions, and sees three kinds of pairs: real with its
    caption, real with another one, made with its caption (Reed et al. 2016, arXiv:1605.05396)."""

    def __init__(
        self, net: nn.Module, real: Tensor, scenes: Tensor, losses: Losses, seed: int
    ) -> None:
        self.net, self.real, self.scenes, self.losses = net, real, scenes, losses
        self.critic = _Critic(real.shape[-1]).to(real.device)
        self.draw = torch.Generator(real.device).manual_seed(seed)
        self.code = read(scenes)

    def judge(self, step: int) -> Tensor:
        """D's loss."""
        size = len(self.real)
        rows = torch.randint(size, (BATCH,), generator=self.draw, device=self.real.device)
        self.right, wrong = self.code[rows], read(_other_scenes(self.scenes, rows, self.draw))
        self.made, self.kl = self.net(self.right, self.draw)
        self.critic.requires_grad_(True)
        h, h_made = self.critic.body(torch.cat([self.real[rows], self.made.detach()])).chunk(2)
        matching = self.critic.agreement(h, self.right)
        others = torch.cat([h, h_made]), torch.cat([wrong, self.right])
        return self.losses.discriminator_loss(matching, self.critic.agreement(*others))

    def fool(self, step: int) -> Tensor:
        """G's loss, on the pictures that D has just seen."""
        self.critic.requires_grad_(False)
        logits = self.critic(self.made, self.right)
        return self.losses.generator_loss(logits) + KL_WEIGHT * self.kl


def _play(
    net: nn.Module, real: Tensor, scenes: Tensor, losses: Losses, steps: int, seed: int,
    title: str, below: Painter | None = None,
) -> Painter:  # fmt: skip
    """Train a generator; what is kept is a moving average of its weights."""
    net = net.to(real.device)
    average, game = copy.deepcopy(net), _Game(net, real, scenes, losses, seed)
    fused = real.device.type in ("cpu", "cuda")  # one pass over the weights in place of ten
    adams = {
        name: torch.optim.Adam(part.parameters(), RATE, (0.5, 0.99), fused=fused)
        for name, part in (("D", game.critic), ("G", net))
    }
    falling = [stay_then_fall(adam, steps, last=0.2) for adam in adams.values()]

    def after(step: int) -> None:
        for schedule in falling:
            schedule.step()
        keep = min(MEMORY, step / (step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - keep)

    began = time.process_time()
    objectives = {"D": Objective(adams["D"], game.judge), "G": Objective(adams["G"], game.fool)}
    fit(objectives, steps, title=title, after_step=after, picture=False)
    return Painter(average.requires_grad_(False), time.process_time() - began, below)


def _other_scenes(scenes: Tensor, rows: Tensor, draw: torch.Generator) -> Tensor:
    """Wrong captions for pictures: another picture's, or the right one with one part changed."""
    other = scenes[torch.randint(len(scenes), rows.shape, generator=draw, device=rows.device)]
    choices = torch.tensor(SCENE, device=rows.device)
    part = torch.randint(len(SCENE), rows.shape, generator=draw, device=rows.device)
    shift = torch.rand(rows.shape, generator=draw, device=rows.device) * (choices[part] - 1)
    near, at = scenes[rows].clone(), torch.arange(len(rows), device=rows.device)
    near[at, part] = (near[at, part] + 1 + shift.long()) % choices[part]
    coin = torch.rand(rows.shape, generator=draw, device=rows.device) < 0.5
    return torch.where(coin[:, None], near, other)
