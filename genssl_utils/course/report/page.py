"""The page: one file that asks for nothing from outside, for any screen and for paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from statistics import median
from typing import Any

from genssl_utils.course.report import pictures
from genssl_utils.course.report.exercise import exercise_part
from genssl_utils.course.report.parts import counted, figure, in_a_line, listed, states_of
from genssl_utils.course.report.pictures import Bar
from genssl_utils.course.report.standing import Standing, Work

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{css}</style>
</head>
<body>
<main>
"""


def page(standing: Standing) -> str:
    """The whole page as HTML."""
    css = resources.files(__package__).joinpath("page.css").read_text("utf-8")
    title = f"What the class got wrong: {standing.unit.name}"
    parts = [
        HEAD.format(title=escape(title), css=css),
        _headline(standing),
        _overview(standing),
        *(exercise_part(standing, name) for name in standing.unit.exercises),
        _effort(standing),
        _flagged(standing),
        _footer(standing),
        "</main>\n</body>\n</html>\n",
    ]
    return "".join(parts)


# --- the top ------------------------------------------------------------------------------------


def _headline(standing: Standing) -> str:
    middle = "none yet" if standing.median is None else f"{standing.median:g}"
    tiles = [
        (standing.handed_in, "handed in"),
        (len(standing.graded), "graded"),
        (len(standing.flagged), "for a person"),
        (middle, f"median points, of {standing.most:g}"),
    ]
    shown = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(str(number))}</dd></div>"
        for number, what in tiles
    )
    return (
        f"<h1>What the class got wrong</h1>\n<p class='lead'>{escape(standing.unit.title)} "
        f"<span class='soft'>({escape(standing.unit.name)})</span></p>\n"
        f"<dl class='tiles'>{shown}</dl>\n{_warnings(standing)}"
    )


def _warnings(standing: Standing) -> str:
    again = f"Run <code>genssl grade {escape(standing.unit.name)}</code>, then this report again."
    told = []
    if standing.waiting:
        count = counted(standing.waiting, "submission is", "submissions are")
        told.append(f"{count} not graded as handed in now. {again}")
    lost = sum(r.status == "no verdict" for w in standing.works if w.graded and w.judged
               for r in w.results.values())  # fmt: skip
    gone = []
    if standing.damaged:
        lines = counted(standing.damaged, "line", "lines")
        gone.append(f"{lines} of the journal cannot be read")
    if lost:
        gone.append(f"{counted(lost, 'verdict is', 'verdicts are')} not there")
    if gone:
        told.append(f"{', and '.join(gone)}. {again}")
    return "".join(f"<p class='warning'>{line}</p>\n" for line in told)


def _overview(standing: Standing) -> str:
    rows = {name: states_of(standing.results(name)) for name in standing.unit.exercises}
    told = "; ".join(f"{name}: {listed(row)}" for name, row in rows.items())
    stacked = figure(
        _hardest({name: row.get("passed", 0) for name, row in rows.items()}, len(standing.works)),
        pictures.stacked(rows), f"One bar an exercise. {told}.",
    )  # fmt: skip
    links = "".join(
        f"<li><a href='#{escape(name, quote=True)}'>{escape(name)}</a></li>" for name in rows
    )
    return (
        f"<section>\n<h2>Where the class stands</h2>\n{_grid([stacked, *_points(standing)])}"
        f"<nav aria-label='Exercises'><ul>{links}"
        "<li><a href='#effort'>time and memory</a></li>"
        "<li><a href='#flagged'>for a person</a></li></ul></nav>\n</section>\n"
    )


def _hardest(passed: Mapping[str, int], of: int) -> str:
    """Which exercise the fewest passed, as the picture's title."""
    fewest = min(passed.values())
    if fewest == of:
        return "Every answer to every exercise passed."
    worst = [name for name, count in passed.items() if count == fewest]
    if len(passed) == 1:
        return f"{fewest} of {of} passed it wholly."
    if len(worst) == 1:
        return f"{worst[0]} was the hardest: {fewest} of {of} passed it wholly."
    return f"Wholly passed by the fewest ({fewest} of {of}): {', '.join(worst)}."


