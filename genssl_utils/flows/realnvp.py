"""RealNVP around the student's own functions: masks, networks, sampling and a trained copy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genssl_utils.kit.nets import mlp

__all__ = [
    "CouplingNet",
    "RealNVP",
    "Recipe",
    "alternating_masks",
    "checkerboard_masks",
    "standard_normal_log_prob",
]

Layer = Callable[[Tensor], tuple[Tensor, Tensor]]
"""x (B, D) → (x′ (B, D), log|det dx′/dx| (B,))."""


@dataclass(frozen=True)
class Recipe:
    """The student's functions that a flow is made of.

    Attributes:
        forward: coupling_forward(x, mask, net) → (y, log_det).
        inverse: coupling_inverse(y, mask, net) → x.
        log_prob: flow_log_prob(x, layers, base_log_prob) → (B,).
    """

    forward: Callable[..., tuple[Tensor, Tensor]]
    inverse: Callable[..., Tensor]
    log_prob: Callable[..., Tensor]


def standard_normal_log_prob(z: Tensor) -> Tensor:
    """log N(z; 0, I) of each row in nats: (B, D) → (B,).

    Example:
        >>> standard_normal_log_prob(torch.zeros(1, 2)).item()  # −log 2π
        -1.8378770351409912
    """
    return -0.5 * (z.square().sum(-1) + z.shape[-1] * math.log(2 * math.pi))


def alternating_masks(dims: int, layers: int) -> Tensor:
    """Masks (layers, dims) in which every second coordinate passes, the others in the next layer.

    Example:
        >>> alternating_masks(3, 2)
        tensor([[1., 0., 1.],
                [0., 1., 0.]])
    """
    return ((torch.arange(layers)[:, None] + torch.arange(dims)) % 2 == 0).float()


def checkerboard_masks(side: int, layers: int) -> Tensor:
    """Masks (layers, side²) like a chessboard, black and white in turn (figure 3 of the paper).

    Example:
        >>> checkerboard_masks(2, 2)
        tensor([[1., 0., 0., 1.],
                [0., 1., 1., 0.]])
    """
    at = torch.arange(side)
    board = (at[:, None] + at).reshape(-1)  # (side²,)
    return ((torch.arange(layers)[:, None] + board) % 2 == 0).float()


class CouplingNet(nn.Module):
    """The network inside a coupling layer: h (B, D) → (log_s (B, D), t (B, D)).

    The log-scale goes through `bound · tanh(· / bound)`, so that no layer scales by more than
    exp(±bound) and training cannot run away. The last linear layer starts at zero: a fresh layer
    changes nothing.

    Args:
        dims: D.
        hidden: widths of the hidden layers.
        dropout: share of hidden units that is switched off in each training step.
        bound: largest |log_s|.
    """

    def __init__(
        self, dims: int, hidden: Sequence[int], dropout: float = 0.0, bound: float = 2.0
    ) -> None:
        super().__init__()
        unit = nn.ReLU if not dropout else lambda: nn.Sequential(nn.ReLU(), nn.Dropout(dropout))
        self.body, self.bound = mlp(dims, 2 * dims, hidden=hidden, activation=unit), bound
        nn.init.zeros_(self.body[-1].weight)
        nn.init.zeros_(self.body[-1].bias)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Log-scale and shift of every coordinate; the layer uses those of the free ones."""
        log_s, t = self.body(h).chunk(2, dim=-1)  # (B, D), (B, D)
        return self.bound * torch.tanh(log_s / self.bound), t


class RealNVP(nn.Module):
    """A chain of coupling layers from data to latent (Dinh et al. 2017, arXiv:1605.08803).

    Args:
        recipe: the student's functions.
        masks: one row a layer, (K, D): 1 passes unchanged.
        hidden: widths of each layer's network.
        first: layers in front of the couplings that learn nothing (a logit, say), each with its
            way back: (layer, inverse).
        dropout: of the hidden units, against learning the training set by heart. Each draw of the
            units is a bijection of its own, so the likelihood stays exact.

    Raises:
        ValueError: the masks are not K rows of zeros and ones, or a mask passes all or nothing.
    """

    def __init__(
        self,
        recipe: Recipe,
        masks: Tensor,
        *,
        hidden: Sequence[int] = (64, 64),
        first: Sequence[tuple[Layer, Callable[[Tensor], Tensor]]] = (),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if masks.ndim != 2 or not bool(((masks == 0) | (masks == 1)).all()):
            raise ValueError("Give one mask a layer: a tensor (K, D) of zeros and ones.")
        passing = masks.sum(1)
        if not bool(((passing > 0) & (passing < masks.shape[1])).all()):
            raise ValueError("Each mask must pass some coordinates and change some others.")
        self.recipe, self.first = recipe, list(first)
        self.register_buffer("masks", masks)
        self.nets = nn.ModuleList(CouplingNet(masks.shape[1], hidden, dropout) for _ in masks)

    @property
    def dims(self) -> int:
        """Number of coordinates D, of the data and of the latent alike."""
        return self.masks.shape[1]

    def layers(self) -> list[Layer]:
        """The layers in order from data to latent, each x → (x′, log_det)."""
        couplings = [
            lambda x, mask=mask, net=net: self.recipe.forward(x, mask, net)
            for mask, net in zip(self.masks, self.nets, strict=True)
        ]
        return [layer for layer, _ in self.first] + couplings

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, (B, D) → (B,), by the student's `flow_log_prob`."""
        return self.recipe.log_prob(x, self.layers(), standard_normal_log_prob)

    def encode(self, x: Tensor) -> Tensor:
        """Data to latent, (B, D) → (B, D)."""
        for layer in self.layers():
            x, _ = layer(x)
        return x

    def undo(self, z: Tensor) -> Iterator[Tensor]:
        """The way back from latent to data: z, then what each layer's inverse makes of it."""
        yield z
        for mask, net in zip(reversed(self.masks), reversed(self.nets), strict=True):
            z = self.recipe.inverse(z, mask, net)
            yield z
        for _, inverse in reversed(self.first):
            z = inverse(z)
            yield z

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Latent to data, (B, D) → (B, D)."""
        *_, x = self.undo(z)
        return x

    def sample(self, n: int, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """n samples (n, D): latents from N(0, temperature²·I), carried back to data."""
        z = torch.randn(n, self.dims, generator=generator, device=generator.device)
        return self.decode(temperature * z.to(self.masks))
