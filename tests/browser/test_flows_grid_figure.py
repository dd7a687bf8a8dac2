"""The figure of one coupling layer: its log-det is autograd's, and the way back is exact."""

from __future__ import annotations

import re

import pytest
import torch

from genssl_utils.flows.grid_figure import GridFigure, grid_figure
from static_page import assert_fits_a_phone, assert_no_listener_is_left, drag, figures, holds, shown

LAYERS = pytest.mark.parametrize(
    "layer",
    [
        {"passes": 1, "sStrength": 0.5, "tStrength": 0.8},
        {"passes": 2, "sStrength": 0.6, "tStrength": 0.3},
        {"passes": 1, "sStrength": 0.0, "tStrength": 0.8},
    ],
)
POINTS = [[-1.5, 1.5], [-0.8, -1.1], [0.0, 0.0], [0.37, 0.9], [1.5, -1.5]]


def bend(x: torch.Tensor, layer: dict) -> torch.Tensor:
    """One affine coupling layer of a point (2,), with the figure's s and t."""
    kept, moved = (0, 1) if layer["passes"] == 1 else (1, 0)
    s = layer["sStrength"] * torch.sin(1.5 * x[kept])
    t = layer["tStrength"] * torch.cos(2 * x[kept])
    y = [x[0], x[1]]
    y[moved] = x[moved] * torch.exp(s) + t
    return torch.stack(y)


def log_det(x: torch.Tensor, layer: dict) -> float:
    """log|det| of autograd's whole Jacobian."""
    jacobian = torch.autograd.functional.jacobian(lambda v: bend(v, layer), x)
    return torch.linalg.slogdet(jacobian).logabsdet.item()


@holds(GridFigure)
def assert_equals_torch(data: dict) -> None:
    """The image, the log-det and the way back, to 1e-5 and better."""
    x = torch.tensor(data["x"], dtype=torch.float64)
    assert data["y"] == pytest.approx(bend(x, data).tolist(), abs=1e-5)
    assert data["logDet"] == pytest.approx(log_det(x, data), abs=1e-5)
    assert data["back"] == pytest.approx(data["x"], abs=1e-12)
    assert 0 <= data["error"] < 1e-12


def centre(handle) -> tuple[float, float]:
    box = handle.locator(".genssl-grip").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# ---- the maths


@LAYERS
def test_image_log_det_and_inverse_are_torch_s(module, layer):
    for point in POINTS:
        got = module(GridFigure, "forward", point, layer)
        x = torch.tensor(point, dtype=torch.float64)
        assert got["y"] == pytest.approx(bend(x, layer).tolist(), abs=1e-12)
        assert got["logDet"] == pytest.approx(log_det(x, layer), abs=1e-12)
        assert module(GridFigure, "inverse", got["y"], layer) == pytest.approx(point, abs=1e-12)
        assert module(GridFigure, "roundTrip", point, layer) < 1e-12


@LAYERS
def test_the_inverse_holds_all_over_the_plane_of_y(module, layer):
    for y in ([-5.0, 4.0], [3.0, -3.0], [0.2, 10.0]):
        x = module(GridFigure, "inverse", y, layer)
        again = bend(torch.tensor(x, dtype=torch.float64), layer)
        assert again.tolist() == pytest.approx(y, abs=1e-9)


@LAYERS
def test_the_colours_are_the_log_dets_of_the_lines_of_cells(module, layer):
    got = module(GridFigure, "lineLogDets", layer, 12)
    middles = (torch.arange(12, dtype=torch.float64) + 0.5) / 12 * 3 - 1.5
    kept = 0 if layer["passes"] == 1 else 1
    for value, middle in zip(got, middles, strict=True):
        x = torch.full((2,), 0.7, dtype=torch.float64)
        x[kept] = middle
        assert value == pytest.approx(log_det(x, layer), abs=1e-12)


