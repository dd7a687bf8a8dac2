"""One way to measure ours beside a peer's in the same run, and to write it down for the book."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata

import torch

from genssl_utils.course.files import write_atomic
from genssl_utils.course.record import versions
from genssl_utils.course.source import project_root
from genssl_utils.kit.tables import table


def seconds(*calls: Callable[[], object], rounds: int = 7, warm: int = 1) -> list[float]:
    """Median seconds of each call; the calls take turns, so that a busy moment hits all alike.

    Args:
        calls: what is timed, one after another in every round, with one CPU thread of torch's.
        rounds: how often each is timed.
        warm: how often each runs before that.
    """
    torch.set_num_threads(1)
    for _ in range(warm):
        for call in calls:
            call()
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for times, call in zip(taken, calls, strict=True):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in taken]


def record(
    name: str, title: str, rows: Sequence[Mapping[str, object]], peers: Sequence[str], note: str
) -> None:
    """Print a comparison and write it to `book/results/bench/NAME.json`, which the book shows.

    Args:
        name: the topic measured.
        title: what is compared, in one line.
        rows: one mapping a row, the same columns in each; texts, or numbers shown by 3 digits.
        peers: distributions measured beside ours; their versions are written down.
        note: how it was measured and what it does not say.

    Raises:
        ValueError: there are no rows, or their columns differ.
    """
    print(table(title, rows), note, sep="\n", end="\n\n")
    made = versions() | {peer: metadata.version(peer) for peer in peers}
    entry = {"title": title, "rows": list(rows), "note": note, "versions": made}
    path = project_root() / "book" / "results" / "bench" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, json.dumps(entry, indent=1, ensure_ascii=False) + "\n")
