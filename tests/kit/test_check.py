"""The checks themselves: they accept what is right, reject what is wrong, and say it calmly."""

import json

import numpy as np
import pytest
import torch
from scipy import stats

from genssl_utils.kit import check
from genssl_utils.kit.check.observe import Fact, Frequencies, Law, Value

NO_KEY = {"expected": {}, "mistakes": {}}


def run(assertion, *, hidden=False, key=NO_KEY):
    """One assertion inside one block; returns the report."""
    with check.using_key(key):
        ex = check.exercise("nothing", "f", points=2)
        with ex.hidden("it works", hint="Think again.") if hidden else ex.check("it works"):
            assertion(ex)
        return ex.report()


X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    "got",
    [X, X.double(), X.t().contiguous().t(), X + 1e-6, X.double() + 1e-9],
    ids=["same", "float64", "memory layout", "rounding", "rounding in float64"],
)
def test_value_accepts_what_is_right(got):
    assert run(lambda ex: ex.value(got, X)).points == 2


@pytest.mark.parametrize(
    ("got", "said"),
    [
        (X[None], "shape is (1, 2, 2)"),
        (X[0], "shape is (2,)"),
        (X.long(), "dtype is torch.int64"),
        (X + torch.tensor([0.0, 0.5]), "2 of 4 numbers differ"),
        (X * torch.nan, "Not finite"),
        (X.double() + 1e-4, "numbers differ"),
        (None, "is a `return` missing?"),
        ([1.0], "returned a list."),
    ],
)
def test_value_rejects_what_is_wrong_and_says_why(got, said):
    report = run(lambda ex: ex.value(got, X))
    assert report.points == 0
    assert said in str(report)


def test_a_float_for_a_counter_is_told_in_good_english():
    report = run(lambda ex: ex.value(torch.tensor(10.0), torch.tensor(10)))
    assert "an integer is needed" in str(report)


def test_an_equal_to_everything_object_is_not_a_tensor():
    class Yes:
        __eq__ = lambda self, other: True  # noqa: E731
        shape = (2, 2)

    assert not run(lambda ex: ex.value(Yes(), X)).passed


def mistake(hint: str, observed: dict, fails: list[str] | None = None) -> dict:
    """A known mistake as the key holds it; by default every observation of it is a failure."""
    return {"hint": hint, "observed": observed, "fails": sorted(fails or observed)}


def test_a_known_mistake_is_named_by_its_numbers():
    seen = Value(X + 1).to_json()
    key = {
        "expected": {"it works #1": Value(X).to_json()},
        "mistakes": {
            "off_by_one": mistake("You count from one.", {"it works #1": seen}),
            "other": mistake("No.", {"it works #1": Value(X + 2).to_json()}),
        },
    }
    assert run(lambda ex: ex.value(X), key=key).passed
    assert run(lambda ex: ex.value(X + 1), key=key).hints == ["You count from one."]
    assert run(lambda ex: ex.value(X + 7), key=key).hints == []


@pytest.mark.parametrize(
    "observation",
    [
        Value(torch.tensor([1.0, torch.nan, torch.inf])),
        Law(np.random.default_rng(0).normal(size=4000)),
        Law(np.zeros(100)),
        Law(np.array([np.nan, 1.0])),
        Frequencies(np.array([50, 30, 20])),
        Fact("raised ValueError"),
    ],
    ids=lambda o: type(o).__name__,
)
def test_an_observation_recognises_itself_after_json(observation):
    assert observation.matches(json.loads(json.dumps(observation.to_json())))


def test_laws_tell_different_laws_apart():
    draw = np.random.default_rng(1)
    normal = Law(draw.normal(size=20_000)).to_json()
    assert Law(draw.normal(size=20_000)).matches(normal)
    assert not Law(draw.normal(0.1, size=20_000)).matches(normal)
    assert not Law(draw.normal(scale=1.1, size=20_000)).matches(normal)
    assert not Law(np.zeros(20_000)).matches(normal)
    assert not Fact("shape (3,)").matches(normal)


def test_law_accepts_its_own_law_and_rejects_a_near_one():
    g = check.generator(0)
    sample = torch.randn(20_000, generator=g)
    assert run(lambda ex: ex.law(sample, stats.norm.cdf, 20_000)).passed
    assert not run(lambda ex: ex.law(sample * 1.1, stats.norm.cdf, 20_000)).passed
    assert "There are 2 numbers" in str(run(lambda ex: ex.law(sample[:2], stats.norm.cdf, 20_000)))
    assert not run(lambda ex: ex.law(sample / 0, stats.norm.cdf, 20_000)).passed


