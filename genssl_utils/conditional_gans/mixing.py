"""Networks between two networks."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

__all__ = ["between"]

Net = TypeVar("Net", bound=nn.Module)


def between(first: Net, second: Net, share: float) -> Net:
    """A network whose every weight is (1 − share) of the first one's and share of the second's.

    It behaves in between where the second was trained on from the first (Wang et al. 2018,
    arXiv:1809.00219, network interpolation).

    Args:
        first: what it is at share 0; it stays as it is.
        second: what it is at share 1, of the same architecture; it stays as it is.
        share: from 0 to 1.

    Raises:
        ValueError: share is out of range.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share goes from 0 to 1, not {share}.")
    net, end = copy.deepcopy(first), second.state_dict()
    net.load_state_dict({k: torch.lerp(v, end[k], share) for k, v in net.state_dict().items()})
    return net
