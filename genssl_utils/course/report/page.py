"""The page: one file that asks for nothing from outside, for a screen of any width and for paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from statistics import median
from typing import Any
from urllib.parse import quote

from genssl_utils.course.report import pictures
from genssl_utils.course.report.pictures import Bar
from genssl_utils.course.report.standing import STATES, Result, Standing, Work
from genssl_utils.course.report.wrong import (
    Group,
    Mistake,
    example,
    in_words,
    recognised,
    unrecognised,
)

MOST_GROUPS = 8
"""Groups of one exercise that are shown; smaller ones are counted."""

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
        *(_exercise(standing, name) for name in standing.unit.exercises),
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
        (middle, f"points in the middle, of {standing.most:g}"),
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
        count = _count(standing.waiting, "submission is", "submissions are")
        told.append(f"{count} not graded as handed in now. {again}")
    lost = sum(r.status == "no verdict" for w in standing.works if w.graded
               for r in w.results.values())  # fmt: skip
    if standing.damaged or lost:
        lines = _count(standing.damaged, "line", "lines")
        told.append(f"{lines} of the journal cannot be read, and {lost} verdicts are not there. "
                    f"{again}")  # fmt: skip
    return "".join(f"<p class='warning'>{line}</p>\n" for line in told)


def _overview(standing: Standing) -> str:
    rows = {name: _states(standing.results(name)) for name in standing.unit.exercises}
    worst = min(rows, key=lambda name: rows[name].get("passed", 0), default="")
    if not standing.works or not worst:
        return ""
    right = rows[worst].get("passed", 0)
    title = (
        "Every answer to every exercise passed."
        if all(row.get("passed") == len(standing.works) for row in rows.values())
        else f"{worst} was the hardest: {right} of {len(standing.works)} passed it wholly."
    )
    told = "; ".join(f"{name}: {_listed(row)}" for name, row in rows.items())
    figures = [_figure(title, pictures.stacked(rows), f"One bar an exercise. {told}.")]
    if totals := [work.total for work in standing.graded]:
        figures.append(_spread(
            f"Half of the class has {median(totals):g} points or more, of {standing.most:g}.",
            totals, "points in all", of=standing.most,
        ))  # fmt: skip
        spread = {
            name: ([w.results[name].points for w in standing.graded], exercise.points)
            for name, exercise in standing.unit.exercises.items()
            if exercise.points
        }
        told = "; ".join(
            f"{n}: median {median(p):g} of {most:g}" for n, (p, most) in spread.items()
        )
        figures.append(_figure(
            "How the points of each exercise are spread.", pictures.ridges(spread),
            f"A histogram an exercise, from none to all of its points. {told}.",
        ))  # fmt: skip
    links = "".join(
        f"<li><a href='#{escape(name, quote=True)}'>{escape(name)}</a></li>" for name in rows
    )
    return (
        f"<section>\n<h2>Where the class stands</h2>\n{_grid(figures)}"
        f"<nav aria-label='Exercises'><ul>{links}"
        "<li><a href='#effort'>time and memory</a></li>"
        "<li><a href='#flagged'>for a person</a></li></ul></nav>\n</section>\n"
    )


def _states(results: Sequence[Result]) -> dict[str, int]:
    counts = Counter(result.status for result in results)
    return {state: counts[state] for state in STATES if counts[state]}


# --- one exercise -------------------------------------------------------------------------------


def _exercise(standing: Standing, name: str) -> str:
    results = standing.results(name)
    states = _states(results)
    head = (
        f"<section id='{escape(name, quote=True)}'>\n<h2><code>{escape(name)}</code></h2>\n"
        f"<p>{escape(_listed(states))}.</p>\n"
    )
    wrong = states.get("partly", 0) + states.get("failed", 0)
    if not wrong:
        return head + "<p>There is no wrong answer to look at.</p>\n</section>\n"
    known, groups = recognised(results), unrecognised(standing, name)
    hinted = sum(bool(result.mistakes) for result in results)
    figures = [_checks(results, wrong), _mistakes(known, groups, wrong, hinted)]
    return f"{head}{_grid(figures)}{_groups(standing, groups)}</section>\n"


def _checks(results: Sequence[Result], wrong: int) -> str:
    counts: Counter[tuple[str, bool]] = Counter()
    for result in results:
        counts.update({(check["name"], check["hidden"]): 0 for check in result.checks})
        counts.update((check["name"], check["hidden"]) for check in result.failed)
    rows = [
        Bar(f"{name} (hidden)" if hidden else name, count, f"{count}", hatched=hidden)
        for (name, hidden), count in counts.most_common()
    ]
    answers = sum(result.status in ("passed", "partly", "failed") for result in results)
    told = "; ".join(f"{row.name}: {row.told}" for row in rows)
    return _figure(
        f"Which checks failed, of {_count(answers, 'written answer', 'written answers')}. "
        "Striped: hidden from students.",
        pictures.bars(rows, answers), f"How many answers failed each check. {told}.",
    )  # fmt: skip


def _mistakes(known: Sequence[Mistake], groups: Sequence[Group], wrong: int, hinted: int) -> str:
    rows = [Bar(m.name, m.count, f"{m.count}", m.hint, role="model") for m in known]
    for letter, group in zip(_letters(), groups[:MOST_GROUPS], strict=False):
        count = len(group.works)
        rows.append(Bar(f"no hint, group {letter}", count, f"{count}", _short(group),
                        role="baseline", hatched=True))  # fmt: skip
    if rest := groups[MOST_GROUPS:]:
        count = sum(len(group.works) for group in rest)
        rows.append(Bar("no hint, other groups", count, f"{count}", role="baseline", hatched=True))
    title = f"{hinted} of {_count(wrong, 'wrong answer', 'wrong answers')} got the hint of a known "
    title += "mistake. Striped: no hint; see the groups below." if groups else "mistake."
    told = "; ".join(f"{row.name}: {row.told}" + (f" ({row.note})" if row.note else "")
                     for row in rows)  # fmt: skip
    most = max(row.value for row in rows)
    return _figure(title, pictures.bars(rows, most), f"How often each mistake was made. {told}.")


def _short(group: Group) -> str:
    if group.seen:
        return in_words(group.seen[0]["seen"], 3)
    return group.trouble or "only hidden checks failed"


def _groups(standing: Standing, groups: Sequence[Group]) -> str:
    if not groups:
        return ""
    cards = [
        _card(standing, letter, group)
        for letter, group in zip(_letters(), groups[:MOST_GROUPS], strict=False)
    ]
    rest = groups[MOST_GROUPS:]
    more = (
        f"<p>{_count(len(rest), 'smaller group is', 'smaller groups are')} not shown.</p>\n"
        if rest else ""
    )  # fmt: skip
    unit = escape(standing.unit.name)
    return (
        "<h3>Wrong answers without a hint, by the value that they gave</h3>\n"
        f"<p>If a group is a mistake that others may make, add a <code>@mistake</code> with a hint "
        f"to <code>solutions/{unit}/mistakes.py</code>. Then <code>genssl build {unit}</code> and "
        f"<code>genssl grade {unit}</code> grade again what it touches, and no more.</p>\n"
        f"<div class='cards'>{''.join(cards)}</div>\n{more}"
    )


def _card(standing: Standing, letter: str, group: Group) -> str:
    seen = "".join(
        f"<dt>{escape(one['check'])}</dt><dd>{escape(in_words(one['seen']))}</dd>"
        for one in group.seen
    )
    if not seen:
        failed = "; ".join(_named(check) for check in group.failed)
        why = group.trouble or "No visible check saw a wrong value. Failed"
        seen = f"<dt>{escape(why)}</dt><dd>{escape(failed)}</dd>"
    code = example(standing, group)
    shown = (
        f"<pre tabindex='0' role='region' aria-label='{group.exercise}: code of one answer of group {letter}'>"
        f"<code>{escape(code)}</code></pre>"
        if code
        else "<p class='soft'>No example: the code is no Python, or may tell whose it is.</p>"
    )
    count = _count(len(group.works), "answer", "answers")
    return (
        f"<article><h4>Group {letter}: {count}</h4><dl>{seen}</dl>"
        f"<p class='soft'>One of them:</p>{shown}</article>\n"
    )


# --- effort, flags, foot ------------------------------------------------------------------------


def _effort(standing: Standing) -> str:
    figures = []
    if seconds := _numbers(standing.works, "box_seconds"):
        seconds = [max(s, 0.01) for s in seconds]
        figures.append(_spread(
            f"Students' own code took {sum(seconds):,.0f} s together; the slowest "
            f"{max(seconds):.3g} s.",
            seconds, "seconds in the box (each step doubles)", log=True,
        ))  # fmt: skip
    if memory := _numbers(standing.works, "peak_mib"):
        figures.append(_spread(
            f"The largest took {max(memory):,.0f} MiB, torch included.", memory,
            "peak memory in MiB",
        ))  # fmt: skip
    if restarts := _numbers(standing.works, "restarts"):
        counts = Counter(int(number) for number in restarts)
        rows = [
            Bar("never" if number == 0 else _count(number, "time", "times"), count, f"{count}",
                role="data")
            for number, count in sorted(counts.items())
        ]  # fmt: skip
        told = "; ".join(f"{row.name}: {row.told}" for row in rows)
        again = sum(counts.values()) - counts[0]
        figures.append(_figure(
            f"{_count(again, 'submission', 'submissions')} ended Python, which was started again.",
            pictures.bars(rows, sum(counts.values())), f"How often Python ended. {told}.",
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


# --- small parts --------------------------------------------------------------------------------


def _figure(title: str, svg: str, told: str) -> str:
    source = "data:image/svg+xml," + quote(svg, safe=" /:=;,()+!*?@-.'")
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<img alt="{escape(told, quote=True)}" src="{source}"></figure>\n'
    )


def _spread(title: str, values: Sequence[float], label: str, **how: Any) -> str:
    told = (
        f"Histogram of {label} over {_count(len(values), 'submission', 'submissions')}: from "
        f"{min(values):.3g} to {max(values):.3g}, median {median(values):.3g}."
    )
    return _figure(title, pictures.histogram(values, label, **how), told)


def _grid(figures: Sequence[str]) -> str:
    return f"<div class='grid'>\n{''.join(figures)}</div>\n"


def _listed(states: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in states.items()) or "no submission"


def _named(check: Mapping[str, Any]) -> str:
    return f"{check['name']} (hidden)" if check["hidden"] else check["name"]


def _letters() -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
