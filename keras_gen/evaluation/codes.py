"""How well codes that were learned without labels agree with labels."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def code_error(codes: np.ndarray, labels: np.ndarray) -> float:
    """The share of examples whose code is not their class's, by the best one-to-one map.

    Chen et al. 2016, "InfoGAN", section 7.2: each code is matched to a class, and the code used as
    a classifier.

    Args:
        codes: index of each example's code, `(n,)`.
        labels: index of each example's class, `(n,)`.

    Raises:
        ValueError: if the two are not equally long, or empty.
    """
    codes, labels = np.asarray(codes), np.asarray(labels)
    if codes.shape != labels.shape or codes.ndim != 1 or not len(codes):
        raise ValueError(
            f"codes and labels must be (n,), n > 0, got shapes {codes.shape} and {labels.shape}."
        )
    size = max(codes.max(), labels.max()) + 1
    counts = np.zeros((size, size), "int64")
    np.add.at(counts, (codes, labels), 1)
    matched = counts[linear_sum_assignment(counts, maximize=True)].sum()
    return float(1.0 - matched / len(codes))
