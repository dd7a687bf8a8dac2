"""How the unit shows its texts and what its experiments found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from genssl_utils.kit import plots
from genssl_utils.kit.tables import Table, table
from genssl_utils.unpaired_translation.translator import Translator
from genssl_utils.unpaired_translation.words import Aligned, right_share, shares_tried
from genssl_utils.unpaired_translation.world import THAI, Texts

__all__ = [
    "alignment_table", "bleu_table", "examples_table", "restart_picture", "round_trip_picture",
    "texts_table", "thai_table",
]  # fmt: skip

Right = Mapping[str, frozenset[str]]


def texts_table(texts: Texts, rows: int = 5) -> Table:
    """A few sentences of either side; a row is no pair."""
    shown = zip(texts.first[:rows], texts.second[:rows], strict=True)
    return table(
        "Two texts about one world: a row is no pair, no sentence has its translation here",
        [{"English": " ".join(a), "French": " ".join(b)} for a, b in shown],
    )


def alignment_table(found: Mapping[str, Aligned], right: Right, names: str) -> Table:
    """For each alignment: how many starts go well, which is picked, and what its list is worth.

    Args:
        found: name → alignment.
        right: the dictionary that judges.
        names: what the names say, the heading of their column.
    """
    rows = []
    for name, aligned in found.items():
        tried = shares_tried(aligned, right)
        rows.append(
            {
                names: name, "starts above ½": f"{int((tried > 0.5).sum())} of {len(tried)}",
                "best start": float(tried.max()), "picked start": float(tried[aligned.picked]),
                "criterion of the picked": float(aligned.criterion[aligned.picked]),
                "final list": right_share(aligned, right),
            }
        )  # fmt: skip
    return table("Share of English words whose best French match is right", rows)


def restart_picture(aligned: Aligned, right: Right) -> Figure:
    """Every restart: the criterion that needs no pairs, against the truth."""
    figure, (axes,) = plots.panels(1, size=(5.2, 3.2))
    truth = shares_tried(aligned, right)
    axes.plot(aligned.criterion, truth, "o", color=plots.COLOURS["model"], markersize=5, alpha=0.6)
    at = (float(aligned.criterion[aligned.picked]), float(truth[aligned.picked]))
    axes.plot(*at, "s", color=plots.COLOURS["data"], markersize=9)
    axes.annotate(
        "picked", at, xytext=(-10, 0), textcoords="offset points", ha="right", va="center",
        color=plots.COLOURS["data"],
    )  # fmt: skip
    axes.set(
        title="Does the criterion know which start went well?",
        xlabel="mean CSLS of the best matches", ylabel="share of words right", ylim=(-0.03, 1.03),
    )  # fmt: skip
    return figure


def bleu_table(scores: Mapping[str, tuple[float, float]]) -> Table:
    """BLEU of every system, both ways."""
    rows = [
        {"system": name, "English → French": f"{a:.1f}", "French → English": f"{b:.1f}"}
        for name, (a, b) in scores.items()
    ]
    return table("BLEU on sentences that no system has seen", rows)


def round_trip_picture(seen: Sequence[Mapping[str, float]]) -> Figure:
    """True BLEU and the round trip, as training goes on."""
    figure, (axes,) = plots.panels(1, size=(5.6, 3.2))
    steps = [row["steps"] for row in seen]
    true = [(row["forth"] + row["back"]) / 2 for row in seen]
    trips = [row["round trip"] for row in seen]
    axes.plot(steps, true, "o-", color=plots.COLOURS["data"])
    axes.plot(steps, trips, "s--", color=plots.COLOURS["model"])
    plots.label_line(axes, steps[-1], true[-1], "true BLEU", "data")
    plots.label_line(axes, steps[-1], trips[-1], "round trip", "model")
    axes.set(
        title="A round trip needs no pairs; does it know?", xlabel="training steps", ylabel="BLEU",
        xlim=(0, steps[-1] * 1.25),
    )  # fmt: skip
    return figure


def thai_table(aligned: Aligned, right: Right, rows: int = 14) -> Table:
    """English words, their best Thai match, how it sounds, and what it means."""
    found, shown = aligned.lexicon(), []
    judged = [word for word in found if right.get(word)]
    for word in judged[:: max(1, len(judged) // rows)][:rows]:
        sound, meaning = THAI[found[word]]
        shown.append(
            {
                "English": word, "best match": found[word], "sounds": sound, "means": meaning,
                "right": "yes" if found[word] in right[word] else "no",
            }
        )  # fmt: skip
    return table("Some English words and their best Thai match", shown)


def examples_table(
    texts: Texts, before: Sequence[tuple[str, ...]], net: Translator, rows: int = 4
) -> Table:
    """French test sentences, word by word and by the network."""
    french = [pair[1] for pair in texts.test[:rows]]
    names = ("French", "word by word", "network", "reference")
    told = zip(french, before, net.say(french, 0), (pair[0] for pair in texts.test), strict=False)
    return table(
        "From French into English",
        [
            dict(zip(names, map(" ".join, row), strict=True))
            for row in told
        ],
    )  # fmt: skip
