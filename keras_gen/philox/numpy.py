"""Philox by NumPy, for what is done on the host."""

from __future__ import annotations

import functools
import math

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


@functools.lru_cache(maxsize=4)
def shuffled(n: int, key: tuple[int, int]) -> np.ndarray:
    """Returns 0, 1, ..., n - 1 in a random order, int32, not to be written to.

    The order is that of `tf.random.experimental.stateless_shuffle`: at each time i from 0 on, what
    stands at i changes places with what stands at a random place from i on. Here without a loop
    over the examples.
    """
    time = np.arange(n)
    place = bits(key, n) % np.arange(n, 0, -1, dtype="uint32") + time
    # What stands at i at time i came there at the last time of an exchange with the place i, or has
    # always been there. Going back from time to time leads to where it was at first.
    source = time.copy()
    ahead = place > time
    source[place[ahead]] = time[ahead]
    while (source != (further := source[source])).any():
        source = further
    # What stands at `place` came there at the last exchange with that place.
    by_place = np.argsort(place, kind="stable")
    again = place[by_place[1:]] == place[by_place[:-1]]
    order = place.copy()
    order[by_place[1:][again]] = source[by_place[:-1][again]]
    order = np.where(ahead, order, source).astype("int32")
    order.flags.writeable = False
    return order