ALARMS = {
    "law": lambda ex, g: ex.law(torch.rand(500, generator=g), stats.uniform.cdf, 500),
    "mean": lambda ex, g: ex.mean(torch.randn(300, 4, generator=g), 0.0, 1.0, 300),
    "frequencies": lambda ex, g: ex.frequencies(
        torch.randint(5, (500,), generator=g), torch.ones(5) / 5, 500
    ),
}


@pytest.mark.parametrize("name", ALARMS)
def test_a_statistical_check_keeps_its_false_alarm_rate(name, monkeypatch):
    """With the rate set to 2 %, about 2 % of 400 right samples raise an alarm: not more, some."""
    monkeypatch.setattr("genssl_utils.kit.check.draws.FALSE_ALARM", 0.02)
    alarms = sum(
        not run(lambda ex, s=s: ALARMS[name](ex, check.generator(s))).passed for s in range(400)
    )
    assert 0 < alarms <= stats.binom.isf(1e-6, 400, 0.02)


def test_frequencies():
    p = torch.tensor([0.5, 0.3, 0.2, 0.0])
    z = torch.multinomial(p, 20_000, replacement=True, generator=check.generator(0))
    assert run(lambda ex: ex.frequencies(z, p, 20_000)).passed
    assert not run(
        lambda ex: ex.frequencies(z, torch.tensor([0.5, 0.27, 0.23, 0.0]), 20_000)
    ).passed
    assert "probability 0" in str(run(lambda ex: ex.frequencies(torch.full((9,), 3), p, 9)))
    assert "(9,) is needed" in str(run(lambda ex: ex.frequencies(z[:2], p, 9)))
    assert "outside" in str(run(lambda ex: ex.frequencies(torch.full((9,), 4), p, 9)))


def test_mean_is_judged_by_the_known_spread():
    noise = torch.randn(10_000, 3, generator=check.generator(0))
    assert run(lambda ex: ex.mean(noise + 5, 5.0, 1.0, 10_000)).passed
    assert "standard errors" in str(run(lambda ex: ex.mean(noise + 5.1, 5.0, 1.0, 10_000)))
    noise[0] = 1e20  # an outlier cannot hide behind the spread that it makes itself
    assert not run(lambda ex: ex.mean(noise, 0.0, 1.0, 10_000)).passed


def test_gradient_flows_or_does_not():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    assert run(lambda ex: ex.gradient((x**2).sum(), x, torch.tensor([2.0, 4.0]))).passed
    assert "cuts the graph" in str(run(lambda ex: ex.gradient((x.detach() ** 2).sum(), x)))
    assert not run(lambda ex: ex.gradient((x**3).sum(), x, torch.tensor([2.0, 4.0]))).passed
    assert run(lambda ex: ex.no_gradient(x.detach().sum(), x)).passed
    assert run(lambda ex: ex.no_gradient((x * 0).sum(), x)).passed
    assert "flows where none should" in str(run(lambda ex: ex.no_gradient(x.sum(), x)))


def test_inverse_and_log_determinant_against_autograd():
    x = torch.randn(5, 3, generator=check.generator(0), dtype=torch.float64)
    a = torch.randn(3, 3, generator=check.generator(1), dtype=torch.float64)
    volume = torch.linalg.slogdet(a).logabsdet.expand(5)
    assert run(lambda ex: ex.log_det(lambda v: (v @ a, volume), x)).passed
    assert not run(lambda ex: ex.log_det(lambda v: (v @ a, -volume), x)).passed
    assert run(lambda ex: ex.inverse(lambda v: v @ a, lambda v: v @ a.inverse(), x)).passed
    assert not run(lambda ex: ex.inverse(lambda v: v @ a, lambda v: v @ a.t(), x)).passed


def test_damage_to_an_argument_is_seen():
    assert run(lambda ex: ex.unchanged(lambda v: v + 1, X.clone())).passed
    assert "in place" in str(run(lambda ex: ex.unchanged(lambda v: v.add_(1), X.clone())))


def test_raises():
    def no():
        raise ValueError("no")

    assert run(lambda ex: ex.raises(ValueError, no)).passed
    assert "raised ValueError; KeyError" in str(run(lambda ex: ex.raises(KeyError, no)))
    assert "raised nothing" in str(run(lambda ex: ex.raises(ValueError, lambda: 1)))


def test_a_function_that_was_stopped_raised_nothing_of_its_own():
    def stopped():
        raise check.CheckFailed("Your code ran longer than 5 s and was stopped.")

    said = str(run(lambda ex: ex.raises(ValueError, stopped)))
    assert "longer than 5 s" in said
    assert "CheckFailed" not in said


