"""Noise as a function, not a state.

Every random draw of a model is a pure function of (seed, step, place, example). Nothing has to be
saved to repeat it: a resumed run draws what an uninterrupted one would have drawn, a SavedModel
takes its seed as an input, and N replicas draw together exactly what one replica would draw alone.
"""

from __future__ import annotations

import functools
import zlib
from typing import Any

import tensorflow as tf


class Noise:
    """A key from which random tensors are computed.

    The same key gives the same numbers every time, so each draw gets a key of its own with `at`:

    ```python
    noise = Noise(seed=1)
    z = noise.at("prior").normal((16, latent_dim))
    x = noise.at("pixels").uniform((16, 28, 28, 1))
    ```

    Args:
        seed: integer, or integer scalar tensor.
        replica: index of the replica that draws, with `replicas` of them in all. A draw for a
            batch is made for the global batch, of which replica `r` takes the `r`-th part: the
            noise of an example does not depend on how many replicas share the work.
        replicas: number of replicas.
    """

    def __init__(self, seed: int | tf.Tensor, replica: Any = 0, replicas: int = 1):
        self._key = tf.stack([tf.cast(seed, tf.int32), 0])
        self._replica = replica
        self._replicas = replicas

    def at(self, *places: str | int | tf.Tensor) -> Noise:
        """The noise of a place (a name) or time (a step) within this noise."""
        noise = Noise.__new__(Noise)
        noise._replica, noise._replicas = self._replica, self._replicas
        noise._key = self._key
        for place in places:
            if isinstance(place, str):
                place = zlib.crc32(place.encode()) & 0x7FFFFFFF
            noise._key = tf.random.experimental.stateless_fold_in(
                noise._key, tf.cast(place, tf.int32)
            )
        return noise

    def normal(self, shape) -> tf.Tensor:
        """Standard normal numbers, float32, of a shape whose first axis is the batch."""
        return self._draw(tf.random.stateless_normal, shape)

    def uniform(self, shape) -> tf.Tensor:
        """Uniform numbers in [0, 1), float32, of a shape whose first axis is the batch."""
        return self._draw(tf.random.stateless_uniform, shape)

    def _draw(self, function, shape) -> tf.Tensor:
        # The default algorithm under XLA is up to 30 times slower on a CPU.
        function = functools.partial(function, seed=self._key, alg="philox")
        if self._replicas == 1:
            return function(shape)
        batch = shape[0]
        values = function((self._replicas * batch, *shape[1:]))
        return values[self._replica * batch : (self._replica + 1) * batch]
