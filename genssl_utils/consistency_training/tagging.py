"""Cross-view training on a small text task: name each word's part of speech by its neighbours.

The sentences come from a grammar of ours. Half of its nouns are verbs too ("they fish", "the fish"),
so that a word alone does not decide. The full view teaches four views that see less (Clark et al.
2018, arXiv:1809.08370).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genssl_utils.kit.training import Objective, cpu_threads, fit

__all__ = ["TAGS", "VIEWS", "Tagger", "Tagging", "sentences", "train_tagger"]

TAGS = ("determiner", "adjective", "noun", "verb", "adverb")
VIEWS = ("full", "forward", "backward", "future", "past")
"""What each prediction may see: all; the words up to this one; from this one on; only the words
before it, so that it has to guess the future; only those after it."""

WORDS = 160
"""Words 0–3 are determiners, 4–39 adjectives, 40–79 nouns, 80–119 nouns or verbs, 120–149 verbs and
150–159 adverbs. Adjectives that end a noun phrase can stand for the noun itself: 24–39."""

PATTERNS = ("D N V D N", "D A N V D N", "D N V D A N", "D A N V R", "D N R V D N", "D N V R")
LENGTH = 6


def sentences(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Words (n, 6) and their tags (n, 6); −1 as tag where a sentence has ended.

    Data card:
        Source: made here, by six patterns of parts of speech over 160 made-up words.
        Licence: MIT, as this code.
        Size: as many sentences as asked for, 4 to 6 words each.
        Split: none; draw a second set from another generator.
        Must not be used for: claims about a real language.
    """
    which = torch.randint(len(PATTERNS), (n,), generator=generator)
    plans = [["DANVR".index(tag) for tag in pattern.split()] for pattern in PATTERNS]
    padded = torch.tensor([plan + [-1] * (LENGTH - len(plan)) for plan in plans])
    tags = padded[which]  # (n, 6)
    low = torch.tensor([0, 4, 24, 80, 150, WORDS])[tags]  # of each tag; the last is for −1
    high = torch.tensor([4, 40, 120, 150, 160, WORDS + 1])[tags]
    u = torch.rand(n, LENGTH, generator=generator)
    return low + (u * (high - low)).long(), tags


class Tagger(nn.Module):
    """A small bidirectional LSTM with one prediction for each view.

    Args:
        width: of the word vectors and of each direction.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.embed = nn.Embedding(WORDS + 1, width)
        self.forwards = nn.LSTM(width, width, batch_first=True)
        self.backwards = nn.LSTM(width, width, batch_first=True)
        sizes = {view: 2 * width if view == "full" else width for view in VIEWS}
        self.heads = nn.ModuleList(nn.Linear(sizes[view], len(TAGS)) for view in VIEWS)

    def forward(self, words: Tensor) -> dict[str, Tensor]:
        """Words (B, T) → logits (B, T, 5) for each view."""
        x = F.dropout(self.embed(words), 0.2, self.training)
        ahead = self.forwards(x)[0]  # (B, T, W), has seen words 1 … t
        back = self.backwards(x.flip(1))[0].flip(1)  # has seen words t … T
        nothing = torch.zeros_like(ahead[:, :1])
        seen = {
            "full": torch.cat([ahead, back], dim=2),
            "forward": ahead,
            "backward": back,
            "future": torch.cat([nothing, ahead[:, :-1]], dim=1),
            "past": torch.cat([back[:, 1:], nothing], dim=1),
        }
        return {view: head(seen[view]) for view, head in zip(VIEWS, self.heads, strict=True)}


@dataclass(frozen=True)
class Tagging:
    """Share of words that each view tags right on fresh sentences, and the CPU time.

    Attributes:
        name: how it was trained.
        accuracy: view → share.
        ambiguous: share right of the full view on words with more than one part of speech.
        seconds: CPU time.
    """

    name: str
    accuracy: dict[str, float]
    ambiguous: float
    seconds: float


@cpu_threads(1)
def train_tagger(
    kl_consistency: Callable[[Tensor, Tensor], Tensor] | None = None,
    *,
    labelled: int = 20,
    unlabelled: int = 1000,
    steps: int = 300,
    seed: int = 0,
) -> Tagging:
    """Train the tagger on a few labelled sentences, and on many others by its own full view.

    Args:
        kl_consistency: the student's, (teacher (N, K), student (N, K)) → scalar; None for training
            on the labelled sentences alone (all five views learn from them in both cases).
        labelled: number of labelled sentences.
        unlabelled: number of sentences without labels.
        steps: number of updates.
        seed: of sentences, weights and batches.
    """
    began = time.process_time()
    generator = torch.Generator().manual_seed(seed)
    words, tags = sentences(labelled, generator)
    others, _ = sentences(unlabelled, generator)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Tagger()

        def loss(step: int) -> Tensor:
            at = torch.randint(labelled, (16,), generator=generator)
            found, y = model(words[at]), tags[at].flatten()
            total = sum(F.cross_entropy(v.flatten(0, 1), y, ignore_index=-1) for v in found.values())
            if kl_consistency is None:
                return total
            u = others[torch.randint(unlabelled, (32,), generator=generator)]
            real = (u < WORDS).flatten()
            seen = {view: v.flatten(0, 1)[real] for view, v in model(u).items()}
            return total + sum(kl_consistency(seen["full"], seen[view]) for view in VIEWS[1:])

        name = "cross-view training" if kl_consistency else "labelled sentences alone"
        fit(
            Objective(torch.optim.Adam(model.parameters(), 0.01), loss), steps, title=name,
            picture=False,
        )  # fmt: skip
    model.eval()
    x, y = sentences(1000, torch.Generator().manual_seed(10_000 + seed))
    real, double = y >= 0, (x >= 24) & (x < 40) | (x >= 80) & (x < 120)
    with torch.no_grad():
        right = {view: v.argmax(2) == y for view, v in model(x).items()}
    return Tagging(
        name,
        {view: r[real].float().mean().item() for view, r in right.items()},
        right["full"][double & real].float().mean().item(),
        time.process_time() - began,
    )
