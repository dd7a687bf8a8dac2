"""Cross-view training: the partial views of a tagger learn from its full view.

Four small modules tag each word from less of the sentence than the primary one sees. On sentences
without labels they learn to answer as the primary module does (CVT, Clark et al. 2018,
arXiv:1809.08370). They share its lower layer, so the primary module gets better as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from genssl_utils.consistency_training.tag_grammar import NO_TAG, TAGS, Tagged, TagTask
from genssl_utils.consistency_training.tagger import VIEWS, CrossViewTagger
from genssl_utils.kit.tables import Table, table
from genssl_utils.kit.training import History, Objective, cpu_threads, fit, pick_device

__all__ = [
    "Tagging",
    "cross_view_loss",
    "measure",
    "sight_table",
    "tagging_table",
    "train_tagger",
    "view_table",
]


@dataclass
class Tagging:
    """A trained tagger, and the share of words that it tags right.

    Attributes:
        name: how it was trained.
        model: the tagger.
        vocabulary: its words, by number.
        accuracy: over all words of the sentences measured on.
        ambiguous: over the words that can have more than one tag.
        unseen: over the words that are in no labelled sentence.
        views: view → accuracy over all words, for `full` and the views that were trained.
        history: the losses as they came.
        seconds: CPU time of the training.
    """

    name: str
    model: CrossViewTagger
    vocabulary: tuple[str, ...]
    accuracy: float
    ambiguous: float
    unseen: float
    views: dict[str, float]
    history: History
    seconds: float


def cross_view_loss(
    model: CrossViewTagger,
    words: Tensor,
    kl_consistency: Callable[[Tensor, Tensor], Tensor],
    views: Sequence[str] = tuple(VIEWS),
) -> Tensor:
    """Σ over views of the mean over words of KL(full view ‖ view), in nats.

    The full view answers as it would in use, without dropout, and gets no gradient from here.

    Args:
        model: the tagger; it is left in training mode.
        words: word numbers (B, T) of sentences without labels.
        kl_consistency: the student's; logits (N, K) of teacher and student → scalar.
        views: those that learn; `full` itself may be one, seen through dropout.

    Returns:
        The loss, shape ().
    """
    real = words != 0  # (B, T)
    with torch.no_grad():
        teacher = model.eval()(words)["full"][real]  # (N, K)
    seen = model.train()(words, views)
    return torch.stack([kl_consistency(teacher, seen[view][real]) for view in views]).sum()


@cpu_threads(1)
def train_tagger(
    task: TagTask,
    kl_consistency: Callable[[Tensor, Tensor], Tensor] | None = None,
    *,
    views: Sequence[str] = tuple(VIEWS),
    steps: int = 200,
    batch: tuple[int, int] = (16, 32),
    learning_rate: float = 2e-2,
    weight: float = 1.0,
    dropout: float = 0.3,
    word_dropout: float = 0.3,
    seed: int = 0,
    device: torch.device | str = "auto",
    validation: bool = False,
    picture: bool = True,
) -> Tagging:
    """Train a tagger by its labels alone, or by unlabelled sentences as well.

    Args:
        task: the sentences.
        kl_consistency: the student's; None to learn from the labels alone.
        views: those that learn from the full view: the four of the paper, some of them, or
            `("full",)` alone, which then sees less only by dropout.
        steps: updates; with unlabelled sentences each update sums both losses.
        batch: labelled and unlabelled sentences an update.
        learning_rate: of Adam at the start; it falls to zero along half a cosine.
        weight: λ of the loss on unlabelled sentences.
        dropout: share of entries dropped in training.
        word_dropout: share of words dropped in training.
        seed: of weights, batches and dropout.
        device: where to train; see `kit.training.pick_device`.
        validation: measure on the validation sentences in place of the test ones.
        picture: whether to draw the loss in a notebook.

    Returns:
        The tagger and its measures. Nothing is chosen by them: the last network counts.
    """
    began, device = time.process_time(), pick_device(str(device))
    learners = () if kl_consistency is None else tuple(views)
    labelled, unlabelled = task.labelled.to(device), task.unlabelled.to(device)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = CrossViewTagger(
            len(task.vocabulary), dropout=dropout, word_dropout=word_dropout
        ).to(device)

        def loss(_: int) -> Tensor:
            at = torch.randperm(len(labelled.words), generator=generator)[: batch[0]].to(device)
            words = _trim(labelled.words[at])  # (B, T)
            scores = model.train()(words)["full"]  # (B, T, K)
            tags = labelled.tags[at, : words.shape[1]]
            known = F.cross_entropy(scores.mT, tags, ignore_index=NO_TAG)
            if not learners:
                return known
            at = torch.randint(len(unlabelled), (batch[1],), generator=generator).to(device)
            words = _trim(unlabelled[at])
            return known + weight * cross_view_loss(model, words, kl_consistency, learners)

        optimizer = torch.optim.Adam(model.parameters(), learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        history = fit(
            Objective(optimizer, loss, clip=1.0), steps, title=_name(learners),
            after_step=lambda _: schedule.step(), picture=picture,
        )  # fmt: skip
    seconds = time.process_time() - began
    found = measure(model, (task.validation if validation else task.test).to(device), task)
    return Tagging(
        name=_name(learners), model=model, vocabulary=task.vocabulary,
        accuracy=found["full"], ambiguous=found["ambiguous"], unseen=found["unseen"],
        views={view: found[view] for view in dict.fromkeys(("full", *learners))},
        history=history, seconds=seconds,
    )  # fmt: skip


@torch.no_grad()
def measure(model: CrossViewTagger, sentences: Tagged, task: TagTask) -> dict[str, float]:
    """Share of the words tagged right: by each view on all words, by the full view on some.

    Args:
        model: the tagger; it is left in evaluation mode.
        sentences: what to tag, on the model's device.
        task: knows which words are `ambiguous`, and which are `unseen` in the labelled part.

    Returns:
        `full`, each of `VIEWS`, `ambiguous`, `unseen` → a share from 0 to 1.
    """
    real = sentences.tags != NO_TAG
    words, tags = sentences.words[real].cpu(), sentences.tags[real]  # (N,)
    scores = model.eval()(sentences.words, ("full", *VIEWS))
    right = {view: (s[real].argmax(dim=1) == tags).cpu().double() for view, s in scores.items()}
    found = {view: r.mean().item() for view, r in right.items()}
    for name, which in (("ambiguous", task.ambiguous), ("unseen", task.unseen)):
        found[name] = right["full"][which[words]].mean().item()
    return found


def tagging_table(taggings: Sequence[Tagging]) -> Table:
    """Each way of training, with the share of test words that its full view tags right."""
    return table(
        "Share of test words tagged right",
        [
            {
                "trained by": t.name,
                "all words": t.accuracy,
                "ambiguous words": t.ambiguous,
                "words never labelled": t.unseen,
                "CPU time": f"{t.seconds:.1f} s",
            }
            for t in taggings
        ],
    )


def view_table(tagging: Tagging) -> Table:
    """What each trained view sees, and the share of test words that it tags right."""
    sees = {"full": "the whole sentence", **VIEWS}
    return table(
        f"What each view knows after {tagging.name}",
        [
            {"view": view, "sees": sees[view], "tagged right": right}
            for view, right in tagging.views.items()
        ],
    )


def sight_table(text: str, word: str, tagging: Tagging | None = None) -> Table:
    """Which words each view sees when it tags one word of a sentence, and what it answers.

    `░` hides a word; `?` marks the word to be tagged.

    Args:
        text: a sentence of the grammar's words.
        word: the one to be tagged, at its first place.
        tagging: a trained tagger, whose likeliest tag is shown with its probability.

    Raises:
        ValueError: the word is not in the sentence, or a word is not in the vocabulary.

    Example:
        >>> sight_table("the old guard the boat", "guard")
        What each view sees when it tags "guard"
        view      1    2    3       4    5
        full      the  old  guard?  the  boat
        forward   the  old  guard?  ░    ░
        backward  ░    ░    guard?  the  boat
        future    the  old  ?       ░    ░
        past      ░    ░    ?       the  boat
    """
    words = text.split()
    if word not in words:
        raise ValueError(f"{word!r} is not a word of {text!r}.")
    t = words.index(word)
    end = len(words)
    sight = {
        "full": range(end), "forward": range(t + 1), "backward": range(t, end),
        "future": range(t), "past": range(t + 1, end),
    }  # fmt: skip
    rows = [
        {"view": view}
        | {f"{i + 1}": (w if i in seen else "░" * (i != t)) + "?" * (i == t)
           for i, w in enumerate(words)}
        for view, seen in sight.items()
    ]  # fmt: skip
    if tagging is not None:
        for row, answer in zip(rows, _answers(tagging, words, t, tuple(sight)), strict=True):
            row["answers"] = answer
    return table(f'What each view sees when it tags "{word}"', rows)


@torch.no_grad()
def _answers(tagging: Tagging, words: list[str], t: int, views: Sequence[str]) -> list[str]:
    """The likeliest tag of word t in each view; nothing where the view was not trained."""
    if unknown := [word for word in words if word not in tagging.vocabulary]:
        raise ValueError(f"{unknown[0]!r} is not a word of the grammar.")
    device = next(tagging.model.parameters()).device
    numbers = torch.tensor([[tagging.vocabulary.index(word) for word in words]], device=device)
    scores = tagging.model.eval()(numbers, views)
    told = []
    for view in views:
        p, k = scores[view][0, t].softmax(dim=0).max(dim=0)
        told.append(f"{TAGS[int(k)]} {p:.2f}" if view in tagging.views else "")
    return told


def _name(learners: Sequence[str]) -> str:
    """How a tagger was trained, in words."""
    if set(learners) == set(VIEWS):
        return "cross-view training"
    if tuple(learners) == ("full",):
        return "full view through dropout"
    return f"views: {', '.join(learners)}" if learners else "labels alone"


def _trim(words: Tensor) -> Tensor:
    """The rows without the places that are filled up in every one."""
    return words[:, : int((words != 0).sum(dim=1).max())]