def test_a_small_square_grows_by_the_exponential_of_its_log_det(module):
    layer = {"passes": 1, "sStrength": 0.6, "tStrength": 0.8}
    side = 1e-3
    line = module(GridFigure, "outline", [0.5, 0.2], [0.5 + side, 0.2 + side])
    assert len(line) == 32
    image = torch.stack([bend(torch.tensor(p, dtype=torch.float64), layer) for p in line])
    x, y = image.T
    area = (x * y.roll(-1) - x.roll(-1) * y).sum().abs().item() / 2
    middle = torch.tensor([0.5 + side / 2, 0.2 + side / 2], dtype=torch.float64)
    growth = torch.tensor(log_det(middle, layer)).exp().item()
    assert area / side**2 == pytest.approx(growth, rel=1e-5)


# ---- what the reader moves


@pytest.mark.parametrize("passes", [1, 2])
def test_x_is_dragged_and_its_image_follows(site, passes):
    page, notes = site(grid_figure(passes=passes, x=(0.2, 0.1)))
    root = figures(page)
    before = shown(root)
    assert_equals_torch(before)
    point = root.get_by_role("slider", name="the point in x")
    at = centre(point)
    drag(page, point, -60, 35)
    after = shown(root)
    assert after["x"][0] < before["x"][0] - 0.5
    assert after["x"][1] < before["x"][1] - 0.3
    assert centre(point) == pytest.approx((at[0] - 60, at[1] + 35), abs=1)
    assert after["y"] != before["y"]
    assert after["y"][passes - 1] == after["x"][passes - 1], "what passes is unchanged"
    assert_equals_torch(after)

    for key, i, step in (("ArrowRight", 0, 0.05), ("ArrowDown", 1, -0.05)):
        old = shown(root)["x"]
        point.press(key)
        new = shown(root)["x"]
        assert new[i] == pytest.approx(old[i] + step)
        assert new[1 - i] == old[1 - i]
    old = shown(root)["x"]
    point.press("Shift+ArrowUp")
    assert shown(root)["x"][1] == pytest.approx(old[1] + 0.5)
    assert point.evaluate("node => node === document.activeElement")
    assert_equals_torch(shown(root))
    notes.assert_clean()


@pytest.mark.parametrize("passes", [1, 2])
def test_y_is_dragged_and_its_inverse_follows(site, passes):
    page, notes = site(grid_figure(passes=passes, x=(0.2, 0.1)))
    root = figures(page)
    before = shown(root)
    point = root.get_by_role("slider", name="the point in y")
    at = centre(point)
    drag(page, point, -25, 20)
    after = shown(root)
    assert centre(point) == pytest.approx((at[0] - 25, at[1] + 20), abs=1)
    assert after["x"] != before["x"]
    assert after["y"][0] < before["y"][0] - 0.2
    assert after["y"][1] < before["y"][1] - 0.2
    assert_equals_torch(after)

    point.press("ArrowUp")
    up = shown(root)
    assert up["y"] == pytest.approx([after["y"][0], after["y"][1] + 0.05])
    assert_equals_torch(up)
    for _ in range(4):
        point.press("Shift+ArrowRight")
        point.press("Shift+ArrowUp")
    edge = shown(root)
    assert max(edge["x"]) == pytest.approx(1.5), "the point stays on the grid"
    assert_equals_torch(edge)
    notes.assert_clean()


