"""A run executes what changed, gathers claims, and names the cell that fails."""

from __future__ import annotations

import json
from importlib import metadata

import pytest

from genssl_utils.course import record
from genssl_utils.course.files import installed
from genssl_utils.course.place import _message
from genssl_utils.course.run import Job, execute_all, run
from genssl_utils.course.source import CourseError, find_unit
from genssl_utils.kit import results
from toy_course import TOY, write_unit


def test_claims_are_gathered_and_the_second_run_is_skipped(toy):
    assert run([toy]) == []
    gathered = json.loads((toy.root / "build" / "results.json").read_text())
    assert gathered["07_toy"]["laptop"]["0"]["claims"] == {"sum of doubles": 20.0}
    written = Job(toy).output.stat().st_mtime_ns
    assert run([toy]) == []
    assert Job(toy).output.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "touched",
    ["solutions/07_toy/data.csv", "genssl_utils/kit/nets.py", "genssl_utils/toy/a.js",
     "genssl_utils/__init__.py", "genssl_utils/course/execute.py",
     "genssl_utils/course/kernel.py", "book/results/bench/toy.json", "book/results/07_toy.json"],
)  # fmt: skip
def test_what_a_run_depends_on_makes_it_run_again(toy, touched):
    before = Job(toy).digest()
    path = toy.root / touched
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("new")
    assert Job(toy).digest() != before
    before = Job(toy).digest()
    for other in ("README.md", "genssl_utils/course/cli.py"):
        (toy.root / other).parent.mkdir(parents=True, exist_ok=True)
        (toy.root / other).write_text("not this")
    assert Job(toy).digest() == before
    assert Job(toy).digest() != Job(toy, scale="full").digest() != before


def test_what_others_add_to_the_path_is_not_installed(tmp_path, monkeypatch):
    """As setuptools does with its own copies, when torch imports it in the middle of a test run."""
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert metadata.version("stranger") == "1.0"
    installed.cache_clear()
    assert "stranger 1.0" not in installed()


def test_another_version_of_a_package_makes_a_unit_run_again(toy, monkeypatch):
    assert any(one.startswith("torch 2.") for one in installed())
    before = Job(toy).digest()
    monkeypatch.setattr("genssl_utils.course.run.installed", lambda: ("torch 99",))
    assert Job(toy).digest() != before


def test_seeds_are_recorded_with_mean_spread_and_versions(toy, monkeypatch):
    assert run([toy], seeds=range(3), jobs=2, record=True) == []
    path = toy.root / "book" / "results" / "07_toy.json"
    entry = json.loads(path.read_text())["scales"]["laptop"]
    assert entry["seeds"] == [0, 1, 2]
    assert entry["claims"]["sum of doubles"] == {
        "mean": 21.0, "sd": 1.0, "values": [20.0, 21.0, 22.0], "unit": "points", "paper": 20.0,
        "source": "a textbook",
    }  # fmt: skip
    assert {"python", "torch", "platform"} <= set(entry["versions"])
    first = path.read_bytes()
    run([toy], seeds=range(3), record=True)
    assert path.read_bytes() == first
    monkeypatch.chdir(toy.root / "notebooks")
    assert results.recorded("07_toy")["claims"]["sum of doubles"]["mean"] == 21.0


def test_a_failing_cell_is_one_line_and_the_others_go_on(course):
    broken = write_unit(course, "08_broken", TOY.replace("+ seed", "+ sead"))
    good = find_unit(course, "07")
    failures = run([broken, good])
    assert len(failures) == 1
    assert "\n" not in failures[0]
    for part in ("08_broken", "total = sum", "NameError", "sead"):
        assert part in failures[0]
    assert Job(good).output.is_file()
    assert not Job(broken).output.exists()


def test_a_reference_answer_without_full_points_is_a_failure(course):
    wrong = write_unit(course, "08_wrong", TOY.replace("= x + x", "= abs(x + x)"))
    (line,) = run([wrong])
    assert "`double` gets 1 of 2 points" in line
    assert "a hidden negative number" in line


def test_what_a_process_prints_by_the_way_is_no_message():
    for line in ("{", "{}", "{'ends': 1}", '{"ends": 3}', "[1]", "loading", '{"begins": "x"}'):
        assert _message(line) is None
    assert _message('{"begins": 3}\n') == {"begins": 3}
    assert _message('{"ends": {"seconds": 1}}') == {"ends": {"seconds": 1}}


def test_a_job_that_cannot_begin_is_one_line_and_the_others_go_on(course):
    odd = write_unit(course, "08_odd", TOY.replace('"check_double"', '"check_triple"'))
    gone = write_unit(course, "09_gone", TOY)
    blocked = write_unit(course, "10_blocked", TOY)
    gone.source.unlink()
    Job(blocked).output.mkdir(parents=True)
    good = find_unit(course, "07")
    failures = run([odd, gone, blocked, good], jobs=2)
    assert [failure.split(":")[0] for failure in failures] == ["08_odd", "09_gone", "10_blocked"]
    assert not [failure for failure in failures if "\n" in failure]
    assert Job(good).output.is_file()


def test_a_result_claimed_twice_in_a_run_is_named(toy):
    claim = {"name": "sum", "value": 1.0, "unit": "", "paper": None, "source": "", "note": "",
             "better": ""}  # fmt: skip
    with pytest.raises(CourseError, match="'sum' is claimed twice"):
        record.write(toy, "laptop", {0: [claim, claim]})
    assert not record.path(toy).exists()


def test_a_kernel_that_dies_is_told(course):
    text = TOY.replace("total = sum", "import os; os._exit(1)\ntotal = sum")
    dead = write_unit(course, "08_dead", text)
    (line,) = run([dead])
    assert "08_dead" in line
    assert "DeadKernelError" in line


def test_each_process_has_one_thread(course):
    threads = "import torch\nassert torch.get_num_threads() == 1\n"
    text = TOY.replace("results.claim(", threads + "results.claim(")
    assert run([write_unit(course, "08_threads", text)]) == []


@pytest.mark.parametrize("bad", [{"scale": "huge"}, {"jobs": 0}, {"seeds": []}])
def test_senseless_parameters_are_refused(toy, bad):
    with pytest.raises(CourseError):
        run([toy], **bad)


def test_outcomes_keep_the_order_of_the_jobs(toy):
    from rich.console import Console

    jobs = [Job(toy, seed) for seed in (1, 0)]
    outcomes = execute_all(jobs, jobs=2, console=Console(quiet=True))
    assert [outcome.job.seed for outcome in outcomes] == [1, 0]
