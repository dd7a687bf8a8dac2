"""A claim states this run's number, what seeds gave and what the paper has, or refuses."""

from __future__ import annotations

import json

import pytest
import torch

from genssl_utils.kit import results

RECORD = {
    "unit": "05_x",
    "scales": {
        "laptop": {"seeds": [0, 1], "claims": {"a": {"mean": 2.0, "sd": 0.5, "values": [1.5, 2.5]}}}
    },
}


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A notebook's folder below a course with recorded results."""
    folder = tmp_path / "book" / "results"
    folder.mkdir(parents=True)
    (folder / "05_x.json").write_text(json.dumps(RECORD))
    notebooks = tmp_path / "notebooks" / "05_x"
    notebooks.mkdir(parents=True)
    monkeypatch.chdir(notebooks)
    monkeypatch.delenv("GENSSL_RESULTS", raising=False)
    return folder


def test_the_recorded_spread_stands_beside_this_run(recorded, capsys):
    results.begin("05_x", seed=3)
    results.claim("a", torch.tensor(1.9), unit="nats", better="lower")
    assert capsys.readouterr().out == "a [nats] ↓: 1.9; recorded: 2.00 ± 0.50 (2 seeds)\n"


def test_another_scale_is_not_compared(recorded, capsys):
    results.begin("05_x", scale="full")
    results.claim("a", 1.9)
    assert capsys.readouterr().out == "a: 1.9\n"


def test_the_variable_names_another_folder(recorded, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path.parent)
    assert results.recorded("05_x") == {}
    monkeypatch.setenv("GENSSL_RESULTS", str(recorded))
    assert results.recorded("05_x")["claims"]["a"]["mean"] == 2.0


def test_what_a_notebook_emits_can_be_read_back(recorded):
    results.begin("05_x", seed=3)
    results.claim("a", 1.9, paper=2.1, source="A & B 2017", note="<b>small</b> data")
    (claim,) = results.table()
    bundle = claim._repr_mimebundle_()
    sent = bundle[results.CLAIM]
    assert json.loads(json.dumps(sent)) == sent
    assert (sent["name"], sent["value"], sent["seed"], sent["topic"]) == ("a", 1.9, 3, "05_x")
    for text in ("1.9", "2.00 ± 0.50", "2.1 (A &amp; B 2017)", "&lt;b&gt;small"):
        assert text in bundle["text/html"]
    for text in ("1.9", "2.00 ± 0.50", "2.1 (A & B 2017)"):
        assert text in bundle["text/plain"]


def test_the_table_holds_the_last_value_of_each_claim(recorded):
    results.begin("05_x")
    assert "No result" in repr(results.table())
    for name, value in (("a", 1), ("b", 2), ("a", 3)):
        results.claim(name, value)
    assert [(claim.name, claim.value) for claim in results.table()] == [("a", 3.0), ("b", 2.0)]
    assert repr(results.table()).count("\n") == 1


@pytest.mark.parametrize(
    ("value", "more", "told"),
    [
        (float("nan"), {}, "finite"),
        (float("inf"), {}, "finite"),
        (1.0, {"paper": 2.0}, "source="),
        (1.0, {"better": "larger"}, "higher"),
    ],
)
def test_a_claim_that_says_nothing_is_refused(value, more, told):
    with pytest.raises(ValueError, match=told):
        results.claim("a", value, **more)


def test_an_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="laptop"):
        results.begin("05_x", scale="huge")


def test_what_was_measured_beside_peers_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("GENSSL_RESULTS", str(tmp_path))
    assert results.measured("toy") == {}
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "toy.json").write_text('{"title": "t", "rows": []}')
    assert results.measured("toy")["title"] == "t"
