"""The `genssl` command: everything a student, an instructor or CI does with the course.

Heavy modules are imported inside the commands, so that `genssl --help` answers at once. Those of
instructors are not in a student's copy, so `sourced` speaks before they are imported.
"""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.columns import Columns
from rich.console import Console
from rich.markup import escape

from genssl_utils.course.source import CourseError, Unit, all_units, find_unit, project_root

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""GenSSL: a course on generative models and on learning without labels.

Students: `genssl lab` opens the course, `genssl check 05` says where you are in unit 05, and
`genssl doctor` says what is missing on this machine.

Instructors: `genssl build` makes the notebooks, `genssl run` executes them, `genssl book` makes
the book, and `genssl grade` marks what students handed in.

A unit is named by its number, its topic or both: `05`, `gumbel_softmax`, `05_gumbel_softmax`.
Each command explains itself: `genssl run --help`.""",
)

out = Console()
UsageError = typer.BadParameter.__mro__[1]  # click's, or that of the copy inside newer Typers

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[UNIT]...", help="Units; all of them when left out.")
]
One = Annotated[str, typer.Argument(metavar="UNIT", help="A unit: 05, or gumbel_softmax.")]
TO_DO = {
    errno.ENOSPC: "Free some space and run the same command.",
    errno.EROFS: "Copy the course to where you may write, or make that writable.",
} | dict.fromkeys((errno.EACCES, errno.EPERM), "Make it and its folder yours to read and write.")
"""What to do about the commonest troubles with files."""
STUDENT = "Students and first steps"
INSTRUCTOR = "Instructors"


def sourced(names: list[str] | None) -> list[Unit]:
    """The named units, all of them when none is named; each must have its source.

    Raises:
        CourseError: a unit is unknown, or this copy of the course has no sources.
    """
    root = project_root()
    units = [find_unit(root, name) for name in names] if names else all_units(root)
    if not units:
        raise CourseError("There are no sources in solutions/: this is a student's copy.")
    for unit in units:
        if not unit.source.is_file():
            raise CourseError(f"{unit.name} has no solutions/{unit.name}/unit.py.")
    return units


@app.command(rich_help_panel=STUDENT)
def lab(
    port: Annotated[int, typer.Option(help="Port; the next free one if taken.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Open the course in JupyterLab, on the welcome notebook.

    Example: `genssl lab --no-browser --port 8890`
    """
    from genssl_utils.course.lab import lab as start

    raise typer.Exit(start(project_root(), port=port, browser=browser))


@app.command(rich_help_panel=STUDENT)
def check(
    unit: One,
    timeout: Annotated[int, typer.Option(help="Seconds that one cell may take.")] = 120,
) -> None:
    """Run your notebook of one unit and say which exercises pass and what to do next.

    Experiments and figures are left out, so it takes seconds. Exit code 0: all pass. 1: not yet.
    2: there is no such notebook, or it cannot be read.

    Example: `genssl check 05`
    """
    from genssl_utils.course.checknb import check_notebook, show

    with out.status("Running your notebook ..."):
        standings = check_notebook(find_unit(project_root(), unit), timeout=timeout)
    out.print(show(standings))
    raise typer.Exit(0 if all(standing.passed for standing in standings) else 1)


@app.command(rich_help_panel=STUDENT)
def doctor(
    install: Annotated[
        bool, typer.Option("--install", help="Install what the tests need where that is possible.")
    ] = False,
) -> None:
    """Say what this machine has, what is missing, and what to do about it."""
    from genssl_utils.course.doctor import examine, show

    findings = examine(project_root(), install=install)
    out.print(show(findings))
    raise typer.Exit(1 if any(finding.serious for finding in findings) else 0)


