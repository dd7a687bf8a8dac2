"""A tiny made-up course, so that the tooling is tested without a unit of the real one."""

from __future__ import annotations

import shutil
from pathlib import Path

from genssl_utils.course.source import Unit, find_unit

PROJECT = Path(__file__).resolve().parents[2]

ANSWER = (
    '{"cell_type": "code", "grade": false, "grade_id": "double", "locked": false, '
    '"schema_version": 3, "solution": true, "task": false}'
)
CHECK = (
    '{"cell_type": "code", "grade": true, "grade_id": "check_double", "locked": true, '
    '"points": 2, "schema_version": 3, "solution": false, "task": false}'
)
TOY = '''\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Doubling
#
# What does twice a number do?

# %% tags=["parameters"]
scale = "laptop"
device = "auto"
seed = 0

# %% tags=["setup"]
from genssl_utils.kit import results

results.begin("07_toy", seed=seed, scale=scale)


class Report:
    def __init__(self, exercise, checks, max_points):
        share = sum(check["passed"] for check in checks) / len(checks)
        self.report = {
            "unit": "toy", "exercise": exercise, "points": share * max_points,
            "max_points": max_points, "checks": checks,
            "status": "passed" if share == 1 else "partly" if share else "failed",
            "next": "Go on." if share == 1 else "Look at twice two.",
        }

    def __repr__(self):
        return str(self.report["points"])

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self), "application/vnd.genssl.report+json": self.report}


def judge(name, passed, hidden=False, message="", hint=""):
    return {"name": name, "passed": bool(passed), "hidden": hidden, "message": message,
            "hint": hint}


# %% tags=["exercise"] nbgrader=ANSWER
def double(x):
    """Twice the number."""
    ### BEGIN SOLUTION
    the_reference_answer_of_double = x + x
    return the_reference_answer_of_double
    ### END SOLUTION


# %% tags=["check"] nbgrader=CHECK
checks = [judge("twice two", double(2) == 4, message="it is not 4", hint="add it to itself")]
### BEGIN HIDDEN TESTS
checks.append(judge("a hidden negative number", double(-31337) == -62674, hidden=True,
                    message="wrong at -31337"))
### END HIDDEN TESTS
Report("double", checks, 2)

# %% tags=["experiment"]
total = sum(double(k) for k in range(5)) + seed

# %% tags=["claim"]
results.claim("sum of doubles", total, unit="points", paper=20.0, source="a textbook")
'''.replace("ANSWER", ANSWER).replace("CHECK", CHECK)


def write_unit(root: Path, name: str, text: str) -> Unit:
    """Add a unit with this source to a course."""
    folder = root / "solutions" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "unit.py").write_text(text)
    return find_unit(root, name)


def write_course(root: Path) -> Path:
    """A course with the one unit `07_toy` and nothing built."""
    (root / "pyproject.toml").write_text("")
    (root / "constraints.txt").write_text("")
    (root / "genssl_utils").mkdir()
    (root / "notebooks").mkdir()
    shutil.copy(PROJECT / "nbgrader_config.py", root)
    write_unit(root, "07_toy", TOY)
    return root
