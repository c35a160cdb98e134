"""Checks that several sources share."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_gen.data.specs import DataError

# A set is held in memory, where it must leave room for the model.
MEMORY_LIMIT = 8 * 2**30


def image_pair(image_size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) of an `image_size` option."""
    pair = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        raise DataError(f"image_size must be a positive int or (height, width), got {image_size!r}")
    return pair


def check_memory(name: str, count: int, shape: tuple[int, ...], dtype: Any, fix: str) -> None:
    """Raises DataError if so many examples would not fit in memory."""
    size = count * int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size > MEMORY_LIMIT:
        raise DataError(
            f"{name} needs {size / 2**30:.1f} GB of memory, more than the {MEMORY_LIMIT >> 30} GB "
            f"allowed: {fix}"
        )


def check_fraction(test_fraction: float) -> None:
    """Raises DataError unless this can be the share of a part."""
    if not 0.0 < test_fraction < 1.0:
        raise DataError(f"test_fraction must be between 0 and 1, got {test_fraction}")


def check_counts(name: str, **options: int) -> None:
    """Raises DataError for an option that is not a positive int."""
    for option, value in options.items():
        if not isinstance(value, int) or value < 1:
            raise DataError(f"{option} of {name} must be an int of at least 1, got {value!r}")
