"""Assertions on random answers: by their law, never by one lucky seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from genssl_utils.kit.check.observe import Fact, Frequencies, Law, kind_of
from genssl_utils.kit.check.witness import Witness

FALSE_ALARM = 1e-7
"""Chance that a right random answer fails one statistical assertion; a named check holds at most
ten of them, so that its own chance stays below 1e-6."""


class RandomAnswers(Witness):
    """What a check can assert of draws."""

    def law(self, sample: Tensor, cdf: Callable[[np.ndarray], np.ndarray], draws: int) -> None:
        """A continuous sample follows a law: Kolmogorov–Smirnov, false alarm 1e-7.

        Args:
            sample: independent draws, any shape.
            cdf: the law's distribution function.
            draws: how many there must be; a shorter answer could pass any test.
        """
        from scipy import stats

        self._real(sample)
        if sample.numel() > 100 * draws:  # too many to look at
            self._see(Fact(f"{sample.numel()} numbers"), "law")
            self._fail(f"There are {sample.numel()} numbers; {draws} are needed.")
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
