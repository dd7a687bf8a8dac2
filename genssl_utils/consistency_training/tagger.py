"""A tagger with five views of a sentence: the whole of it, and four that see less.

The network of cross-view training (CVT, Clark et al. 2018, arXiv:1809.08370, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genssl_utils.consistency_training.tag_grammar import TAGS

__all__ = ["VIEWS", "CrossViewTagger"]

VIEWS = {
    "forward": "the word and all before it",
    "backward": "the word and all after it",
    "future": "only what stands before the word",
    "past": "only what stands after the word",
}
"""The four restricted views, named as in the paper, and what each sees."""


class CrossViewTagger(nn.Module):
    """Two LSTM layers that read both ways, a primary module on both, four auxiliary ones on the
    first.

    With h¹ and h² the outputs of the layers, → and ← their directions: the primary module reads
    h¹_t ⊕ h²_t; forward reads →h¹_t, backward ←h¹_t, future →h¹_{t−1} and past ←h¹_{t+1}, with
    zeros where there is no such place. Each module is Linear, ReLU, Linear.

    Args:
        vocabulary: number of words V, with the filling-up word 0.
        tags: number of tags K.
        width: size E of a word vector.
        hidden: size H of a state in each direction.
        dropout: share of the entries of word vectors and states dropped in training.
        word_dropout: share of whole words dropped in training.

    Example:
        >>> tagger = CrossViewTagger(10, tags=3)
        >>> tagger(torch.tensor([[4, 7, 0]]), ("full", "future"))["future"].shape
        torch.Size([1, 3, 3])
    """

    def __init__(
        self,
        vocabulary: int,
        tags: int = len(TAGS),
        *,
        width: int = 32,
        hidden: int = 32,
        dropout: float = 0.3,
        word_dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width, padding_idx=0)
        self.first = _BothWays(width, hidden)
        self.second = _BothWays(2 * hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.word_dropout = nn.Dropout1d(word_dropout)  # drops whole vectors of (B, T, E)
        self.primary = _module(4 * hidden, tags)
        self.auxiliary = nn.ModuleList(_module(hidden, tags) for _ in VIEWS)

    def forward(self, words: Tensor, views: Sequence[str] = ("full",)) -> dict[str, Tensor]:
        """Tag every word in each view that is asked for.

        Args:
            words: word numbers (B, T), int64, filled up on the right with 0.
            views: names out of `full` and `VIEWS`.

        Returns:
            View → logits (B, T, K); those of filled-up places mean nothing.

        Raises:
            ValueError: there is no such view.
        """
        modules = {"full": self.primary, **dict(zip(VIEWS, self.auxiliary, strict=True))}
        if unknown := [view for view in views if view not in modules]:
            raise ValueError(f"There is no view {unknown[0]!r}: choose from {', '.join(modules)}.")
        lengths = (words != 0).sum(dim=1)  # (B,)
        vectors = self.word_dropout(self.dropout(self.embed(words)))  # (B, T, E)
        ahead, back = self.first(vectors, lengths)  # →h¹ and ←h¹, each (B, T, H)
        inputs = {
            "forward": ahead,
            "backward": back,
            "future": F.pad(ahead, (0, 0, 1, 0))[:, :-1],  # place t holds →h¹_{t−1}
            "past": F.pad(back, (0, 0, 0, 1))[:, 1:],  # place t holds ←h¹_{t+1}
        }
        if "full" in views:
            h1 = torch.cat([ahead, back], dim=2)  # (B, T, 2H)
            h2 = self.second(self.dropout(h1), lengths)
            inputs["full"] = torch.cat([h1, *h2], dim=2)  # (B, T, 4H)
        return {view: modules[view](self.dropout(inputs[view])) for view in views}


class _BothWays(nn.Module):
    """An LSTM that reads forward and one that reads backward, for sentences of their own lengths.

    Each sentence is turned round within its length, so what it is filled up with comes last for
    both readers and reaches no word. One packed bidirectional LSTM would give the same; this is
    three times as fast on a CPU.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.ahead = nn.LSTM(inputs, hidden, batch_first=True)
        self.back = nn.LSTM(inputs, hidden, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, E) and lengths (B,) → states →h and ←h, each (B, T, H), zero after the end."""
        t, last = torch.arange(x.shape[1], device=x.device), lengths[:, None] - 1
        real = (t <= last)[:, :, None]  # (B, T, 1)
        turned = torch.where(t <= last, last - t, t)[:, :, None]  # (B, T, 1)
        ahead = self.ahead(x)[0]
        back = self.back(x.gather(1, turned.expand_as(x)))[0]
        return ahead * real, back.gather(1, turned.expand_as(back)) * real


def _module(inputs: int, tags: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 32), nn.ReLU(), nn.Linear(32, tags))
