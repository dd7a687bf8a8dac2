"""The figure of the four questions: its frames are torch's, and every control moves it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from genssl_utils.consistency_training.boundary import BoundaryFigure, boundary_figure
from genssl_utils.consistency_training.moons import CHOICES, settings, shipped_frames
from static_page import assert_fits_a_phone, assert_no_listener_is_left, figures, holds

SIZES = [len(options) for options in CHOICES.values()]


def shown(root) -> dict:
    data = root.evaluate("node => ({...node.dataset})")
    return {key: json.loads(value) for key, value in data.items()}


@holds(BoundaryFigure)
def assert_is_the_stored_frame(data: dict) -> None:
    stored, accuracy = shipped_frames()
    frame = stored[data["setting"], data["moment"]] / 255
    np.testing.assert_allclose(data["values"], frame, atol=1e-12)
    assert data["accuracy"] == pytest.approx(float(accuracy[data["setting"]]), abs=1e-4)


def test_every_question_moves_the_boundary(site):
    page, notes = site(boundary_figure())
    root = figures(page)
    before = shown(root)
    assert before["choice"] == [0, 0, 2, 0, 2]
    assert_is_the_stored_frame(before)
    chosen = (("1. teacher", 1), ("2. target", 3), ("3. what the student", 4))
    for label, value in chosen:
        root.get_by_label(label).select_option(index=value)
        before = assert_another_frame(root, before)
    for label in ("a target counts", "weight"):
        root.get_by_label(label).press("ArrowRight")
        before = assert_another_frame(root, before)
    assert before["choice"] == [1, 3, 4, 1, 3]
    root.get_by_label("1. teacher").press("ArrowUp")
    assert shown(root)["choice"][0] == 0, "by keyboard too"
    notes.assert_clean()


def assert_another_frame(root, before: dict) -> dict:
    after = shown(root)
    assert after["setting"] != before["setting"]
    assert_is_the_stored_frame(after)
    return after


def test_without_weight_the_labels_stand_alone_whatever_else_is_chosen(site):
    page, notes = site(boundary_figure())
    root = figures(page)
    weight = root.get_by_label("weight")
    weight.press("Home")
    assert (shown(root)["setting"], shown(root)["name"]) == (0, "labels alone")
    root.get_by_label("2. target").select_option(index=4)
    assert shown(root)["setting"] == 0
    box = weight.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert shown(root)["choice"] == [0, 4, 2, 0, 3]
    assert shown(root)["setting"] > 0
    notes.assert_clean()


def test_a_row_of_the_table_sets_its_answers_and_is_recognised(site):
    page, notes = site(boundary_figure())
    root = figures(page)
    row = root.get_by_label("a row of the table")
    for name, choice in (
        ("VAT", [0, 1, 4, 0, 2]), ("FixMatch", [0, 4, 2, 2, 2]), ("Mean Teacher", [1, 0, 0, 0, 2]),
        ("labels alone", [1, 0, 0, 0, 0]), ("UDA", [0, 3, 2, 0, 2]),
    ):  # fmt: skip
        row.select_option(label=name)
        data = shown(root)
        assert (data["choice"], data["name"]) == (choice, name)
        assert name in root.inner_text()
        assert_is_the_stored_frame(data)
    root.get_by_label("1. teacher").select_option("1")
    assert shown(root)["name"] == ""
    notes.assert_clean()


def test_time_moves_by_mouse_and_by_keyboard(site):
    page, notes = site(boundary_figure())
    root = figures(page)
    line = root.locator("svg > path").first.get_attribute("d")
    time = root.get_by_label("updates done")
    box = time.bounding_box()
    page.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    early = shown(root)
    assert early["moment"] == 0
    assert root.locator("svg > path").first.get_attribute("d") != line
    assert_is_the_stored_frame(early)
    time.press("ArrowRight")
    assert shown(root)["moment"] == 1
    time.press("End")
    assert shown(root)["moment"] == 5
    notes.assert_clean()


def test_a_setting_s_place_is_that_of_its_training(module):
    names = [method.name for method, _ in settings()]
    flat = [list(options) for options in CHOICES.values()]
    flat[-1] = ["0", *flat[-1]]
    for choice in ([0, 0, 0, 0, 1], [1, 4, 4, 3, 3], [0, 3, 1, 2, 2]):
        at = module(BoundaryFigure, "settingOf", choice, SIZES)
        told = [options[c] for c, options in zip(choice, flat, strict=True)]
        assert names[at] == f"{told[0]}; {told[1]}; {told[2]}; p ≥ {told[3]}; λ = {told[4]}"
    assert module(BoundaryFigure, "settingOf", [1, 2, 3, 1, 0], SIZES) == 0


def test_a_row_keeps_what_it_leaves_open_and_its_name_follows(module):
    for row, name in enumerate(("labels alone", "Π-model", "Mean Teacher", "VAT", "UDA")):
        choice = module(BoundaryFigure, "choiceOf", row, [1, 2, 3, 1, 3])
        assert module(BoundaryFigure, "nameOf", choice) == name
        assert choice[-1] == (0 if name == "labels alone" else 3)
    assert module(BoundaryFigure, "nameOf", [0, 2, 2, 0, 2]) == "", "no row takes JS"


def test_the_contour_lies_where_the_grid_crosses_one_half(module):
    columns, rows = 9, 7
    x, y = torch.meshgrid(torch.arange(columns), torch.arange(rows), indexing="xy")
    plane = 0.5 + 0.1 * (x - 3.25) + 0.05 * (y - 2)
    pieces = module(BoundaryFigure, "contour", plane.flatten().tolist(), columns, rows)
    assert len(pieces) >= rows - 1
    for piece in pieces:
        for px, py in (piece[:2], piece[2:]):
            assert 0.1 * (px - 3.25) + 0.05 * (py - 2) == pytest.approx(0, abs=1e-6)
    assert module(BoundaryFigure, "contour", [0.9] * 63, columns, rows) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_has_no_sideways_scroll_and_clips_no_word(site, theme):
    assert_fits_a_phone(site, theme, boundary_figure())


def test_a_finished_render_leaves_no_listener(page):
    assert_no_listener_is_left(page, boundary_figure())


def test_bad_choices_are_refused():
    figure = boundary_figure()
    for bad in ([0, 0, 0], [0, 9, 0, 0, 1], [-1, 0, 0, 0, 1], [0, 0, 0, 0, 4]):
        with pytest.raises(ValueError, match="one position"):
            figure.choice = bad
    with pytest.raises(ValueError, match="choose from 0"):
        figure.moment = 6
