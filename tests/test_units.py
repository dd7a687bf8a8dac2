"""The contract over every unit: a unit that breaks it fails here by name."""

import ast
import json
import re
import symtable

import pytest
import torch
from rich.console import Console

from genssl_utils.course import catalogue
from genssl_utils.course.mutants import mutants
from genssl_utils.course.run import Job, execute_all
from genssl_utils.course.source import ROLES, Unit, all_units, project_root, without_hidden

ROOT = project_root()
UNITS = all_units(ROOT)
TEACHING = [u for u in UNITS if u.number > 0]  # 00_start_here shows how an exercise works
EXERCISES = [(u, name) for u in UNITS for name in u.exercises]
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
each_teaching_unit = pytest.mark.parametrize("unit", TEACHING, ids=lambda u: u.name)
each_exercise = pytest.mark.parametrize(
    ("unit", "name"), EXERCISES, ids=[f"{u.name}-{n}" for u, n in EXERCISES]
)


@pytest.fixture(scope="session")
def checker():
    made: dict[str, catalogue.Checker] = {}

    def get(unit: Unit) -> catalogue.Checker:
        if unit.name not in made:
            torch.set_num_threads(1)
            made[unit.name] = catalogue.Checker(unit)
        return made[unit.name]

    return get


@pytest.fixture(scope="session")
def key():
    return lambda unit: json.loads(unit.key.read_text("utf-8"))["exercises"]


# --- the story ----------------------------------------------------------------------------------


@each_unit
def test_every_room_of_the_house_has_the_unit(unit):
    for path in (unit.source, unit.mistakes, unit.notebook, unit.key, unit.package / "__init__.py"):
        assert path.is_file(), f"{unit.name}: {path.relative_to(ROOT)} is missing"
    assert f"units/{unit.name}" in (ROOT / "book/_toc.yml").read_text("utf-8")
    assert (ROOT / "tests" / unit.topic).is_dir()


@each_unit
def test_every_code_cell_has_one_role(unit):
    for cell in unit.nb.cells:
        if cell.cell_type == "code":
            roles = set(cell.metadata.get("tags", ())) & set(ROLES)
            assert len(roles) == 1, (
                f"{unit.name}: one role is needed, not {roles}:\n{cell.source[:200]}"
            )


@each_teaching_unit
def test_the_map_of_the_course_knows_it(unit):
    about = unit.about
    assert about.hours > 0
    assert about.learn[:1].islower(), "it goes on from: You will be able to"
    assert set(about.after) <= {u.name for u in UNITS if u.number < unit.number}


@each_unit
def test_no_wall_of_text(unit):
    """At most 150 words between two cells that do something; the rows of a table are looked up."""
    words = 0
    for cell in unit.nb.cells:
        if cell.cell_type == "code":
            assert words <= 150, f"{unit.name}: {words} words in a row before:\n{cell.source[:200]}"
            words = 0
            continue
        prose = re.sub(r"^\|.*", " ", cell.source, flags=re.M)
        prose = re.sub(r"\$\$.*?\$\$|\$[^$]*\$|\{cite\}`[^`]*`", " ", prose, flags=re.S)
        words += len(re.findall(r"\w[\w'’-]*", prose))


@each_unit
def test_no_sentence_becomes_a_list(unit):
    """A wrapped line that begins with "1. " is a list in Markdown."""
    for cell in unit.nb.cells:
        if cell.cell_type == "markdown":
            torn = re.findall(r"^.*[^\s.:?!].*[^.:?!\s]\n\d+[.)] .*$", cell.source, flags=re.M)
            torn = [found for found in torn if not re.match(r"\s*(\d+[.)]|[-*]) ", found)]
            assert not torn, f"{unit.name}: wrap this otherwise:\n{torn[0]}"


@each_teaching_unit
def test_the_story_has_all_its_parts_in_order(unit):
    order = [
        next(iter(set(c.metadata.tags) & set(ROLES)))
        for c in unit.nb.cells
        if c.cell_type == "code"
    ]
    for role in ("setup", "parameters", "figure", "exercise", "check", "experiment", "claim"):
        assert role in order, f"{unit.name} has no {role} cell"
    assert order.index("figure") < order.index("exercise") < order.index("experiment")
    assert len(unit.exercises) >= 3
    prose = "\n".join(c.source for c in unit.nb.cells if c.cell_type == "markdown")
    for needed in ("## What to remember", "## Where it breaks", "## Further reading", "{cite}"):
        assert needed in prose, f"{unit.name}: the story lacks '{needed}'"


@each_teaching_unit
def test_parameters_are_papermills(unit):
    (cell,) = unit.cells("parameters")
    names = [node.targets[0].id for node in ast.parse(cell.source).body]
    assert names == ["scale", "device", "seed"]


