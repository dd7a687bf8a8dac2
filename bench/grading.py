"""Submissions a minute: `genssl grade` beside nbgrader's own autograde, on the same 40 of unit 05.

Both start cold and grade the same notebooks on this machine, one after the other in one run. Both
leave the experiments out. Then the same grader on submissions that only sleep: how it scales.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from side_by_side import record

from genssl_utils.course.build import build
from genssl_utils.course.grade import farm
from genssl_utils.course.grade.run import Grading
from genssl_utils.course.source import Unit, find_unit, project_root

NAME, MANY = "05_gumbel_softmax", 40
SLEEPERS, NAP = 24, 0.25
WORKERS, BURNS = 24, (0.0, 0.5, 2.0)
CLASS, FARM, SECONDS = 1000, (1, 4, 16, 64, 256, 1000), (10.0, 60.0)
"""For the sum on paper: submissions, workers of one core each, own compute of a submission."""

WRONG = {
    "sample_gumbel": "def sample_gumbel(shape, generator=None):\n"
    "    return torch.rand(shape, generator=generator)",
    "gumbel_max": "def gumbel_max(log_pi, generator=None):\n    return log_pi.argmax(-1)",
    "gumbel_softmax": "def gumbel_softmax(log_pi, tau, generator=None):\n    return log_pi",
    "straight_through": "def straight_through(y):\n    return y.argmax(-1)",
    "reinforce_loss": "def reinforce_loss(log_prob, reward, baseline=0.0):\n"
    "    return log_prob * reward",
}
KINDS = ("right", "right", "half", "wrong", "right", "half", "right", "blank")
"""What one student after another hands in."""


def course(folder: Path) -> Unit:
    """A copy of the course with unit 05 alone, built."""
    root = project_root()
    for name in ("pyproject.toml", "constraints.txt", "nbgrader_config.py", "grading.toml"):
        shutil.copy(root / name, folder)
    shutil.copytree(root / "solutions" / NAME, folder / "solutions" / NAME)
    shutil.copytree(
        root / "genssl_utils" / "gumbel_softmax", folder / "genssl_utils" / "gumbel_softmax"
    )
    unit = find_unit(folder, NAME)
    build([unit])
    return unit


def hand_in(unit: Unit, sources: list[dict[str, str]]) -> None:
    """Hand in one notebook a student, each different from all others."""
    blank = unit.notebook.read_text(encoding="utf-8")
    for number, answers in enumerate(sources):
        nb = nbformat.reads(blank, as_version=4)
        for cell in nb.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in unit.exercises:
                cell.source = f"{answers.get(name, cell.source)}\n# {number}"
        path = unit.root / "submitted" / f"s{number:03}" / unit.name / f"{unit.name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(nb, path)


def mixed_class(unit: Unit) -> list[dict[str, str]]:
    """Right, half right, wrong and blank, as in `KINDS`."""
    right = {name: exercise.answer.source for name, exercise in unit.exercises.items()}
    half = right | {name: WRONG[name] for name in list(right)[3:]}
    given = {"right": right, "half": half, "wrong": WRONG, "blank": {}}
    return [given[KINDS[number % len(KINDS)]] for number in range(MANY)]


def stock(unit: Unit) -> float:
    """Seconds of nbgrader's own command."""
    scripts = str(Path(sys.executable).parent)
    env = os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"]}
    began = time.perf_counter()
    command = [sys.executable, "-m", "nbgrader", "autograde", unit.name]
    subprocess.run(command, cwd=unit.root, env=env, check=True, capture_output=True)
    return time.perf_counter() - began


