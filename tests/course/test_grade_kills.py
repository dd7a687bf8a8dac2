"""kill -9 at random points while a class of 200 is graded, until it is done: nothing is lost.

`make soak` kills for ten minutes in place of 30 seconds.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter

import psutil
import pytest

from genssl_utils.course.build import build
from genssl_utils.course.source import find_unit
from small_class import hand_in_many, kill, parts_of, rows, start_grading
from toy_course import write_course

SOAK = bool(os.environ.get("GENSSL_SOAK"))
MANY = 200
SECONDS_OF_KILLING = 600 if SOAK else 30


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A class of 200, graded in one go."""
    root = write_course(tmp_path_factory.mktemp("undisturbed"))
    unit = find_unit(root, "07")
    build([unit])
    scores = hand_in_many(unit, MANY)
    done = start_grading(root)
    said, _ = done.communicate(timeout=300)
    assert done.returncode == 1, said  # those that ended Python are for a person to look at
    return root, scores


def evidence(root):
    """Every file behind the scores, by its place."""
    folder = root / "build" / "autograded"
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_scores_are_those_of_the_answers(undisturbed):
    root, scores = undisturbed
    seen = {row[0]: row[2] for row in rows(root) if row[1] == "check_double"}
    assert seen == scores


def test_killed_at_random_points_the_gradebook_ends_the_same(undisturbed, tmp_path):
    """kill -9 of grader, judge, box and their children, then again until it is done."""
    root, _ = undisturbed
    course = write_course(tmp_path)
    unit = find_unit(course, "07")
    build([unit])
    hand_in_many(unit, MANY)
    (course / "grading").mkdir()
    shutil.copy(root / "grading" / "secret", course / "grading")
    chance, killed, starts, done = random.Random(7), Counter(), 0, False
    began = time.monotonic()

    def enough() -> bool:
        seconds = time.monotonic() - began
        each = all(killed[part] >= 3 for part in ("grader", "judge", "box"))
        return seconds > SECONDS_OF_KILLING and (each or seconds > 2 * SECONDS_OF_KILLING + 60)

    while True:
        again = ["--force"] if done and not enough() else []
        grader, before = start_grading(course, *again), killed.total()
        starts += 1
        while grader.poll() is None and not enough():
            time.sleep(chance.uniform(0.05, 1.5))
            parts = parts_of(psutil.Process(grader.pid)) if grader.poll() is None else {}
            if not parts or (list(parts) == ["grader"] and chance.random() < 0.9):
                continue  # while it starts it is spared mostly: most is at stake later
            # The grader itself less often: it needs seconds to come back.
            weights = [1 if part == "grader" else 2 for part in parts]
            (part,) = chance.choices(list(parts), weights)
            kill(chance.choice(parts[part]))
            killed[part] += 1
        said, _ = grader.communicate(timeout=300)
        done |= grader.returncode >= 0
        if done and killed.total() == before and not again:
            break  # a run that nobody disturbed
    print(f"{starts} starts; kills: {dict(killed)}")
    assert grader.returncode == 1, said
    for part in ("grader", "judge", "box"):
        assert killed[part] >= 3, killed
    assert rows(course) == rows(root)
    assert evidence(course) == evidence(root)
