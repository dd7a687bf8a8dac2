"""What codes are good for: telling classes, turning one property, and how likely a picture is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F

from genssl_utils.gan_or_vae.makers import DOTS, Gan, Maker, Vae, VaeAnswers
from genssl_utils.gan_or_vae.reader import Reader
from genssl_utils.kit.data import Split
from genssl_utils.kit.nets import mlp
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall

__all__ = [
    "PROPERTIES",
    "Bits",
    "Turned",
    "all_codes",
    "bits_of",
    "bits_without_a_code",
    "encoder_afterwards",
    "ink",
    "midpoints",
    "probe",
    "probe_rows",
    "slant",
    "turn",
]

Elbo = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
Slerp = Callable[[Tensor, Tensor, float], Tensor]


# --- codes for other tasks ------------------------------------------------------------------------


def encoder_afterwards(gan: Gan, *, steps: int = 800, seed: int = 0) -> nn.Module:
    """Train a network that finds the code of a made picture: pictures (N, 64) → codes (N, latent).

    It learns from the GAN's own pictures, whose codes are known, and never sees a true one.

    Args:
        gan: whose decoder it undoes.
        steps: each on 128 made pictures.
        seed: of the weights and the codes.
    """
    draw = seed_all(seed + 1, gan.device)
    net = mlp(64, gan.latent, hidden=(256, 256)).to(gan.device)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3, fused=True)
    fall = stay_then_fall(optimizer, steps)

    def loss(step: int) -> Tensor:
        z = torch.randn(128, gan.latent, generator=draw, device=gan.device)
        return F.mse_loss(net(gan(z)), z)

    fit(
        Objective(optimizer, loss), steps, title="an encoder for the GAN", picture=False,
        after_step=lambda step: fall.step(),
    )  # fmt: skip
    return net


def all_codes(vae: Vae, gan: Gan, afterwards: nn.Module, data: Split) -> dict[str, tuple]:
    """What each kind of code says of the training and of the test pictures: name → two heaps.

    Principal components are fitted to the training pictures.
    """
    both = torch.cat([data.x_train, data.x_test])
    cut = len(data.x_train)
    pca = PCA(vae.latent, random_state=0).fit(data.x_train.cpu().numpy())
    with torch.no_grad():
        found = {
            "VAE, its encoder": vae.encode(both)[0],
            "GAN, an encoder trained afterwards": afterwards(both),
            "GAN, the discriminator's last layer": gan.last_layer(both),
            "principal components": torch.tensor(pca.transform(both.cpu().numpy())),
            "pixels": both,
        }
    return {name: (rows[:cut].cpu(), rows[cut:].cpu()) for name, rows in found.items()}


def probe(
    codes: tuple[Tensor, Tensor], data: Split, *, labels: int | None = None, repeats: int = 5
) -> float:
    """Accuracy on the test pictures of a linear classifier of codes.

    Args:
        codes: of the training and of the test pictures, (N, E) each.
        data: with the labels.
        labels: how many labelled pictures a class; None for all.
        repeats: means over so many draws of the labelled pictures, where not all are used.
    """
    x, x_new = (part.numpy() for part in codes)
    y, y_new = data.y_train.cpu(), data.y_test.cpu().numpy()
    found = []
    for draw in range(1 if labels is None else repeats):
        rows = torch.arange(len(y)) if labels is None else _some_of_each(y, labels, draw)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, tol=1e-3))
        model.fit(x[rows], y[rows].numpy())
        found.append(model.score(x_new, y_new))
    return sum(found) / len(found)


def _some_of_each(y: Tensor, labels: int, seed: int) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(y), generator=draw)
    return torch.cat([order[y[order] == k][:labels] for k in y.unique()])


# --- control --------------------------------------------------------------------------------------


def ink(x: Tensor) -> Tensor:
    """How much ink pictures (N, 64) hold: the mean pixel, (N,)."""
    return x.mean(1)


def slant(x: Tensor) -> Tensor:
    """How far digits lean to the right: columns a row upwards, for pictures (N, 64): (N,)."""
    weight = x.view(-1, 8, 8) + 1e-6
    weight = weight / weight.sum((1, 2), keepdim=True)
    up = torch.arange(7.0, -1.0, -1.0, device=x.device)[:, None]
    across = torch.arange(8.0, device=x.device)
    dy = up - (weight * up).sum((1, 2), keepdim=True)
    dx = across - (weight * across).sum((1, 2), keepdim=True)
    return (weight * dx * dy).sum((1, 2)) / (weight * dy**2).sum((1, 2))


PROPERTIES: dict[str, Callable[[Tensor], Tensor]] = {"ink": ink, "slant": slant}


class Turned(NamedTuple):
    """What one direction of codes does to one property.

    Attributes:
        way: the direction, (latent,), of length 1.
        told: share of the property's variance that is linear in the code (R² on fresh codes).
        step: how far to go along it, each way, so that a linear property would move by one standard
            deviation of true digits.
        moved: by how much of that deviation it moves.
        kept: share of pictures that the reader takes for the same digit at both ends.
    """

    way: Tensor
    told: float
    step: float
    moved: float
    kept: float


@torch.no_grad()
def turn(maker: Maker, name: str, reader: Reader, real: Tensor, *, n: int = 2000) -> Turned:
    """Find the direction of the codes along which a property grows, and go along it.

    No true picture and no encoder is needed: n made pictures are measured, and a linear regression
    from code to property gives the direction (after arXiv:1907.10786).

    Args:
        maker: the decoder.
        name: of `PROPERTIES`.
        reader: says whether the digit is still the same.
        real: true pictures, whose spread is the unit of a move.
        n: made pictures to fit on, and as many to try on.
    """
    measure = PROPERTIES[name]
    z, fresh = maker.codes(n, seed=11).double(), maker.codes(n, seed=12).double()
    value, new = (measure(maker(codes.float())).double() for codes in (z, fresh))
    ones = torch.ones(n, 1, dtype=z.dtype, device=z.device)
    slope = torch.linalg.lstsq(torch.cat([z, ones], 1), value[:, None]).solution[:, 0]
    guess = torch.cat([fresh, ones], 1) @ slope
    told = 1 - ((new - guess) ** 2).mean() / new.var(correction=0)
    way = (slope[:-1] / slope[:-1].norm()).float()
    sd = measure(real).std()
    step = float(sd / slope[:-1].norm()) / 2
    low, high = (maker(fresh.float() + sign * step * way) for sign in (-1, 1))
    moved = (measure(high) - measure(low)).mean() / sd
    kept = (reader.read(low) == reader.read(high)).double().mean()
    return Turned(way, float(told), step, float(moved), float(kept))


def midpoints(maker: Maker, slerp: Slerp, n: int) -> dict[str, Tensor]:
    """Pictures halfway between n pairs of fresh codes, on the arc and on the straight line."""
    a, b = maker.codes(n, seed=21), maker.codes(n, seed=22)
    return {"arc": maker(slerp(a, b, 0.5)), "line": maker((a + b) / 2)}


# --- likelihood -----------------------------------------------------------------------------------


class Bits(NamedTuple):
    """What pictures cost, in bits a pixel; lower is better.

    Attributes:
        bound: at most so many, by the evidence lower bound.
        weighted: samples → at most so many, by the importance-weighted bound.
    """

    bound: float
    weighted: dict[int, float]


@torch.no_grad()
def bits_of(
    vae: Vae, x: Tensor, answers: VaeAnswers, *, samples: tuple[int, ...] = (1, 10, 100),
    seed: int = 0,
) -> Bits:  # fmt: skip
    """Bounds on the cost of pictures under a VAE (importance weights: arXiv:1509.00519).

    log p(x | z) is the student's `elbo` with the prior in the place of the posterior, where the KL
    divergence is 0.

    Args:
        vae: the model.
        x: pictures (N, 64).
        answers: the student's functions.
        samples: for each of these numbers K, the bound of the mean of K weights.
        seed: of the codes.
    """
    draw = torch.Generator(x.device).manual_seed(seed)
    mean, log_var = vae.encode(x)
    nothing, most = torch.zeros_like(mean), max(samples)
    log_weight, bound = [], 0.0
    for _ in range(most):
        z = answers.reparameterize(mean, log_var, draw)
        logits = vae.decoder(z)
        likely = answers.elbo(x, logits, nothing, nothing)
        # log of prior over posterior at z: the normalising constants cancel.
        missed = (z - mean).square() * torch.exp(-log_var)
        log_weight.append(likely + (log_var + missed - z.square()).sum(1) / 2)
        bound += float(answers.elbo(x, logits, mean, log_var).mean()) / most
    weights = torch.stack(log_weight)  # (K, N)
    unit = -x.shape[1] * math.log(2)
    found = {k: float((weights[:k].logsumexp(0) - math.log(k)).mean()) / unit for k in samples}
    return Bits(bound / unit, found)


def bits_without_a_code(train: Tensor, test: Tensor, elbo: Elbo) -> float:
    """Bits a pixel of test pictures where each pixel has a probability of its own, and no code."""
    share = (train.sum(0) * DOTS + 1) / (len(train) * DOTS + 2)
    nothing = test.new_zeros(len(test), 1)
    cost = elbo(test, share.logit().expand_as(test), nothing, nothing).mean()
    return float(cost) / (-test.shape[1] * math.log(2))


def probe_rows(codes: Mapping[str, tuple], data: Split, labels: int = 10) -> list[dict]:
    """Both probes of each kind of code."""
    return [
        {
            "codes": name, "numbers": heaps[0].shape[1], "all labels": probe(heaps, data),
            f"{labels} a class": probe(heaps, data, labels=labels),
        }
        for name, heaps in codes.items()
    ]  # fmt: skip
