"""What several seeds gave, written for good: `book/results/UNIT.json`."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from genssl_utils.course.files import write_atomic
from genssl_utils.course.source import CourseError, Unit


def path(unit: Unit) -> Path:
    """Where a unit's record lies."""
    return unit.root / "book" / "results" / f"{unit.name}.json"


def read(unit: Unit) -> dict[str, Any]:
    """A unit's record by scale; empty when there is none."""
    file = path(unit)
    return json.loads(file.read_text(encoding="utf-8"))["scales"] if file.is_file() else {}


def write(unit: Unit, scale: str, runs: Mapping[int, Sequence[Mapping[str, Any]]]) -> Path:
    """Write mean and standard deviation of each claim over the seeds; other scales stay.

    Args:
        unit: the unit.
        scale: the scale of all these runs.
        runs: seed → the claims of that run.

    Returns:
        The file.

    Raises:
        CourseError: the seeds claim different things, or one run claims a thing twice.
    """
    names = [[claim["name"] for claim in claims] for claims in runs.values()]
    twice = [name for one in names for name in one if one.count(name) > 1]
    if twice:
        raise CourseError(f"{unit.name}: '{twice[0]}' is claimed twice in one run; rename one.")
    if any(sorted(one) != sorted(names[0]) for one in names):
        raise CourseError(f"{unit.name}: not every seed claims the same results.")
    values = {name: [] for name in names[0]}
    for claims in runs.values():
        for claim in claims:
            values[claim["name"]].append(claim["value"])
    entry = {
        "seeds": list(runs),
        "versions": versions(),
        "claims": {
            claim["name"]: summary(values[claim["name"]])
            | {
                k: claim[k]
                for k in ("unit", "paper", "source", "note", "better")
                if claim[k] not in (None, "")
            }
            for claim in next(iter(runs.values()))
        },
    }
    scales = read(unit) | {scale: entry}
    text = json.dumps({"unit": unit.name, "scales": scales}, indent=1, ensure_ascii=False) + "\n"
    write_atomic(path(unit), text)
    return path(unit)


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Mean and sample standard deviation, to six significant digits, beside the values.

    Example:
        >>> summary([1.0, 2.0, 3.0])
        {'mean': 2.0, 'sd': 1.0, 'values': [1.0, 2.0, 3.0]}
    """
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return {
        "mean": _short(statistics.fmean(values)),
        "sd": _short(spread),
        "values": [_short(value) for value in values],
    }


def versions() -> dict[str, str]:
    """What made the numbers, without naming the machine."""
    return {
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
        "numpy": metadata.version("numpy"),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _short(value: float) -> float:
    return float(f"{value:.6g}")
