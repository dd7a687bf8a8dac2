"""How the unit shows what its experiments measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from genssl_utils.contrastive.unlabelled import Unlabelled
from genssl_utils.contrastive.unseen import Embedding
from genssl_utils.contrastive.words import Corpus, WordVectors
from genssl_utils.kit import plots
from genssl_utils.kit.tables import Table, table

__all__ = [
    "batch_picture",
    "corpus_table",
    "embedding_table",
    "mining_picture",
    "roc_picture",
    "turned_table",
    "unlabelled_table",
    "word_table",
]


def embedding_table(found: Sequence[Embedding]) -> Table:
    """What each space is worth on classes that nobody trained it on."""
    return table(
        "Digits 5 to 9, never seen in training",
        [
            {
                "trained by": e.name,
                'error of "the same?" (EER)': e.verdict.eer,
                "1 label a class, nearest": e.verdict.one_label,
                "all labels, linear probe": e.verdict.probe,
                "training": f"{e.seconds:.1f} s",
            }
            for e in found
        ],
    )


def roc_picture(found: Sequence[Embedding]) -> Figure:
    """The ROC curve of "are these two the same?" for up to three spaces."""
    roles, dashes = ("baseline", "data", "model"), (":", "--", "-")
    with plots.style():
        figure, (ax,) = plots.panels(1, size=(4.6, 3.6))
        for e, role, dash in zip(found, roles, dashes, strict=False):
            v = e.verdict
            ax.plot(v.false_alarms, v.true_pairs, dash, color=plots.COLOURS[role],
                    label=f"{e.name} (EER {v.eer:.0%})")  # fmt: skip
        ax.plot([0, 1], [1, 0], color=plots.GRID, linewidth=1)
        ax.annotate("errors equal", (0.74, 0.26), fontsize=8, color=plots.COLOURS["baseline"])
        ax.set(
            title="A learned space tells strangers apart", xlabel="different pairs accepted",
            ylabel="same pairs accepted", xlim=(0, 1), ylim=(0, 1.01),
        )  # fmt: skip
        ax.legend(loc="lower right", fontsize=8, handlelength=3)
    return figure


def mining_picture(found: Sequence[Embedding]) -> Figure:
    """Error and spread on unseen classes as training goes, for each kind of negatives."""
    roles, dashes = ("data", "baseline", "model", "negative"), ("--", ":", "-", "-.")
    with plots.style():
        figure, axes = plots.panels(2, size=(3.9, 2.8))
        words = {
            "error": ("Which negatives teach?", "EER on unseen classes"),
            "spread": ("Does the space stay open?", "mean squared distance"),
        }
        for ax, (key, (title, name)) in zip(axes, words.items(), strict=True):
            for e, role, dash in zip(found, roles, dashes, strict=True):
                ax.plot(e.history.steps, e.history.series[key], dash, label=e.name,
                        color=plots.COLOURS[role])  # fmt: skip
            ax.set(title=title, xlabel="updates", ylabel=name)
            ax.set_ylim(bottom=0)
        axes[0].legend(loc="lower left", fontsize=8, handlelength=3)
    return figure


def unlabelled_table(probes: Mapping[str, float], found: Sequence[Unlabelled]) -> Table:
    """A linear probe with five labels a class, on what was learned without labels."""
    rows = [(name, "", "", accuracy, "") for name, accuracy in probes.items()]
    rows += [(f"{u.name}, N = {u.batch}", u.steps, f"{u.steps * u.batch:,}", u.accuracy,
              f"{u.seconds:.1f} s") for u in found]  # fmt: skip
    names = ("features", "updates", "pictures shown", "accuracy", "training")
    return table(
        "Ten digits, five labels a class, linear probe",
        [dict(zip(names, row, strict=True)) for row in rows],
    )


def batch_picture(probes: Mapping[str, float], found: Sequence[Unlabelled]) -> Figure:
    """Accuracy of the probe against the batch size, at an equal number of updates."""
    with plots.style():
        figure, (ax,) = plots.panels(1, size=(5.2, 2.9))
        sizes = [u.batch for u in found]
        ax.plot(sizes, [u.accuracy for u in found], "o-", color=plots.COLOURS["model"])
        for u in found:
            ax.annotate(f"{u.accuracy:.2f}", (u.batch, u.accuracy), (0, 7),
                        textcoords="offset points", ha="center", fontsize=9)  # fmt: skip
        pixels = probes["pixels"]
        ax.axhline(pixels, linestyle="--", color=plots.COLOURS["baseline"])
        ax.text(sizes[0], pixels, "the same probe on pixels", va="bottom", fontsize=9)
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, sizes)
        ax.set(
            title="At equal updates, larger batches do better", xlabel="batch size N",
            ylabel="accuracy, five labels a class", ylim=(min(0.4, pixels - 0.05), 1),
        )  # fmt: skip
    return figure


def turned_table(asked: Mapping[str, tuple[float, float]]) -> Table:
    """What views that turn a picture all the way do to two questions about it.

    Args:
        asked: views → accuracy of "which digit?" and of "which way up?".
    """
    return table(
        "The views decide what the space forgets (accuracy of a linear probe)",
        [
            {"views": name, "which digit?": digit, "which way up?": way_up}
            for name, (digit, way_up) in asked.items()
        ],
    )


def corpus_table(corpus: Corpus) -> Table:
    """A few sentences of the made language."""
    total = f"{int(corpus.counts.sum()):,}"
    return table(
        f"{total} words of text, {len(corpus.words)} different ones; it begins so",
        [{"sentence": text} for text in corpus.sentences],
    )


def word_table(
    found: Sequence[WordVectors], words: Sequence[str] = ("cat", "bread", "red")
) -> Table:
    """Perplexity, normalisation and neighbours of each way to train word vectors."""
    rows = []
    for w in found:
        row: dict[str, object] = {
            "trained by": w.name,
            "scores a pair": w.words_scored,
            "perplexity": w.perplexity,
            "mean log Z": f"{w.log_z:+.3f}",
            "neighbours of its class": w.agree,
        }
        rows.append(row | {f"near '{word}'": ", ".join(w.neighbours(word, 3)) for word in words})
    return table("Held-out neighbours, and the vectors", rows)
