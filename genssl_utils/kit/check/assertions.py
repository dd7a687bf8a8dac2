"""What a check can assert. Each assertion records what it saw and fails with a calm message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
)
from genssl_utils.kit.check.report import CheckFailed, Outcome

FALSE_ALARM = 1e-6
"""Chance that a right random answer fails one statistical check."""


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
            got: what the student's function returned; a tensor (a number where the key or
                `expected` is a plain number is taken as a tensor of shape ()).
            expected: the right value; by default the one in the key.
        """
        if isinstance(got, (bool, int, float)) and isinstance(expected, (bool, int, float)):
            got = torch.tensor(got, dtype=torch.float64)
        self._tensor(got)
        label = self._see(Value(got), "value")
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
        if kind_of(got.dtype) != (kind or kind_of(expected.dtype)):
            self._fail(f"The dtype is {got.dtype}; a {kind or kind_of(expected.dtype)} is needed.")
        self._finite(got, allow=expected)
        right = close(got.detach(), expected)
        if not bool(right.all()):
            self._fail(_where_wrong(got.detach(), expected, right))

    def shape(self, got: object, shape: Sequence[int], dtype: torch.dtype | None = None) -> None:
        """The answer is a tensor of this shape (and, where it matters, of this dtype)."""
        self._tensor(got)
        self._see(Fact(f"shape {tuple(got.shape)} {kind_of(got.dtype)}"), "shape")
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
        before = [a.detach().clone() for a in args]
        result = call(*args)
        same = all(
            torch.equal(a.detach(), b) or bool((a.isnan() & b.isnan()).any())
            for a, b in zip(args, before, strict=True)
        )
        self._see(Fact("unchanged" if same else "changed"), "unchanged")
        if not same:
            self._fail("An argument was changed in place. Work on a copy.")
        return result

    # --- gradients, inverses, volumes -------------------------------------------------------

    def gradient(self, scalar: object, wrt: Tensor, expected: Tensor | None = None) -> None:
        """d(scalar)/d(wrt) flows, is finite and equals the expected one (by default the key's)."""
        grad = self._grad(scalar, wrt)
        if grad is None:
            self._see(Fact("no gradient"), "gradient")
            self._fail("No gradient reaches the input. Something cuts the graph.")
        self.value(grad, expected)

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
        """A continuous sample follows a law: Kolmogorov–Smirnov, false alarm 1e-6.

        Args:
            sample: independent draws, any shape.
            cdf: the law's distribution function.
            draws: how many there must be; a shorter answer could pass any test.
        """
        from scipy import stats

        self._tensor(sample)
        flat = sample.detach().to("cpu", torch.float64).reshape(-1).numpy()
        self._see(Law(flat), "law")
        if flat.size != draws:
            self._fail(f"There are {flat.size} numbers; {draws} are needed.")
        self._finite(sample)
        test = stats.kstest(flat, cdf)
        if test.pvalue < FALSE_ALARM:
            self._fail(
                f"{flat.size} draws do not follow the law: near {test.statistic_location:.3g} "
                f"the share below is off by {test.statistic:.3f}."
            )

    def frequencies(self, categories: Tensor, probs: Tensor, draws: int) -> None:
        """Categories come out as often as they should: G-test, false alarm 1e-6.

        Args:
            categories: (N,) independent draws in 0 … K−1.
            probs: (K,) probabilities.
            draws: N, as for `law`.
        """
        from scipy import stats

        self.shape(categories, (draws,))
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
            seen = ", ".join(f"{c / counts.sum():.3f}" for c in counts)
            asked = ", ".join(f"{q:.3f}" for q in p)
            self._fail(f"Seen frequencies: {seen}.\nThey should be near: {asked}.")

    def mean(self, sample: Tensor, expected: Tensor | float, draws: int) -> None:
        """The mean over the first axis equals `expected` within its own standard error.

        A z-test an element, Bonferroni-corrected to a false alarm of 1e-6 together; `draws` is
        the length of the first axis, as for `law`.
        """
        from scipy import stats

        self._tensor(sample)
        if sample.shape[:1] != (draws,):
            self._fail(f"The shape is {tuple(sample.shape)}; {draws} draws are needed.")
        self._finite(sample)
        x = sample.detach().to("cpu", torch.float64)
        want = torch.as_tensor(expected).to("cpu", torch.float64).expand(x.shape[1:])
        error = x.std(0) / x.shape[0] ** 0.5 + 1e-9
        z = float(((x.mean(0) - want) / error).abs().max())
        limit = stats.norm.isf(FALSE_ALARM / 2 / max(1, want.numel()))
        self._see(Fact("mean as expected" if z < limit else "mean is off"), "mean")
        if z >= limit:
            self._fail(f"A mean is off by {z:.1f} standard errors.")

    # --- small ones -------------------------------------------------------------------------

    def _tensor(self, got: object) -> None:
        if not isinstance(got, Tensor):
            self._see(Fact(f"returned {type(got).__name__}"), "this")
            what = "nothing (None): is a `return` missing?" if got is None else type(got).__name__
            self._fail(f"A tensor is needed; your function returned {what}")

    def _same_shape(self, got: Tensor, shape: tuple[int, ...]) -> None:
        if tuple(got.shape) != shape:
            self._fail(f"The shape is {tuple(got.shape)}; {shape} is needed.")

    def _finite(self, got: Tensor, allow: Tensor | None = None) -> None:
        bad = ~torch.isfinite(got.detach()).cpu()
        if allow is not None:
            bad &= torch.isfinite(allow).cpu()
        if bool(bad.any()):
            at = tuple(bad.nonzero()[0].tolist())
            self._fail(f"There are {int(bad.sum())} values that are not finite, the first at {at}.")


def _where_wrong(got: Tensor, expected: Tensor, right: Tensor) -> str:
    """Where and by how much a value differs."""
    gap = (got.cpu().double() - expected.cpu().double()).abs().masked_fill(right, -1)
    at = np.unravel_index(int(gap.argmax()), tuple(gap.shape)) if gap.ndim else ()
    place = f" at {tuple(int(i) for i in at)}" if at else ""
    share = f"{int((~right).sum())} of {right.numel()} numbers differ; " if gap.ndim else ""
    seen, want = float(got[at]), float(expected[at])
    return f"{share}the largest gap is{place}: {seen:.6g} where {want:.6g} is expected."
