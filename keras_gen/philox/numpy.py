"""Philox by NumPy, for what is done on the host."""

from __future__ import annotations

import math

import numpy as np

from keras_gen.philox import rounds


def multiply(a, constant: int) -> tuple:
    """Returns the high and the low word of products of words and a constant."""
    product = a.astype("uint64") * np.uint64(constant)
    return (product >> np.uint64(32)).astype("uint32"), product.astype("uint32")


def words(value) -> tuple:
    """Returns the low word of an integer, and the word of its sign."""
    value = np.int64(value)
    return np.array([value]).astype("uint32"), np.array([value >> 32]).astype("uint32")


ARITHMETIC = rounds.Arithmetic(
    multiply=multiply,
    add=lambda a, constant: a + np.array([constant], "uint32"),
    words=words,
    count=lambda n: np.arange(n, dtype="uint32"),
    signed=lambda word: int(word.astype("int32")),
)


def fold_in(key, place: int) -> tuple[int, int]:
    """Returns the key of a place under a key."""
    return rounds.fold_in(ARITHMETIC, key, place)


def bits(key, n: int) -> np.ndarray:
    """Returns `n` random words, uint32."""
    blocks = rounds.stream(ARITHMETIC, key, math.ceil(n / 4))
    return np.stack(blocks, axis=-1).ravel()[:n]


def shuffled(n: int, key) -> np.ndarray:
    """Returns 0, 1, ..., n - 1 in a random order, as `tf.random.experimental.stateless_shuffle`."""
    draws = bits(key, n) % np.arange(n, 0, -1, dtype="uint32")
    places = (draws + np.arange(n)).tolist()
    order = list(range(n))
    for i, place in enumerate(places):
        order[i], order[place] = order[place], order[i]
    return np.array(order)