def test_parts_of_a_tuple_and_keys_of_a_dict():
    assert run(lambda ex: ex.parts((X, X), "y, log_det")).passed
    assert run(lambda ex: ex.parts([X, X], "y, log_det")).passed
    for got, said in ((X, "one Tensor"), (None, "nothing (None)"), ((X,), "one tuple of 1")):
        assert said in str(run(lambda ex, got=got: ex.parts(got, "y, log_det")))
    assert run(lambda ex: ex.mapping({"a": X}, ["a"])).passed
    assert "lacks ['a']" in str(run(lambda ex: ex.mapping({"b": X}, ["a"])))
    assert "returned Tensor" in str(run(lambda ex: ex.mapping(X, ["a"])))


def test_finite_shape_and_true():
    assert run(lambda ex: ex.finite(X)).passed
    assert not run(lambda ex: ex.finite(X / 0)).passed
    assert not run(lambda ex: ex.shape(X, (2, 2), torch.float64)).passed
    assert "because" in str(run(lambda ex: ex.true(False, "because")))


def test_an_exception_becomes_one_line():
    report = run(lambda ex: [][1])
    assert "raised IndexError: list index out of range" in str(report)
    assert "Traceback" not in str(report)


def test_partial_credit_follows_the_weights():
    with check.using_key(NO_KEY):
        ex = check.exercise("nothing", "f", points=6)
        with ex.check("one", weight=2):
            ex.true(True, "")
        with ex.check("two"):
            ex.true(False, "no")
        assert repr(ex.report()) == "4.0"


def test_a_hidden_check_shows_no_input_value_or_output(capsys):
    def assertion(ex):
        print("secret 42")
        ex.value(torch.tensor([42.0]), torch.tensor([43.0]))

    report = run(assertion, hidden=True)
    shown = str(report) + report._repr_html_() + json.dumps(report.to_json())
    assert "42" not in shown
    assert "43" not in shown
    assert "Think again." in shown
    assert capsys.readouterr().out == ""


def test_warnings_on_stderr_cost_nothing(capsys):
    def assertion(ex):
        import sys
        import warnings

        warnings.warn("careful", stacklevel=1)
        print("noise", file=sys.stderr)
        ex.true(True, "")

    assert run(assertion).points == 2
    assert capsys.readouterr().err == ""


def test_the_session_noise_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    run(lambda ex: ex.finite(torch.randn(3)))
    assert torch.equal(before, torch.get_rng_state())


def test_unanswered_stops_an_experiment_calmly():
    def blank(ex):
        f()

    assert run(blank).status == "unanswered"
    with pytest.raises(check.NotFinished, match="Finish `f` first") as caught:
        check.finished("nothing", "f")
    assert caught.value._render_traceback_() == [str(caught.value)]
    with pytest.raises(check.NotFinished, match="`never_run`"):
        check.finished("nothing", "never_run")
    run(lambda ex: ex.true(True, ""))
    check.finished("nothing", "f")


def f(*args):
    """An unwritten answer, as `genssl build` leaves it."""
    raise NotImplementedError("Replace this line with your answer.")


def sample_noise(*args):
    raise NotImplementedError("Replace this line with your answer.")


def test_an_exception_of_torch_is_no_missing_answer():
    report = run(lambda ex: torch.softmax(torch.arange(3), 0))
    assert report.status == "failed"
    assert "raised NotImplementedError" in str(report)


def test_another_exercise_that_is_missing_is_named():
    report = run(lambda ex: sample_noise())
    assert report.status == "failed"
    assert "calls `sample_noise`, which is not written yet" in str(report)


def test_a_hint_needs_the_rest_of_the_evidence():
    """A fact alone names no mistake where other observations contradict it."""

    def checks(ex, law, fact):
        with ex.check("law"):
            ex.law(law, stats.norm.cdf, 2000)
        with ex.check("fact"):
            ex.true(fact, "No.")

    def observe(key, law, fact):
        with check.using_key(key):
            ex = check.exercise("nothing", "f")
            checks(ex, law, fact)
            return ex, ex.report()

    right = torch.randn(2000, generator=check.generator(0))
    seen, _ = observe(NO_KEY, right, False)
    recorded = {at: o.to_json() for at, o in seen.observations.items()}
    key = {"expected": {}, "mistakes": {"m": mistake("That one.", recorded)}}
    assert observe(key, right, False)[1].hints == ["That one."]
    assert observe(key, right * 3, False)[1].hints == []


