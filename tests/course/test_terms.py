"""The first use of a glossary term is a link, in prose alone, and the glossary fits the units."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genssl_utils.course.book import unit_page
from genssl_utils.course.run import Job, run
from genssl_utils.course.source import CourseError, all_units
from genssl_utils.course.terms import Term, link_first_uses, read_terms
from toy_course import PROJECT

UNITS = all_units(PROJECT)
TERMS = read_terms(PROJECT / "book" / "glossary.md")
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
each_term = pytest.mark.parametrize("term", TERMS, ids=lambda t: t.name)

FLOWS = [
    Term("flow", ("flows",)),
    Term("coupling layer", ("coupling layers",)),
    Term("layer"),
    Term("KL divergence", ("KL",)),
    Term("positive", only=("18_contrastive",)),
]
ROLE = re.compile(r"\{term\}`([^`<]+?)(?: <([^>`]+)>)?`")


def linked(*texts: str, unit: str = "08_flows") -> list[str]:
    return link_first_uses(texts, FLOWS, unit)


def plain(text: str) -> str:
    return ROLE.sub(lambda role: role[1], text)


def used(unit) -> list[str]:
    prose = [cell.source for cell in unit.nb.cells if cell.cell_type == "markdown"]
    return [
        m[2] or m[1] for t in link_first_uses(prose, TERMS, unit.name) for m in ROLE.finditer(t)
    ]


def test_the_first_use_in_a_chapter_is_a_link_and_no_later_one():
    assert linked("Two flows.", "A flow, and flows.") == [
        "Two {term}`flows <flow>`.",
        "A flow, and flows.",
    ]
    assert linked("A flow.")[0] == "A {term}`flow`."


def test_the_longer_term_counts_where_two_begin_or_overlap():
    assert linked("A coupling layer and a layer.")[0] == (
        "A {term}`coupling layer` and a {term}`layer`."
    )
    assert linked("Coupling layers. One coupling layer. A layer.")[0] == (
        "{term}`Coupling layers <coupling layer>`. One coupling layer. A {term}`layer`."
    )


def test_a_term_may_begin_a_sentence_be_bold_and_break_over_a_line():
    assert linked("Flows bend.")[0].startswith("{term}`Flows <flow>`")
    assert linked("a **flow** bends")[0] == "a **{term}`flow`** bends"
    assert linked("one coupling\nlayer")[0] == "one {term}`coupling layer`"
    assert linked("one coupling\n\nlayer")[0] == "one coupling\n\n{term}`layer`"


@pytest.mark.parametrize(
    "text",
    [
        "`flow`", "``a ` flow``", "{cite}`flow`", "{doc}`the flow <units/08>`",
        "$flow$", "$$\nflow\n$$", r"\begin{align}flow\end{align}", "# The flow", "### A flow ###",
        "The flow\n========", "[a flow](x.md)", "![flow](a.png)", "<b title='flow'>", "    flow()",
        "```python\nflow()\n```", "~~~\nflow\n~~~", "```\nflow", "(flow)=", ":::{flow}",
        "https://a.org/flow", "<div>\nflow\n</div>", "[flow]: a.md", "workflow", "flow-based",
        "over-flow", "kl", "positive", "FLOW",
    ],
)  # fmt: skip
def test_what_is_no_prose_or_another_word_stays(text):
    assert linked(text) == [text]
    told = linked(f"{text}\n\nThen a flow.")[0]
    open_to_the_end = text == "```\nflow"
    assert told == (f"{text}\n\nThen a flow." if open_to_the_end
                    else f"{text}\n\nThen a {{term}}`flow`.")  # fmt: skip


def test_a_sign_of_money_is_no_formula():
    assert linked(r"For \$5 a flow costs \$6.")[0] == r"For \$5 a {term}`flow` costs \$6."


def test_a_word_with_another_meaning_elsewhere_is_linked_in_its_units_alone():
    assert linked("a positive number") == ["a positive number"]
    assert linked("a positive", unit="18_contrastive") == ["a {term}`positive`"]


PIECES = st.sampled_from(
    ["flow", "Flows", "coupling layer", "layer", "KL", " ", " ", ". ", "\n", "\n\n", "**", "*", "`",
     "```", "$", "$$", "#", "# ", "[", "](x)", "{cite}`a`", "<b>", "\\", "π", "- ", "| "]
)  # fmt: skip


@given(st.lists(st.lists(PIECES, max_size=30).map("".join), max_size=4))
def test_taking_the_links_out_gives_the_text_back_and_no_term_is_linked_twice(texts):
    told = linked(*texts)
    spaces = [re.sub(r"\s+", " ", plain(text)) for text in told]
    assert spaces == [re.sub(r"\s+", " ", text) for text in texts]
    names = [m[2] or m[1] for text in told for m in ROLE.finditer(text)]
    assert len(names) == len(set(names))


@given(st.text(alphabet="flow s\n", max_size=30))
def test_code_and_formulas_are_kept_letter_by_letter(inside):
    for text in (f"```\n{inside}\n```", f"$${inside}$$"):
        assert linked(text) == [text]


def test_an_entry_may_have_two_paragraphs(tmp_path):
    glossary = tmp_path / "glossary.md"
    glossary.write_text(
        "```{glossary}\nfirst\n  One.\n\n  More of it, in {doc}`a <units/08_flows>`.\n\n"
        "second\n  Two.\n```\n"
    )
    first, second = read_terms(glossary)
    assert (first.name, first.taught, second.name) == ("first", ("08_flows",), "second")


def test_one_way_of_writing_has_one_owner(tmp_path):
    page = tmp_path / "glossary.md"
    page.write_text("```{glossary}\n.. forms: flows\nflow\n  A.\n\nflows\n  B.\n```\n")
    with pytest.raises(CourseError, match="'flows' belongs to 'flow' and 'flows'"):
        read_terms(page)
    assert read_terms(tmp_path / "none.md") == []


def test_a_page_is_linked_and_the_students_notebook_is_not(toy):
    glossary = toy.root / "book" / "glossary.md"
    glossary.parent.mkdir()
    glossary.write_text("```{glossary}\nnumber\n  One. {doc}`07 <units/07_toy>`\n```\n")
    assert run([toy]) == []
    assert "twice a {term}`number` do?" in unit_page(toy, Job(toy).output)
    from genssl_utils.course.build import build

    build([toy])
    assert "{term}" not in toy.notebook.read_text("utf-8")


# --- the course's own glossary --------------------------------------------------------------------


@each_term
def test_each_term_is_linked_from_a_chapter_and_said_in_each_that_it_names(term):
    assert any(term.name in used(unit) for unit in UNITS)
    assert term.taught, f"{term.name}: name the unit that teaches it"
    by_name = {unit.name: unit for unit in UNITS}
    for name in (*term.taught, *term.only):
        prose = " ".join(c.source for c in by_name[name].nb.cells if c.cell_type == "markdown")
        said = (re.escape(form).replace(r"\ ", r"\s+") for form in (term.name, *term.forms))
        assert any(re.search(rf"\b{form}\b", prose, re.I) for form in said), name


@each_unit
def test_each_unit_teaches_a_few_terms(unit):
    assert len([term for term in TERMS if unit.name in term.taught]) >= 3


@each_unit
def test_a_chapters_words_stay_the_same(unit):
    for cell in unit.nb.cells:
        if cell.cell_type == "markdown":
            told = plain(link_first_uses([cell.source], TERMS, unit.name)[0])
            assert told.split() == cell.source.split()


def test_the_glossary_is_in_order_and_short():
    names = [term.name.casefold() for term in TERMS]
    assert names == sorted(names)
    text = (PROJECT / "book" / "glossary.md").read_text("utf-8")
    for entry in text.split("```{glossary}")[1].split("\n\n"):
        assert len(entry.split()) <= 60, entry
