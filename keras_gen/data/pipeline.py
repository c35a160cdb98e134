"""Batches whose order is a pure function of (seed, epoch)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_gen import checks
from keras_gen.data.checks import data_errors
from keras_gen.data.specs import DataError
from keras_gen.data.storage import Stored
from keras_gen.philox import numpy as philox

Batch = dict[str, Any]


class Recipe(NamedTuple):
    """How rows of arrays become a batch; equal for batches that do the same.

    Attributes:
        decode: as in `Batches`.
        index: as in `Batches`.
    """

    decode: Callable[[Batch], Batch] | None
    index: bool

    def batch(self, gathered: Batch, indices) -> Batch:
        """Returns the batch of gathered rows, decoded."""
        decoded = self.decode(gathered) if self.decode else gathered
        return decoded | {"index": indices} if self.index else decoded


class Batches:
    """Batches of examples, an input of `model.fit` and `model.evaluate`.

    The order of an epoch is a pure function of (seed, epoch), the same on every backend. `seek`
    goes to any batch of any epoch, so a resumed run gets the batches that an uninterrupted run
    would have got. Iterating again without a `seek` repeats the epoch.

    The shuffle is of all examples, also of those in a file (`keras_gen.data.storage`): every order
    is equally likely. One operation gathers each batch: there is no work per example.

    Args:
        arrays: name -> array or tensor; the first axis is the example, and equally long for all.
        batch_size: examples per batch, over all replicas.
        shuffle: whether to shuffle; False keeps the order of the arrays.
        seed: any integer.
        drop_remainder: whether to leave out a last batch that is not full.
        decode: function from a batch of the arrays to a batch for the model, in `keras.ops`; None:
            the identity.
        index: whether batches have a further entry `index`, each example's index in the arrays.

    Attributes:
        arrays: the arrays, NumPy's or in a file.
        recipe: how rows of the arrays become a batch.
        epoch, skip: what `seek` was called with.

    Raises:
        DataError: if there are no arrays, their lengths differ or they hold no batch.
    """

    def __init__(
        self,
        arrays: Mapping[str, Any],
        batch_size: int,
        shuffle: bool = True,
        seed: int = 0,
        drop_remainder: bool = False,
        decode: Callable[[Batch], Batch] | None = None,
        index: bool = False,
    ):
        self.arrays = {name: as_array(array) for name, array in arrays.items()}
        lengths = {name: len(array) for name, array in self.arrays.items()}
        if len(set(lengths.values())) != 1:
            raise DataError(
                f"arrays must be at least one array, all equally long; got lengths {lengths}."
            )
        with data_errors():
            checks.integer("batch_size", batch_size)
        self.examples = next(iter(lengths.values()))
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.full, rest = divmod(self.examples, batch_size)
        self._length = self.full + (rest > 0 and not drop_remainder)
        if self._length == 0:
            raise DataError(
                f"no batch of {batch_size} in {self.examples} examples: give a smaller batch_size."
            )
        self.recipe = Recipe(decode, index)
        self._drop_remainder = drop_remainder
        self.epoch, self.skip = 0, 0
        self.position: Any = None  # a variable of TensorFlow, which its iterators read

    def seek(self, epoch: int, skip: int = 0) -> None:
        """Sets the epoch and the batch at which new iterators start.

        An iterator that has yielded a batch is not affected.

        Args:
            epoch: any integer from 0 on. It is a key of the shuffle, so gaps are allowed.
            skip: number of batches to leave out at the start of the epoch.

        Raises:
            DataError: if there is no such batch.
        """
        if epoch < 0 or not 0 <= skip <= self._length:
            raise DataError(
                f"no batch {skip} in epoch {epoch}: epochs start at 0 and have {self._length} "
                "batches."
            )
        self.epoch, self.skip = epoch, skip
        if self.position is not None:
            self.position.assign([epoch, skip])

    def __len__(self) -> int:
        """Returns the number of batches in an epoch."""
        return self._length

    @property
    def last_size(self) -> int:
        """The number of examples in the last batch."""
        return min(self.batch_size, self.examples - (self._length - 1) * self.batch_size)

    def grouped(self, count: int) -> Batches:
        """Returns batches of which each is `count` of these, from the same position on.

        Raises:
            DataError: if there are fewer, and the remainder is dropped.
        """
        size = count * self.batch_size
        batches = Batches(
            self.arrays, size, self.shuffle, self.seed, self._drop_remainder, *self.recipe
        )
        batches.seek(self.epoch, self.skip // count)
        return batches

    def __iter__(self) -> Iterator[Batch]:
        if keras.backend.backend() == "tensorflow":
            return iter(self.dataset)
        return self._decoded()

    def rows(self) -> Iterator[np.ndarray]:
        """Returns the indices of each batch's examples, `(batch,)`, from the position on."""
        order, size = self.order(self.epoch), self.batch_size
        parts = (order[start : start + size] for start in range(0, self.examples, size))
        return itertools.islice(parts, self.skip, self._length)

    def order(self, epoch: int) -> np.ndarray:
        """Returns the indices of all examples in the order of an epoch, `(examples,)`."""
        if self.shuffle:
            return philox.shuffled(self.examples, (self.seed, epoch))
        return np.arange(self.examples, dtype="int32")

    @functools.cached_property
    def dataset(self):
        """The batched `tf.data.Dataset` of dictionaries.

        Its `cardinality()` is always the number of batches of a whole epoch, even after a `seek`
        that skips batches.

        Raises:
            ImportError: if TensorFlow is not installed.
        """
        from keras_gen.data import tf_data

        return tf_data.dataset(self)

    def _decoded(self) -> Iterator[Batch]:
        for indices in self.rows():
            gathered = {name: array[indices] for name, array in self.arrays.items()}
            batch = self.recipe.batch(gathered, indices)
            yield {name: as_array(array) for name, array in batch.items()}


class HostBatches(keras.utils.PyDataset):
    """Batches as Keras reads them on every backend, gathered and decoded on the host.

    Args:
        batches: the batches.
        select: what to make of each batch, a dictionary; None: the batch itself.
    """

    def __init__(self, batches: Batches, select: Callable[[Batch], Any] | None = None):
        super().__init__()
        self._batches = batches
        self._select = select or (lambda batch: batch)
        self._iterator: Iterator[Batch] = iter(())

    def __len__(self) -> int:
        return len(self._batches)

    def on_epoch_begin(self) -> None:
        self._iterator = iter(self._batches)

    def __getitem__(self, index: int):
        return self._select(next(self._iterator))


def as_array(values) -> np.ndarray | Stored:
    """Returns an array or a tensor of any library as a NumPy array; what is in a file stays
    there."""
    if isinstance(values, Stored):
        return values
    return ops.convert_to_numpy(values) if keras.ops.is_tensor(values) else np.asarray(values)
