"""What a check can assert. Each assertion records what it saw and fails with a calm message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genssl_utils.kit.check.draws import RandomAnswers
from genssl_utils.kit.check.observe import Fact, Value, close, kind_of, value_of, wide
from genssl_utils.kit.check.report import CheckFailed

MOST_ROWS = 200_000
"""Rows, or numbers in a row, beyond which none of them is looked at."""


class Assertions(RandomAnswers):
    """The vocabulary; `Exercise` adds the blocks, the key and the report."""

    # --- exact answers ----------------------------------------------------------------------

    def value(self, got: object, expected: Tensor | float | None = None, *, what: str = "") -> None:
        """The answer equals the expected value: shape, kind of dtype, finite, numbers.

        Args:
            got: what the student's function returned: a tensor, or a plain number, NumPy's
                included, which counts as a tensor of shape ().
            expected: the right value; by default the one in the key.
            what: the name of the part that is looked at, where the answer has several.
        """
        try:
            self._value(got, expected)
        except CheckFailed as failed:
            raise CheckFailed(f"{what}: {failed}") if what else failed from None

    def _value(self, got: object, expected: Tensor | float | None) -> None:
        whole = type(got) is int  # `return 0` says what `return 0.0` says
        if isinstance(got, (bool, int, float, np.generic)):
            got = torch.as_tensor(got, dtype=torch.float64 if isinstance(got, float) else None)
        self._tensor(got)
        self._compare(got, expected, got.dtype, whole=whole)

    def _compare(
        self,
        got: Tensor,
        expected: Tensor | float | None,
        dtype: torch.dtype,
        *,
        slope: bool = False,
        whole: bool = False,
    ) -> None:
        """Compare with the expected value within the tolerance of `dtype`.

        Args:
            got: what is compared.
            expected: the right value; by default the one in the key.
            dtype: whose tolerance counts.
            slope: it is a gradient.
            whole: it was a plain whole number, which may stand for a float.
        """
        label = self._see(Value(got, dtype, slope), "value")
        if expected is None and self.key["expected"] is None:
            return
        expected, kind = self._expected(label, expected)
        if whole and kind == "float":
            got, dtype = got.double(), torch.float64
        self._same_shape(got, tuple(expected.shape))
        if kind_of(got.dtype) != kind:
            article = "an" if kind[0] in "aeiou" else "a"
            self._fail(f"The dtype is {got.dtype}; {article} {kind} is needed.")
        self._finite(got, allow=expected)
        right = close(got.detach(), expected, dtype)
        if not bool(right.all()):
            self._fail(_where_wrong(got.detach(), expected, right))

    def _expected(self, label: str, given: Tensor | float | None) -> tuple[Tensor, str]:
        """The right value, given or recorded under a label, and its kind of dtype."""
        if given is not None:
            right = torch.as_tensor(given)
            return right, kind_of(right.dtype)
        recorded = self.key["expected"].get(label)
        if recorded is None:
            self._fail("No expected value is recorded. Run `genssl build`.")
        return value_of(recorded), recorded["dtype"]

    def rows(self, got: object, expected: Tensor | None = None) -> None:
        """The answer has exactly these rows of whole numbers, each once, in any order.

        Args:
            got: what the student's function returned, to be an integer tensor (A, K).
            expected: the right rows, (A, K); by default those in the key.
        """
        self._tensor(got)
        if got.ndim != 2:
            self._see(Fact(f"{got.ndim}-D"), "rows")
            self._fail(f"The shape is {tuple(got.shape)}; two axes are needed, one row a result.")
        if kind_of(got.dtype) != "integer":
            self._see(Fact(kind_of(got.dtype)), "rows")
            self._fail(f"The dtype is {got.dtype}; whole numbers (int64) are needed.")
        if max(got.shape) > MOST_ROWS:
            self._see(Fact(f"shape {tuple(got.shape)}"), "rows")
            self._fail(f"The shape is {tuple(got.shape)}; there are far fewer right rows.")
        inorder = torch.tensor(sorted(got.tolist()), dtype=torch.int64).reshape(got.shape)
        label = self._see(Value(inorder), "rows")
        if expected is None and self.key["expected"] is None:
            return
        wanted, _ = self._expected(label, expected)
        if got.shape[1] != wanted.shape[1]:
            self._fail(f"A row has {got.shape[1]} numbers; {wanted.shape[1]} are needed.")
        seen = Counter(map(tuple, inorder.tolist()))
        right = Counter(map(tuple, wanted.to(torch.int64).tolist()))
        for rows, what in ((right - seen, "missing"), (seen - right, "too many")):
            if rows:
                first = min(rows)
                again = " (again)" if what == "too many" and first in right else ""
                self._fail(
                    f"Rows found: {len(got)}, rows that are right: {len(wanted)}; {what}: "
                    f"{rows.total()}, the first of them {first}{again}."
                )

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
        except (NotImplementedError, CheckFailed):  # the latter: it was stopped, not answered
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
        if isinstance(scalar, (bool, int, float)):
            self._see(Fact("plain number"), "gradient")
            self._fail("A plain number came back, which carries no gradient: return the tensor.")
        grad = self._grad(scalar, wrt)
        if grad is None:
            self._see(Fact("no gradient"), "gradient")
            self._fail("No gradient reaches the input. Something cuts the graph.")
        # A right answer may compute in float32 whatever the dtype of its input.
        dtype = torch.float32 if grad.dtype == torch.float64 else grad.dtype
        self._compare(grad, expected, dtype, slope=True)

    def no_gradient(self, scalar: object, wrt: Tensor) -> None:
        """No gradient, or one that is zero everywhere, reaches `wrt`."""
        grad = self._grad(scalar, wrt)
        leaks = grad is not None and bool((grad != 0).any())
        self._see(Fact("gradient leaks" if leaks else "no gradient"), "no_gradient")
        if leaks:
            self._fail("A gradient flows where none should.")

    def _grad(self, scalar: object, wrt: Tensor) -> Tensor | None:
        if isinstance(scalar, (bool, int, float)):
            return None  # a plain number hangs on nothing
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
