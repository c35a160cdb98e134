"""Checks that several sources share, each with one clear error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_gen import checks
from keras_gen.data.specs import DataError

# A data set is held in memory and must leave room for the model.
MEMORY_LIMIT = 8 * 2**30


@contextlib.contextmanager
def data_errors() -> Iterator[None]:
    """Raises the ValueErrors of a block as DataErrors."""
    try:
        yield
    except ValueError as error:
        raise DataError(str(error)) from error


def image_pair(image_size: int | tuple[int, int]) -> tuple[int, int]:
    """Returns the (height, width) of an `image_size` option.

    Raises:
        DataError: if it is neither a positive int nor a pair of them.
    """
    pair = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        raise DataError(
            f"image_size must be a positive int or (height, width), got {image_size!r}."
        )
    return pair


def check_memory(name: str, count: int, shape: tuple[int, ...], dtype: Any, fix: str) -> None:
    """Raises a DataError if `count` examples would not fit in memory.

    Args:
        name: name of the data set in the message.
        count: number of examples.
        shape: shape of one example.
        dtype: type of their values.
        fix: advice at the end of the message.
    """
    size = count * int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size > MEMORY_LIMIT:
        raise DataError(
            f"{name} needs {size / 2**30:.1f} GB of memory, more than the limit of "
            f"{MEMORY_LIMIT >> 30} GB: {fix}."
        )


def check_fraction(test_fraction: float) -> None:
    """Raises a DataError unless 0 < test_fraction < 1."""
    with data_errors():
        checks.number("test_fraction", test_fraction, above=0, below=1)


def check_counts(name: str, **options: int) -> None:
    """Raises a DataError if an option of the source `name` is not a positive integer."""
    with data_errors():
        for option, value in options.items():
            checks.integer(f"{option} of {name}", value)


def random_state(seed: int) -> np.random.RandomState:
    """Returns a generator whose numbers are the same in every version of NumPy.

    `numpy.random.default_rng` does not promise that.

    Raises:
        DataError: if the seed is not an integer from 0 to 2^32 - 1.
    """
    with data_errors():
        return np.random.RandomState(checks.integer("seed", seed, 0, 2**32 - 1))
