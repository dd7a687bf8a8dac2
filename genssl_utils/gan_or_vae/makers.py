"""The two rivals on the digits, and the regression that both are held against."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genssl_utils.kit.nets import mlp
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall

__all__ = [
    "Gan",
    "Maker",
    "Vae",
    "VaeAnswers",
    "decoder_net",
    "frozen",
    "train_gan",
    "train_regression",
    "train_vae",
]

LATENT, WIDTH, BATCH, DOTS = 16, 128, 64, 16
"""Numbers of a code, units of a hidden layer, pictures a step, dots of a pixel."""

VAE_RATE, GAN_RATE, PENALTY = 2e-3, 1e-3, 1.0
"""Learning rates, each the best of a few for its own method; weight of the squared slope."""


class VaeAnswers(NamedTuple):
    """The student's three functions; the exercises say what each takes and returns."""

    reparameterize: Callable[[Tensor, Tensor, torch.Generator], Tensor]
    gaussian_kl: Callable[[Tensor, Tensor], Tensor]
    elbo: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Maker:
    """A decoder from codes to pictures, and what its training took.

    Attributes:
        name: for tables.
        decoder: codes (N, latent) → logits (N, 64).
        latent: numbers of a code.
        steps: training steps.
        seconds: that the training took.
        others: weights of the networks that were trained beside the decoder.
    """

    name: str
    decoder: nn.Module
    latent: int
    steps: int
    seconds: float
    others: int

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.decoder.parameters()).device

    @property
    def weights(self) -> int:
        """Weights of the decoder."""
        return _size(self.decoder)

    @torch.no_grad()
    def __call__(self, z: Tensor) -> Tensor:
        """Pictures (N, 64) from 0 to 1 of codes (N, latent)."""
        return self.decoder(z).sigmoid()

    def codes(self, n: int, seed: int = 0) -> Tensor:
        """Fresh standard normal codes, (n, latent)."""
        draw = torch.Generator(self.device).manual_seed(seed)
        return torch.randn(n, self.latent, generator=draw, device=self.device)

    def draw(self, n: int, seed: int = 0) -> Tensor:
        """Fresh pictures, (n, 64)."""
        return self(self.codes(n, seed))


@dataclass(frozen=True)
class Vae(Maker):
    """A decoder that was trained with an encoder (Kingma & Welling 2014, arXiv:1312.6114).

    Attributes:
        encoder: pictures (N, 64) → mean and log-variance side by side, (N, 2 · latent).
    """

    encoder: nn.Module

    @torch.no_grad()
    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the codes of pictures, (N, latent) each."""
        mean, log_var = self.encoder(x).chunk(2, dim=1)
        return mean, log_var

    @torch.no_grad()
    def with_dots(self, z: Tensor, seed: int = 0) -> Tensor:
        """Pictures as the model has them: each of a pixel's 16 dots is drawn by itself."""
        draw = torch.Generator(self.device).manual_seed(seed)
        share = self(z).repeat(DOTS, 1, 1)
        return torch.bernoulli(share, generator=draw).mean(0)


@dataclass(frozen=True)
class Gan(Maker):
    """A generator that was trained against a discriminator (arXiv:1406.2661).

    Attributes:
        judge: the discriminator, pictures (N, 64) → logits (N, 1).
    """

    judge: nn.Module

    @torch.no_grad()
    def last_layer(self, x: Tensor) -> Tensor:
        """What the discriminator's last hidden layer says of pictures, (N, width)."""
        return self.judge[:-1](x)


def decoder_net(latent: int = LATENT, width: int = WIDTH) -> nn.Sequential:
    """The decoder that all share: codes (N, latent) → logits (N, 64)."""
    return mlp(latent, 64, hidden=(width, width))


def train_vae(
    x: Tensor, answers: VaeAnswers, *, steps: int = 3000, latent: int = LATENT,
    width: int = WIDTH, seed: int = 0, picture: bool = True, name: str = "VAE",
) -> Vae:  # fmt: skip
    """Train a VAE by the student's functions.

    Args:
        x: pictures of 17 grey levels, (N, 64), from 0 to 1.
        answers: the student's functions.
        steps: each on 64 pictures.
        latent: numbers of a code.
        width: units of each hidden layer.
        seed: of the weights, the batches and the noise.
        picture: whether to draw the loss in a notebook.
        name: for tables.
    """
    draw = seed_all(seed, x.device)
    encoder = mlp(64, 2 * latent, hidden=(width, width)).to(x.device)
    decoder = decoder_net(latent, width).to(x.device)

    def loss(step: int) -> Tensor:
        batch = _batch(x, draw)
        mean, log_var = encoder(batch).chunk(2, dim=1)
        z = answers.reparameterize(mean, log_var, draw)
        return -answers.elbo(batch, decoder(z), mean, log_var).mean()

    optimizer = _adam([encoder, decoder], VAE_RATE)
    seconds = _timed({"minus the bound": Objective(optimizer, loss)}, steps, name, picture)
    return Vae(name, decoder, latent, steps, seconds, _size(encoder), encoder)


