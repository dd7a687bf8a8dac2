"""Every page of the real book in each look: it fits, and axe-core finds nothing serious."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from static_page import pages, settle

ASKED = {"resultTypes": ["violations"]}
"""Every rule runs; what it found in order is not listed, which takes half of the time."""


@pytest.mark.timeout(1500)  # minutes, on a busy machine
@pytest.mark.parametrize("width", [1200, 360])
def test_every_page_fits_and_axe_finds_nothing_serious(book, serve, open_page, width):
    """On a laptop and on a phone, light and dark; the reader's system changes under a page."""
    address, axe, found = serve(book), Axe(), []
    for name in pages(book):
        if name == "index.html":  # it only sends on
            continue
        page, _ = open_page(address + name, width=width)
        settle(page)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
            page.wait_for_timeout(800)  # colours fade, and the theme looks anew at what scrolls
            look = f"{name}, {width} pixels, {scheme}"
            for broken in axe.run(page, options=ASKED).response["violations"]:
                if broken["impact"] in ("serious", "critical"):
                    where = [node["html"][:120] for node in broken["nodes"]]
                    found.append(f"{look}: {broken['id']}: {where[:3]}")
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                found.append(f"{look}: scrolls sideways, it is {wide} pixels wide")
        page.context.close()
    assert not found, "\n".join(found)