def test_what_a_mistake_does_rightly_does_not_name_it():
    """A detached slope leaves the law right; a law that fails just as well is another mistake."""
    known = mistake("Detached.", {"it works #1": Value(X).to_json()}, ["slope #1"])
    key = {"expected": {"it works #1": Value(X + 1).to_json()}, "mistakes": {"detached": known}}
    assert run(lambda ex: ex.value(X), key=key).hints == []
    known["fails"] = ["it works #1"]
    assert run(lambda ex: ex.value(X), key=key).hints == ["Detached."]


def test_two_mistakes_that_fit_alike_name_nothing():
    seen = {"it works #1": Value(X + 1).to_json()}
    both = {m: mistake(m, seen) for m in ("a", "b")}
    key = {"expected": {"it works #1": Value(X).to_json()}, "mistakes": both}
    assert run(lambda ex: ex.value(X + 1), key=key).hints == []


def test_hidden_noise_of_torch_is_not_the_noise_of_the_inputs():
    with check.using_key(NO_KEY):
        ex = check.exercise("nothing", "f")
        with ex.hidden("it works"):
            ex.true(not torch.equal(torch.randn(5), torch.randn(5, generator=ex.fresh)), "")
        assert ex.report().passed


def test_a_float32_answer_to_a_float64_input_keeps_its_gradient():
    x = torch.randn(9, dtype=torch.float64, generator=check.generator(0)).requires_grad_()
    expected = torch.softmax(x, 0).detach() * 0
    assert run(
        lambda ex: ex.gradient(torch.softmax(x.float(), 0).double().sum(), x, expected)
    ).passed


def test_complex_numbers_are_compared_whole():
    z = torch.tensor([1 + 2j])
    assert run(lambda ex: ex.value(z, z.clone())).passed
    assert not run(lambda ex: ex.value(z, torch.tensor([1 + 5j]))).passed
    assert not run(lambda ex: ex.law(z, stats.norm.cdf, 1)).passed


@pytest.mark.parametrize(("got", "want"), [(3, 3), (True, True), (0.5, 0.5)])
def test_plain_numbers_are_values(got, want):
    assert run(lambda ex: ex.value(got, want)).passed
    assert not run(lambda ex: ex.value(got, want + 1)).passed


def test_damage_beside_a_nan_is_seen():
    x = torch.tensor([torch.nan, 1.0])
    assert run(lambda ex: ex.unchanged(lambda v: v + 1, x.clone())).passed
    assert not run(lambda ex: ex.unchanged(lambda v: v.add_(1), x.clone())).passed
    assert not run(lambda ex: ex.unchanged(lambda v: v.requires_grad_(), x.clone())).passed


def test_fractions_are_no_categories():
    assert not run(lambda ex: ex.frequencies(torch.rand(90) * 2, torch.ones(2) / 2, 90)).passed


def test_what_an_answer_does_to_torch_ends_with_its_block():
    def vandal(ex):
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)

    run(vandal)
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32


def test_an_exception_without_words_and_an_exit_are_caught():
    class Mute(BaseException):
        def __str__(self):
            raise RuntimeError

    def raises(error):
        raise error

    assert "raised Mute" in str(run(lambda ex: raises(Mute())))
    assert "raised SystemExit" in str(run(lambda ex: raises(SystemExit(0))))


def test_the_check_itself_is_not_blamed_on_the_student():
    with check.using_key(NO_KEY):
        ex = check.exercise("nothing", "f")
        with ex.check("it works"):
            None.sum()
        assert "cannot use what your function returned" in str(ex.report())


def test_a_message_that_repeats_is_said_once():
    with check.using_key(NO_KEY):
        ex = check.exercise("nothing", "f")
        for name in ("one", "two"):
            with ex.check(name):
                raise ValueError("no such thing")
        assert str(ex.report()).count("no such thing") == 1


def test_html_escapes_what_the_student_wrote():
    def assertion(ex):
        raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in run(assertion)._repr_html_()


@pytest.mark.parametrize("got", [5.0, -torch.inf, torch.nan])
def test_no_number_is_near_to_infinity(got):
    want = torch.tensor([torch.inf, 1.0])
    assert run(lambda ex: ex.value(torch.tensor([got, 1.0]), want)).points == 0
    assert run(lambda ex: ex.value(want.clone(), want)).points == 2


def test_a_whole_number_says_what_a_float_says():
    assert run(lambda ex: ex.value(0, 0.0)).points == 2
    assert run(lambda ex: ex.value(True, 1.0)).points == 0
    assert run(lambda ex: ex.value(1, torch.tensor(0.0))).points == 0
    key = {"expected": {"it works #1": {"dtype": "float", "shape": [], "data": [2.0]}}} | {
        "mistakes": {}
    }
    assert run(lambda ex: ex.value(2), key=key).points == 2