@app.command(rich_help_panel=INSTRUCTOR)
def build(
    units: Names = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; name what is stale, exit code 1.")
    ] = False,
) -> None:
    """Make the students' notebooks and the keys of known mistakes from solutions/.

    Example: `genssl build 05`, or `genssl build --check` in CI.
    """
    chosen = sourced(units)
    from genssl_utils.course.build import build as make
    from genssl_utils.course.build import stray_notebooks

    with out.status("Building ...") as status:
        built = make(
            chosen, check=check, now=lambda unit: status.update(f"Building {escape(unit.name)} ...")
        )
    root = chosen[0].root
    stale = [path for one in built for path in one.changed]
    strays = stray_notebooks(root, chosen) if not units else []
    for path in stale:
        out.print(f"{'stale' if check else 'written'}: {escape(str(path.relative_to(root)))}")
    for path in strays:
        out.print(f"no source: {escape(str(path.relative_to(root)))}")
    if not stale and not strays:
        out.print(f"{_count(len(built), 'unit')} up to date.")
    if check and (stale or strays):
        out.print("Run `genssl build` and commit what it writes.")
        raise typer.Exit(1)


@app.command(rich_help_panel=INSTRUCTOR)
def run(
    units: Names = None,
    scale: Annotated[str, typer.Option(help="laptop, or full (one GPU).")] = "laptop",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(help="The seed of a single run.")] = 0,
    seeds: Annotated[
        int, typer.Option(help="Run seeds 0 to N-1 and write mean ± sd to book/results/.")
    ] = 0,
    jobs: Annotated[int, typer.Option(help="Notebooks at once; one thread each.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Run even what did not change.")] = False,
    scheduler: Annotated[
        str, typer.Option(help="Execute on a Dask cluster, tcp://HOST:PORT or tls://HOST:PORT.")
    ] = "",
) -> None:
    """Execute the reference notebooks and gather the numbers that they claim.

    A unit whose sources, library, versions and parameters did not change is not run again.
    Exit code 1 when a cell fails or a check of the reference answers gives less than full points.

    Example: `genssl run 05 --seeds 5 --jobs 2`
    """
    chosen = sourced(units)
    from genssl_utils.course.run import run as execute

    wanted = range(seeds) if seeds else [seed]
    failures = execute(
        chosen, scale=scale, device=device, seeds=wanted, jobs=jobs, force=force,
        record=bool(seeds), scheduler=scheduler, console=out,
    )  # fmt: skip
    for failure in failures:
        _complain(failure)
    raise typer.Exit(1 if failures else 0)


@app.command(rich_help_panel=INSTRUCTOR)
def book(
    serve: Annotated[bool, typer.Option("--serve", help="Serve it on this machine.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Build every page anew, as CI does.")
    ] = False,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print it to build/book/genssl.pdf as well.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port for --serve.")] = 8000,
    jobs: Annotated[int, typer.Option(min=0, help="Units at once; one a core when 0.")] = 0,
) -> None:
    """Run the units where needed and make the book in build/book.

    Example: `genssl book --serve`
    """
    chosen = sourced(None)
    from genssl_utils.course.book import build_book, serve_book

    index = build_book(chosen, everything=everything, jobs=jobs, pdf=pdf, console=out)
    out.print(f"The book: {escape(str(index))}")
    if serve:
        serve_book(index.parent, port, console=out)


@app.command(rich_help_panel=INSTRUCTOR)
def bundle(
    output: Annotated[
        Path | None, typer.Option(help="Where to; build/genssl-students.zip when left out.")
    ] = None,
) -> None:
    """Pack the zip for students: notebooks, library, environment, and no answers.

    Every file is searched for answers and hidden tests first; if one is found, nothing is written.
    """
    chosen = sourced(None)
    from genssl_utils.course.bundle import bundle as pack

    path, members = pack(chosen, output)
    out.print(f"{escape(str(path))}: {_count(members, 'file')}, no answer among them.")


