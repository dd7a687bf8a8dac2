"""Every reference notebook executed, each in its own process, and its claims gathered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from genssl_utils.course import place
from genssl_utils.course import record as record_file
from genssl_utils.course.build import source_notebook
from genssl_utils.course.files import digest, installed, write_atomic
from genssl_utils.course.grade.farm import cluster
from genssl_utils.course.source import CLAIM, REPORT, CourseError, Unit

SCALES = ("laptop", "full")
CELL_SECONDS = {"laptop": 600, "full": None}
"""How long one cell may take."""

EXECUTES = ("execute.py", "kernel.py", "place.py")
"""The modules of `genssl_utils/course` that a notebook passes through."""


@dataclass(frozen=True)
class Job:
    """One execution of one unit's notebook."""

    unit: Unit
    seed: int = 0
    scale: str = "laptop"
    device: str = "auto"

    @property
    def output(self) -> Path:
        """Where the executed notebook goes: `build/executed/UNIT[.full][.seedK].ipynb`."""
        stem = self.unit.name
        stem += f".{self.scale}" if self.scale != "laptop" else ""
        stem += f".seed{self.seed}" if self.seed else ""
        return self.unit.root / "build" / "executed" / f"{stem}.ipynb"

    @property
    def label(self) -> str:
        """How it is called on the screen."""
        return self.unit.name + (f" seed {self.seed}" if self.seed else "")

    @property
    def parameters(self) -> dict[str, Any]:
        """What papermill sets in the notebook."""
        return {"scale": self.scale, "device": self.device, "seed": self.seed}

    def digest(self) -> str:
        """What the result depends on: sources, library, recorded numbers, versions, parameters."""
        root = self.unit.root
        library = root / "genssl_utils"
        paths = [
            self.unit.source.parent,
            library / "__init__.py",
            library / "kit",
            self.unit.package,
            *(library / "course" / name for name in EXECUTES),
            root / "constraints.txt",
            root / "book" / "results" / "bench",  # a chapter shows what was measured beside peers
        ]
        if not self.seed:  # the page that is read shows the recorded table
            paths.append(record_file.path(self.unit))
        return digest(root, paths, sorted(self.parameters.items()), *installed())

    def finished(self) -> nbformat.NotebookNode | None:
        """The executed notebook, if it is there and nothing that it depends on has changed."""
        try:
            nb = nbformat.read(self.output, as_version=4)
        except (OSError, ValueError):
            return None
        return nb if nb.metadata.get("genssl", {}).get("digest") == self.digest() else None


@dataclass
class Outcome:
    """How one job went: its notebook, or the line that says what failed."""

    job: Job
    nb: nbformat.NotebookNode | None = None
    failures: list[str] = field(default_factory=list)
    cached: bool = False

    @property
    def claims(self) -> list[dict[str, Any]]:
        """The claims of the run in order."""
        return list(outputs_of(self.nb, CLAIM)) if self.nb else []


def run(
    units: Sequence[Unit],
    *,
    scale: str = "laptop",
    device: str = "auto",
    seeds: Sequence[int] = (0,),
    jobs: int = 1,
    force: bool = False,
    record: bool = False,
    scheduler: str = "",
    console: Console | None = None,
) -> list[str]:
    """Execute units and gather what they claim in `build/results.json`.

    Args:
        units: which ones.
        scale: `laptop` or `full`.
        device: `auto`, `cpu` or `cuda`.
        seeds: each unit runs once a seed.
        jobs: how many processes at once, one thread each.
        force: run what did not change as well.
        record: write mean ± sd over the seeds to `book/results/`.
        scheduler: address of a Dask scheduler whose workers execute, as many at once as they take;
            processes of this machine when "".
        console: where progress is shown.

    Returns:
        One line for each thing that failed; empty when all is well.

    Raises:
        CourseError: a parameter that makes no sense.
    """
    if scale not in SCALES:
        raise CourseError(f"There is no scale '{scale}'. Choose laptop or full.")
    if jobs < 1 or not seeds:
        raise CourseError("--jobs and --seeds must be at least 1.")
    wanted = [Job(unit, seed, scale, device) for unit in units for seed in seeds]
    told = {"force": force, "console": console or Console(quiet=True)}
    if scheduler:
        with cluster(1, scheduler) as client:
            outcomes = execute_all(wanted, jobs=len(wanted), place=place.on(client), **told)
    else:
        outcomes = execute_all(wanted, jobs=jobs, **told)
    _gather(outcomes)
    if record:
        for unit in units:
            mine = [outcome for outcome in outcomes if outcome.job.unit == unit]
            if not any(outcome.failures for outcome in mine):
                record_file.write(unit, scale, {o.job.seed: o.claims for o in mine})
    return [line for outcome in outcomes for line in outcome.failures]


