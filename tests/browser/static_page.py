"""A static page with live figures, written as myst-nb writes it, and how to read a figure on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import ipywidgets
import pytest
import torch
from ipywidgets.embed import embed_data

HOST = Path(__file__).parents[2] / "book" / "_static" / "figure-host.js"
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
CURVES = {
    "tau": [0.1, 0.5, 1.0, 5.0],
    "estimators": {
        "REINFORCE": {"bias": [0.02], "variance": [7.0], "depends_on_tau": False},
        "REINFORCE with baseline": {"bias": [0.014], "variance": [4.0], "depends_on_tau": False},
        "Gumbel-softmax": {
            "bias": [0.07, 0.31, 0.53, 0.91],
            "variance": [22.9, 2.4, 0.53, 0.001],
            "depends_on_tau": True,
        },
        "straight-through": {
            "bias": [0.09, 0.28, 0.45, 0.8],
            "variance": [25.0, 3.4, 1.1, 0.2],
            "depends_on_tau": True,
        },
    },
}


def tag(kind: str, content: object) -> str:
    """A script tag as myst-nb writes it: JSON with `</script>` made harmless."""
    text = json.dumps(content).replace("</script>", r"<\/script>")
    return f'<script type="{kind}">{text}</script>'


def write_page(folder: Path, *widgets: ipywidgets.Widget, theme: str = "light") -> Path:
    """A static page with one view a widget, its state, and the host script beside it."""
    data = embed_data(list(widgets), drop_defaults=False)
    views = "\n".join(f'<div class="cell_output">{tag(VIEW, v)}</div>' for v in data["view_specs"])
    page = folder / "index.html"
    page.write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>A page</title>'
        '<script src="_static/figure-host.js"></script></head>'
        f"<body>{views}{tag(STATE, data['manager_state'])}</body></html>",
        encoding="utf-8",
    )
    (folder / "_static").mkdir(exist_ok=True)
    shutil.copy(HOST, folder / "_static")
    return page


def shown(root) -> dict:
    """The numbers that a figure carries on its root element."""
    data = root.evaluate("node => ({...node.dataset})")
    plain = {"winner", "best"}
    return {key: value if key in plain else json.loads(value) for key, value in data.items()}


def figures(page):
    page.wait_for_selector(".genssl-figure svg[viewBox]")
    return page.locator(".genssl-figure")


def assert_equals_torch(data: dict) -> None:
    """y = softmax((log π + g) / τ) and its distance from one-hot, by torch, to 1e-5."""
    log_pi = torch.tensor(data["pi"], dtype=torch.float64).log()
    gumbel = torch.tensor(data["gumbel"], dtype=torch.float64)
    y = torch.softmax((log_pi + gumbel) / data["tau"], dim=0)
    torch.testing.assert_close(torch.tensor(data["y"], dtype=torch.float64), y, atol=1e-5, rtol=0)
    assert data["distance"] == pytest.approx(1 - y.max().item(), abs=1e-5)
    assert sum(data["pi"]) == pytest.approx(1, abs=1e-12)
