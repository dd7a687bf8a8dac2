"""The census table of the paper, for the full scale, and the choice of a table by scale."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import fetch_openml
from sklearn.model_selection import train_test_split

from genssl_utils.adversarial_debiasing.tables import Records, hiring

__all__ = ["adult", "people"]

SEX, RICH = "sex", ">50K"


def people(scale: str, *, seed: int = 0) -> tuple[Records, Records]:
    """The tables of the experiment: made hiring records, or the UCI Adult census.

    Args:
        scale: `laptop` (4,000 rows to learn from and 20,000 to be judged on) or `full`.
        seed: of the made rows, or of the split.

    Returns:
        The training records and the test records. The protected attribute is the column `group`.

    Raises:
        ValueError: there is no such scale.
        ConnectionError: the census cannot be fetched; the message says what to do.
    """
    if scale == "laptop":
        return hiring(4000, seed=seed), hiring(20_000, seed=seed + 1000)
    if scale == "full":
        return adult(seed=seed)
    raise ValueError(f"scale is 'laptop' or 'full', not {scale!r}.")


def adult(*, test: float = 1 / 3, seed: int = 0) -> tuple[Records, Records]:
    """The UCI Adult census: who earns more than 50,000 dollars a year; the group is the sex.

    Numbers are standardised by the training rows, each category becomes a column, and so does a
    missing entry. The recorded label is all that is known, so
    `deserved` is the record.

    Data card:
        Source: R. Kohavi and B. Becker, UCI Machine Learning Repository, 1996, from the US census
            of 1994; as `adult`, version 2, on openml.org.
        Licence: CC BY 4.0 at UCI.
        Size: 48,842 persons, 14 columns.
        Split: ours, stratified by label and sex.
        Must not be used for: decisions about people; claims about incomes today.

    Args:
        test: share of the rows kept for testing.
        seed: which split.

    Returns:
        The training records and the test records.

    Raises:
        ConnectionError: OpenML cannot be reached and the data is not in scikit-learn's cache.
    """
    try:
        # Without pandas: a category is a whole number, its place in `categories`.
        table = fetch_openml("adult", version=2, as_frame=False, parser="liac-arff")
    except OSError as error:
        raise ConnectionError(
            f"The full scale needs the table adult (version 2) from openml.org, which cannot be "
            f"reached ({error}). Run the unit at scale='laptop', or fetch the table once where "
            "there is a network."
        ) from error
    data = np.asarray(table.data, dtype=np.float64)  # (N, 14)
    sexes = [str(word).strip() for word in table.categories[SEX]]
    at = list(table.feature_names).index(SEX)
    y = torch.tensor([str(word).strip(" .") == RICH for word in table.target], dtype=torch.int64)
    s = torch.tensor(data[:, at] == sexes.index("Male"), dtype=torch.int64)
    train_at, test_at = train_test_split(
        np.arange(len(y)), test_size=test, stratify=(2 * y + s).numpy(), random_state=seed
    )
    columns: list[np.ndarray] = []
    names: list[str] = []
    for name, values in zip(table.feature_names, data.T, strict=True):
        words = table.categories.get(name)
        if name == SEX:
            continue
        if words is None:
            learned = values[train_at]
            columns.append((values - learned.mean()) / (learned.std() + 1e-9))
            names.append(name)
            continue
        columns += [values == place for place in range(len(words))]
        names += [f"{name}: {str(word).strip()}" for word in words]
        columns.append(np.isnan(values))
        names.append(f"{name}: missing")
    x = torch.tensor(np.stack([*columns, s.numpy()], 1), dtype=torch.float32)
    whole = (*names, "group")
    return tuple(Records(x[rows], y[rows], s[rows], y[rows], whole) for rows in (train_at, test_at))
