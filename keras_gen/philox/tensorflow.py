"""Philox by TensorFlow's own functions."""

from __future__ import annotations

import tensorflow as tf

ALGORITHM = "philox"


def key(seed) -> tf.Tensor:
    """Returns the key of a seed."""
    return tf.stack([tf.cast(seed, tf.int32), 0])


def fold_in(key, place) -> tf.Tensor:
    """Returns the key of a place under a key."""
    return tf.random.experimental.stateless_fold_in(key, tf.cast(place, tf.int32), alg=ALGORITHM)


def cells(key, shape) -> tf.Tensor:
    """Returns random integers in [0, 2^23) as float32.

    They are the same with and without XLA, which TensorFlow's random floats are not. XLA's default
    algorithm is up to 30 times slower on a CPU than this one.
    """
    bits = tf.random.stateless_uniform(
        shape, key, minval=None, maxval=None, dtype=tf.uint32, alg=ALGORITHM
    )
    return tf.cast(tf.bitwise.right_shift(bits, 9), tf.float32)
