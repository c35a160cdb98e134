"""Latents in the unit ball: kept there, searched for, and drawn like those that were learned."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import ops

from keras_gen.noise import Noise

RATE, DECAY, DECAY_SQUARES = 0.05, 0.9, 0.99


@keras.saving.register_keras_serializable("keras_gen")
class UnitBall(keras.constraints.Constraint):
    """Projects each row into the unit ball; a row that is in it stays as it is, bit for bit."""

    def __call__(self, w):
        norm = ops.sqrt(ops.sum(ops.square(w), axis=1, keepdims=True))
        return ops.where(norm > 1.0 + 1e-6, w / ops.maximum(norm, 1.0), w)


def search(distance: Callable, start, steps):
    """Goes down a distance in the unit ball by Adam, inside a graph.

    Args:
        distance: z `(batch, latent_dim)` -> `(batch,)`.
        start: the first z.
        steps: their number, an integer or a scalar tensor.

    Returns:
        The last z.
    """
    project = UnitBall()

    def step(i, z, mean, square):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(z)
            total = ops.sum(distance(z))
        slope = tape.gradient(total, z)
        mean = DECAY * mean + (1.0 - DECAY) * slope
        square = DECAY_SQUARES * square + (1.0 - DECAY_SQUARES) * ops.square(slope)
        t = ops.cast(i, "float32") + 1.0
        scale = ops.sqrt(square / (1.0 - DECAY_SQUARES**t)) + 1e-8
        return i + 1, project(z - RATE * mean / (1.0 - DECAY**t) / scale), mean, square

    zero = ops.zeros_like(start)
    _, z, *_ = tf.while_loop(lambda i, *_: i < steps, step, (0, start, zero, zero))
    return z


def draw_alike(codes, n, noise: Noise):
    """Draws from the Gaussian with the mean and covariance of codes, projected into the unit ball.

    Args:
        codes: `(examples, latent_dim)`.
        n: how many to draw, an integer or a scalar tensor.
        noise: of this draw.

    Returns:
        `(n, latent_dim)`.
    """
    mean = ops.mean(codes, axis=0)
    centered = codes - mean
    covariance = ops.matmul(ops.transpose(centered), centered) / codes.shape[0]
    values, vectors = tf.linalg.eigh(covariance)
    # Eigenvalues of a singular matrix may be rounded to below 0.
    deviations = ops.sqrt(ops.maximum(values, 0.0))
    epsilon = noise.normal((n, codes.shape[1]))
    return UnitBall()(mean + ops.matmul(epsilon * deviations, ops.transpose(vectors)))
