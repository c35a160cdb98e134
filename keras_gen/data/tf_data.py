"""Batches as a `tf.data.Dataset`."""

from __future__ import annotations

import threading

from keras_gen import quiet
from keras_gen.data.pipeline import Batches

tf = quiet.tensorflow("tf.data")


def dataset(batches: Batches) -> tf.data.Dataset:
    """Returns the `tf.data.Dataset` of batches; see `Batches.dataset`.

    One operation shuffles the indices of an epoch, and one gathers each batch. An iterator runs
    `epoch`, and so reads `position`, when it starts.
    """
    size, full, length = batches.batch_size, batches.full, len(batches)
    # A captured tensor may exceed 2 GB and is not copied; a constant of a graph may not.
    with tf.device("CPU:0"):
        tensors = {name: tf.convert_to_tensor(array) for name, array in batches.arrays.items()}

    position = host_variable([batches.epoch, batches.skip])

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
        gathered = {name: tf.gather(tensor, indices) for name, tensor in tensors.items()}
        return batches.recipe.batch(gathered, indices)

    options = tf.data.Options()
    options.deterministic = True
    # There is nothing to fuse, and the search for it takes longer than the first batches.
    options.experimental_optimization.apply_default_optimizations = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    made = tf.data.Dataset.range(1).flat_map(epoch).map(batch).prefetch(2)
    made = untuned(made.with_options(options))
    # Keras asks this for the length of an epoch. With a static cardinality, tf.data would raise an
    # error for an epoch that `skip` shortens.
    made.cardinality = lambda: tf.constant(length, tf.int64)
    made.position = position
    return made


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
