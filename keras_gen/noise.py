"""Random numbers as a pure function of (seed, step, place, example).

No state has to be saved: a resumed run draws the numbers of an uninterrupted one, a SavedModel
takes its seed as an input, and N replicas together draw the same numbers as one replica alone.
"""

from __future__ import annotations

from keras_gen import quiet  # noqa: F401  # isort: skip  (before TensorFlow)

import math
import numbers
import zlib
from typing import Any, NamedTuple

from keras import ops

from keras_gen.philox import backend


class Part(NamedTuple):
    """A replica's part of the global batch.

    Attributes:
        start: index of the part's first example in the global batch.
        total: number of examples of the global batch.
        size: number of examples of the part, or 1 if it is empty.
    """

    start: Any
    total: Any
    size: Any


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

    def __init__(self, seed: Any, part: Part | None = None):
        if isinstance(seed, numbers.Integral) and not -(2**31) <= seed < 2**31:
            raise ValueError(f"seed must fit in 32 bits, {-(2**31)} to {2**31 - 1}; got {seed}.")
        self._key = backend.key(seed)
        self._part = part

    def at(self, *places: Any) -> Noise:
        """Returns the key of places under this key, one under the other: names, steps, indices."""
        noise = Noise.__new__(Noise)
        noise._key, noise._part = self._key, self._part
        for place in places:
            if isinstance(place, str):
                place = zlib.crc32(place.encode()) & 0x7FFFFFFF
            noise._key = backend.fold_in(noise._key, place)
        return noise

    def normal(self, shape):
        """Returns standard normal numbers, float32; the first axis of `shape` is the batch."""
        return math.sqrt(2.0) * ops.erfinv(2.0 * self.uniform(shape) - 1.0)

    def uniform(self, shape):
        """Returns uniform numbers in (0, 1), float32; the first axis of `shape` is the batch."""
        rows, *rest = shape
        if self._part is None:
            cells = backend.cells(self._key, shape)
        else:
            start, total, size = self._part
            first = start * rows // size
            everyone = backend.cells(self._key, (total * rows // size, *rest))
            cells = everyone[first : first + rows]
        # The centres of 2^23 equal cells, which are distinct in float32.
        return (cells + 0.5) * 2.0**-23
