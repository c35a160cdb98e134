"""Batches in an order that is a function of (seed, epoch), not of what was drawn before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from keras_gen.data.specs import DataError

Batch = dict[str, tf.Tensor]


class Batches:
    """Batches of in-memory examples, an input for `model.fit` and `model.evaluate`.

    An epoch's order is a pure function of (seed, epoch): `seek` goes to any place of any epoch, so
    that a resumed run sees the batches that an uninterrupted one would have seen. Iterating again
    without a `seek` repeats the epoch.

    The indices of an epoch are shuffled in one operation and each batch is gathered in one: there
    is no work per example.

    Args:
        arrays: name -> array or tensor; all have the same number of examples as first axis.
        batch_size: examples per batch, over all replicas.
        shuffle: False keeps the order of the arrays.
        seed: any integer.
        drop_remainder: leave out a last batch that is not full.
        decode: maps a batch of the arrays to what the model gets; by default the batch itself.
        index: whether batches have a further entry `index`, each example's place in the arrays.

    Attributes:
        dataset: the batched `tf.data.Dataset` of dictionaries. Its `cardinality()` is that of a
            whole epoch, also after a `seek` that skips batches.

    Raises:
        DataError: if there are no arrays, their lengths differ or there is no batch in them.
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
            raise DataError(f"arrays must be equally long and at least one, got lengths {lengths}")
        if batch_size < 1:
            raise DataError(f"batch_size must be at least 1, got {batch_size}")
        self.examples = next(iter(lengths.values()))
        self.batch_size = batch_size
        full, rest = divmod(self.examples, batch_size)
        self._length = full + (rest > 0 and not drop_remainder)
        if self._length == 0:
            raise DataError(
                f"no batch of {batch_size} in {self.examples} examples: take a smaller batch_size"
            )
        self._position = _host_variable([0, 0])
        # Captured tensors, unlike constants of a graph, may exceed 2 GB and are not copied.
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
        # There is nothing to fuse, and looking for it would take longer than the first batches.
        options.experimental_optimization.apply_default_optimizations = False
        options.experimental_distribute.auto_shard_policy = (
            tf.data.experimental.AutoShardPolicy.DATA
        )
        # An iterator runs `epoch` when it starts: only then is the position read.
        dataset = tf.data.Dataset.range(1).flat_map(epoch).map(batch).prefetch(2)
        self.dataset = untuned(dataset.with_options(options))
        # Keras asks this for the length of an epoch. A static cardinality cannot stand beside a
        # `skip`: tf.data would call the shorter epoch an error.
        self.dataset.cardinality = lambda: tf.constant(self._length, tf.int64)

    def seek(self, epoch: int, skip: int = 0) -> None:
        """Chooses what an iterator gives that starts from now on: the order of `epoch` without
        `skip` batches. (It starts with its first batch.)

        Args:
            epoch: any integer from 0 on; it is a key, so epochs need not be counted by ones.
            skip: how many batches of the epoch to leave out at its start.
        """
        if epoch < 0 or not 0 <= skip <= self._length:
            raise DataError(
                f"no batch {skip} in epoch {epoch}: epochs start at 0 and have {self._length} "
                "batches"
            )
        self._position.assign([epoch, skip])

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return self._length

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.dataset)


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset without tf.data's autotuner.

    Destroying an iterator waits until the autotuner's thread wakes, and it sleeps for 10 ms, 20 ms,
    40 ms and so on: an epoch may last up to twice as long. AUTOTUNE then means all cores.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _host_variable(value) -> tf.Variable:
    """A plain variable in host memory, whatever strategy's scope this is called in.

    The scope would make a variable mirrored over the devices, but tf.data reads it on the host.
    Scopes belong to a thread: another thread is outside.
    """
    made = []

    def make():
        with tf.device("CPU:0"):
            made.append(tf.Variable(value, dtype=tf.int64, trainable=False))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]
