"""A real JupyterLab, started as a student starts it, from an unpacked bundle."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest

from genssl_utils.course.bundle import bundle
from genssl_utils.course.lab import free_port
from genssl_utils.course.source import all_units
from static_page import shown

PROJECT = Path(__file__).resolve().parents[2]
UNIT = "notebooks/05_gumbel_softmax/05_gumbel_softmax.ipynb"


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """The address that `genssl lab` prints."""
    folder = tmp_path_factory.mktemp("student")
    packed, _ = bundle(all_units(PROJECT), folder / "course.zip")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    home = folder / "genssl"
    # Not the settings and open tabs of whoever runs the tests.
    own = {f"JUPYTERLAB_{name}_DIR": str(folder / name) for name in ("SETTINGS", "WORKSPACES")}
    start = "from genssl_utils.course.cli import main; main()"
    server = subprocess.Popen(
        [sys.executable, "-c", start, "lab", "--no-browser", "--port", str(free_port(18888))],
        cwd=home, env=os.environ | own | {"PYTHONPATH": str(home), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = next(
            found.group(1)
            for line in server.stdout
            if (found := re.search(r"JupyterLab: (http://\S+)", line))
        )
        wait_for(address)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(address: str) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < deadline, "JupyterLab does not answer"
            time.sleep(0.3)


def open_notebook(open_page, address: str):
    page, notes = open_page(address, width=1200)
    page.wait_for_selector(".jp-Notebook .jp-MarkdownOutput h1", timeout=60_000)
    return page, notes


def wait_for_kernel(page) -> None:
    """What is run before the kernel is there, Lab clears and forgets."""
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=90_000)


def run_all(page) -> None:
    wait_for_kernel(page)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def scroll_to(page, text: str) -> None:
    """Look for a text from the end of the notebook upwards: only what is in view is there."""
    found = page.locator(".jp-OutputArea-output").get_by_text(text)
    page.locator(".jp-WindowedPanel-outer").first.hover()
    deadline = time.monotonic() + 60
    while not found.count():
        assert time.monotonic() < deadline, f"'{text}' is nowhere in the notebook"
        for step in (20_000, *[-400] * 12):
            page.mouse.wheel(0, step)
            page.wait_for_timeout(200)
            if found.count():
                return


def test_it_opens_on_the_welcome_notebook_and_runs_it(lab, open_page):
    page, notes = open_notebook(open_page, lab)
    assert page.locator(".jp-MarkdownOutput h1").first.inner_text().startswith("Start here")
    run_all(page)
    scroll_to(page, "not written yet")
    scroll_to(page, "Everything is here")
    assert not notes.outside


def test_a_live_figure_moves_in_the_lab(lab, open_page):
    where = urlparse(lab)
    page, notes = open_notebook(
        open_page, f"{where.scheme}://{where.netloc}/lab/tree/{UNIT}?{where.query}&reset"
    )
    wait_for_kernel(page)
    page.locator(".jp-MarkdownOutput h1").first.click()
    for _ in range(12):  # cell by cell: the page of a notebook holds only what is in view
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(300)
        if page.locator(".jp-Cell.jp-mod-selected").get_by_text("temperature_figure").count():
            page.keyboard.press("Control+Enter")
            break
    page.wait_for_selector(".genssl-figure svg[viewBox]", timeout=90_000)
    figure = page.locator(".genssl-figure").first
    before = shown(figure)
    figure.get_by_label("temperature").press("End")
    after = shown(figure)
    assert after["tau"] == 10
    assert after["y"] != before["y"]
    assert not notes.outside


def test_nothing_answers_without_the_token(lab):
    where = urlparse(lab)
    request = f"{where.scheme}://{where.netloc}/api/contents"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)
