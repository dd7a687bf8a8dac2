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
#   genssl:
#     part: generative models
#     hours: 0.1
#     after: []
#     needs: a product
#     learn: double a number
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
from genssl_utils.kit import check, results

results.begin("07_toy", seed=seed, scale=scale)

# %% tags=["exercise"] nbgrader=ANSWER
def double(x):
    """Twice the number."""
    ### BEGIN SOLUTION
    the_reference_answer_of_double = x + x
    return the_reference_answer_of_double
    ### END SOLUTION


# %% tags=["check"] nbgrader=CHECK
ex = check.exercise("start_here", "double", points=2)
with ex.check("twice two"):
    ex.true(double(2) == 4, "it is not 4; add it to itself")
### BEGIN HIDDEN TESTS
with ex.hidden("a hidden negative number", hint="Think of numbers below zero."):
    ex.true(double(-31337) == -62674, "wrong at -31337")
### END HIDDEN TESTS
ex.report()

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


def copy_unit(root: Path, name: str) -> Unit:
    """A course with one unit of the real one, not built yet."""
    for file in ("pyproject.toml", "constraints.txt", "nbgrader_config.py"):
        shutil.copy(PROJECT / file, root)
    shutil.copytree(PROJECT / "solutions" / name, root / "solutions" / name)
    (root / "genssl_utils").mkdir()
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
