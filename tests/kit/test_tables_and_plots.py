import matplotlib.pyplot as plt
import pytest

from genssl_utils.kit import plots
from genssl_utils.kit.tables import table


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two hex colours (WCAG 2)."""

    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_colour_stands_out_from_the_paper():
    assert all(contrast(c, plots.PAPER) >= 2.7 for c in plots.COLOURS.values())
    assert contrast(plots.INK, plots.PAPER) >= 7


def test_a_figure_is_left_to_nobody():
    before = plt.get_fignums()
    figure, axes = plots.panels(3)
    assert len(axes) == 3
    assert plt.get_fignums() == before
    assert figure.get_axes() == axes


def test_the_style_ends_with_its_block():
    before = dict(plt.rcParams)
    with plots.style():
        assert plt.rcParams["axes.grid"]
    assert dict(plt.rcParams) == before


def test_no_panel_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        plots.panels(0)


def test_a_table_shows_each_cell_and_escapes_it():
    made = table(
        "Two <animals>", [{"name": "<cat>", "legs": 4.0}, {"name": "hen", "legs": 2.12345}]
    )
    assert "&lt;cat&gt;" in made._repr_html_()
    assert "<cat>" not in made._repr_html_()
    assert repr(made).split("\n") == ["Two <animals>", "name   legs", "<cat>  4", "hen    2.12"]


@pytest.mark.parametrize("rows", [[], [{"a": 1}, {"b": 1}]])
def test_a_ragged_table_is_refused(rows):
    with pytest.raises(ValueError, match="same columns"):
        table("?", rows)


def test_a_figure_says_in_words_what_it_shows():
    figure, (left, right) = plots.panels(2)
    left.set(title="Loss", xlabel="steps", ylabel="nats")
    left.plot([0, 1], [1, 0], label="ours")
    left.plot([0, 1], [1, 0])
    plots.label_line(left, 1, 0, "theirs", "data")
    right.set_title("Samples")
    said = "A picture of Loss (nats against steps): ours, theirs; Samples."
    assert repr(figure) == said
    assert repr(plots.panels(1)[0]).startswith("<")


def test_a_wide_table_scrolls_by_keyboard():
    assert 'tabindex="0" role="group" aria-label="Two"' in table("Two", [{"a": 1}])._repr_html_()
