"""What judge and box need of a unit, as plain data that can be sent to another machine."""

from __future__ import annotations

import json
from typing import Any

from genssl_utils.course.source import Unit


def unit_for_judge(unit: Unit) -> dict[str, Any]:
    """A unit's setup cells, checks, key and catalogue as text.

    Returns:
        `name`; `setup`, sources; `exercises`, name → `topic`, `name`, `checks`
        (`grade_id`, `source`, `points`) and `key`; `mistakes`, the catalogue's source or "".
    """
    keys: dict[str, Any] = {}
    if unit.key.is_file():
        keys = json.loads(unit.key.read_text(encoding="utf-8"))["exercises"]
    empty: dict[str, Any] = {"expected": {}, "mistakes": {}}
    return {
        "name": unit.name,
        "setup": [cell.source for cell in unit.cells("setup", "parameters")],
        "exercises": {
            name: {
                "topic": unit.topic, "name": name, "key": keys.get(name, empty),
                "checks": [
                    {"grade_id": c.metadata.nbgrader.grade_id, "source": c.source,
                     "points": float(c.metadata.nbgrader.points)}
                    for c in exercise.checks
                ],
            }
            for name, exercise in unit.exercises.items()
        },
        "mistakes": unit.mistakes.read_text(encoding="utf-8") if unit.mistakes.is_file() else "",
    }  # fmt: skip