def ours(unit: Unit, *words: str) -> float:
    """Seconds of `genssl grade`, from a cold start."""
    began = time.perf_counter()
    command = [str(Path(sys.executable).with_name("genssl")), "grade", unit.name, *words]
    done = subprocess.run(command, cwd=unit.root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - began


def where_it_goes(unit: Unit) -> dict[str, float]:
    """The same class again in this process, by what takes the time."""
    run = Grading(unit, force=True)
    run.run()
    own, box = own_seconds(run)
    return run.seconds | {"own": own, "box": box}


def own_seconds(run: Grading) -> tuple[float, float]:
    """What the submissions took in their boxes: CPU seconds, and seconds on the clock."""
    boxes = {}
    for entry in run.journal.recorded.values():
        for key in entry["keys"].values():
            told = run.journal.verdicts[key]["submission"]
            boxes[entry["content"]] = told["cpu_seconds"], told["box_seconds"]
    cpu, wall = zip(*boxes.values(), strict=True)
    return sum(cpu), sum(wall)


def main() -> None:
    """Measure, print, write to book/results/bench/."""
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        unit = course(Path(folder))
        hand_in(unit, mixed_class(unit))
        mine = ours(unit)
        parts = where_it_goes(unit)
        shutil.rmtree(unit.root / "build" / "autograded")
        (unit.root / "gradebook.db").unlink()
        build([unit])
        theirs = stock(unit)
    record(
        "grading", f"{MANY} submissions of {NAME}, from a cold start, {cores} cores",
        [
            {"grader": "genssl grade", "seconds": mine, "submissions / min": 60 * MANY / mine,
             "times nbgrader": theirs / mine},
            {"grader": "nbgrader autograde", "seconds": theirs,
             "submissions / min": 60 * MANY / theirs, "times nbgrader": 1.0},
        ],
        ["nbgrader", "distributed"],
        "Both leave the experiments out; ours runs each submission in its sandbox and judges it "
        "outside. Half of the class is right throughout; all notebooks differ.",
    )  # fmt: skip
    judging = parts["judging"]
    record(
        "grading_time", "Where the time goes, warm, the same class graded again by --force",
        [
            {"what": "the whole run", "seconds": parts["all"]},
            {"what": "from the first job to the last verdict", "seconds": judging},
            {"what": "… of it starting judge and box", "seconds": parts["warm up"]},
            {"what": "… of it writing journal, evidence and gradebook",
             "seconds": parts["recording"]},
            {"what": "CPU time in the boxes, all submissions", "seconds": parts["own"]},
            {"what": f"the same, divided by {cores} cores", "seconds": parts["own"] / cores},
        ],
        ["nbgrader", "distributed"],
        "CPU time in a box is that of the forked child: the student's cells and calls, and what "
        "the pipe costs on that side. Judging goes on beside it on the same cores.",
    )  # fmt: skip
    on_paper(heavier(), alone())
    scaling()


def heavier() -> float:
    """Answers that compute for longer: from where on the grader's own time no longer counts.

    Returns:
        Core seconds that a submission of unit 05 takes in judge and box, all included.
    """
    burn = (
        "def straight_through(y):\n    import time\n"
        "    if not hasattr(straight_through, 'done'):\n"
        "        straight_through.done = True\n"
        "        while time.process_time() < {burn}:\n            pass\n"
        "    return y"
    )
    cores, rows, lane = os.cpu_count() or 1, [], 0.0
    for seconds in BURNS:
        with tempfile.TemporaryDirectory() as folder:
            unit = course(Path(folder))
            right = {name: exercise.answer.source for name, exercise in unit.exercises.items()}
            busy = {"straight_through": burn.format(burn=seconds)} if seconds else {}
            hand_in(unit, [right | busy] * WORKERS)
            run = Grading(unit)
            run.run()
            own = own_seconds(run)[0]
            judging = run.seconds["judging"] - run.seconds["warm up"]
            lane = lane or judging * cores / WORKERS
            rows.append(
                {"own CPU, s a submission": own / WORKERS,
                 "the whole run, s": run.seconds["all"],
                 "÷ (own / cores)": run.seconds["all"] / (own / cores),
                 "÷ (own / cores), without warming up":
                 (run.seconds["all"] - run.seconds["warm up"]) / (own / cores)}
            )  # fmt: skip
    record(
        "grading_own", f"{WORKERS} submissions of {NAME} that compute longer and longer",
        rows, ["distributed"],
        "The first row is unit 05 as it is. Starting judge and box is paid once a run, whatever "
        "the class's size.",
    )  # fmt: skip
    return lane


def alone() -> float:
    """Seconds a submission that the grader's one process takes, with judges that answer at once.

    It reads what was handed in, sends the jobs, and writes journal, evidence and gradebook: no
    number of workers makes it faster.
    """
    with tempfile.TemporaryDirectory() as folder:
        unit = course(Path(folder))
        right = {name: exercise.answer.source for name, exercise in unit.exercises.items()}
        hand_in(unit, [right] * (MANY + 1))
        first = Grading(unit)
        first.run(["s000"])
        keys = first.journal.recorded["s000"]["keys"]
        known = {name: first.journal.verdicts[key] for name, key in keys.items()}

        def at_once(unit: str, job: dict[str, Any], walls: bool) -> dict[str, Any]:
            return {"exercises": known}

        with mock.patch.object(farm, "judge_on_worker", at_once):
            began = time.perf_counter()
            Grading(unit).run()
            return (time.perf_counter() - began) / MANY


def on_paper(lane: float, serial: float) -> None:
    """How long a large class takes on many workers, by a sum with this machine's figures."""
    rows = []
    for workers in FARM:
        row: dict[str, object] = {"workers": workers}
        for own in (0.0, *SECONDS):
            judging = math.ceil(CLASS / workers) * (lane + own)
            name = f"{own:g} s more each, s" if own else "unit 05 as it is, s"
            row[name] = max(judging, CLASS * serial)
        rows.append(row)
    record(
        "grading_on_paper",
        f"{CLASS} submissions, reckoned and not run: judging at {lane:.2f} s each beside "
        f"recording at {serial * 1000:.0f} ms each",
        rows, ["distributed"],
        "Judging is divided among the workers, recording is one process's. Where a column stops "
        "falling, the recorder is what it waits for.",
    )  # fmt: skip


def scaling() -> None:
    """Submissions that sleep, by 1, 2 and 4 at once: what is left is the grader's own time."""
    nap = "def straight_through(y):\n    import time\n    time.sleep({nap})\n    return y"
    rows, alone = [], 0.0
    for jobs in (1, 2, 4):
        with tempfile.TemporaryDirectory() as folder:
            unit = course(Path(folder))
            hand_in(unit, [{"straight_through": nap.format(nap=NAP)}] * SLEEPERS)
            run = Grading(unit, jobs=jobs)
            run.run()
            seconds = run.seconds["judging"] - run.seconds["warm up"]
            alone = alone or seconds
            rows.append({"at once": jobs, "seconds": seconds, "times as fast": alone / seconds})
    record(
        "grading_scaling", f"{SLEEPERS} submissions that sleep {NAP} s a call, without warming up",
        rows, ["distributed"],
        "On a machine with as many cores as jobs, real submissions behave like these; here the "
        "cores are fewer, and only sleeping ones can show it.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
