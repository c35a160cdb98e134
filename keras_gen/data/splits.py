"""Splits of examples into training and test parts, and windows of long sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_gen.data.checks import check_fraction, random_state
from keras_gen.data.specs import DataError


def hold_out(
    arrays: dict[str, np.ndarray], fraction: float, seed: int, where: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Splits arrays at random into training and test examples.

    The choice depends only on the seed and the number of examples. Each part keeps their order and
    has at least one example.

    Args:
        arrays: name -> array; the first axis is the example.
        fraction: share of the test examples.
        seed: seed of the choice.
        where: origin of the arrays in error messages.

    Raises:
        DataError: if there are fewer than two examples.
    """
    check_fraction(fraction)
    count = len(next(iter(arrays.values())))
    if count < 2:
        raise DataError(f"{where}: one example cannot be split into training and test examples.")
    order = random_state(seed).permutation(count)
    held_out = min(count - 1, max(1, round(count * fraction)))
    test, train = np.sort(order[:held_out]), np.sort(order[held_out:])
    return (
        {name: array.take(train, axis=0) for name, array in arrays.items()},
        {name: array.take(test, axis=0) for name, array in arrays.items()},
    )


def split_end(rows: Sequence, fraction: float) -> tuple[Sequence, Sequence]:
    """Returns the rows without their last share, and that share."""
    kept = len(rows) - round(len(rows) * fraction)
    return rows[:kept], rows[kept:]


def windows(rows: np.ndarray, length: int, stride: int, where: str, steps: str) -> np.ndarray:
    """Returns all full windows of `length` rows that start at a multiple of `stride`.

    Args:
        rows: `(rows, ...)`.
        length: rows in a window.
        stride: rows from the start of one window to the start of the next.
        where: origin of the rows in error messages.
        steps: name of the rows in error messages.

    Returns:
        A view, `(windows, length, ...)`.

    Raises:
        DataError: if there are fewer than `length` rows.
    """
    if len(rows) < length:
        raise DataError(
            f"{where} has {len(rows)} {steps}, too few for a window of length={length}: give a "
            "smaller length= or another test_fraction=."
        )
    every = np.lib.stride_tricks.sliding_window_view(rows, length, axis=0)
    return np.moveaxis(every[::stride], -1, 1)
