"""Philox by NumPy, for what is done on the host."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from keras_gen.philox import rounds


def multiply(a, constant: int) -> tuple:
    """Returns the high and the low word of products of words and a constant."""
    product = a.astype("uint64") * np.uint64(constant)
    return (product >> np.uint64(32)).astype("uint32"), product.astype("uint32")


ARITHMETIC = rounds.INTEGERS._replace(
    multiply=multiply,
    add=lambda a, constant: a + np.array([constant], "uint32"),
    count=lambda n: np.arange(n, dtype="uint32"),
)


def fold_in(key, place: int) -> tuple[int, int]:
    """Returns the key of a place under a key."""
    return rounds.fold_in(rounds.INTEGERS, key, int(place))


def bits(key, n: int) -> np.ndarray:
    """Returns `n` random words, uint32."""
    blocks = rounds.stream(ARITHMETIC, tuple(map(int, key)), math.ceil(n / 4))
    return np.stack(blocks, axis=-1).ravel()[:n]


def shuffled(n: int, key, size: int) -> Iterator[np.ndarray]:
    """Yields 0, 1, ..., n - 1 in a random order, `size` at a time.

    The order is that of `tf.random.experimental.stateless_shuffle`. Each part is computed when it
    is asked for.
    """
    swaps = bits(key, n) % np.arange(n, 0, -1, dtype="uint32") + np.arange(n)
    order = list(range(n))
    for start in range(0, n, size):
        end = min(start + size, n)
        for i, place in enumerate(swaps[start:end].tolist(), start):
            order[i], order[place] = order[place], order[i]
        yield np.array(order[start:end], "int32")
