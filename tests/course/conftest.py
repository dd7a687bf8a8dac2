"""The tiny made-up course as fixtures, and the command line as it is typed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genssl_utils.course import cli
from genssl_utils.course.build import build
from genssl_utils.course.grade import farm
from genssl_utils.course.source import Unit, find_unit
from small_class import ANSWERS, hand_in
from toy_course import write_course


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The root of a course with the one unit `07_toy` and nothing built."""
    return write_course(tmp_path)


@pytest.fixture
def toy(course: Path) -> Unit:
    """The unit `07_toy` of the temporary course."""
    return find_unit(course, "07")


@pytest.fixture(scope="session")
def built_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course of `course`, built: to be copied, since a build takes seconds."""
    root = write_course(tmp_path_factory.mktemp("built"))
    build([find_unit(root, "07")])
    return root


@pytest.fixture
def built(tmp_path: Path, built_course: Path) -> Unit:
    """The unit `07_toy`, built."""
    shutil.copytree(built_course, tmp_path, dirs_exist_ok=True)
    return find_unit(tmp_path, "07")


@pytest.fixture
def small(built: Unit) -> Unit:
    """The unit `07_toy`, built, with three submissions that are not graded yet."""
    for number in range(3):
        hand_in(built, f"s{number}", ANSWERS[number])
    return built


@pytest.fixture(scope="session")
def kept_warm() -> Iterator[None]:
    """Ends the lanes that this session's tests have kept."""
    yield
    farm.close_lanes()


@pytest.fixture
def warm_lanes(kept_warm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge and box stay for the next test of the same unit, which then need not wait for torch."""
    monkeypatch.setattr(farm, "close_lanes", lambda: None)


@pytest.fixture
def genssl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Callable:
    """Run a command in a folder: exit code, stdout, stderr."""

    def call(folder: Path, *words: str) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["genssl", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return stopped.value.code, said.out, said.err

    return call
