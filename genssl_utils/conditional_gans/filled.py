"""How good a filled hole is, and how the unit shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from genssl_utils.conditional_gans.completer import Completer, CompletionAnswers
from genssl_utils.conditional_gans.holes import GroundPatches, Holes, ground_patches, punch
from genssl_utils.kit import plots
from genssl_utils.kit.sheets import named_rows, sheet
from genssl_utils.kit.tables import Table, table

__all__ = [
    "Filled",
    "fill_picture",
    "filled_table",
    "grounds_picture",
    "judge_fills",
    "patch_distance",
    "roughness",
    "seam",
]

TILE = 5
"""The side of the small squares by which fills are compared with true pictures."""

SHOWN = {
    "cmap": plots.plt.get_cmap("gray").with_extremes(bad=plots.COLOURS["model"]),
    "vmin": -1,
    "vmax": 1,
}
"""How a sheet of pictures is shown: a hole, which is NaN, in red."""


@dataclass(frozen=True)
class Filled:
    """What a network puts into the holes of new pictures.

    Attributes:
        error: mean squared error in the holes.
        seam: mean jump across the edge of a hole, over the same of the true pictures: 1 is right.
        roughness: mean jump between neighbours in a hole, over the true one: 1 is right.
        distance: `patch_distance` of the fills from true pictures: 0 is the same.
    """

    error: float
    seam: float
    roughness: float
    distance: float


def roughness(x: Tensor, mask: Tensor) -> Tensor:
    """The mean |x_i − x_j| over neighbours, right and below, that both lie in a hole.

    Args:
        x: pictures, (N, C, H, W).
        mask: 1 in the hole, (N, 1, H, W).
    """
    return _mean_jump(x, mask, lambda a, b: a * b)


def seam(x: Tensor, mask: Tensor) -> Tensor:
    """The mean |x_i − x_j| over neighbours of which one lies in a hole, and the other does not.

    Args:
        x: pictures, (N, C, H, W).
        mask: 1 in the hole, (N, 1, H, W).
    """
    return _mean_jump(x, mask, lambda a, b: (a - b).abs())


def _mean_jump(x: Tensor, mask: Tensor, which: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    total = count = torch.zeros((), device=x.device)
    for axis in (2, 3):
        n = x.shape[axis]
        near, far = (t.narrow(axis, 0, n - 1) for t in (x, mask)), (
            t.narrow(axis, 1, n - 1) for t in (x, mask)
        )  # fmt: skip
        (a, inside_a), (b, inside_b) = near, far
        chosen = which(inside_a, inside_b).expand_as(a)
        total, count = total + (chosen * (a - b).abs()).sum(), count + chosen.sum()
    return total / count


def patch_distance(one: Tensor, other: Tensor, *, seed: int = 0) -> float:
    """How differently two sets of small squares are distributed: sliced Wasserstein distance.

    Both sets are seen along 64 directions at random, and along each the sorted shadows are
    compared: the mean |difference|, in units of a pixel's value.

    Args:
        one: squares, (N, D), one a row.
        other: as many others, (N, D).
        seed: of the directions.

    Example:
        >>> a = torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
        >>> patch_distance(a, a.flip(0)), patch_distance(a, a / 2) > 0.2
        (0.0, True)
    """
    draw = torch.Generator(one.device).manual_seed(seed)
    ways = torch.randn(one.shape[1], 64, generator=draw, device=one.device)
    ways = ways / ways.norm(dim=0)
    shadows = [(rows @ ways).sort(dim=0).values for rows in (one, other)]
    return float((shadows[0] - shadows[1]).abs().mean())


def _squares(x: Tensor, holes: Holes) -> Tensor:
    """All squares of 5 × 5 pixels that lie in a hole whole, (M, 25)."""
    whole = F.avg_pool2d(holes.mask, TILE, stride=1).flatten() > 0.999
    return F.unfold(x, TILE).movedim(1, 2).flatten(0, 1)[whole]


@torch.no_grad()
def judge_fills(
    completers: Sequence[Completer],
    new: GroundPatches,
    answers: CompletionAnswers,
    *,
    seed: int = 0,
) -> dict[str, Filled]:
    """Judge networks on the holes of pictures that none of them has seen.

    Args:
        completers: the networks.
        new: the pictures.
        answers: the student's functions, of which `composite` and `masked_loss` are used.
        seed: of the holes, the same ones for all.

    Returns:
        Name → what came out.
    """
    holes = punch(len(new), generator=torch.Generator(new.x.device).manual_seed(seed))
    kinds = range(len(new.names))
    true = [_squares(new.x[new.ground == k], holes[new.ground == k]) for k in kinds]
    found = {}
    for completer in completers:
        fill = completer(new.x, holes.mask)
        filled = answers.composite(new.x, fill, holes.mask)
        apart = [
            patch_distance(_squares(filled[new.ground == k], holes[new.ground == k]), true[k])
            for k in kinds
        ]
        found[completer.name] = Filled(
            error=float(answers.masked_loss(fill, new.x, holes.mask)),
            seam=float(seam(filled, holes.mask) / seam(new.x, holes.mask)),
            roughness=float(roughness(filled, holes.mask) / roughness(new.x, holes.mask)),
            distance=sum(apart) / len(apart),
        )
    return found


def filled_table(found: Mapping[str, Filled]) -> Table:
    """What came out, one row a network."""
    rows = [
        {
            "trained with": name, "masked error": f.error, "seam": f.seam,
            "roughness": f.roughness, "patch distance": f.distance,
        }
        for name, f in found.items()
    ]  # fmt: skip
    return table("Holes in new pictures: seam and roughness should be 1, distance 0", rows)


def grounds_picture(columns: int = 5, seed: int = 0) -> Figure:
    """Held-out pictures with a hole, one row a ground."""
    shown = ground_patches(2 * columns, held_out=True, seed=seed)
    order = shown.ground.argsort(stable=True)
    holes = punch(len(shown), generator=torch.Generator().manual_seed(seed), side=10)
    with_hole = torch.where(holes.mask > 0, torch.nan, shown.x)[order]
    figure, (axes,) = plots.panels(1, size=(1.15 * columns, 2.5))
    axes.imshow(sheet(with_hole, columns, gap=1.0).numpy(), **SHOWN)
    axes.axis("off")
    axes.set_title("What was there? New patches of grass, and of gravel", fontsize=10)
    return figure


def fill_picture(
    completers: Sequence[Completer], new: GroundPatches, answers: CompletionAnswers, *,
    columns: int = 8, seed: int = 0,
) -> Figure:  # fmt: skip
    """Pictures with their hole, what each network puts there, and the truth; one row each.

    Args:
        completers: the networks.
        new: held-out pictures; the first ones are shown.
        answers: the student's functions, of which `composite` is used.
        columns: how many pictures.
        seed: of the holes.
    """
    x = new.x[:columns]
    holes = punch(columns, generator=torch.Generator(x.device).manual_seed(seed))
    rows = [("hole", torch.where(holes.mask > 0, torch.nan, x))]
    for completer in completers:
        filled = answers.composite(x, completer(x, holes.mask), holes.mask)
        rows.append((completer.name, filled))
    rows.append(("truth", x))
    figure, (axes,) = plots.panels(1, size=(0.95 * columns + 1.2, 0.95 * len(rows)))
    named_rows(axes, rows, gap=1.0, **SHOWN)
    axes.set_title(f"Holes in new pictures of {' and of '.join(new.names)}, filled", fontsize=10)
    return figure
