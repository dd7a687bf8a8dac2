"""The fairness corpus: right answers get full points, however they are written or handed in.

All files of `fairness/` are one class, graded in one run of two at once. Each says its points.
"""

from __future__ import annotations

import pytest

from class_of import POINTS, Class, needs_sandbox, papers
from genssl_utils.kit.check import Stopped

FAIR = papers("fairness")

pytestmark = needs_sandbox

LIMITS = """\
[default]
seconds = 30
call_seconds = 4
memory_mib = 900
"""


@pytest.fixture(scope="module")
def fair(tmp_path_factory):
    """The class, graded."""
    told = Class.at(tmp_path_factory.mktemp("fair"), LIMITS)
    for paper in FAIR:
        told.hand_in(paper.name, paper)
    told.grade(jobs=2)
    return told


@pytest.mark.parametrize("paper", FAIR, ids=lambda paper: paper.name)
def test_right_work_gets_its_points(fair, paper):
    mark = fair.marks[paper.name]
    assert sum(points or 0.0 for points in mark.points.values()) == paper.worth, mark
    for name in paper.honest:
        assert mark.points[name] == POINTS[name]
    assert fair.rows[paper.name] == {name: (points, None) for name, points in mark.points.items()}


def test_what_a_right_answer_prints_is_kept_within_its_limit(fair):
    printed = fair.printed("prints")
    assert printed.startswith("hello wörld 日本語 🎲")
    assert len(printed) <= 1 << 20


def test_a_stopped_answer_gets_no_hint_that_is_meant_for_another_mistake(fair):
    assert fair.hints("hangs_in_one", "jitter") == {Stopped.hint}
    assert fair.hints("crashes_in_one", "soft_sign") == {Stopped.hint}


def test_an_experiment_of_a_students_own_is_not_run(fair):
    assert not fair.marks["own_cells"].reasons