def train_gan(
    x: Tensor, *, steps: int = 3000, latent: int = LATENT, width: int = WIDTH, seed: int = 0,
    picture: bool = True, name: str = "GAN",
) -> Gan:  # fmt: skip
    """Train a GAN: in each step the discriminator moves once, then the generator.

    Both pay by the cross-entropy; the discriminator pays for its squared slope at true pictures,
    too. Without that penalty a GAN of 1257 pictures falls over (R1, arXiv:1801.04406).

    Args:
        x: pictures, (N, 64), from 0 to 1.
        steps: each on 64 true pictures and 64 made ones.
        latent: numbers of a code.
        width: units of each hidden layer.
        seed: of the weights, the batches and the noise.
        picture: whether to draw the losses in a notebook.
        name: for tables.
    """
    draw = seed_all(seed, x.device)
    decoder = decoder_net(latent, width).to(x.device)
    judge = mlp(64, 1, hidden=(width, width), activation=lambda: nn.LeakyReLU(0.2)).to(x.device)

    def made() -> Tensor:
        z = torch.randn(BATCH, latent, generator=draw, device=x.device)
        return decoder(z).sigmoid()

    turn: dict[str, Tensor] = {}

    def judge_loss(step: int) -> Tensor:
        turn["made"] = made()
        fakes = turn["made"].detach()
        real = _batch(x, draw).requires_grad_()
        true = judge(real)
        (slope,) = torch.autograd.grad(true.sum(), real, create_graph=True)
        steep = slope.square().sum(1).mean()
        return (F.softplus(-true) + F.softplus(judge(fakes))).mean() + PENALTY / 2 * steep

    def generator_loss(step: int) -> Tensor:
        with frozen(judge):
            return F.softplus(-judge(turn["made"])).mean()

    turns = {
        "discriminator": Objective(_adam([judge], GAN_RATE, betas=(0.0, 0.99)), judge_loss),
        "generator": Objective(_adam([decoder], GAN_RATE, betas=(0.0, 0.99)), generator_loss),
    }
    seconds = _timed(turns, steps, name, picture)
    return Gan(name, decoder, latent, steps, seconds, _size(judge), judge)


def train_regression(
    x: Tensor, *, steps: int = 1000, latent: int = LATENT, width: int = WIDTH, seed: int = 0,
    name: str = "squared error",
) -> Maker:  # fmt: skip
    """Train the same decoder to meet the next true picture with little squared error.

    Its code is noise that knows nothing of that picture.

    Args:
        x: pictures, (N, 64), from 0 to 1.
        steps: each on 64 pictures.
        latent: numbers of a code.
        width: units of each hidden layer.
        seed: of the weights, the batches and the noise.
        name: for tables.
    """
    draw = seed_all(seed, x.device)
    decoder = decoder_net(latent, width).to(x.device)

    def loss(step: int) -> Tensor:
        z = torch.randn(BATCH, latent, generator=draw, device=x.device)
        return F.mse_loss(decoder(z).sigmoid(), _batch(x, draw))

    turns = {"squared error": Objective(_adam([decoder], VAE_RATE), loss)}
    seconds = _timed(turns, steps, name, picture=False)
    return Maker(name, decoder, latent, steps, seconds, 0)


@contextmanager
def frozen(net: nn.Module) -> Iterator[None]:
    """What runs inside gets its gradient through the network, and the network gets none."""
    for weight in net.parameters():
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in net.parameters():
            weight.requires_grad_(True)


def _batch(x: Tensor, draw: torch.Generator) -> Tensor:
    return x[torch.randint(len(x), (BATCH,), generator=draw, device=draw.device)]


def _size(net: nn.Module) -> int:
    return sum(part.numel() for part in net.parameters())


def _adam(
    nets: list[nn.Module], rate: float, betas: tuple[float, float] = (0.9, 0.999)
) -> torch.optim.Adam:
    learned = [part for net in nets for part in net.parameters()]
    return torch.optim.Adam(learned, rate, betas=betas, fused=True)


def _timed(turns: dict[str, Objective], steps: int, name: str, picture: bool) -> float:
    """Train, with rates that fall over the last half; the seconds that it took."""
    falls = [stay_then_fall(turn.optimizer, steps) for turn in turns.values()]
    began = time.perf_counter()
    fit(
        turns, steps, title=name, picture=picture, record_every=max(1, steps // 20),
        after_step=lambda step: [fall.step() for fall in falls],
    )  # fmt: skip
    return time.perf_counter() - began
