"""Rules for the whole suite: one thread each, and on CI a skipped test is a failed one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from genssl_utils.course.catalogue import Checker
from genssl_utils.course.doctor import find_browser
from genssl_utils.course.source import find_unit, project_root

os.environ.setdefault("OMP_NUM_THREADS", "1")

_skipped: list[str] = []

LONG = ("test_book_looks.py", "test_book.py", "test_units.py")
"""Files that take minutes: they begin first, so that the workers end together."""


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A running Chromium."""
    path = find_browser()
    if path is None:
        pytest.skip("no browser: install Chromium, on Debian with `apt-get install chromium`")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no playwright: `pip install playwright`"
    )
    with playwright.sync_playwright() as driver:
        # --no-sandbox: a container's root user may not make the browser's own sandbox.
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def unit(request):
    """The unit that a file of tests names in `UNIT_NUMBER`."""
    return find_unit(project_root(), request.module.UNIT_NUMBER)


@pytest.fixture(scope="module")
def checker(unit):
    """Its checks."""
    return Checker(unit)


@pytest.fixture(scope="module")
def points(unit, checker):
    """The share of an exercise's points that an answer gets: (name, answer, seed) → from 0 to 1."""

    def of(name, answer, seed=1):
        exercise = unit.exercises[name]
        return checker.report(exercise, answer, seed=seed).points / exercise.points

    return of


@pytest.fixture(scope="module")
def seen(unit, checker):
    """What the visible checks say of an answer: names of those that fail, and the hints."""

    def of(name, answer):
        report = checker.report(unit.exercises[name], answer, hidden=False)
        failed = {o.name for part in report.reports for o in part.outcomes if not o.passed}
        return failed, report.hints

    return of


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, else in the order of the folders."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note every skip."""
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a CI session in which a test was skipped: what is not run there is run nowhere."""
    if os.environ.get("CI") and _skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so."""
    if os.environ.get("CI") and _skipped:
        terminalreporter.write_line(f"{len(_skipped)} skipped; on CI that is a failure:", red=True)
        for name in _skipped:
            terminalreporter.write_line(f"  {name}")
