"""Sheets of small pictures."""

from __future__ import annotations

import pytest
import torch

from genssl_utils.kit import plots
from genssl_utils.kit.sheets import named_rows, sheet


def test_each_picture_stands_in_its_row_and_column_with_a_line_round_it():
    pictures = torch.arange(6.0)[:, None, None, None].expand(6, 1, 2, 3)
    whole = sheet(pictures, 3)
    assert whole.shape == (8, 15)
    for k in range(6):
        top, left = 4 * (k // 3), 5 * (k % 3)
        tile = whole[top : top + 4, left : left + 5]
        assert (tile[1:3, 1:4] == k).all()
        assert tile.isnan().sum() == 20 - 6
    assert (sheet(pictures, 2, gap=9.0) == 9).sum() == 6 * 14


@pytest.mark.parametrize(
    ("pictures", "columns", "told"),
    [
        (torch.zeros(4, 8, 8), 2, "shape"),
        (torch.zeros(4, 3, 8, 8), 2, "shape"),
        (torch.zeros(4, 1, 8, 8), 3, "do not fill"),
        (torch.zeros(0, 1, 8, 8), 3, "do not fill"),
        (torch.zeros(4, 1, 8, 8), 0, "do not fill"),
    ],
)
def test_what_makes_no_sheet_is_told(pictures, columns, told):
    with pytest.raises(ValueError, match=told):
        sheet(pictures, columns)


def test_a_name_stands_at_the_middle_of_its_row():
    _, (axes,) = plots.panels(1)
    rows = [("first", torch.zeros(4, 1, 8, 8)), ("second", torch.ones(4, 1, 8, 8))]
    named_rows(axes, rows, cmap="gray", vmin=0, vmax=1)
    assert [t.get_text() for t in axes.get_yticklabels()] == ["first", "second"]
    image = axes.images[0].get_array()
    for place, value in zip(axes.get_yticks(), (0, 1), strict=True):
        assert image[int(place), 4] == value
        assert image[int(place + 0.5), 4] == value
