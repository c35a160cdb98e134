"""Batches whose order is a pure function of (seed, epoch)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from keras_gen import checks
from keras_gen.data.checks import data_errors
from keras_gen.data.specs import DataError

Batch = dict[str, tf.Tensor]


class Batches:
    """Batches of in-memory examples, an input of `model.fit` and `model.evaluate`.

    The order of an epoch is a pure function of (seed, epoch). `seek` goes to any batch of any
    epoch, so a resumed run gets the batches that an uninterrupted run would have got. Iterating
    again without a `seek` repeats the epoch.

    One operation shuffles the indices of an epoch, and one gathers each batch: there is no work per
    example.

    Args:
        arrays: name -> array or tensor; the first axis is the example, and equally long for all.
        batch_size: examples per batch, over all replicas.
        shuffle: whether to shuffle; False keeps the order of the arrays.
        seed: any integer.
        drop_remainder: whether to leave out a last batch that is not full.
        decode: function from a batch of the arrays to a batch for the model; None: the identity.
        index: whether batches have a further entry `index`, each example's index in the arrays.

    Attributes:
        dataset: the batched `tf.data.Dataset` of dictionaries. Its `cardinality()` is always the
            number of batches of a whole epoch, even after a `seek` that skips batches.

    Raises:
        DataError: if there are no arrays, their lengths differ or they hold no batch.
    """

    def __init__(
        self,
        arrays: Mapping[str, np.ndarray | tf.Tensor],
        batch_size: int,
        shuffle: bool = True,
        seed: int = 0,
        drop_remainder: bool = False,
        decode: Callable[[Batch], Batch] | None = None,
        index: bool = False,
    ):
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) != 1:
            raise DataError(
                f"arrays must be at least one array, all equally long; got lengths {lengths}."
            )
        with data_errors():
            checks.integer("batch_size", batch_size)
        self.examples = next(iter(lengths.values()))
        self.batch_size = batch_size
        full, rest = divmod(self.examples, batch_size)
        self._length = full + (rest > 0 and not drop_remainder)
        if self._length == 0:
            raise DataError(
                f"no batch of {batch_size} in {self.examples} examples: give a smaller batch_size."
            )
        self._position = _host_variable([0, 0])
        # A captured tensor may exceed 2 GB and is not copied; a constant of a graph may not.
        with tf.device("CPU:0"):
            tensors = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}

        def epoch(_) -> tf.data.Dataset:
            order = tf.range(self.examples, dtype=tf.int64)
            if shuffle:
                key = tf.stack([tf.constant(seed, tf.int64), self._position[0]])
                order = tf.random.experimental.stateless_shuffle(order, key, alg="philox")
            skip = self._position[1]
            rows = tf.reshape(order[skip * batch_size : full * batch_size], (-1, batch_size))
            indices = tf.data.Dataset.from_tensor_slices(rows)
            if self._length == full:
                return indices
            last = tf.data.Dataset.from_tensors(order[full * batch_size :])
            return indices.concatenate(last.take(self._length - skip))

        def batch(indices):
            examples = {name: tf.gather(tensor, indices) for name, tensor in tensors.items()}
            examples = decode(examples) if decode else examples
            return examples | {"index": indices} if index else examples

        options = tf.data.Options()
        options.deterministic = True
        # There is nothing to fuse, and the search for it takes longer than the first batches.
        options.experimental_optimization.apply_default_optimizations = False
        options.experimental_distribute.auto_shard_policy = (
            tf.data.experimental.AutoShardPolicy.DATA
        )
        # An iterator runs `epoch`, and so reads the position, when it starts.
        dataset = tf.data.Dataset.range(1).flat_map(epoch).map(batch).prefetch(2)
        self.dataset = untuned(dataset.with_options(options))
        # Keras asks this for the length of an epoch. With a static cardinality, tf.data would raise
        # an error for an epoch that `skip` shortens.
        self.dataset.cardinality = lambda: tf.constant(self._length, tf.int64)

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
        self._position.assign([epoch, skip])

    def __len__(self) -> int:
        """Returns the number of batches in an epoch."""
        return self._length

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.dataset)


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the dataset without tf.data's autotuner.

    The end of an iterator waits for the autotuner's thread, which sleeps for 10 ms, 20 ms, 40 ms
    and so on: an epoch may last up to twice as long. Without it AUTOTUNE means all cores.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _host_variable(value) -> tf.Variable:
    """Returns a plain variable in host memory, even in the scope of a strategy.

    tf.data reads the variable on the host, but in the scope it would be mirrored over the devices.
    A scope belongs to a thread, so a new thread is outside of it.
    """
    made = []

    def make():
        with tf.device("CPU:0"):
            made.append(tf.Variable(value, dtype=tf.int64, trainable=False))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]