def test_sliders_and_buttons_change_the_layer(site):
    page, notes = site(grid_figure(x=(0.7, -1.2)))
    root = figures(page)
    before = shown(root)
    scale, shift = root.get_by_label("log-scale"), root.get_by_label("shift")
    picture = root.locator("svg").first.inner_html()
    box = scale.bounding_box()
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
    less = shown(root)
    assert less["sStrength"] < before["sStrength"]
    assert less["x"] == before["x"]
    assert root.locator("svg").first.inner_html() != picture
    assert_equals_torch(less)

    scale.press("Home")
    flat = shown(root)
    assert flat["logDet"] == 0
    assert flat["lineLogDets"] == [0] * 12
    colours = root.locator("svg path[fill-opacity]").evaluate_all(
        "nodes => nodes.map((node) => Number(node.getAttribute('fill-opacity')))"
    )
    assert set(colours) == {0}, "a shift alone keeps every area"
    assert flat["y"] != flat["x"]
    shift.press("Home")
    assert shown(root)["y"] == shown(root)["x"]
    shift.press("End")
    scale.press("End")
    assert_equals_torch(shown(root))

    other = root.get_by_role("button", name="x₂ passes")
    assert other.get_attribute("aria-pressed") == "false"
    other.press("Enter")
    swapped = shown(root)
    assert other.get_attribute("aria-pressed") == "true"
    assert swapped["passes"] == 2
    assert swapped["y"][1] == swapped["x"][1] == -1.2
    assert_equals_torch(swapped)
    notes.assert_clean()


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("width", [360, 900])
def test_the_bent_grid_stays_in_its_frame(site, passes, width):
    page, _ = site(grid_figure(passes=passes, s_strength=0.6, t_strength=0.8), width=width)
    root = figures(page)
    for frame, cells in ((0, 0), (1, 1)):
        room, seen = root.evaluate(
            """(root, [f, c]) => {
                const edges = ({x, y, width, height}) => [x, y, x + width, y + height];
                const frame = root.querySelectorAll("svg rect.genssl-grid")[f];
                const cells = root.querySelectorAll("svg g[stroke-linejoin]")[c];
                return [edges(frame.getBBox()), edges(cells.getBBox())];
            }""",
            [frame, cells],
        )
        assert room[0] <= seen[0]
        assert room[1] <= seen[1]
        assert seen[2] <= room[2]
        assert seen[3] <= room[3]


def test_the_words_are_the_numbers(site):
    page, _ = site(grid_figure(x=(-0.6, 1.1)))
    root = figures(page)
    data = shown(root)
    cells = [text.replace("−", "-") for text in root.locator("td").all_text_contents()]
    assert cells[0].endswith(f"= {data['y'][1]:.2f}")
    assert cells[1].endswith("= 1.10")
    assert cells[2] == "0.000000000"
    assert cells[3].startswith(f"s(x₁) = {data['logDet']:.3f}")
    texts = [t.replace("−", "-") for t in root.locator("svg text").all_text_contents()]
    assert "x = (-0.60, 1.10)" in texts
    assert f"y = (-0.60, {data['y'][1]:.2f})" in texts
    beside = [float(text) for text in texts if re.fullmatch(r"[+-]\d\.\d|0", text)]
    want = data["lineLogDets"][1::2]
    assert beside == pytest.approx([*want, *want], abs=0.05)


# ---- for every reader


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("passes", [1, 2])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme, passes):
    figure = grid_figure(x=(1.5, 1.1), passes=passes, s_strength=0.6, t_strength=0.8)
    assert_fits_a_phone(site, theme, figure)


def test_the_theme_follows_the_page(site):
    page, _ = site(grid_figure())
    root = figures(page)
    paper = "node => getComputedStyle(node).backgroundColor"
    light = root.evaluate(paper)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert root.evaluate(paper) != light


def test_a_reader_of_the_page_by_ear_is_told(site):
    page, _ = site(grid_figure(x=(0.0, 0.0)))
    root = page.get_by_role("group", name="One coordinate passes")
    assert "can be dragged in x" in root.locator(".genssl-unseen").first.text_content()
    root.get_by_role("slider", name="the point in x").press("ArrowRight")
    page.wait_for_function(
        "document.querySelector('[aria-live=polite]').textContent"
        ".startsWith('x = (0.05, 0.00) goes to')"
    )


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, grid_figure())


# ---- what Python refuses


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"x": [2.0, 0.0]}, "two numbers from -1.5 to 1.5"),
        ({"x": [0.0]}, "two numbers"),
        ({"s_strength": 0.9}, "from 0 to 0.6"),
        ({"t_strength": float("nan")}, "from 0 to 0.8"),
        ({"passes": 3}, "1 or 2"),
    ],
)
def test_a_wrong_argument_is_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        grid_figure(**wrong)
    with pytest.raises(ValueError, match=words):
        GridFigure(**wrong)
