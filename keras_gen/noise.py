"""Random numbers as a pure function of (seed, step, place, example).

No state has to be saved: a resumed run draws the numbers of an uninterrupted one, a SavedModel
takes its seed as an input, and N replicas together draw the same numbers as one replica alone.
"""

from __future__ import annotations

from keras_gen import quiet  # noqa: F401  # isort: skip  (before TensorFlow)

import math
import numbers
import zlib
from typing import NamedTuple

import tensorflow as tf

ALGORITHM = "philox"


class Part(NamedTuple):
    """A replica's part of the global batch.

    Attributes:
        start: index of the part's first example in the global batch.
        total: number of examples of the global batch.
        size: number of examples of the part, or 1 if it is empty.
    """

    start: int | tf.Tensor
    total: int | tf.Tensor
    size: int | tf.Tensor


class Noise:
    """Key of random tensors.

    The same key always gives the same numbers. Use `at` to get another key for each draw:

    ```python
    noise = Noise(seed=1)
    z = noise.at("prior").normal((16, latent_dim))
    x = noise.at("pixels").uniform((16, 28, 28, 1))
    ```

    Args:
        seed: integer of 32 bits, or integer scalar tensor.
        part: the replica's part of the global batch; None: all of it. A draw is made for the global
            batch, and the replica takes its part, so that the noise of an example does not depend
            on the number of replicas.

    Raises:
        ValueError: if the seed has more than 32 bits, which would be cut off.
    """

    def __init__(self, seed: int | tf.Tensor, part: Part | None = None):
        if isinstance(seed, numbers.Integral) and not -(2**31) <= seed < 2**31:
            raise ValueError(f"seed must fit in 32 bits, {-(2**31)} to {2**31 - 1}; got {seed}.")
        self._key = tf.stack([tf.cast(seed, tf.int32), 0])
        self._part = part

    def at(self, *places: str | int | tf.Tensor) -> Noise:
        """Returns the key of a place (a name) or a step under this key."""
        noise = Noise.__new__(Noise)
        noise._key, noise._part = self._key, self._part
        for place in places:
            if isinstance(place, str):
                place = zlib.crc32(place.encode()) & 0x7FFFFFFF
            noise._key = tf.random.experimental.stateless_fold_in(
                noise._key, tf.cast(place, tf.int32), alg=ALGORITHM
            )
        return noise

    def normal(self, shape) -> tf.Tensor:
        """Returns standard normal numbers, float32; the first axis of `shape` is the batch."""
        return math.sqrt(2.0) * tf.math.erfinv(2.0 * self.uniform(shape) - 1.0)

    def uniform(self, shape) -> tf.Tensor:
        """Returns uniform numbers in (0, 1), float32; the first axis of `shape` is the batch."""
        rows, *rest = shape
        if self._part is None:
            bits = self._bits(shape)
        else:
            start, total, size = self._part
            first = start * rows // size
            bits = self._bits((total * rows // size, *rest))[first : first + rows]
        # The centres of 2^23 equal cells, which are distinct in float32.
        return (tf.cast(tf.bitwise.right_shift(bits, 9), tf.float32) + 0.5) * 2.0**-23

    def _bits(self, shape) -> tf.Tensor:
        """Returns random integers.

        They are the same with and without XLA, which TensorFlow's random floats are not. XLA's
        default algorithm is up to 30 times slower on a CPU than this one.
        """
        return tf.random.stateless_uniform(
            shape, self._key, minval=None, maxval=None, dtype=tf.uint32, alg=ALGORITHM
        )
