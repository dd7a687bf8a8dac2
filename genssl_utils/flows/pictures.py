"""Pictures of whole grey levels, split three ways, and their way to the real line and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genssl_utils.kit import data

__all__ = [
    "Pictures",
    "dequantise",
    "digit_pictures",
    "flower_patches",
    "logit_layer",
    "mnist_pictures",
    "palace_patches",
]


@dataclass(frozen=True)
class Pictures:
    """Grey pictures as whole levels 0 … bins − 1, one a row.

    Attributes:
        name: what they show.
        bins: number of grey levels.
        train: (n, side²), to learn from.
        valid: (n, side²), a part of the training pictures kept to choose the best step.
        test: (n, side²), looked at once, at the end.
    """

    name: str
    bins: int
    train: Tensor
    valid: Tensor
    test: Tensor

    @property
    def side(self) -> int:
        """Height and width in pixels."""
        return math.isqrt(self.train.shape[1])


def digit_pictures() -> Pictures:
    """The 8 × 8 digits (card: `kit.data.digits`), 17 levels; a fifth of the training part is kept
    for validation, classes alike in all parts: 1005, 252 and 540 pictures."""
    parts = data.digits(flat=True)
    inner = data.split(parts.x_train, parts.y_train, test=0.2)
    rows = [(16 * x).round() for x in (inner.x_train, inner.x_test, parts.x_test)]
    return Pictures("digits", 17, *rows)


def mnist_pictures() -> Pictures:
    """MNIST, 28 × 28 pixels and 256 levels, for the `full` scale.

    Data card:
        Source: Y. LeCun, C. Cortes, C. Burges, as `mnist_784` on openml.org.
        Licence: not stated by its authors; openml.org lists it as public.
        Size: 70,000 pictures.
        Split: the usual one, 60,000 (the last 6,000 of them for validation) and 10,000.
        Must not be used for: claims about handwriting today.

    Raises:
        RuntimeError: openml.org cannot be reached.
    """
    from sklearn.datasets import fetch_openml

    try:
        pixels, _ = fetch_openml(
            "mnist_784", version=1, return_X_y=True, as_frame=False, parser="liac-arff"
        )
    except OSError as error:
        raise RuntimeError(
            "scale = 'full' reads MNIST from openml.org, which does not answer. Connect this "
            "machine to the network once, or set scale = 'laptop'."
        ) from error
    levels = torch.tensor(pixels, dtype=torch.float32)
    return Pictures("MNIST", 256, levels[:54_000], levels[54_000:60_000], levels[60_000:])


def palace_patches() -> Pictures:
    """Patches of 8 × 8 pixels cut from the photograph of a Chinese palace, 256 grey levels.

    Data card:
        Source: `china.jpg` of `sklearn.datasets.load_sample_images`, by danielbuechele.
        Licence: CC BY 2.0, as named in scikit-learn.
        Size: 4240 patches that do not overlap, from one picture of 424 × 640 pixels.
        Split: ours, by a fixed shuffle: 2800, 500 and 940. Neighbours can be in different parts.
        Must not be used for: claims about photographs in general; it is one.
    """
    levels = _patches("china.jpg")
    levels = levels[torch.randperm(len(levels), generator=torch.Generator().manual_seed(5))]
    return Pictures("patches of a palace", 256, levels[:2800], levels[2800:3300], levels[3300:])


def flower_patches() -> Tensor:
    """All 4240 patches of 8 × 8 pixels of the photograph of a flower, as levels (n, 64).

    Data card:
        Source: `flower.jpg` of `sklearn.datasets.load_sample_images`, on Flickr by vultilion
            (the address that scikit-learn gives).
        Licence: CC BY 2.0, as named in scikit-learn.
        Size: as above. Split: none, nothing is trained on it.
        Must not be used for: claims about photographs in general; it is one.
    """
    return _patches("flower.jpg")


def _patches(name: str) -> Tensor:
    from sklearn.datasets import load_sample_image

    picture = torch.tensor(load_sample_image(name), dtype=torch.float32)[:424]  # (424, 640, 3)
    grey = (picture @ torch.tensor([0.299, 0.587, 0.114])).round()
    return grey.reshape(53, 8, 80, 8).permute(0, 2, 1, 3).reshape(-1, 64)


def dequantise(levels: Tensor, bins: int, generator: torch.Generator) -> Tensor:
    """Whole levels plus uniform noise, in [0, 1): (k + u) / bins (Theis et al. 2016,
    arXiv:1511.01844)."""
    noise = torch.rand(levels.shape, generator=generator, device=generator.device)
    return (levels + noise.to(levels)) / bins


def logit_layer(edge: float) -> tuple:
    """The layer from [0, 1) to the real line, and its way back (section 4.1 of RealNVP).

    x ↦ logit(edge + (1 − 2·edge)·x). The edge keeps the logit finite.

    Args:
        edge: between 0 and ½; the smaller, the further out pure black and white land.

    Returns:
        (layer, inverse): x → (x′, log_det), and x′ → x.
    """

    def layer(x: Tensor) -> tuple[Tensor, Tensor]:
        p = edge + (1 - 2 * edge) * x
        slope = math.log(1 - 2 * edge) - p.log() - (-p).log1p()  # of each pixel, in logarithms
        return p.log() - (-p).log1p(), slope.sum(-1)

    def inverse(v: Tensor) -> Tensor:
        return (torch.sigmoid(v) - edge) / (1 - 2 * edge)

    return layer, inverse
