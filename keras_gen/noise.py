"""Noise as a function, not a state.

Every random draw of a model is a pure function of (seed, step, place, example). Nothing has to be
saved to repeat it: a resumed run draws what an uninterrupted one would have drawn, a SavedModel
takes its seed as an input, and N replicas draw together exactly what one replica would draw alone.
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
    """A replica's part of a batch: the place of its first example, the batch's number of examples
    and the part's own, 1 if it has none."""

    start: int | tf.Tensor
    total: int | tf.Tensor
    size: int | tf.Tensor


class Noise:
    """A key from which random tensors are computed.

    The same key gives the same numbers every time, so each draw gets a key of its own with `at`:

    ```python
    noise = Noise(seed=1)
    z = noise.at("prior").normal((16, latent_dim))
    x = noise.at("pixels").uniform((16, 28, 28, 1))
    ```

    Args:
        seed: integer of 32 bits, or integer scalar tensor.
        part: what a replica has of the global batch. A draw is made for the global batch, and the
            replica takes its part: the noise of an example does not depend on how many replicas
            share the work. None for the whole.

    Raises:
        ValueError: if the seed is larger, and would be that of others.
    """

    def __init__(self, seed: int | tf.Tensor, part: Part | None = None):
        if isinstance(seed, numbers.Integral) and not -(2**31) <= seed < 2**31:
            raise ValueError(f"seed must fit in 32 bits, {-(2**31)} to {2**31 - 1}; got {seed}.")
        self._key = tf.stack([tf.cast(seed, tf.int32), 0])
        self._part = part

    def at(self, *places: str | int | tf.Tensor) -> Noise:
        """The noise of a place (a name) or time (a step) within this noise."""
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
        """Standard normal numbers, float32, of a shape whose first axis is the batch."""
        return math.sqrt(2.0) * tf.math.erfinv(2.0 * self.uniform(shape) - 1.0)

    def uniform(self, shape) -> tf.Tensor:
        """Uniform numbers in (0, 1), float32, of a shape whose first axis is the batch."""
        rows, *rest = shape
        if self._part is None:
            bits = self._bits(shape)
        else:
            start, total, size = self._part
            first = start * rows // size
            bits = self._bits((total * rows // size, *rest))[first : first + rows]
        # The middles of 2^23 equal cells, all of which float32 can tell apart.
        return (tf.cast(tf.bitwise.right_shift(bits, 9), tf.float32) + 0.5) * 2.0**-23

    def _bits(self, shape) -> tf.Tensor:
        """Random integers. With and without XLA they are the same, as TensorFlow's floats are not;
        and XLA's default algorithm is up to 30 times slower on a CPU than this one."""
        return tf.random.stateless_uniform(
            shape, self._key, minval=None, maxval=None, dtype=tf.uint32, alg=ALGORITHM
        )
