"""Latents in the unit ball: where they start, how they stay, are searched for and drawn alike."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import ops
from sklearn.decomposition import PCA

from keras_gen.engine.backends import backend
from keras_gen.noise import Noise

RATE, DECAY, DECAY_SQUARES = 0.05, 0.9, 0.99


@keras.saving.register_keras_serializable("keras_gen")
class UnitBall(keras.constraints.Constraint):
    """Projects each row into the unit ball; a row inside it stays as it is, bit for bit."""

    def __call__(self, w):
        w = ops.convert_to_tensor(w)
        norm = ops.sqrt(ops.sum(ops.square(w), axis=1, keepdims=True))
        return ops.where(norm > 1.0 + 1e-6, w / ops.maximum(norm, 1.0), w)


def embedding(count: int, dim: int, seed: int) -> keras.layers.Embedding:
    """Returns `count` latents to be learned, which start as Gaussian and stay in the unit ball."""
    ball, normal = UnitBall(), keras.initializers.RandomNormal(stddev=dim**-0.5, seed=seed)
    latents = keras.layers.Embedding(
        count, dim, embeddings_initializer=normal, embeddings_constraint=ball, dtype="float32"
    )
    latents.build()
    latents.embeddings.assign(ball(latents.embeddings))
    return latents


def search(distance: Callable, start, steps, project: Callable | None = None):
    """Minimizes a distance by Adam, inside a graph.

    Args:
        distance: function from z `(batch, latent_dim)` to `(batch,)`.
        start: the first z.
        steps: number of steps, an integer or a scalar tensor.
        project: function of z, applied after each step; by default projects into the unit ball.

    Returns:
        The last z.
    """
    project = project or UnitBall()

    def step(i, z, mean, square):
        (slope,), _ = backend.gradient(lambda z: (ops.sum(distance(z)), None), [z])
        mean = DECAY * mean + (1.0 - DECAY) * slope
        square = DECAY_SQUARES * square + (1.0 - DECAY_SQUARES) * ops.square(slope)
        t = ops.cast(i, "float32") + 1.0
        scale = ops.sqrt(square / (1.0 - DECAY_SQUARES**t)) + 1e-8
        return i + 1, project(z - RATE * mean / (1.0 - DECAY**t) / scale), mean, square

    zero = ops.zeros_like(start)
    _, z, *_ = backend.while_loop(lambda i, *_: i < steps, step, (0, start, zero, zero))
    return z


def principal_components(x, dim: int, seed: int) -> np.ndarray:
    """Returns the whitened principal components of examples, `(examples, dim)`, scaled so that one
    example in a hundred lies outside the unit ball.

    Args:
        x: `(examples, ...)`.
        dim: how many, or fewer if x has fewer.
        seed: of the randomized method.
    """
    rows = np.reshape(x, (len(x), -1))
    method = PCA(min(dim, *rows.shape), whiten=True, svd_solver="randomized", random_state=seed)
    components = method.fit_transform(rows)
    return components / np.percentile(np.linalg.norm(components, axis=1), 99)


def draw_alike(learned, n, noise: Noise):
    """Returns draws from the Gaussian that fits learned latents, projected into the unit ball.

    Args:
        learned: `(examples, latent_dim)`.
        n: how many to draw, an integer or a scalar tensor.
        noise: of this draw.

    Returns:
        `(n, latent_dim)`.
    """
    learned = ops.convert_to_tensor(learned)
    mean = ops.mean(learned, axis=0)
    centered = learned - mean
    covariance = ops.matmul(ops.transpose(centered), centered) / learned.shape[0]
    values, vectors = ops.eigh(covariance)
    # Eigenvalues of a singular matrix may be rounded to below 0.
    deviations = ops.sqrt(ops.maximum(values, 0.0))
    epsilon = noise.normal((n, learned.shape[1]))
    return UnitBall()(mean + ops.matmul(epsilon * deviations, ops.transpose(vectors)))