def _points(standing: Standing) -> list[str]:
    """How the points are spread: in all, and for each exercise."""
    graded = standing.graded
    spread = {
        name: ([work.results[name].points for work in graded], exercise.points)
        for name, exercise in standing.unit.exercises.items()
        if exercise.points
    }
    if not graded or not spread:
        return []
    told = "; ".join(f"{n}: median {median(p):g} of {most:g}" for n, (p, most) in spread.items())
    answers = [(one, most) for points, most in spread.values() for one in points]
    whole, none = sum(p >= most for p, most in answers), sum(not p for p, _ in answers)
    return [
        _spread(
            f"The median is {standing.median:g} of {standing.most:g} points.",
            [work.total for work in graded], "points in all", of=standing.most,
        ),
        figure(
            f"All of the points {whole} times in {len(answers)}, none {none} times.",
            pictures.ridges(spread),
            f"A histogram an exercise, from none to all of its points. {told}.",
        ),
    ]  # fmt: skip


# --- effort, flags, foot ------------------------------------------------------------------------


def _effort(standing: Standing) -> str:
    figures = []
    if seconds := _numbers(standing.works, "box_seconds"):
        seconds = [max(s, 0.01) for s in seconds]
        figures.append(_spread(
            f"Students' own code took {sum(seconds):,.0f} s together; the slowest "
            f"{max(seconds):.3g} s.",
            seconds, "seconds in the box, on a log scale", log=True,
        ))  # fmt: skip
    if memory := _numbers(standing.works, "peak_mib"):
        figures.append(_spread(
            f"The largest took {max(memory):,.0f} MiB, torch included.", memory,
            "peak memory in MiB",
        ))  # fmt: skip
    if restarts := _numbers(standing.works, "restarts"):
        counts = Counter(int(number) for number in restarts)
        rows = [
            Bar("never" if number == 0 else counted(number, "time", "times"), count, f"{count}",
                role="data")
            for number, count in sorted(counts.items())
        ]  # fmt: skip
        again = sum(counts.values()) - counts[0]
        ended = counted(again, "submission", "submissions") if again else "No submission"
        figures.append(figure(
            f"{ended} ended Python, which is started again then.",
            pictures.bars(rows, sum(counts.values())),
            f"How often Python ended. {in_a_line(rows)}.",
        ))  # fmt: skip
    body = _grid(figures) if figures else "<p>Nothing of this was kept.</p>\n"
    return f"<section id='effort'>\n<h2>Time and memory</h2>\n{body}</section>\n"


def _numbers(works: Sequence[Work], what: str) -> list[float]:
    return [number for work in works if (number := getattr(work, what)) is not None]


def _flagged(standing: Standing) -> str:
    rows = "".join(
        f"<li><b>{escape(work.label)}</b> {escape('; '.join(work.reasons))}</li>\n"
        for work in standing.flagged
    )
    body = f"<ul class='flags'>\n{rows}</ul>" if rows else "<p>None.</p>"
    return f"<section id='flagged'>\n<h2>For a person to look at</h2>\n{body}\n</section>\n"


def _footer(standing: Standing) -> str:
    who = (
        "Students are named, because <code>--names</code> was given: keep this file to yourself."
        if standing.names
        else "Students are numbered in an order that only this course's secret tells; "
        "<code>--names</code> names them. In examples of code, comments, docstrings and texts are "
        "taken out; no example is shown that holds a student's id."
    )
    return (
        f"<footer><p>{who} Each submission counts once, as it was last graded. The same rows are "
        f"in <code>{escape(standing.unit.name)}.csv</code>. Hidden checks are named here: this "
        "page is for instructors.</p></footer>\n"
    )


def _spread(title: str, values: Sequence[float], label: str, **how: Any) -> str:
    told = (
        f"Histogram of {label} over {counted(len(values), 'submission', 'submissions')}: from "
        f"{min(values):.3g} to {max(values):.3g}, median {median(values):.3g}."
    )
    return figure(title, pictures.histogram(values, label, **how), told)


def _grid(figures: Sequence[str]) -> str:
    return f"<div class='grid'>\n{''.join(figures)}</div>\n"
