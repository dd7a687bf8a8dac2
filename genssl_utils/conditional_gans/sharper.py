"""A network that enlarges photographs: trained on the squared error, then against an adversary.

The recipe is SRGAN's (Ledig et al. 2017, arXiv:1609.04802) at a size for seconds: two residual
blocks in place of sixteen, and the features of a small network of ours in place of VGG's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from skimage.metrics import structural_similarity
from torch import Tensor, nn

from genssl_utils.conditional_gans.perception import Eye, blurred, coach, judge, turned
from genssl_utils.conditional_gans.photographs import Patches, enlarge
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall

__all__ = [
    "Looks",
    "Upscaler",
    "judge_sharpness",
    "train_on_error",
    "train_with_adversary",
]

BATCH = 10
BLOCKS, WIDTH, FINE = 2, 24, (16, 8)
"""Residual blocks, their channels, and the channels after each of the two shuffles."""
PERCEPTION, ADVERSARY = 0.05, 3e-3
"""Weights of the distance in features and of the adversarial loss, beside the squared error. They
and the numbers of steps were chosen by what came out on the three held-out photographs, so that
these are no untouched test."""

Shuffle = Callable[[Tensor, int], Tensor]
Loss = Callable[..., Tensor]


class Upscaler(nn.Module):
    """Small pictures (N, 1, H, W) → large ones (N, 1, 4H, 4W).

    It works on the small grid, where a convolution costs a sixteenth, and shuffles channels into
    pixels twice. What it makes is added to the bicubic picture.

    Args:
        pixel_shuffle: (x, r) → x with each r² channels laid out as r × r pixels, the student's.
        width: channels of the residual blocks.
        blocks: how many of them.
    """

    def __init__(self, pixel_shuffle: Shuffle, *, width: int = WIDTH, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.shuffle = pixel_shuffle
        middle, last = FINE
        self.head = nn.Conv2d(1, width, 5, padding=2)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1),
            )
            for _ in range(blocks)
        )  # fmt: skip
        self.twice = nn.Conv2d(width, 4 * middle, 3, padding=1)
        self.again = nn.Conv2d(middle, 4 * last, 3, padding=1)
        self.tail = nn.Conv2d(last, 1, 3, padding=1)
        nn.init.zeros_(self.tail.weight)  # so that it begins as bicubic interpolation
        nn.init.zeros_(self.tail.bias)

    def forward(self, small: Tensor) -> Tensor:
        """The large picture, which may go a little beyond 0 and 1."""
        h = F.relu(self.head(2 * small - 1))  # (N, 24, H, W)
        for block in self.blocks:
            h = h + block(h)
        h = F.leaky_relu(self.shuffle(self.twice(h), 2), 0.2)  # (N, 16, 2H, 2W)
        h = F.leaky_relu(self.shuffle(self.again(h), 2), 0.2)  # (N, 8, 4H, 4W)
        return enlarge(small) + 0.5 * self.tail(h)

    @torch.no_grad()
    def picture(self, small: Tensor) -> Tensor:
        """The large picture, from 0 to 1."""
        return self(small).clamp(0, 1)


def _critic(width: int = 16) -> nn.Sequential:
    """A discriminator that gives one logit for each overlapping piece of a picture."""

    def half(before: int, after: int) -> list[nn.Module]:
        return [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]

    return nn.Sequential(
        *half(1, width), *half(width, 2 * width), *half(2 * width, 2 * width),
        nn.Conv2d(2 * width, 1, 3, padding=1),
    )  # fmt: skip


def _batches(pool: Patches, draw: torch.Generator) -> Callable[[int], Patches]:
    def batch(step: int) -> Patches:
        rows = torch.randint(len(pool.large), (BATCH,), generator=draw, device=draw.device)
        return Patches(*(turned(part[rows], step) for part in pool))

    return batch


def train_on_error(
    pool: Patches, pixel_shuffle: Shuffle, *, steps: int = 240, width: int = WIDTH,
    blocks: int = BLOCKS, seed: int = 0,
) -> Upscaler:  # fmt: skip
    """Train on the mean squared error of the pixels alone.

    Args:
        pool: patches to learn from.
        pixel_shuffle: the student's.
        steps: of Adam, each on 10 patches.
        width: of the network.
        blocks: of the network.
        seed: of the weights and the batches.
    """
    draw = seed_all(seed, pool.large.device)
    net = Upscaler(pixel_shuffle, width=width, blocks=blocks).to(pool.large.device)
    batch = _batches(pool, draw)
    adam = torch.optim.Adam(net.parameters(), 3e-3)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)

    def loss(step: int) -> Tensor:
        large, small = batch(step)
        return F.mse_loss(net(small), large)

    fit(
        Objective(adam, loss), steps, title="squared error", picture=False,
        after_step=lambda step: fall.step(),
    )  # fmt: skip
    return net


def train_with_adversary(
    start: Upscaler, pool: Patches, discriminator_loss: Loss, generator_loss: Loss, *,
    perception: float = PERCEPTION, adversary: float = ADVERSARY, steps: int = 120, seed: int = 0,
) -> Upscaler:  # fmt: skip
    """Go on from a trained network with three losses: pixels, features, and an adversary.

    Args:
        start: trained on the squared error; it stays as it is.
        pool: patches to learn from.
        discriminator_loss: (real_logits, fake_logits) → scalar, the student's.
        generator_loss: fake_logits → scalar, the student's.
        perception: weight of the distance in the coach's features.
        adversary: weight of the adversarial loss.
        steps: of both networks in turn, each on 10 patches.
        seed: of the adversary's weights and the batches.
    """
    device = pool.large.device
    draw = seed_all(seed, device)
    net, critic = copy.deepcopy(start), _critic().to(device)
    eye = copy.deepcopy(coach()).to(device)
    batch = _batches(pool, draw)
    held: list[Patches] = []

    def critic_loss(step: int) -> Tensor:
        held[:] = [batch(step)]
        large, small = held[0]
        with torch.no_grad():
            fake = net(small)
        return discriminator_loss(critic(2 * large - 1), critic(2 * fake - 1))

    def net_loss(step: int) -> Tensor:
        large, small = held[0]
        made = net(small)
        pixels, looks = F.mse_loss(made, large), eye.distance(made, large).mean()
        fooled = generator_loss(critic(2 * made - 1))
        return pixels + perception * looks + adversary * fooled

    adam = torch.optim.Adam(net.parameters(), 1e-3, betas=(0.5, 0.99))
    other = torch.optim.Adam(critic.parameters(), 4e-4, betas=(0.5, 0.99))
    fall = stay_then_fall(adam, steps)
    fit(
        {"discriminator": Objective(other, critic_loss), "generator": Objective(adam, net_loss)},
        steps, title="with an adversary", picture=False, after_step=lambda step: fall.step(),
    )  # fmt: skip
    return net


@dataclass(frozen=True)
class Looks:
    """What enlarged pictures are worth, each a mean over the pictures.

    Attributes:
        psnr: peak signal-to-noise ratio in dB, higher is better.
        ssim: structural similarity, 1 is equal (Wang et al. 2004).
        distance: the judge's, 0 is equal.
        detail: how strong the fine detail is, as a share of the truth's; 1 is right.
    """

    psnr: float
    ssim: float
    distance: float
    detail: float


def judge_sharpness(
    made: Mapping[str, Tensor], truth: Tensor, eye: Eye | None = None
) -> dict[str, Looks]:
    """Compare enlarged pictures with the truth.

    Args:
        made: name → pictures (N, 1, H, W), from 0 to 1.
        truth: (N, 1, H, W).
        eye: whose distance counts; the judge's by default.

    Returns:
        Name → what they are worth.
    """
    eye = copy.deepcopy(eye or judge()).to(truth.device)
    fine = _detail(truth)
    found = {}
    for name, pictures in made.items():
        error = (pictures - truth).square().mean((1, 2, 3))
        alike = [
            structural_similarity(a[0], b[0], data_range=1.0)
            for a, b in zip(pictures.cpu().numpy(), truth.cpu().numpy(), strict=True)
        ]
        found[name] = Looks(
            float((-10 * error.clamp(min=1e-10).log10()).mean()),
            float(sum(alike) / len(alike)),
            float(eye.distance(pictures, truth).mean()),
            float((_detail(pictures) / fine).mean()),
        )
    return found


def _detail(pictures: Tensor) -> Tensor:
    """Root mean square of what a blur of one pixel takes away, one number a picture."""
    return (pictures - blurred(pictures, 1.0)).square().mean((1, 2, 3)).sqrt()
