"""Batches for Keras's loops on JAX and PyTorch: the data stays on the device, rows are indices."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import keras
import numpy as np

from keras_gen import data
from keras_gen.data.storage import Stored

KEY = "feed"
INDICES = "indices"


class Feed(keras.utils.PyDataset):
    """Batches, as an input of Keras's `fit` and `evaluate`.

    What Keras hands on from it are tokens, which cost nothing to move. The loop of the backend
    takes the indices of the examples from `advance`, and gathers and decodes them on the device.

    Args:
        batches: the batches.
        to_device: function that puts an array on the device.

    Attributes:
        number: which feed it is of all there have been.
    """

    _all: ClassVar[WeakValueDictionary[int, Feed]] = WeakValueDictionary()
    _numbers = itertools.count()

    def __init__(self, batches: data.Batches, to_device: Callable):
        super().__init__()
        self.batches = batches
        self._to_device = to_device
        self.number = next(self._numbers)
        self._all[self.number] = self
        self._rows: Iterator[np.ndarray] = iter(())
        self._left = 0
        self._skipped: int | None = None

    @staticmethod
    def of(item) -> Feed | None:
        """Returns the feed that a token stands for; None for a batch of another source."""
        (name, *_) = item if isinstance(item, dict) else ("",)
        return Feed._all[int(name.removeprefix(KEY))] if name.startswith(KEY) else None

    @functools.cached_property
    def arrays(self) -> dict:
        """The arrays, on the device."""
        arrays = self.batches.arrays.items()
        return {name: self._to_device(x) for name, x in arrays if not isinstance(x, Stored)}

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {f"{KEY}{self.number}": np.zeros((), "int8")}

    def on_epoch_begin(self) -> None:
        self._rows = self.batches.rows()
        self._left = len(self) - self.batches.skip
        self._skipped = None

    def advance(self, steps: int) -> list[np.ndarray | dict[str, np.ndarray]]:
        """Returns the next batches, at most `steps` of them: the indices of each one's examples,
        `(batch,)`; with them, under `INDICES`, the rows of arrays that are in a file.

        Keras counts the batches of a whole epoch. In an epoch that starts with a later batch, the
        first calls return none.
        """
        if self._skipped is None:
            calls = [math.ceil(n / steps) for n in (len(self), len(self) - self.batches.skip)]
            self._skipped = calls[0] - calls[1]
        if self._skipped:
            self._skipped -= 1
            return []
        rows = list(itertools.islice(self._rows, steps))
        self._left -= len(rows)
        return list(map(self._read, rows))

    def look_ahead(self) -> None:
        """Computes the order of the next epoch if this one has no batches left.

        Called when the last steps are under way, it costs no time: the device still computes them.
        """
        if not self._left:  # `Position` counts epochs by the steps before them
            self.batches.order(self.batches.epoch + len(self))

    def _read(self, indices: np.ndarray):
        stored = {k: x for k, x in self.batches.arrays.items() if isinstance(x, Stored)}
        if not stored:
            return indices
        return {INDICES: indices} | {name: array[indices] for name, array in stored.items()}


def unpacked(item) -> tuple[Any, dict]:
    """Returns the indices of a batch that `Feed.advance` gave, and the rows it came with."""
    if not isinstance(item, dict):
        return item, {}
    return item[INDICES], {name: rows for name, rows in item.items() if name != INDICES}
