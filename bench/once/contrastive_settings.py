"""How the settings of unit 18 were chosen: never on what the unit reports.

Losses on labelled digits: among digits 0 to 4 alone, three times two of them kept unseen, and
pictures of the training part alone. InfoNCE without labels: one half of the training part judges
the other. Words: a corpus of another seed. Prints every setting tried; the unit uses the best.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

import torch

from genssl_utils import contrastive as topic
from genssl_utils.contrastive.unlabelled import train_unlabelled
from genssl_utils.contrastive.unseen import SIZE, Strangers, strangers, train_embedding
from genssl_utils.contrastive.views import jitter
from genssl_utils.contrastive.words import made_corpus, train_words
from genssl_utils.course.catalogue import Checker
from genssl_utils.course.source import find_unit, project_root
from genssl_utils.kit.data import Split, digits
from genssl_utils.kit.tables import table

FOLDS = ((3, 4), (1, 2), (0, 3))
"""Which two of the digits 0 to 4 are kept unseen."""
ANSWER = Checker(find_unit(project_root(), "18")).namespace


def candidates() -> Iterator[tuple[str, str, Callable[[Strangers], Callable]]]:
    """Loss, setting, and how the loss is made for the classes of a fold."""
    dist = ANSWER["pairwise_sq_dist"]
    parts = (ANSWER["triplet_loss"], dist, ANSWER["semi_hard_negatives"])
    for s in (5.0, 10.0, 20.0):
        yield (
            "classifier", f"sharpness {s:g}",
            lambda data, s=s: topic.Classifier(len(data.y.unique()), SIZE, sharpness=s),
        )  # fmt: skip
    for m in (0.1, 0.2, 0.5):
        yield (
            "triplet, semi-hard", f"margin {m:g}",
            lambda data, m=m: topic.triplets(*parts, margin=m, every=True),
        )  # fmt: skip
    for r in (3.0, 10.0, 30.0):
        yield (
            "lifted structured", f"radius {r:g}",
            lambda data, r=r: topic.lifted(ANSWER["lifted_structure_loss"], dist, radius=r),
        )  # fmt: skip
    for t in (0.1, 0.2, 0.5):
        yield (
            "InfoNCE", f"temperature {t:g}",
            lambda data, t=t: topic.pairs(ANSWER["info_nce"], temperature=t),
        )  # fmt: skip
    for t in (0.1, 0.2, 0.5):
        yield (
            "soft nearest neighbour", f"temperature {t:g}",
            lambda data, t=t: topic.nearest(ANSWER["soft_nearest_neighbor_loss"], temperature=t),
        )  # fmt: skip


def by_unseen_pairs() -> list[dict[str, object]]:
    """Equal error rate of each setting on pairs of digits kept out of 0 to 4."""
    folds = [
        strangers(tuple(d for d in range(5) if d not in pair), pair, choosing=True)
        for pair in FOLDS
    ]
    rows = []
    for name, setting, make in candidates():
        errors = [
            train_embedding(name, make(data), data, seed=fold).verdict.eer
            for fold, data in enumerate(folds)
        ]
        rows.append({"loss": name, "setting": setting, "EER": statistics.mean(errors)})
    return rows


def by_halves() -> list[dict[str, object]]:
    """Probe accuracy of each temperature of InfoNCE without labels, inside the training part."""
    data = digits()
    half = torch.arange(len(data.y_train)) % 2 == 0
    chance = torch.Generator().manual_seed(0)
    inner = Split(
        data.x_train[half], data.y_train[half],
        jitter(data.x_train[~half], chance), data.y_train[~half],
    )  # fmt: skip
    rows = []
    for t in (0.1, 0.2, 0.5):
        found = [
            train_unlabelled(
                ANSWER["info_nce"], inner, batch=64, pictures=64 * 120, temperature=t, seed=seed
            )
            for seed in range(3)
        ]
        accuracy = statistics.mean(f.accuracy for f in found)
        rows.append({"loss": "InfoNCE, no labels", "setting": f"temperature {t:g}",
                     "probe": accuracy})  # fmt: skip
    return rows


def by_another_corpus() -> list[dict[str, object]]:
    """Perplexity of each learning rate on a corpus that the unit does not use."""
    corpus, rows = made_corpus(seed=1), []
    for rate in (0.003, 0.01, 0.03):
        for name, loss in (("full softmax", None), ("NCE", ANSWER["nce_loss"])):
            found = train_words(corpus, loss, rate=rate, name=name)
            rows.append({"loss": name, "setting": f"rate {rate:g}",
                         "perplexity": found.perplexity})  # fmt: skip
    return rows


def main() -> None:
    """Try every setting and print what came of it."""
    print(table("Chosen on pairs of digits kept out of 0 to 4 (mean of three)", by_unseen_pairs()))
    print(table("Chosen inside the training part (mean of three seeds)", by_halves()))
    print(table("Chosen on another corpus", by_another_corpus()))


if __name__ == "__main__":
    main()
