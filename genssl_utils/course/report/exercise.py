"""The part of the page that is about one exercise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from genssl_utils.course.report import pictures
from genssl_utils.course.report.parts import counted, figure, in_a_line, listed, named, states_of
from genssl_utils.course.report.pictures import Bar
from genssl_utils.course.report.standing import Result, Standing
from genssl_utils.course.report.wrong import (
    Group,
    Mistake,
    example,
    in_words,
    misled,
    recognised,
    unrecognised,
)

MOST_GROUPS = 8
"""Groups of one exercise that are shown; smaller ones are counted."""
MOST_LINES = 30
"""Lines of an example that are shown."""
LETTERS = "ABCDEFGH"
"""What the groups that are shown are called."""


def exercise_part(standing: Standing, name: str) -> str:
    """The section of one exercise: its checks, its mistakes, its unrecognised answers."""
    results = standing.results(name)
    states = states_of(results)
    head = (
        f"<section id='{escape(name, quote=True)}'>\n<h2><code>{escape(name)}</code></h2>\n"
        f"<p>{escape(listed(states))}.</p>\n"
    )
    wrong = sum(bool(result.failed) for result in results)
    if not wrong:
        return head + "<p>There is no wrong answer to look at.</p>\n</section>\n"
    known, groups = recognised(results), unrecognised(standing, name)
    hinted = sum(bool(result.mistakes) for result in results)
    figures = _checks(results) + _mistakes(known, groups, wrong, hinted)
    return f"{head}<div class='flow'>\n{figures}{_groups(standing, groups)}</div>\n</section>\n"


def _checks(results: Sequence[Result]) -> str:
    counts: Counter[tuple[str, bool]] = Counter()
    for result in results:
        counts.update({(check["name"], check["hidden"]): 0 for check in result.checks})
        counts.update((check["name"], check["hidden"]) for check in result.failed)
    rows = [
        Bar(named(name, hidden), count, f"{count}", hatched=hidden)
        for (name, hidden), count in counts.most_common()
    ]
    answers = sum(result.status in ("passed", "partly", "failed") for result in results)
    never = "; ".join(row.name for row in rows if not row.value)
    written = counted(answers, "written answer", "written answers")
    return figure(
        f"{rows[0].told} of {written} failed “{rows[0].name}”. Striped: hidden from students.",
        pictures.bars([row for row in rows if row.value], answers),
        f"How many answers failed each check. {in_a_line(rows)}.",
        f"Nobody failed: {never}." if never else "",
    )


def _mistakes(known: Sequence[Mistake], groups: Sequence[Group], wrong: int, hinted: int) -> str:
    rows = [Bar(m.name, m.count, f"{m.count}", m.hint, role="model") for m in known]
    rows += [
        Bar(f"no hint, group {letter}", len(group.works), f"{len(group.works)}", _short(group),
            role="baseline", hatched=True)
        for letter, group in zip(LETTERS, groups[:MOST_GROUPS], strict=False)
    ]  # fmt: skip
    rows.sort(key=lambda row: -row.value)
    if rest := groups[MOST_GROUPS:]:
        count = sum(len(group.works) for group in rest)
        rows.append(Bar("no hint, other groups", count, f"{count}", role="baseline", hatched=True))
    wrong_ones = counted(wrong, "wrong answer", "wrong answers")
    title = f"{hinted} of {wrong_ones} got the hint of a known mistake."
    if groups:
        title += " Striped: no hint; see its group."
    most = max(row.value for row in rows)
    told = f"How often each mistake was made. {in_a_line(rows)}."
    return figure(title, pictures.bars(rows, most), told)


def _short(group: Group) -> str:
    if group.trouble or not group.seen:
        return group.trouble or "only hidden checks failed"
    return in_words(group.seen[0]["seen"], 3)


def _groups(standing: Standing, groups: Sequence[Group]) -> str:
    if not groups:
        return ""
    cards = [
        _card(standing, letter, group)
        for letter, group in zip(LETTERS, groups[:MOST_GROUPS], strict=False)
    ]
    rest = len(groups[MOST_GROUPS:])
    more = f"<p>{counted(rest, 'smaller group', 'smaller groups')} not shown.</p>\n" if rest else ""
    unit = escape(standing.unit.name)
    return (
        "<div class='lines'><h3>Wrong answers without a hint, by the value that they gave</h3>\n"
        f"<p>Is a group a mistake that others may make? Add a <code>@mistake</code> with a hint to "
        f"<code>solutions/{unit}/mistakes.py</code>. Then <code>genssl build {unit}</code> and "
        f"<code>genssl grade {unit}</code> grade again what it touches, and no more.</p></div>\n"
        f"{''.join(cards)}{more}"
    )


def _card(standing: Standing, letter: str, group: Group) -> str:
    seen = "".join(
        f"<dt>{escape('; '.join(checks))}</dt><dd>{escape(value)}</dd>"
        for checks, value in _values(group)
    )
    if group.trouble:
        failed = counted(len(group.failed), "check", "checks")
        seen = f"<dt>It was stopped, and {failed} failed.</dt><dd>{escape(group.trouble)}</dd>"
    elif not seen:
        failed = "; ".join(named(check["name"], check["hidden"]) for check in group.failed)
        seen = (
            f"<dt>No visible check saw a wrong value. These failed:</dt><dd>{escape(failed)}</dd>"
        )
    count = counted(len(group.works), "answer", "answers")
    return (
        f"<article><h4>Group {letter}: {count}</h4><dl>{seen}</dl>{_misled(standing, group)}"
        f"{_code(standing, group)}</article>\n"
    )


def _values(group: Group) -> list[tuple[list[str], str]]:
    """What was seen, in words, each with the checks that saw just that."""
    found: list[tuple[dict, list[str]]] = []
    for one in group.seen:
        checks = next((checks for seen, checks in found if seen == one["seen"]), None)
        if checks is None:
            found.append((one["seen"], [one["check"]]))
        else:
            checks.append(one["check"])
    return [(checks, in_words(seen)) for seen, checks in found]


def _misled(standing: Standing, group: Group) -> str:
    lines = [
        f"<p><b>Mind:</b> {counted(count, 'of them calls', 'of them call')} "
        f"<code>{escape(name)}</code>, which is wrong there: that may be all.</p>"
        for name, count in misled(standing, group).items()
    ]
    return "".join(lines)


def _code(standing: Standing, group: Group) -> str:
    code, why = example(standing, group)
    if why:
        return f"<p class='soft'>{escape(why)}</p>"
    lines = code.splitlines()
    cut = len(lines) - MOST_LINES
    shown = "\n".join(lines[:MOST_LINES])
    more = f"<p class='soft'>and {counted(cut, 'more line', 'more lines')}</p>" if cut > 0 else ""
    return f"<p class='soft'>One of them:</p><pre><code>{escape(shown)}</code></pre>{more}"