@app.command(rich_help_panel=INSTRUCTOR)
def grade(
    unit: One,
    student: Annotated[
        list[str] | None, typer.Option(help="Only this student; may be given again.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Submissions at once; one a core when 0.")] = 0,
    scheduler: Annotated[
        str, typer.Option(help="A Dask scheduler, tcp://HOST:PORT or tls://HOST:PORT.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Judge again, even what nothing changed for.")
    ] = False,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Run submissions unconfined. Read the warning.")
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="First hand in for a few made-up students.")
    ] = False,
) -> None:
    """Grade what lies in submitted/STUDENT/UNIT/ and write the gradebook.

    Each submission runs in a sandbox, without network, files or time to do harm; its checks run
    outside of it. What was graded and did not change is not graded again, not even after a crash;
    a mended check is run again by itself. Limits are in grading.toml.

    Exit code 0: all graded. 1: some need a person, named below the table. 2: nothing could be done.
    130: stopped by Ctrl-C; the same command goes on.

    Example: `genssl grade 05 --jobs 4`
    """
    (chosen,) = sourced([unit])
    from genssl_utils.course.grade.demo import demo_submissions
    from genssl_utils.course.grade.intake import printable
    from genssl_utils.course.grade.screen import grade as mark
    from genssl_utils.course.grade.screen import moved, show

    if demo:
        demo_submissions(chosen)
    if no_sandbox:
        out.print(
            "[bold red]NO SANDBOX: submissions can read and change whatever you can, reach the "
            "network, and go on running. Use a machine that holds nothing else.[/bold red]"
        )
    try:
        marks = mark(
            chosen, student or [], force=force, jobs=jobs, scheduler=scheduler,
            walls=not no_sandbox, console=out,
        )  # fmt: skip
    except KeyboardInterrupt:
        _complain("Stopped. What was graded is kept: the same command goes on from there.")
        raise typer.Exit(130) from None
    out.print(show(chosen, marks))
    flagged = [one for one in marks if one.reasons]
    kept = sum(not one.fresh for one in marks)
    if kept:
        they = "it was" if kept == 1 else "they were"
        out.print(f"{_count(kept, 'submission')} had not changed since {they} graded.")
    if other := moved(marks):
        out.print(f"{_count(len(other), 'submission')} with other points than before:")
        out.print(Columns([escape(one) for one in other], padding=(0, 2)))
    if flagged:
        out.print(f"{_count(len(flagged), 'submission')} for a person to look at:")
    for one in flagged:
        line = printable(f"{one.student}: {'; '.join(one.reasons)}")
        out.print(f"  {escape(line)}", soft_wrap=True)
    raise typer.Exit(1 if flagged else 0)


@app.command(rich_help_panel=INSTRUCTOR)
def feedback(unit: One) -> None:
    """Write what graded students get back, without hidden tests, to build/feedback/."""
    (chosen,) = sourced([unit])
    from genssl_utils.course.feedback import write_feedback

    with out.status(f"Writing feedback on {escape(chosen.name)} ..."):
        pages = write_feedback(chosen)
    for path in pages:
        out.print(escape(str(path.relative_to(chosen.root))), soft_wrap=True)
    out.print(f"{_count(len(pages), 'page')} of feedback.")


@app.command(rich_help_panel=INSTRUCTOR)
def report(
    unit: One,
    names: Annotated[
        bool, typer.Option("--names", help="Name the students; they are numbered otherwise.")
    ] = False,
) -> None:
    """Show what the class got wrong, as a page of plots and a table, in build/report/.

    It reads what `genssl grade` kept: mistakes by how often they were made, wrong answers that got
    no hint grouped by the value they gave, points, time, and the submissions for a person.

    Example: `genssl report 05`
    """
    (chosen,) = sourced([unit])
    from genssl_utils.course.report import write_report

    for path in write_report(chosen, names=names):
        out.print(escape(str(path.relative_to(chosen.root))))


def main() -> None:
    """Run the command; whatever the person can mend becomes one line and exit code 2."""
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except UsageError as error:
        _complain(f"{error.format_message().rstrip('.')}. Try: genssl --help")
        code = 2
    except CourseError as error:
        _complain(str(error))
        code = 2
    except json.JSONDecodeError as error:
        _complain(f"A file is not readable as JSON: {error}")
        code = 2
    except UnicodeError as error:
        _complain(f"A file is not UTF-8 text: {error}")
        code = 2
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename or 'no file named'}."
        _complain(f"{what} {TO_DO.get(error.errno, '')}")
        code = 2
    except (typer.Abort, KeyboardInterrupt):
        _complain("Stopped.")
        code = 130
    sys.exit(code or 0)


def _complain(line: str) -> None:
    print(f"genssl: {' '.join(line.split())}", file=sys.stderr)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    main()