def execute_all(
    wanted: Sequence[Job], *, jobs: int = 1, force: bool = False, console: Console,
    place: Callable[..., dict[str, Any]] = place.here,
) -> list[Outcome]:  # fmt: skip
    """Run the jobs side by side; one that fails does not stop the others."""
    outcomes: dict[Job, Outcome] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        Progress(*columns, TimeElapsedColumn(), console=console) as progress,
        ThreadPoolExecutor(jobs) as pool,
    ):
        running = {}
        for job in wanted:
            outcome = None if force else _told(job, _unchanged, job)
            if outcome is not None:
                outcomes[job] = outcome
                if outcome.cached:
                    progress.console.print(f"{job.label}: unchanged")
            else:
                running[pool.submit(_told, job, _execute, job, progress, place)] = job
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                job = running.pop(future)
                outcomes[job] = outcome = future.result()
                if outcome.nb is not None:
                    seconds = outcome.nb.metadata.genssl.seconds
                    progress.console.print(f"{job.label}: {seconds:.0f} s")
    return [outcomes[job] for job in wanted]


def _told(job: Job, work: Callable[..., Outcome | None], *given: Any) -> Outcome | None:
    """What the work gives; an error that has to do with this job alone becomes its failure."""
    try:
        return work(*given)
    except (CourseError, OSError, ValueError) as error:
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        first = first.removeprefix(f"{job.unit.name}: ")
        return Outcome(job, failures=[f"{job.label}: {first}"])


def _unchanged(job: Job) -> Outcome | None:
    """The job as it was run before, if nothing that it depends on has changed."""
    nb = job.finished()
    return None if nb is None else Outcome(job, nb, _judge(job, nb), cached=True)


def _execute(job: Job, progress: Progress, place: Callable[..., dict[str, Any]]) -> Outcome:
    """One job in its own process, with its progress on the screen."""
    before = job.digest()
    job.output.parent.mkdir(parents=True, exist_ok=True)
    order = {
        "source": source_notebook(job.unit), "parameters": job.parameters,
        "timeout": CELL_SECONDS[job.scale], "folder": str(job.output.parent),
        "topic": job.unit.topic,
    }  # fmt: skip
    bar = progress.add_task(job.label, total=len(job.unit.nb.cells) + 1)
    done = place(order, lambda cell: progress.update(bar, completed=cell - 1))
    progress.remove_task(bar)
    ended, made = done["ended"], done["made"]
    failed = job.output.with_suffix(".failed.ipynb")
    if "error" in ended:
        if made:
            write_atomic(failed, made)
        return Outcome(job, failures=[_tell(job, ended["source"], ended["error"])])
    nb = nbformat.reads(made, as_version=4)
    failed.unlink(missing_ok=True)
    nb.metadata.pop("papermill", None)
    nb.metadata["genssl"] = {"digest": before, "seconds": ended["seconds"], **job.parameters}
    write_atomic(job.output, nbformat.writes(nb) + "\n")
    return Outcome(job, nb, _judge(job, nb))


def _tell(job: Job, source: str, error: str) -> str:
    """One line: the unit, the cell, the error."""
    lines = [line for line in source.splitlines() if line.strip()]
    where = f", the cell that begins `{lines[0].strip()[:60]}`" if lines else ""
    first = error.strip().splitlines()[0] if error.strip() else "no reason given"
    return f"{job.label}{where}: {first}"


def _judge(job: Job, nb: nbformat.NotebookNode) -> list[str]:
    """The reference answers must get full points in every check, and every check must report."""
    reports: dict[str, dict[str, Any]] = {}
    for report in outputs_of(nb, REPORT):
        reports[report["exercise"]] = report
    lines = []
    for name in job.unit.exercises:
        report = reports.get(name)
        if report is None:
            lines.append(f"{job.label}: the checks of `{name}` gave no report.")
        elif report["points"] < report["max_points"]:
            failed = [check["name"] for check in report["checks"] if not check["passed"]]
            lines.append(
                f"{job.label}: the reference answer of `{name}` gets {report['points']:g} of "
                f"{report['max_points']:g} points; failed: {', '.join(failed) or 'unknown'}."
            )
    return lines


def outputs_of(nb: nbformat.NotebookNode, mime: str) -> Iterator[dict[str, Any]]:
    """Every output of one mime type in a notebook, in order."""
    for cell in nb.cells:
        for output in cell.get("outputs", ()):
            if mime in output.get("data", {}):
                yield output["data"][mime]


def _gather(outcomes: Sequence[Outcome]) -> None:
    """Add the claims to `build/results.json`, by unit, scale and seed."""
    for outcome in outcomes:
        if outcome.nb is None:
            continue
        job = outcome.job
        path = job.unit.root / "build" / "results.json"
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        entry = known.setdefault(job.unit.name, {}).setdefault(job.scale, {})
        entry[str(job.seed)] = {
            "seconds": outcome.nb.metadata.genssl.seconds,
            "claims": {claim["name"]: claim["value"] for claim in outcome.claims},
        }
        write_atomic(path, json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