@each_unit
def test_a_check_spoils_no_name_of_the_notebook(unit):
    """Answers, checks and experiments share one namespace: a check that sets `seed` to something
    drawn makes every training after it another one."""

    def bound(cell, imports=False):
        names = symtable.symtable(cell.source, unit.name, "exec").get_symbols()
        return {s.get_name() for s in names if s.is_assigned() or (imports and s.is_imported())}

    cells = [*unit.cells("setup"), *unit.cells("parameters")]
    own = set().union(*(bound(cell, imports=True) for cell in cells))
    assert {"seed", "scale", "device"} <= own or not unit.number
    for cell in unit.cells("check"):
        assert not bound(cell) & own, f"{unit.name}: a check binds {bound(cell) & own}"


@each_teaching_unit
def test_experiments_fail_loudly_when_unanswered(unit):
    for cell in unit.cells("experiment"):
        called = {n.id for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Name)}
        for name in called & set(unit.exercises):
            assert "check.finished(" in cell.source, f"{unit.name}: guard {name} by check.finished"
            assert f'"{name}"' in cell.source, f"{unit.name}: check.finished does not name {name}"


# --- exercises and their checks -----------------------------------------------------------------


@each_exercise
def test_half_of_the_checks_are_hidden(unit, name):
    for cell in unit.exercises[name].checks:
        declared = catalogue.named_checks(cell.source)
        assert sum(h for _, h, _ in declared) * 2 >= len(declared), f"{name}: too few hidden checks"
        assert len({n for n, _, _ in declared}) == len(declared), f"{name}: two checks share a name"
        visible = catalogue.named_checks(without_hidden(cell.source))
        assert [n for n, _, _ in visible] == [n for n, h, _ in declared if not h]
        assert not any(h for _, h, _ in visible)


@each_exercise
def test_hidden_tests_stand_in_blocks_alone(unit, name):
    """A line outside `with ex.hidden(...)` would show its traceback in the feedback."""
    for cell in unit.exercises[name].checks:
        hidden = cell.source.split("### BEGIN HIDDEN TESTS")[1].split("### END HIDDEN TESTS")[0]
        for node in ast.parse(hidden).body:
            assert isinstance(node, ast.With), ast.unparse(node)
            assert ast.unparse(node.items[0]).startswith("ex.hidden(")
        assert cell.source.rstrip().endswith("ex.report()")


@each_exercise
def test_checks_call_no_other_answer(unit, name):
    others = set(unit.exercises) - {name}
    for cell in unit.exercises[name].checks:
        used = {n.id for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Name)}
        assert not used & others, f"the checks of {name} call {used & others}"
        points = re.search(r"points=([\d.]+)\)", cell.source)
        assert float(points[1]) == float(cell.metadata.nbgrader.points)


@each_exercise
def test_an_answer_calls_an_earlier_one_only_where_its_statement_says_so(unit, name):
    answer = unit.exercises[name].answer
    at = next(i for i, cell in enumerate(unit.nb.cells) if cell.id == answer.id)
    statement = unit.nb.cells[at - 1].source
    called = {n.id for n in ast.walk(ast.parse(answer.source)) if isinstance(n, ast.Name)}
    for other in called & (set(unit.exercises) - {name}):
        assert f"`{other}`" in statement, f"the statement of {name} does not mention {other}"


@each_exercise
def test_the_answer_gets_full_points_twenty_times(unit, name, checker):
    for repeat in range(20):
        report = checker(unit).report(unit.exercises[name], seed=repeat)
        assert report.passed, report.text
    assert report.points == unit.exercises[name].points


