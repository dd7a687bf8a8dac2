"""What every assertion needs: a place to write down what it saw, and a calm way to fail."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genssl_utils.kit.check.observe import Fact, Observation, kind_of
from genssl_utils.kit.check.report import CheckFailed, Outcome


class Witness:
    """Records what is seen under the current check; the assertions build on it."""

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

    def _tensor(self, got: object) -> None:
        if not isinstance(got, Tensor):
            self._see(Fact(f"returned {type(got).__name__}"), "this")
            none = "nothing (None): is a `return` missing?"
            what = none if got is None else f"a {type(got).__name__}."
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
