"""Rules for the whole suite: one thread each, and on CI a skipped test is a failed one."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

_skipped: list[str] = []


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
