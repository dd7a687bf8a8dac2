"""A code for who it is that should not hold what else is in the picture, and how it is probed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn import metrics
from torch import Tensor, nn

from genssl_utils.adversarial_debiasing.persons import NUISANCES, PERSONS, Gallery
from genssl_utils.kit.nets import mlp
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall

__all__ = ["CODE", "Encoder", "Probed", "attack", "later_adversary", "probe", "train_encoder"]

CODE, NOISE = 16, 0.3
"""Numbers in a code, each of unit variance; the noise on them while training."""
BATCH, TURNS, REDRAW, RATE = 128, 3, 30.0, 1e-3
"""Pictures a step; steps of the adversary for one of the encoder; weight of the squared error;
learning rate of the encoder at its start."""

Leakage = Callable[[Tensor, Tensor], Tensor | float]
"""(z (N, D), s (N,)) → from 0, guessing, to 1, knowing."""


@dataclass(frozen=True)
class Encoder:
    """A trained encoder, and what reads its code.

    Attributes:
        name: how it was trained.
        net: pictures (N, 256) → codes (N, 16).
        head: codes → scores of the twelve persons.
        decoder: codes, and the nuisances where it is told them → pictures.
        told: whether the decoder is told the nuisances.
        along: what the adversary of the training found out of each nuisance in its last 100
            batches, from 0, guessing, to 1, knowing.
    """

    name: str
    net: nn.Module
    head: nn.Module
    decoder: nn.Module
    told: bool
    along: Mapping[str, float]

    @torch.no_grad()
    def code(self, pictures: Tensor) -> Tensor:
        """The codes of pictures (N, 256), (N, 16)."""
        return self.net(pictures)

    @torch.no_grad()
    def decode(self, codes: Tensor, nuisance: Tensor) -> Tensor:
        """Pictures (N, 256) from codes (N, 16) and nuisances (N, 3)."""
        return self.decoder(torch.cat([codes, nuisance.to(codes) * self.told], 1))


@dataclass(frozen=True)
class Probed:
    """What is found in the codes of new pictures.

    Attributes:
        who: share of persons named right by the encoder's own head.
        linear: nuisance → leakage by a fresh linear probe.
        along: nuisance → what the adversary of the training found out.
    """

    who: float
    linear: Mapping[str, float]
    along: Mapping[str, float]


def train_encoder(
    shown: Gallery, reverse_gradient: Callable[[Tensor, float], Tensor], lam: float, *,
    told: bool = True, name: str = "", steps: int = 800, seed: int = 0,
) -> Encoder:  # fmt: skip
    """Train a code that tells persons apart and redraws them, beside three adversaries.

    The code is normalised and noisy while it trains, so that nothing can hide in its size or in far
    decimals; the adversary takes three steps for one of the encoder, so that it is near its best;
    λ grows over the first half of the training, and over the second half the encoder slows down to
    a stop. One that moves to the end is a step ahead of its adversary, not free of the secret.

    Args:
        shown: the training pictures.
        reverse_gradient: (x, lam) → x with a reversed gradient, the function under test.
        lam: weight of the adversaries, at least 0. At 0 they learn, and the encoder does not care.
        told: whether the decoder is told the nuisances (Lample et al. 2017, arXiv:1706.00409), so
            that the code need not hold them.
        name: for tables.
        steps: of the encoder, each on 128 pictures.
        seed: of the initial weights, the batches and the noise.
    """
    draw = seed_all(seed, shown.x.device)
    device, pixels = shown.x.device, shown.x.shape[1]
    net = nn.Sequential(mlp(pixels, CODE, hidden=(128,)), nn.BatchNorm1d(CODE, affine=False))
    head = nn.Linear(CODE, PERSONS)
    decoder = mlp(CODE + len(NUISANCES), pixels, hidden=(128,))
    adversary = mlp(CODE, len(NUISANCES), hidden=(64,))
    for part in (net, head, decoder, adversary):
        part.to(device)
    right: list[Tensor] = []

    def batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rows = torch.randint(len(shown), (BATCH,), generator=draw, device=device)
        x = shown.x[rows]
        code = net(x)
        blur = torch.randn(code.shape, generator=draw, device=device)
        return x, code + NOISE * blur, shown.who[rows], shown.nuisance[rows].float()

    def adversary_loss(step: int) -> Tensor:
        with torch.no_grad():
            _, code, _, nuisance = batch()
        return F.binary_cross_entropy_with_logits(adversary(code), nuisance)

    def encoder_loss(step: int) -> Tensor:
        x, code, who, nuisance = batch()
        weight = lam * min(1.0, 2 * step / steps)
        guess = adversary(reverse_gradient(code, weight))
        right.append(((guess.detach() > 0) == nuisance.bool()).float().mean(0))
        drawn = decoder(torch.cat([code, nuisance * told], 1))
        task = F.cross_entropy(head(code), who) + REDRAW * F.mse_loss(drawn, x)
        return task + F.binary_cross_entropy_with_logits(guess, nuisance)

    learned = [*net.parameters(), *head.parameters(), *decoder.parameters()]
    slowing = torch.optim.Adam(learned, RATE)
    steady = torch.optim.Adam(adversary.parameters(), 3 * RATE)
    turns = {f"adversary {i + 1}": Objective(steady, adversary_loss) for i in range(TURNS)}
    name = name or f"λ = {lam:g}, decoder {'told' if told else 'not told'}"
    encoder = Objective(slowing, encoder_loss)
    fall = stay_then_fall(slowing, steps)
    fit(
        turns | {"encoder": encoder}, steps, title=f"a code, {name}", picture=False,
        after_step=lambda step: fall.step(),
    )  # fmt: skip
    for part in (net, head, decoder):
        part.eval()
    along = 2 * torch.stack(right[-100:]).mean(0) - 1
    found = dict(zip(NUISANCES, along.tolist(), strict=True))
    return Encoder(name, net, head, decoder, told, found)


def probe(encoders: Sequence[Encoder], others: Gallery, leakage: Leakage) -> dict[str, Probed]:
    """What a fresh probe finds in the codes of pictures that no encoder has seen.

    Args:
        encoders: the trained ones.
        others: new pictures; the probe learns on one half of them and is judged on the other.
        leakage: the student's function.

    Returns:
        Name → what was found.
    """
    found = {}
    for encoder in encoders:
        codes = encoder.code(others.x)
        with torch.no_grad():
            who = (encoder.head(codes).argmax(1) == others.who).float().mean()
        linear = {
            name: float(leakage(codes, others.nuisance[:, i])) for i, name in enumerate(NUISANCES)
        }
        found[encoder.name] = Probed(float(who), linear, encoder.along)
    return found


def attack(
    encoders: Sequence[Encoder], seen: Gallery, others: Gallery, *, seed: int = 0
) -> dict[str, dict[str, float]]:
    """What a new and stronger adversary finds, which may learn from all of the training's codes.

    Args:
        encoders: the trained ones.
        seen: the training pictures, from whose codes it learns.
        others: new pictures, on whose codes it is judged.
        seed: of its weights and batches.

    Returns:
        Encoder's name → nuisance → from 0, guessing, to 1, knowing.
    """
    found = {}
    for encoder in encoders:
        codes, new = encoder.code(seen.x), encoder.code(others.x)
        values = later_adversary(codes, seen.nuisance, new, others.nuisance, seed=seed)
        found[encoder.name] = dict(zip(NUISANCES, values, strict=True))
    return found


def later_adversary(
    codes: Tensor, secrets: Tensor, new_codes: Tensor, new_secrets: Tensor, *,
    hidden: Sequence[int] = (128, 128), steps: int = 600, seed: int = 0,
) -> list[float]:  # fmt: skip
    """How much a network learns about secrets from codes that stand still.

    Args:
        codes: (N, D), to learn from.
        secrets: what to guess, (N, K), 0 or 1.
        new_codes: (M, D), to be judged on.
        new_secrets: their truth, (M, K).
        hidden: widths of the hidden layers.
        steps: of Adam, each on 128 codes.
        seed: of the initial weights and the batches.

    Returns:
        For each secret 2 · (balanced accuracy) − 1 on the new codes: 0 is guessing, 1 is knowing.
    """
    draw = seed_all(seed, codes.device)
    net = mlp(codes.shape[1], secrets.shape[1], hidden=hidden).to(codes.device)

    def loss(step: int) -> Tensor:
        rows = torch.randint(len(codes), (BATCH,), generator=draw, device=codes.device)
        return F.binary_cross_entropy_with_logits(net(codes[rows]), secrets[rows].float())

    descent = Objective(torch.optim.Adam(net.parameters(), 2e-3), loss)
    fit(descent, steps, title="a new adversary", picture=False)
    with torch.no_grad():
        guesses = net(new_codes) > 0  # (M, K)
    return [
        2 * float(metrics.balanced_accuracy_score(known.tolist(), told.tolist())) - 1
        for known, told in zip(new_secrets.T, guesses.T.long(), strict=True)
    ]
