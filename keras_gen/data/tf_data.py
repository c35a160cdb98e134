"""Batches as a `tf.data.Dataset`."""

from __future__ import annotations

import functools
import itertools
import threading
from typing import NamedTuple

from keras_gen import quiet
from keras_gen.data.pipeline import Batches
from keras_gen.data.storage import Stored

tf = quiet.tensorflow("tf.data")


class Share(NamedTuple):
    """What a worker reads of each batch.

    Attributes:
        replicas: the places of the worker's replicas among all of them.
        of: the number of all replicas.
    """

    replicas: range
    of: int


def dataset(batches: Batches, share: Share | None = None) -> tf.data.Dataset:
    """Returns the `tf.data.Dataset` of batches; see `Batches.dataset`.

    One operation shuffles the indices of an epoch, and one gathers each batch. An iterator runs
    `epoch`, and so reads `position`, when it starts. With a share, the parts of each batch that are
    its replicas' follow one another, and no other examples are read.
    """
    size, full, length = batches.batch_size, batches.full, len(batches)
    # A captured tensor may exceed 2 GB and is not copied; a constant of a graph may not.
    with tf.device("CPU:0"):
        tensors = {
            name: array if isinstance(array, Stored) else tf.convert_to_tensor(array)
            for name, array in batches.arrays.items()
        }

    if batches.position is None:
        batches.position = host_variable([batches.epoch, batches.skip])
    position = batches.position

    def epoch(_) -> tf.data.Dataset:
        order = tf.range(batches.examples, dtype=tf.int64)
        if batches.shuffle:
            key = tf.stack([tf.constant(batches.seed, tf.int64), position[0]])
            order = tf.random.experimental.stateless_shuffle(order, key, alg="philox")
        skip = position[1]
        rows = tf.reshape(order[skip * size : full * size], (-1, size))
        indices = tf.data.Dataset.from_tensor_slices(rows)
        if length == full:
            return indices
        last = tf.data.Dataset.from_tensors(order[full * size :])
        return indices.concatenate(last.take(length - skip))

    def batch(indices):
        gathered = {name: _rows(tensor, indices) for name, tensor in tensors.items()}
        return batches.recipe.batch(gathered, indices)

    options = tf.data.Options()
    options.deterministic = True
    # There is nothing to fuse, and the search for it takes longer than the first batches.
    options.experimental_optimization.apply_default_optimizations = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    made = tf.data.Dataset.range(1).flat_map(epoch)
    if share:
        made = made.flat_map(lambda indices: _parts(indices, share))
    made = untuned(made.map(batch).prefetch(2).with_options(options))
    # Keras asks this for the length of an epoch. With a static cardinality, tf.data would raise an
    # error for an epoch that `skip` shortens.
    made.cardinality = lambda: tf.constant(length, tf.int64)
    return made


def _rows(array: tf.Tensor | Stored, indices: tf.Tensor) -> tf.Tensor:
    """The rows of an array with these indices."""
    if not isinstance(array, Stored):
        return tf.gather(array, indices)
    rows = tf.numpy_function(array.__getitem__, [indices], array.dtype)
    return tf.ensure_shape(rows, (*indices.shape, *array.shape[1:]))


def _parts(indices, share: Share) -> tf.data.Dataset:
    """The parts of a batch's indices that are a share, in the order of its replicas."""
    size = indices.shape[0] or tf.size(indices, out_type=tf.int64)
    ends = [replica * size // share.of for replica in (*share.replicas, share.replicas.stop)]
    parts = [tf.data.Dataset.from_tensors(indices[a:b]) for a, b in itertools.pairwise(ends)]
    return functools.reduce(tf.data.Dataset.concatenate, parts)


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the dataset without tf.data's autotuner.

    The end of an iterator waits for the autotuner's thread, which sleeps for 10 ms, 20 ms, 40 ms
    and so on: an epoch may last up to twice as long. Without it AUTOTUNE means all cores.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def host_variable(value) -> tf.Variable:
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
