"""What a cycle hides in the picture between, and how it is found (Chu et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genssl_utils.cycle_consistency.styles import STYLES, Heaps, Reader
from genssl_utils.cycle_consistency.translator import Translator, Translators
from genssl_utils.kit.tables import Table, table
from genssl_utils.kit.training import Objective, fit, seed_all, stay_then_fall

__all__ = ["NOISES", "Found", "find_hidden", "hidden_table", "restorer"]

NOISES = (0.0, 0.02, 0.05, 0.1, 0.2)
"""Standard deviations of the noise on the picture between; black and white are 2 apart."""


@dataclass(frozen=True)
class Found:
    """Round trips ink → Y → ink of new digits, with the picture between touched or not.

    Attributes:
        noisy: σ → mean |g(f(x) + σ·noise) − x|.
        plain: mean |g(s) − x|, where s is f(x) made a true picture of the style: each tile of a
            mosaic is set to its mean. None where no such rule is known.
        off: mean |f(x) − s|, how far f(x) is from that; None as above.
        honest: what `restorer` reaches on true pictures of the style: mean |h(y) − x|. None where
            none was taught.
        read: share of the digits that a reader of ink reads in what comes home.
        read_honest: the same of what the restorer gives.
    """

    noisy: Mapping[float, float]
    plain: float | None
    off: float | None
    honest: float | None
    read: float
    read_honest: float | None


def restorer(heaps: Heaps, *, steps: int = 220, seed: int = 0) -> nn.Module:
    """The best that a network of this size gets back from true pictures, taught with true pairs.

    It sees the pairs that CycleGAN does not; its error is what the style has lost.

    Args:
        heaps: the partners of its x are made anew, by the style's own rule.
        steps: of Adam, each on 32 pairs.
        seed: of the initial weights and the batches.
    """
    draw = seed_all(seed, heaps.x.device)
    net = Translator().to(heaps.x.device)
    partners = STYLES[heaps.style]((heaps.x + 1) / 2)

    def loss(step: int) -> Tensor:
        rows = torch.randint(len(heaps.x), (32,), generator=draw, device=heaps.x.device)
        return F.l1_loss(net(partners[rows]), heaps.x[rows])

    descent = torch.optim.Adam(net.parameters(), 1e-2, fused=True)
    fall = stay_then_fall(descent, steps)
    fit(
        Objective(descent, loss), steps, title=f"a restorer of {heaps.style}", picture=False,
        after_step=lambda step: fall.step(),
    )  # fmt: skip
    return net.eval()


@torch.no_grad()
def find_hidden(
    pair: Translators, heaps: Heaps, of_x: Reader, honest: nn.Module | None = None, *,
    noises: Sequence[float] = NOISES, seed: int = 0,
) -> Found:  # fmt: skip
    """Touch the picture between, and see what comes home.

    Args:
        pair: the trained translators.
        heaps: whose test pictures are sent round.
        of_x: a reader of ink.
        honest: of `restorer`.
        noises: standard deviations to try.
        seed: of the noise.
    """
    x, there = heaps.x_test, pair.f(heaps.x_test)
    draw = torch.Generator(x.device).manual_seed(seed)
    noise = torch.randn(x.shape, generator=draw, device=x.device)

    def error(one: Tensor, other: Tensor) -> float:
        return (one - other).abs().mean().item()

    noisy = {s: error(pair.g(there + s * noise), x) for s in noises}
    plain = off = None
    if heaps.style == "mosaic":  # a mosaic of a mosaic is the same mosaic
        tiled = STYLES["mosaic"]((there + 1) / 2)
        plain, off = error(pair.g(tiled), x), error(there, tiled)
    restored = None if honest is None else honest(heaps.y_test)
    return Found(
        noisy, plain, off,
        None if restored is None else error(restored, x),
        of_x.share_right(pair.g(there), heaps.labels),
        None if restored is None else of_x.share_right(restored, heaps.labels),
    )  # fmt: skip


def hidden_table(found: Mapping[str, Found]) -> Table:
    """Round-trip errors, one row a second style."""
    rows = []
    for style, what in found.items():
        row: dict[str, object] = {"ink → … → ink by": style}
        row |= {("as it is" if not s else f"noise {s:g}"): e for s, e in what.noisy.items()}
        row["tiles made flat"] = "–" if what.plain is None else f"{what.plain:.3f}"
        row["honest restorer"] = "–" if what.honest is None else f"{what.honest:.3f}"
        rows.append(row)
    return table("Mean error of the round trip, over pixels from −1 to 1", rows)