def zeroed(value, *, in_place):
    """The same argument with 0 in every tensor: the caller's own, or a copy of it."""
    if isinstance(value, torch.Tensor):
        if not in_place:
            nothing = torch.zeros_like(value)
            return nothing + (value - value.detach()) if value.requires_grad else nothing
        with torch.no_grad():
            return value.zero_()
    if isinstance(value, dict):
        return {key: zeroed(item, in_place=in_place) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(zeroed(item, in_place=in_place) for item in value)
    return value


@each_exercise
def test_spoiling_the_inputs_gains_nothing(unit, name, checker):
    """A check that computes what it wants after the call would let such an answer pass."""
    right = checker(unit).namespace[name]

    def passed(in_place):
        def answer(*args, **kwargs):
            args, kwargs = (zeroed(part, in_place=in_place) for part in (args, kwargs))
            return right(*args, **kwargs)

        report = checker(unit).report(unit.exercises[name], answer, seed=1)
        return {o.name for part in report.reports for o in part.outcomes if o.passed}

    assert passed(in_place=True) <= passed(in_place=False)


@each_exercise
def test_an_empty_answer_is_told_to_be_written(unit, name, checker):
    scope = {}
    stub = 'raise NotImplementedError("Replace this line with your answer.")'
    exec(f"def {name}(*args, **kwargs):\n    {stub}", scope)
    report = checker(unit).report(unit.exercises[name], scope[name])
    assert report.points == 0
    assert "not written yet" in report.text
    assert report.reports[0].status == "unanswered"


# --- the catalogue ------------------------------------------------------------------------------


@each_exercise
def test_every_mistake_gets_its_own_hint(unit, name, checker):
    """In the student's notebook, where hidden checks are not, and at each repeat the same."""
    for m in catalogue.load(unit).mistakes[name]:
        for _ in range(3):
            report = checker(unit).report(unit.exercises[name], m.function, hidden=False)
            assert not report.passed, f"{m.name} passes"
            assert report.hints == [m.hint], f"{m.name}:\n{report.text}"
        graded = checker(unit).report(unit.exercises[name], m.function)
        assert graded.points < unit.exercises[name].points
        assert "Traceback" not in report.text


@each_exercise
def test_every_unusual_right_answer_gets_full_points(unit, name, checker):
    for v in catalogue.load(unit).variants[name]:
        for repeat in range(3):
            report = checker(unit).report(unit.exercises[name], v.function, seed=100 + repeat)
            assert report.passed, f"{v.name}:\n{report.text}"


@each_exercise
def test_the_catalogue_is_rich_enough(unit, name):
    found = catalogue.load(unit)
    assert len(found.mistakes[name]) >= (5 if unit.number else 2)
    assert len(found.variants[name]) >= 2
    for m in found.mistakes[name]:
        assert 3 <= len(m.hint.split()) <= 60, f"{m.name}: at most 60 words"
    answer = unit.exercises[name].answer.source
    secret = answer.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
    for line in filter(None, map(str.strip, secret.split("\n"))):
        assert not any(line in m.hint for m in found.mistakes[name]), f"a hint holds: {line}"


@each_exercise
def test_the_checks_reject_mutants_of_the_answer(unit, name, checker, key):
    exercise, survivors = unit.exercises[name], catalogue.load(unit).survivors
    alive, tried = [], 0
    for mutant in mutants(exercise):
        if mutant.name in survivors:
            assert len(survivors[mutant.name].split()) >= 4, "say why it survives"
            continue
        tried += 1
        candidate = mutant.function(exercise, checker(unit).namespace)
        if checker(unit).report(exercise, candidate, seed=1).passed:
            alive.append(mutant.name)
    assert tried >= 3
    assert len(alive) <= 0.05 * tried, f"these mutants pass: {alive}"


@each_unit
def test_survivors_are_still_mutants(unit):
    made = {m.name for e in unit.exercises.values() for m in mutants(e)}
    assert set(catalogue.load(unit).survivors) <= made


@each_unit
def test_the_key_holds_numbers_and_hints_only(unit, key):
    allowed = {"kind", "shape", "dtype", "data", "n", "quantiles", "counts", "what"}
    for name, entry in key(unit).items():
        assert set(entry["mistakes"]) == {m.name for m in catalogue.load(unit).mistakes[name]}
        for known in entry["mistakes"].values():
            assert all(set(seen) <= allowed for seen in known["observed"].values())


# --- the run ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def executed():
    """Every unit run by papermill with seed 0, from `genssl run`'s cache where nothing changed."""
    jobs, console = [Job(u) for u in UNITS], Console(quiet=True)
    return {o.job.unit.name: o for o in execute_all(jobs, jobs=2, force=False, console=console)}


@each_unit
def test_every_cell_runs_and_every_check_passes(unit, executed):
    assert executed[unit.name].failures == []


@each_unit
def test_the_run_is_short(unit, executed):
    """60 s by the rules of the house, half as much again for a machine that is busy with tests."""
    assert executed[unit.name].nb.metadata.genssl.seconds < 90


@each_teaching_unit
def test_seed_0_falls_inside_the_recorded_table(unit, executed):
    """Five standard deviations of the seeds and 10 %: another processor's rounding makes another
    training. It fails when the record is older than the code."""
    known = json.loads((ROOT / f"book/results/{unit.name}.json").read_text("utf-8"))
    recorded = known["scales"]["laptop"]["claims"]
    claims = executed[unit.name].claims
    assert {c["name"] for c in claims} == set(recorded)
    for c in claims:
        values = recorded[c["name"]]["values"]
        assert len(values) >= 5
        every = torch.tensor(values, dtype=torch.float64)
        slack = 5 * every.std() + 0.1 * every.mean().abs()
        assert abs(c["value"] - every.mean()) <= slack, c["name"]
