"""nbgrader's formgrader on a real server, and the page that a student gets back: both offline."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from genssl_utils.course.build import build
from genssl_utils.course.feedback import write_feedback
from genssl_utils.course.grade.demo import demo_submissions
from genssl_utils.course.lab import free_port
from genssl_utils.course.source import Unit, find_unit
from test_lab import wait_for

PROJECT = Path(__file__).resolve().parents[2]
NAME, STUDENT = "05_gumbel_softmax", "demo_half"
ALARM = "fetch('http://evil.example/')"


@dataclass
class Course:
    """A course with unit 05, and a server that was started in it."""

    unit: Unit
    address: str
    token: str

    @property
    def login(self) -> dict[str, str]:
        """The headers that a request needs."""
        return {"Authorization": f"token {self.token}"}

    def url(self, path: str) -> str:
        return f"{self.address}/formgrader/{path}"

    def told(self, path: str) -> list[dict]:
        request = urllib.request.Request(self.url(f"api/{path}"), headers=self.login)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Iterator[Course]:
    root = tmp_path_factory.mktemp("course")
    for file in ("pyproject.toml", "constraints.txt", "nbgrader_config.py", "grading.toml"):
        shutil.copy(PROJECT / file, root)
    shutil.copytree(PROJECT / "solutions" / NAME, root / "solutions" / NAME)
    (root / "book").mkdir()
    shutil.copy(PROJECT / "book" / "references.bib", root / "book")
    (root / "genssl_utils").mkdir()
    unit = find_unit(root, NAME)
    build([unit])
    demo_submissions(unit)
    port, token = free_port(19888), secrets.token_hex(16)
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", f"--ServerApp.port={port}", "--no-browser",
         "--ServerApp.port_retries=0", "--allow-root", "--log-level=ERROR"],
        cwd=root, env=os.environ | {"JUPYTER_TOKEN": token, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    try:
        found = Course(unit, f"http://localhost:{port}", token)
        wait_for(f"{found.address}/login")
        yield found
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture(scope="module")
def graded(course, browser) -> Course:
    """Graded by the lightning bolt, as an instructor presses it; then the button for feedback."""
    context = browser.new_context(extra_http_headers=course.login)
    page = context.new_page()
    page.goto(course.url(f"manage_submissions/{NAME}"))
    row = page.locator("tr", has_text=STUDENT)
    for button in ("autograde", "generate-feedback"):
        row.locator(f".{button} a").click(timeout=60_000)
        said = page.locator(".modal-dialog")
        said.wait_for(timeout=300_000)
        assert "Successfully" in said.inner_text()
        said.get_by_role("button", name=re.compile("close", re.I)).last.click()
        said.wait_for(state="hidden")
    context.close()
    return course


def in_maths(page) -> dict:
    """How the first fraction lies on the page, and whether any TeX is left in the text."""
    return page.evaluate(
        r"""() => {
            const [over, under] = document.querySelector("math mfrac").children;
            const text = [...document.querySelectorAll(".text_cell_render")].map(e => e.innerText);
            return {
                stacked: over.getBoundingClientRect().top < under.getBoundingClientRect().top - 5,
                raw: /\\frac|\\log|\$\$|\{cite/.test(text.join("\n")),
            };
        }"""
    )


def test_the_bolt_grades_as_the_command_does(graded):
    path = graded.unit.root / "build" / "autograded" / STUDENT / NAME / f"{NAME}.ipynb"
    assert "sha256" in nbformat.read(path, as_version=4).metadata.genssl
    (row,) = [r for r in graded.told(f"submissions/{NAME}") if r["student"] == STUDENT]
    assert row["autograded"]
    assert 0 < row["score"] < row["max_score"] == 20


def test_the_formgrader_shows_formulas_and_asks_no_other_host(graded, open_page):
    (row,) = graded.told(f"submitted_notebooks/{NAME}/{NAME}")
    where = graded.url(f"submissions/{row['id']}/")
    page, notes = open_page(where, width=1100, extra_http_headers=graded.login)
    page.wait_for_selector(".tabbable:focus")  # it is ready, its keys too
    assert in_maths(page) == {"stacked": True, "raw": False}
    assert page.locator('a[href="https://arxiv.org/abs/1611.01144"]').count()
    notes.assert_clean()


def test_feedback_shows_formulas_and_asks_for_nothing(graded, open_page):
    path = graded.unit.root / "build" / "feedback" / STUDENT / NAME / f"{NAME}.html"
    assert path.stat().st_size < 1 << 20
    asked: list[str] = []
    page, notes = open_page("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert in_maths(page) == {"stacked": True, "raw": False}
    assert page.locator('a[href="https://arxiv.org/abs/1611.01144"]').count()
    assert not page.locator("script").count()
    notes.assert_clean()


def test_feedback_on_hostile_work_runs_nothing(graded, open_page):
    """Work as nbgrader's own autograde leaves it, with texts and outputs of the student's."""
    home = graded.unit.root / "build" / "autograded" / STUDENT / NAME / f"{NAME}.ipynb"
    nb = nbformat.read(home, as_version=4)
    answer = next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("solution"))
    evil = {
        "text/html": f"<img src=x onerror={ALARM}><script>{ALARM}</script>",
        "application/javascript": ALARM,
        "image/svg+xml": f"<svg onload={ALARM}></svg>",
        "image/png": f'"><script>{ALARM}</script>',
    }
    size = {"image/png": {"width": f"1 onload={ALARM}"}}
    answer.outputs = [new_output("display_data", {k: v}, metadata=size) for k, v in evil.items()]
    nb.cells += [
        new_markdown_cell(f"<script>{ALARM}</script> <img src=x onerror={ALARM}>"),
        new_markdown_cell("<meta http-equiv=refresh content='0;url=http://evil.example/'>"),
        new_markdown_cell(f"[link](javascript:{ALARM}) ![far](http://evil.example/x.png)"),
        new_markdown_cell(rf"$\href{{javascript:{ALARM}}}{{x}} \text{{<script>{ALARM}</script>}}$"),
        new_markdown_cell("$" + "{" * 3000 + "$ and $" + r"\frac" * 300 + "$"),
        new_markdown_cell(r"$\newcommand{\a}{xx}\a$ and at last $\frac{1}{2}$"),
        new_code_cell("'</script><script>" + ALARM + "</script>'"),
    ]
    home.chmod(0o644)
    nbformat.write(nb, home)
    (path,) = write_feedback(graded.unit)
    page, notes = open_page("about:blank")
    page.goto(path.as_uri())
    page.get_by_role("link", name="link", exact=True).click()
    page.wait_for_timeout(500)
    assert page.url.startswith(path.as_uri())
    # The picture is the one thing that the page asks for, and the browser does not fetch it.
    assert {urlparse(url).path for url in notes.outside} <= {"/x.png"}
    assert any("x.png" in said and "Content Security Policy" in said for said in notes.errors)
    assert page.locator("math mfrac").last.is_visible()
