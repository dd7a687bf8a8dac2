"""Two tables that we make, with a bias that we know: the paper's toy, and hiring records."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

__all__ = ["Records", "hiring", "toy"]


@dataclass(frozen=True)
class Records:
    """Rows of a table about people.

    Attributes:
        x: what the predictor sees, (N, D), float32.
        y: the recorded label, (N,), 0 or 1.
        s: the protected attribute, (N,), 0 or 1.
        deserved: the label without the bias, (N,), where it is known; else the recorded one.
        names: the D columns.
    """

    x: Tensor
    y: Tensor
    s: Tensor
    deserved: Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.y)

    def to(self, device: torch.device | str) -> Records:
        """The same records on another device."""
        parts = {k: getattr(self, k).to(device) for k in ("x", "y", "s", "deserved")}
        return replace(self, **parts)

    def without(self, column: str) -> Records:
        """The same records without one column.

        Raises:
            ValueError: there is no such column.
        """
        if column not in self.names:
            raise ValueError(f"There is no column {column!r}; the columns are {self.names}.")
        kept = [i for i, name in enumerate(self.names) if name != column]
        return replace(self, x=self.x[:, kept], names=tuple(self.names[i] for i in kept))


def toy(n: int, *, seed: int = 0) -> Records:
    """The toy of Zhang et al. (arXiv:1801.07593, section 4): a proxy and the attribute itself.

    s ~ Bernoulli(½), v ~ N(s, 1), u and w ~ N(v, 1), y = 1[w > 0]. The predictor sees (u, s). The
    difference u − s is independent of s, so a fair score is known: its two weights are opposite.

    Data card:
        Source: made here, after the paper.
        Licence: MIT, as this code.
        Size: as many rows as asked for.
        Split: none; draw a second table with another seed.
        Must not be used for: claims about people.

    Args:
        n: number of rows.
        seed: the table depends on n and on this alone.

    Returns:
        The records; nothing is known of a label without bias, so `deserved` is `y`.

    Raises:
        ValueError: n is not positive.
    """
    draw = _generator(n, seed)
    s = torch.randint(2, (n,), generator=draw)
    v = s + torch.randn(n, generator=draw)
    u = v + torch.randn(n, generator=draw)
    y = (v + torch.randn(n, generator=draw) > 0).long()
    return Records(torch.stack([u, s.float()], 1), y, s, y, ("u", "s"))


def hiring(n: int, *, penalty: float = 1.0, seed: int = 0) -> Records:
    """Records of who was hired, in which one group was held to a higher bar.

    Skill is the same in both groups. A person deserves the job if skill + ½ effort > 0. Group 0 was
    hired only above a bar that is higher by `penalty`. The predictor sees a test of the skill, the
    effort, and two columns that tell the group without naming it: the school's code and a hobby.

    Data card:
        Source: made here.
        Licence: MIT, as this code.
        Size: as many rows as asked for.
        Split: none; draw a second table with another seed.
        Must not be used for: claims about real hiring; real bias is not known so exactly.

    Args:
        n: number of rows.
        penalty: by how much the bar was higher for group 0, in standard deviations of skill.
        seed: the table depends on the other arguments and on this alone.

    Returns:
        The records; `deserved` is the label under one bar for all.

    Raises:
        ValueError: n is not positive.
    """
    draw = _generator(n, seed)
    s = torch.randint(2, (n,), generator=draw)
    skill, effort, school, hobby, test, luck = torch.randn(6, n, generator=draw)
    merit = skill + 0.5 * effort
    y = (merit - penalty * (1 - s) + 0.3 * luck > 0).long()
    columns = [skill + 0.4 * test, effort, 1.5 * s + school, 0.8 * s + hobby, s.float()]
    names = ("skill test", "effort", "school", "hobby", "group")
    return Records(torch.stack(columns, 1), y, s, (merit > 0).long(), names)


def _generator(n: int, seed: int) -> torch.Generator:
    if n < 1:
        raise ValueError(f"n is the number of rows, at least 1, not {n}.")
    return torch.Generator().manual_seed(seed)
