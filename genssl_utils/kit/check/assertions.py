"""What a check can assert. Each assertion records what it saw and fails with a calm message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genssl_utils.kit.check.observe import (
    Fact,
    Frequencies,
    Law,
    Observation,
    Value,
    close,
    kind_of,
    value_of,
    wide,
)
from genssl_utils.kit.check.report import CheckFailed, Outcome

FALSE_ALARM = 1e-7
"""Chance that a right random answer fails one statistical assertion; a named check holds at most
ten of them, so that its own chance stays below 1e-6."""


class Assertions:
    """The vocabulary; `Exercise` adds the blocks, the key and the report."""

    observations: dict[str, Observation]
    key: dict[str, Any]
    _current: Outcome | None
    _failing: dict[str, str]

    def _see(self, observation: Observation, what: str) -> str:
        """Record an observation under the current check; returns its label."""
        if self._current is None:
            raise RuntimeError(f"Use {what or 'this'} inside `with ex.check(...)`.")
        if self._current.hidden:
            return ""
        prefix = f"{self._current.name} #"
        label = f"{prefix}{sum(at.startswith(prefix) for at in self.observations) + 1}"
        self.observations[label] = observation
        return label

    def _fail(self, message: str) -> None:
        if self._current is not None and not self._current.hidden:
            prefix = f"{self._current.name} #"
            labels = [at for at in self.observations if at.startswith(prefix)]
            if labels:
                self._failing[self._current.name] = labels[-1]
        raise CheckFailed(message)

    # --- exact answers ----------------------------------------------------------------------

    def value(self, got: object, expected: Tensor | float | None = None) -> None:
        """The answer equals the expected value: shape, kind of dtype, finite, numbers.

        Args:
            got: what the student's function returned: a tensor, or a plain number, which counts
                as a tensor of shape ().
            expected: the right value; by default the one in the key.
        """
        if isinstance(got, (bool, int, float)):
            got = torch.as_tensor(got, dtype=torch.float64 if isinstance(got, float) else None)
        self._tensor(got)
        self._compare(got, expected, got.dtype)

    def _compare(self, got: Tensor, expected: Tensor | float | None, dtype: torch.dtype) -> None:
        """Compare with the expected value within the tolerance of `dtype`."""
        label = self._see(Value(got, dtype), "value")
        kind = None
        if expected is None and self.key["expected"] is None:
            return
        if expected is None:
            recorded = self.key["expected"].get(label)
            if recorded is None:
                self._fail("No expected value is recorded. Run `genssl build`.")
            expected, kind = value_of(recorded), recorded["dtype"]
        expected = torch.as_tensor(expected)
        self._same_shape(got, tuple(expected.shape))
        wanted = kind or kind_of(expected.dtype)
        if kind_of(got.dtype) != wanted:
            article = "an" if wanted[0] in "aeiou" else "a"
            self._fail(f"The dtype is {got.dtype}; {article} {wanted} is needed.")
        self._finite(got, allow=expected)
        right = close(got.detach(), expected, dtype)
        if not bool(right.all()):
            self._fail(_where_wrong(got.detach(), expected, right))

    def shape(self, got: object, shape: Sequence[int], dtype: torch.dtype | None = None) -> None:
        """The answer is a tensor of this shape (and, where it matters, of this dtype)."""
        self._tensor(got)
        what = kind_of(got.dtype) if dtype is None else str(got.dtype)
        self._see(Fact(f"shape {tuple(got.shape)} {what}"), "shape")
        self._same_shape(got, tuple(shape))
        if dtype is not None and got.dtype != dtype:
            self._fail(f"The dtype is {got.dtype}; {dtype} is needed.")

    def finite(self, got: object) -> None:
        """Every element is a finite number."""
        self._tensor(got)
        bad = (~torch.isfinite(got)).sum().item()
        self._see(Fact("finite" if not bad else "not finite"), "finite")
        self._finite(got)

    def true(self, fact: bool, message: str) -> None:
        """A property holds; `message` says what was seen when it does not."""
        self._see(Fact(str(bool(fact))), "true")
        if not fact:
            self._fail(message)

    def raises(self, error: type[Exception], call: Callable[[], object]) -> None:
        """The call must raise `error`, as the statement says."""
        try:
            call()
        except NotImplementedError:
            raise
        except error as caught:
            self._see(Fact(f"raised {type(caught).__name__}"), "raises")
        except Exception as caught:
            self._see(Fact(f"raised {type(caught).__name__}"), "raises")
            self._fail(f"It raised {type(caught).__name__}; {error.__name__} is asked for.")
        else:
            self._see(Fact("raised nothing"), "raises")
            self._fail(f"It raised nothing; {error.__name__} is asked for.")

    def unchanged(self, call: Callable[..., object], *args: Tensor) -> object:
        """Run `call(*args)` and make sure that no argument was changed in place."""
        before = [(a.detach().clone(), a.requires_grad) for a in args]
        result = call(*args)
        same = all(
            a.requires_grad == needed
            and a.shape == old.shape
            and bool(_same(a.detach(), old).all())
            for a, (old, needed) in zip(args, before, strict=True)
        )
        self._see(Fact("unchanged" if same else "changed"), "unchanged")
        if not same:
            self._fail("An argument was changed in place. Work on a copy.")
        return result

    def parts(self, got: object, names: str) -> tuple[Any, ...]:
        """The answer has these parts, in a tuple or a list: `a, b = ex.parts(got, "a, b")`.

        Args:
            got: what the student's function returned.
            names: the names of its parts, with commas between them.
        """
        wanted = len(names.split(","))
        if not isinstance(got, (tuple, list)) or len(got) != wanted:
            many = f" of {len(got)}" if isinstance(got, (tuple, list)) else ""
            self._see(Fact(f"returned {type(got).__name__}{many}"), "parts")
            what = "nothing (None)" if got is None else f"one {type(got).__name__}{many}"
            self._fail(f"Return {wanted} things, ({names}); your function returned {what}.")
        return tuple(got)

    def mapping(self, got: object, keys: Iterable[str]) -> dict[str, Any]:
        """The answer is a dict with exactly these keys."""
        wanted = set(keys)
        if not isinstance(got, dict):
            self._see(Fact(f"returned {type(got).__name__}"), "mapping")
            what = "nothing (None)" if got is None else type(got).__name__
            self._fail(f"A dict is needed; your function returned {what}.")
        if got.keys() != wanted:
            lacks, extra = sorted(wanted - got.keys()), sorted(got.keys() - wanted)
            self._see(Fact(f"lacks {lacks}, adds {extra}"), "mapping")
            self._fail(f"The dict lacks {lacks or 'nothing'} and has {extra or 'nothing'} besides.")
        return got

    # --- gradients, inverses, volumes -------------------------------------------------------

    def gradient(self, scalar: object, wrt: Tensor, expected: Tensor | None = None) -> None:
        """d(scalar)/d(wrt) flows, is finite and equals the expected one (by default the key's)."""
        grad = self._grad(scalar, wrt)
        if grad is None:
            self._see(Fact("no gradient"), "gradient")
            self._fail("No gradient reaches the input. Something cuts the graph.")
        # A right answer may compute in float32 whatever the dtype of its input.
        self._compare(grad, expected, torch.float32 if grad.dtype == torch.float64 else grad.dtype)

    def no_gradient(self, scalar: object, wrt: Tensor) -> None:
        """No gradient, or one that is zero everywhere, reaches `wrt`."""
        grad = self._grad(scalar, wrt)
        leaks = grad is not None and bool((grad != 0).any())
        self._see(Fact("gradient leaks" if leaks else "no gradient"), "no_gradient")
        if leaks:
            self._fail("A gradient flows where none should.")

    def _grad(self, scalar: object, wrt: Tensor) -> Tensor | None:
        self._tensor(scalar)
        if not scalar.requires_grad:
            return None
        (grad,) = torch.autograd.grad(scalar.sum(), wrt, allow_unused=True, retain_graph=True)
        return grad

    def inverse(self, forward: Callable, backward: Callable, x: Tensor) -> None:
        """`backward(forward(x))` gives x again."""
        self.value(backward(forward(x)), x)

    def log_det(self, f: Callable[[Tensor], tuple[Tensor, Tensor]], x: Tensor) -> None:
        """The log-determinant that f returns equals log|det J| by autograd, row by row.

        Args:
            f: maps (B, D) to a pair of (B, D) and (B,), each row by itself.
            x: (B, D); float64 keeps the oracle exact.
        """
        _, got = f(x)
        rows = [torch.autograd.functional.jacobian(lambda r: f(r[None])[0][0], row) for row in x]
        self.value(got, torch.linalg.slogdet(torch.stack(rows)).logabsdet.to(got.dtype))

    # --- random answers ---------------------------------------------------------------------

    def law(self, sample: Tensor, cdf: Callable[[np.ndarray], np.ndarray], draws: int) -> None:
        """A continuous sample follows a law: Kolmogorov–Smirnov, false alarm 1e-7.

        Args:
            sample: independent draws, any shape.
            cdf: the law's distribution function.
            draws: how many there must be; a shorter answer could pass any test.
        """
        from scipy import stats

        self._real(sample)
        flat = sample.detach().to("cpu", torch.float64).reshape(-1).numpy()
        self._see(Law(flat), "law")
        if flat.size != draws:
            self._fail(f"There are {flat.size} numbers; {draws} are needed.")
        self._finite(sample)
        test = stats.kstest(flat, cdf)
        if test.pvalue < FALSE_ALARM:
            at = float(test.statistic_location)
            seen, want = float((flat <= at).mean()), float(cdf(at))
            self._fail(
                f"{flat.size} draws do not follow the law: {seen:.1%} of them lie below {at:.3g}, "
                f"where {want:.1%} should."
            )

    def frequencies(self, categories: Tensor, probs: Tensor, draws: int) -> None:
        """Categories come out as often as they should: G-test, false alarm 1e-7.

        Args:
            categories: (N,) independent draws in 0 … K−1.
            probs: (K,) probabilities.
            draws: N, as for `law`.
        """
        from scipy import stats

        self.shape(categories, (draws,))
        if kind_of(categories.dtype) != "integer":
            self._fail(f"The dtype is {categories.dtype}; whole numbers are needed.")
        flat, k = categories.detach().to("cpu", torch.int64).reshape(-1), probs.numel()
        inside = bool(((flat >= 0) & (flat < k)).all())
        counts = torch.bincount(flat.clamp(0, k - 1), minlength=k).numpy()
        self._see(Frequencies(counts), "frequencies")
        if not inside:
            self._fail(f"A category lies outside 0 … {k - 1}.")
        p = probs.detach().to("cpu", torch.float64).numpy()
        if (counts[p == 0] > 0).any():
            self._fail("A category of probability 0 came out.")
        want = counts.sum() * p[p > 0] / p.sum()
        test = stats.power_divergence(counts[p > 0], want, lambda_="log-likelihood")
        if test.pvalue < FALSE_ALARM:
            shares = counts / counts.sum()
            worst = int(np.abs(shares - p / p.sum()).argmax())
            self._fail(
                f"Category {worst} came out in {shares[worst]:.1%} of {draws} draws; "
                f"{p[worst] / p.sum():.1%} is right."
            )

    def mean(self, sample: Tensor, expected: Tensor | float, sd: float, draws: int) -> None:
        """The mean over the first axis is `expected`: a z-test an element, false alarm 1e-7.

        Args:
            sample: (N, ...) independent draws along the first axis.
            expected: the true mean, of the other axes' shape or a number.
            sd: the true standard deviation; one taken from the sample would hide an outlier.
            draws: N, as for `law`; large enough for the mean to be nearly normal.
        """
        from scipy import stats

        self._real(sample)
        if sample.shape[:1] != (draws,):
            self._fail(f"The shape is {tuple(sample.shape)}; {draws} draws are needed.")
        self._finite(sample)
        x = sample.detach().to("cpu", torch.float64)
        want = torch.as_tensor(expected).to("cpu", torch.float64).expand(x.shape[1:])
        z = float(((x.mean(0) - want) / (sd / draws**0.5)).abs().max())
        limit = stats.norm.isf(FALSE_ALARM / 2 / max(1, want.numel()))
        self._see(Fact("mean as expected" if z < limit else "mean is off"), "mean")
        if not z < limit:
            self._fail(f"A mean is off by {z:.1f} standard errors.")

    # --- small ones -------------------------------------------------------------------------

    def _tensor(self, got: object) -> None:
        if not isinstance(got, Tensor):
            self._see(Fact(f"returned {type(got).__name__}"), "this")
            what = "nothing (None): is a `return` missing?" if got is None else type(got).__name__
            self._fail(f"A tensor is needed; your function returned {what}")

    def _real(self, got: object) -> None:
        """A tensor of real numbers."""
        self._tensor(got)
        if kind_of(got.dtype) == "complex":
            self._see(Fact("complex numbers"), "this")
            self._fail(f"The dtype is {got.dtype}; real numbers are needed.")

    def _same_shape(self, got: Tensor, shape: tuple[int, ...]) -> None:
        if tuple(got.shape) != shape:
            self._fail(f"The shape is {tuple(got.shape)}; {shape} is needed.")

    def _finite(self, got: Tensor, allow: Tensor | None = None) -> None:
        bad = ~torch.isfinite(got.detach()).cpu()
        if allow is not None:
            bad &= torch.isfinite(allow).cpu()
        if bool(bad.any()):
            at = tuple(bad.nonzero()[0].tolist())
            place = f", the first at {at}" if at else ""
            self._fail(
                f"Not finite (nan or inf): {int(bad.sum())} of {bad.numel()} numbers{place}."
            )


def _same(a: Tensor, b: Tensor) -> Tensor:
    """Element-wise equality under which a NaN equals a NaN."""
    return (a == b) | ((a != a) & (b != b))


def _where_wrong(got: Tensor, expected: Tensor, right: Tensor) -> str:
    """Where and by how much a value differs."""
    gap = (wide(got) - wide(expected)).abs().nan_to_num(torch.inf).masked_fill(right, -1)
    at = np.unravel_index(int(gap.argmax()), tuple(gap.shape)) if gap.ndim else ()
    place = f" at {tuple(int(i) for i in at)}"
    share = f"{int((~right).sum())} of {right.numel()} numbers differ; "
    seen, want = got[at].item(), expected[at].item()
    if not gap.ndim:
        return f"It gives {seen:.6g}; {want:.6g} is expected."
    return f"{share}the largest gap is{place}: {seen:.6g} where {want:.6g} is expected."
