"""The tiny made-up course as fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest

from genssl_utils.course.source import Unit, find_unit
from toy_course import write_course


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The root of a course with the one unit `07_toy` and nothing built."""
    return write_course(tmp_path)


@pytest.fixture
def toy(course: Path) -> Unit:
    """The unit `07_toy` of the temporary course."""
    return find_unit(course, "07")
