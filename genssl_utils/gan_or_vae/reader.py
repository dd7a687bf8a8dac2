"""Made digits are compared with true ones in the features of the kit's reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from genssl_utils.kit.reader import Reader, train_reader
from genssl_utils.kit.samples import Scores, scores

__all__ = ["Reader", "judge_pictures", "train_reader"]

FrechetDistance = Callable[[Tensor, Tensor], Tensor]
"""The student's: two heaps of rows → a number."""


def judge_pictures(
    heaps: Mapping[str, Tensor],
    real: Tensor,
    reader: Reader,
    frechet_distance: FrechetDistance,
) -> dict[str, tuple[float, Scores]]:
    """Compare heaps of pictures with true ones that no maker was trained on.

    Args:
        heaps: name → pictures (N, 64); as many as there are true ones, to be fair.
        real: the true pictures, (N, 64).
        reader: in whose features they are compared.
        frechet_distance: the student's.

    Returns:
        Name → the Fréchet distance and the four scores of `kit.samples`.
    """
    right = reader.features(real)
    found = {}
    for name, heap in heaps.items():
        seen = reader.features(heap)
        found[name] = float(frechet_distance(right, seen)), scores(right, seen)
    return found
