"""What a verdict hangs on, as a digest: while none of it changes, the verdict stands."""

from __future__ import annotations

import hashlib
import hmac
import json
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import genssl_utils
from genssl_utils.course.files import digest, files_under
from genssl_utils.course.grade.intake import Submission
from genssl_utils.course.grade.limits import Limits

_PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "ipython")
"""Those whose version can change what an answer gives."""


def verdict_key(
    unit: dict[str, Any], exercise: str, submission: Submission, limits: Limits, *,
    walls: bool = True,
) -> str:  # fmt: skip
    """The digest under which the verdict on one exercise of one submission is kept.

    Args:
        unit: from `unit_file.unit_for_judge`. Of its checks only those of the exercise count, so
            that a mended check touches no other exercise.
        exercise: its name.
        submission: what was handed in; the student's name does not count.
        limits: what it may use.
        walls: whether in the sandbox; a verdict from outside of it does not hold inside.
    """
    parts = [
        submission.content, unit["setup"], exercise, unit["exercises"][exercise],
        limits.to_json(), library(unit["name"].split("_", 1)[-1]), versions(), walls,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def seed(secret: bytes, unit: str, submission: Submission) -> str:
    """Where the hidden inputs come from: known to nobody before the work was handed in."""
    return hmac.new(secret, f"{unit} {submission.content}".encode(), "sha256").hexdigest()


@cache
def library(topic: str) -> str:
    """A digest of the course's library as far as it can change a verdict of a topic."""
    package = Path(genssl_utils.__file__).resolve().parent
    rooms = [package / "kit", package / topic, package / "course" / "grade"]
    return digest(package, [path for path in files_under(*rooms) if path.suffix == ".py"])


@cache
def versions() -> dict[str, str]:
    """The versions of what an answer computes with."""
    return {name: version(name) for name in _PACKAGES} | {"python": platform.python_version()}
