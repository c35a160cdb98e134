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
