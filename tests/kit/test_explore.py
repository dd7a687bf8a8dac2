import base64

import ipywidgets as widgets
import pytest

from genssl_utils.kit import plots
from genssl_utils.kit.explore import explore


def draw(height, label="a"):
    figure, (axes,) = plots.panels(1, size=(1, 1))
    axes.set(title=label, ylim=(0, height))
    return figure


def test_the_first_picture_stands_where_there_is_no_kernel():
    shown = explore(draw, alt="a bar", height=(0.1, 10.0, 1.0))._repr_mimebundle_()
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")
    assert shown["text/plain"] == "a bar"
    assert "application/vnd.jupyter.widget-view+json" in shown


def test_moving_a_control_draws_again():
    explorer = explore(draw, alt="a bar", height=(1, 9, 2), label=["a", "b"])
    slider, choice, picture = explorer.children
    assert isinstance(slider, widgets.IntSlider)
    assert isinstance(choice, widgets.Dropdown)
    before = picture.value
    slider.value = 7
    assert picture.value != before
    assert 'alt="a bar"' in picture.value


def test_a_wide_range_is_logarithmic():
    (slider, _) = explore(draw, alt="a bar", height=(0.05, 10.0, 1.0)).children
    assert isinstance(slider, widgets.FloatLogSlider)
    assert (slider.min, slider.max) == (pytest.approx(-1.30103), 1.0)


def test_an_unwritten_function_is_said_calmly():
    def blank(height):
        raise NotImplementedError

    assert "not written yet" in explore(blank, alt="x", height=(1, 2, 1)).children[-1].value


def test_a_broken_function_shows_one_escaped_line():
    def broken(height):
        raise ValueError("<b>no</b>")

    shown = explore(broken, alt="x", height=(1, 2, 1)).children[-1].value
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in shown


@pytest.mark.parametrize("spec", [(1, 2), (2, 1, 1), [], "high"])
def test_a_strange_control_is_refused(spec):
    with pytest.raises(ValueError, match="give"):
        explore(draw, alt="x", height=spec)


def test_a_picture_without_words_is_refused():
    with pytest.raises(ValueError, match="alt"):
        explore(draw, alt=" ", height=(1, 2, 1))