def test_a_plain_number_has_no_gradient():
    x = torch.ones(2, requires_grad=True)
    assert run(lambda ex: ex.no_gradient(0.0, x)).points == 2
    report = run(lambda ex: ex.gradient(0.0, x, torch.zeros(2)))
    assert report.points == 0
    assert "A plain number came back" in str(report)


ROWS = torch.tensor([[0, 1, 2], [1, 0, 2]])


@pytest.mark.parametrize("got", [ROWS, ROWS.flip(0), ROWS.int()])
def test_rows_count_in_any_order(got):
    assert run(lambda ex: ex.rows(got, ROWS)).points == 2
    empty = torch.zeros(0, 3, dtype=torch.int64)
    assert run(lambda ex: ex.rows(empty, empty)).points == 2


@pytest.mark.parametrize(
    ("got", "said"),
    [
        (ROWS[:1], "found: 1, rows that are right: 2; missing: 1, the first of them (1, 0, 2)."),
        (torch.cat([ROWS, ROWS[:1]]), "too many: 1, the first of them (0, 1, 2) (again)"),
        (torch.cat([ROWS, ROWS + 1]), "too many: 2, the first of them (1, 2, 3)."),
        (ROWS[:, :2], "A row has 2 numbers; 3 are needed."),
        (ROWS.float(), "The dtype is torch.float32; whole numbers"),
        (torch.tensor([]), "The shape is (0,); two axes are needed"),
        ([(0, 1, 2)], "returned a list."),
    ],
)
def test_other_rows_are_named(got, said):
    report = run(lambda ex: ex.rows(got, ROWS))
    assert report.points == 0
    assert said in str(report)


def test_an_answer_that_is_far_too_large_is_not_looked_at():
    """65 million numbers would keep a grader busy for minutes."""
    many = torch.zeros(1).expand(65_000_000)
    assert "There are 65000000 numbers" in str(run(lambda ex: ex.law(many, stats.norm.cdf, 500)))
    one = torch.zeros(1, 1, dtype=torch.int8)
    for rows in (
        one.expand(65_000_000, 1),
        one.expand(1, 65_000_000),
        one[:, :0].expand(65_000_000, 0),
    ):
        assert "far fewer right rows" in str(run(lambda ex, rows=rows: ex.rows(rows)))


def test_rows_are_recognised_whatever_their_order():
    seen = Value(ROWS).to_json()
    key = {"expected": {"it works #1": Value(ROWS + 1).to_json()}} | {
        "mistakes": {"f1": mistake("One too few.", {"it works #1": seen})}
    }
    assert "One too few." in str(run(lambda ex: ex.rows(ROWS.flip(0)), key=key))


def test_a_gradient_names_a_mistake_only_where_the_values_agree():
    """A log-det that is always 0 has the slope of a detached one, and is another mistake."""
    slope = Value(torch.full((2,), 2.0))
    key = {
        "expected": {"values #1": Value(X).to_json(), "more #1": Value(X).to_json(),
                     "slope #1": Value(torch.full((2,), 3.0)).to_json()},
        "mistakes": {"detached": mistake("The values are right.", {
            "values #1": Value(X).to_json(), "more #1": Value(X).to_json(),
            "slope #1": slope.to_json()})},
    }  # fmt: skip
    for value, hints in ((X, ["The values are right."]), (X + 1, [])):
        x = torch.ones(2, requires_grad=True)
        with check.using_key(key):
            ex = check.exercise("nothing", "f", points=1)
            with ex.check("values"):
                ex.value(value)
            with ex.check("more"):
                ex.value(X)
            with ex.check("slope"):
                ex.gradient(x.square().sum(), x)
            assert ex.report().hints == hints
    assert Value(X).specific
    assert not Value(X, slope=True).specific


@pytest.mark.parametrize("number", [2.5, np.float32(2.5), np.float64(2.5), torch.tensor(2.5)])
def test_one_number_may_be_pythons_numpys_or_torchs(number):
    assert run(lambda ex: ex.value(number, 2.5)).passed
    assert not run(lambda ex: ex.value(number, 2.6)).passed


def test_a_plain_number_is_recognised_whatever_its_kind():
    assert Value(torch.tensor(0.0)).matches(Value(torch.tensor(0)).to_json())
    assert not Value(torch.tensor([0.0])).matches(Value(torch.tensor([0])).to_json())
    assert not Value(torch.tensor(0.0)).matches(Value(torch.tensor(False)).to_json())


def test_a_part_is_named():
    assert "log_det: The shape is (2, 2)" in str(
        run(lambda ex: ex.value(X, torch.ones(2), what="log_det"))
    )
