"""A small language of made sentences, and word vectors trained on it by the student's NCE."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genssl_utils.kit.training import History, Objective, fit, seed_all

__all__ = ["CLASSES", "Corpus", "WordVectors", "made_corpus", "train_words"]

CLASSES = {
    "animal": ["cat", "dog", "horse", "cow", "bird", "mouse", "fox", "rabbit", "goat", "duck"],
    "person": ["baker", "teacher", "farmer", "sailor", "doctor", "singer", "child", "queen"],
    "food": ["bread", "cheese", "apple", "soup", "rice", "honey", "cake", "fish", "bean", "plum"],
    "place": ["garden", "forest", "kitchen", "market", "harbour", "school", "field", "attic"],
    "tool": ["hammer", "spoon", "rope", "knife", "brush", "ladder", "saw", "needle"],
    "colour": ["red", "green", "blue", "white", "black", "yellow", "brown", "grey"],
    "size": ["small", "big", "tiny", "huge", "tall", "short"],
    "moving": ["runs", "walks", "jumps", "hides", "sleeps", "swims"],
    "eating": ["eats", "tastes", "wants", "smells", "finds"],
    "using": ["takes", "holds", "mends", "drops", "sells", "cleans"],
}
"""Word classes; the small words `the a in near with and` belong to none."""

SMALL = ["the", "a", "in", "near", "with", "and"]

PATTERNS = (
    "the size animal moving in the place",
    "the animal eating the colour food",
    "a person using the tool in the place",
    "the person eating the food with the tool",
    "a colour animal and a size animal moving near the place",
    "the size person using a colour tool",
    "the person moving near the animal",
)


@dataclass(frozen=True)
class Corpus:
    """A text as pairs of a word and one of its neighbours.

    Data card:
        Source: made here by seven sentence patterns; within a class, word r is drawn with weight
            1/r (Zipf's law).
        Licence: MIT, as this code.
        Size: as many sentences as asked for, 81 words.
        Split: every tenth sentence is held out for testing.
        Must not be used for: claims about real language; neighbours here are as clear as the
            patterns that made them.

    Attributes:
        words: the vocabulary.
        classes: number of each word's class, (V,); −1 for the small words.
        counts: how often each word stands in the training text, (V,).
        pairs: (word, neighbour) of the training text, (M, 2).
        test_pairs: the same of the held-out sentences.
        sentences: the first few, to read.
    """

    words: tuple[str, ...]
    classes: Tensor
    counts: Tensor
    pairs: Tensor
    test_pairs: Tensor
    sentences: tuple[str, ...]


def made_corpus(sentences: int = 4000, *, window: int = 2, seed: int = 0) -> Corpus:
    """Write the sentences and take every word with its neighbours up to `window` places away."""
    chance = torch.Generator().manual_seed(seed)
    words = [*SMALL, *dict.fromkeys(w for group in CLASSES.values() for w in group)]
    number = {w: i for i, w in enumerate(words)}
    home = [-1] * len(words)
    for c, group in enumerate(CLASSES.values()):
        for w in group:
            home[number[w]] = c
    pairs: tuple[list, list] = ([], [])
    counts, written = torch.zeros(len(words)), []
    for s in range(sentences):
        pattern = PATTERNS[int(torch.randint(len(PATTERNS), (1,), generator=chance))]
        text = [_fill(slot, chance) for slot in pattern.split()]
        written.append(" ".join(text))
        ids = [number[w] for w in text]
        held_out = s % 10 == 9
        for i, word in enumerate(ids):
            counts[word] += not held_out
            near = ids[max(0, i - window) : i] + ids[i + 1 : i + 1 + window]
            pairs[held_out].extend((word, other) for other in near)
    train, test = (torch.tensor(p, dtype=torch.int64) for p in pairs)
    return Corpus(tuple(words), torch.tensor(home), counts, train, test, tuple(written[:4]))


def _fill(slot: str, chance: torch.Generator) -> str:
    if slot not in CLASSES:
        return slot
    group = CLASSES[slot]
    weight = 1 / torch.arange(1.0, len(group) + 1)
    return group[int(torch.multinomial(weight, 1, generator=chance))]


@dataclass(frozen=True)
class WordVectors:
    """Trained vectors and what they are worth.

    Attributes:
        name: how they were trained.
        vectors: one a word, (V, D).
        perplexity: of held-out neighbours, after the scores were normalised by an exact softmax.
        log_z: mean over the held-out words of log Σ_w exp s(w | word): 0 for a law.
        agree: share of the four nearest neighbours that are of the word's class; the smallest
            class has five words, so that 1 can be reached.
        words_scored: scores computed for one training pair.
        seconds: of training.
        history: losses.
    """

    name: str
    corpus: Corpus
    vectors: Tensor
    perplexity: float
    log_z: float
    agree: float
    words_scored: int
    seconds: float
    history: History

    def neighbours(self, word: str, n: int = 4) -> list[str]:
        """The n nearest words by cosine."""
        unit = nn.functional.normalize(self.vectors, dim=1)
        close = unit @ unit[self.corpus.words.index(word)]
        return [self.corpus.words[i] for i in close.argsort(descending=True)[1 : n + 1].tolist()]


def train_words(
    corpus: Corpus,
    nce_loss: Callable[..., Tensor] | None,
    *,
    correct: bool = True,
    noise_words: int = 8,
    size: int = 16,
    steps: int = 1200,
    batch: int = 256,
    rate: float = 0.03,
    seed: int = 0,
    name: str = "NCE",
) -> WordVectors:
    """Train scores s(w | c) = u_w · v_c + b_w for the neighbours w of a word c.

    Args:
        corpus: the text.
        nce_loss: the student's; None trains by the full softmax, the dear way.
        correct: give the loss the noise law q. Without it log(k q) is set to 0, which is negative
            sampling as in word2vec (Mikolov et al. 2013, arXiv:1310.4546).
        noise_words: k; they are drawn from the words' frequencies.
        size: coordinates of a vector.
        steps: updates of Adam, over which the rate falls to 0.
        batch: pairs in a batch.
        rate: learning rate at the start.
        seed: of vectors, batches and noise.
        name: what to call it.
    """
    start = time.perf_counter()
    seed_all(seed)
    chance, v = torch.Generator().manual_seed(seed), len(corpus.words)
    q = corpus.counts / corpus.counts.sum()
    inner = nn.Parameter(0.1 * torch.randn(v, size, generator=chance))
    outer = nn.Parameter(0.1 * torch.randn(v, size, generator=chance))
    bias = nn.Parameter(q.log().clone())

    def loss(step: int) -> Tensor:
        at = torch.randint(len(corpus.pairs), (batch,), generator=chance)
        word, other = corpus.pairs[at].unbind(1)
        if nce_loss is None:
            return nn.functional.cross_entropy(inner[word] @ outer.T + bias, other)
        noise = torch.multinomial(q, batch * noise_words, replacement=True, generator=chance)
        noise = noise.view(batch, noise_words)
        true = (inner[word] * outer[other]).sum(1) + bias[other]
        false = (inner[word][:, None] * outer[noise]).sum(2) + bias[noise]
        if correct:
            return nce_loss(true, false, q.log()[other], q.log()[noise])
        flat = -math.log(noise_words)
        return nce_loss(true, false, torch.full_like(true, flat), torch.full_like(false, flat))

    adam = torch.optim.Adam([inner, outer, bias], lr=rate)
    falling = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.01, steps)
    history = fit(
        Objective(adam, loss), steps,
        title=name, record_every=max(1, steps // 10), picture=False,
        after_step=lambda step: falling.step(),
    )  # fmt: skip
    seconds = time.perf_counter() - start
    with torch.no_grad():
        word, other = corpus.test_pairs.unbind(1)
        scores = inner @ outer.T + bias  # (V, V): one row a word
        log_z = scores.logsumexp(1)
        cost = (log_z[word] - scores[word, other]).mean()
    return WordVectors(
        name, corpus, inner.detach(), float(cost.exp()), float(log_z[word].mean()),
        agreement(inner.detach(), corpus.classes), v if nce_loss is None else 1 + noise_words,
        seconds, history,
    )  # fmt: skip


def agreement(vectors: Tensor, classes: Tensor, n: int = 4) -> float:
    """Share of each word's n nearest neighbours (cosine) that are of its class.

    Words of no class (−1) are left out, as words and as neighbours.
    """
    kept = classes >= 0
    unit = nn.functional.normalize(vectors[kept], dim=1)
    close = (unit @ unit.T).fill_diagonal_(-torch.inf).topk(n, dim=1).indices
    own = classes[kept]
    return (own[close] == own[:, None]).double().mean().item()
