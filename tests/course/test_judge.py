"""What the judge does to itself, so that no answer keeps it busy for ever."""

from __future__ import annotations

import signal
import time

import pytest

from genssl_utils.course.grade.judge import TOO_LARGE, _bounded
from genssl_utils.kit.check import CheckFailed


def compute(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_a_check_that_computes_too_long_fails_and_so_does_each_later_one():
    began, failed = time.process_time(), 0
    with _bounded(0.3):
        for _ in range(3):
            with pytest.raises(CheckFailed, match="far too large") as caught:
                compute(60.0)
            failed += str(caught.value) == TOO_LARGE
    assert failed == 3
    assert 0.25 < time.process_time() - began < 2


def test_afterwards_nothing_is_stopped():
    before = signal.getsignal(signal.SIGVTALRM)
    with _bounded(0.05):
        pass
    compute(0.2)
    assert signal.getsignal(signal.SIGVTALRM) == before
