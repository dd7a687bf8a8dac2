"""The flow on pictures: trained with early stopping, scored in bits, asked about strangers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genssl_utils.flows.likelihood import Fitted, affine_log_prob, fit_flow
from genssl_utils.flows.pictures import Pictures, dequantise, flower_patches, logit_layer
from genssl_utils.flows.realnvp import RealNVP, Recipe, checkerboard_masks

__all__ = ["PictureRun", "Stranger", "histogram_bits", "strangers", "train_pictures"]

Bits = Callable[..., Tensor]


@dataclass(frozen=True)
class PictureRun:
    """A trained flow on pictures.

    Attributes:
        pictures: the data.
        flow: the trained flow, from [0, 1)^D to the latent.
        fitted: the record of the training.
        test_bits: bits per dimension of each test picture, (n,).
        affine_bits: the mean of the same under the flow of one affine layer.
        bits: the student's `bits_per_dim`.
    """

    pictures: Pictures
    flow: RealNVP
    fitted: Fitted
    test_bits: Tensor
    affine_bits: float
    bits: Bits

    def score(self, levels: Tensor) -> Tensor:
        """Bits per dimension of each of other pictures, (n, D) → (n,)."""
        return score(self.flow, levels, self.pictures.bins, self.bits)


def score(flow: RealNVP, levels: Tensor, bins: int, bits_per_dim: Bits) -> Tensor:
    """Bits per dimension of each picture: a mean over four draws of the noise, (n, D) → (n,)."""
    noise, total = torch.Generator().manual_seed(1), torch.zeros(len(levels))
    for _ in range(4):
        x = dequantise(levels, bins, noise).to(flow.masks.device)
        with torch.no_grad():
            total += bits_per_dim(flow.log_prob(x).cpu(), levels.shape[1], bins)
    return total / 4


def train_pictures(
    recipe: Recipe,
    bits_per_dim: Bits,
    affine_log_det: Callable[[Tensor], Tensor],
    pictures: Pictures,
    *,
    steps: int = 600,
    seed: int = 0,
    device: torch.device | str = "cpu",
    layers: int = 8,
    hidden: tuple[int, ...] = (128, 128),
    dropout: float = 0.2,
    edge: float = 0.05,
) -> PictureRun:
    """Train RealNVP on dequantised pictures by the student's functions.

    The settings were chosen on the validation part of the digits; the test part is scored once.
    The weights kept are those of the step that was best on the validation part.

    Args:
        recipe: the student's `coupling_forward`, `coupling_inverse` and `flow_log_prob`.
        bits_per_dim: the student's.
        affine_log_det: the student's, for the baseline.
        pictures: the data.
        steps: training steps, with batches of 128.
        seed: of the weights, the batches and the noise.
        device: where to train.
        layers: number of couplings, with checkerboard masks.
        hidden: widths of each coupling's network.
        dropout: of the hidden units.
        edge: of the logit layer.

    Returns:
        The run.
    """
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    dims, bins = pictures.train.shape[1], pictures.bins
    first = logit_layer(edge)
    flow = RealNVP(
        recipe,
        checkerboard_masks(pictures.side, layers),
        hidden=hidden,
        first=[first],
        dropout=dropout,
    ).to(device)

    def batch() -> Tensor:
        rows = torch.randint(len(pictures.train), (128,), generator=draw)
        return dequantise(pictures.train[rows], bins, draw).to(device)

    def valid() -> float:
        x = dequantise(pictures.valid, bins, torch.Generator().manual_seed(1)).to(device)
        return bits_per_dim(flow.log_prob(x), dims, bins).mean().item()

    fitted = fit_flow(
        flow, batch, valid, steps=steps, lr=2e-3, unit=dims, title=f"RealNVP on {pictures.name}"
    )
    train, test = (
        dequantise(part, bins, torch.Generator().manual_seed(2))
        for part in (pictures.train, pictures.test)
    )
    with torch.no_grad():
        affine = affine_log_prob(recipe, affine_log_det, train, test, first=(first[0],))
        affine_bits = bits_per_dim(affine, dims, bins).mean().item()
    test_bits = score(flow, pictures.test, bins, bits_per_dim)
    return PictureRun(pictures, flow, fitted, test_bits, affine_bits, bits_per_dim)


def histogram_bits(pictures: Pictures) -> float:
    """Bits per dimension of test pictures when each pixel has its own histogram of levels.

    Every level of every pixel counts once more than it was seen in training, so that none has
    probability 0. No dequantisation is needed: this is the exact cost.
    """
    levels, bins = pictures.train.long(), pictures.bins
    place = levels + bins * torch.arange(levels.shape[1])  # one number for each pixel and level
    counts = torch.bincount(place.reshape(-1), minlength=levels.shape[1] * bins)
    seen = counts.reshape(-1, bins).double() + 1  # (D, bins)
    cost = -(seen / seen.sum(1, keepdim=True)).log2()
    return cost.gather(1, pictures.test.long().T).mean().item()


@dataclass(frozen=True)
class Stranger:
    """A set of pictures that a flow never saw, and how it scores them.

    Attributes:
        name: what they show.
        levels: the pictures, (n, D).
        bits: bits per dimension of each, (n,).
        likelier: share of them that is likelier than the median test picture.
        auroc: chance that one of them costs more bits than a test picture: 1 tells them apart
            always, ½ is a coin, and below ½ the flow takes the stranger for the more likely one.
    """

    name: str
    levels: Tensor
    bits: Tensor
    likelier: float
    auroc: float


def strangers(run: PictureRun, seed: int = 0) -> list[Stranger]:
    """Pictures of four kinds through a flow that was trained on patches of a palace.

    The first kind is its own test part.
    """
    own = run.pictures.test
    draw = torch.Generator().manual_seed(seed)
    top = run.pictures.bins
    kinds = {
        f"{run.pictures.name} (test)": own,
        "patches of a flower": flower_patches(),
        "the same palace, half the contrast": (0.5 * own + 0.25 * top).round(),
        "flat grey patches": torch.arange(float(top))[:, None].expand(-1, own.shape[1]),
        "noise": torch.randint(top, (500, own.shape[1]), generator=draw).float(),
    }
    usual = run.test_bits
    found = []
    for name, levels in kinds.items():
        bits = usual if levels is own else run.score(levels)
        likelier = (bits < usual.median()).double().mean().item()
        auroc = (bits[:, None] > usual).double().mean() + 0.5 * (
            bits[:, None] == usual
        ).double().mean()
        found.append(Stranger(name, levels, bits, likelier, auroc.item()))
    return found
