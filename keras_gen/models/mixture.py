"""A mixture of Gaussians with full covariances, as a distribution of latents that is learned."""

from __future__ import annotations

import math

import keras
from keras import ops

from keras_gen.latents import LOG_2PI
from keras_gen.noise import Noise

# No component is narrower along an axis of A_k, or it would end on a single example, with an
# infinite density.
NARROWEST = 0.01


class GaussianMixture(keras.layers.Layer):
    """p(z) = sum_k w_k N(z | mean_k, covariance_k), with weights to be learned by gradients.

    Each covariance is given by a lower triangular matrix A_k with a positive diagonal, of which
    covariance_k is the inverse of A_k^T A_k. In A_k the log-density is concave. At first all
    components are standard Gaussians around means drawn from N(0, I).

    Args:
        components: number of Gaussians.
        dim: dimension of z.
        seed: of the initial means.
    """

    def __init__(self, components: int, dim: int, seed: int | None = None):
        super().__init__(dtype="float32")
        self.components, self.dim = components, dim
        normal = keras.initializers.RandomNormal(stddev=1.0, seed=seed)
        self.logits = self.add_weight(shape=(components,), initializer="zeros", name="logits")
        self.means = self.add_weight(shape=(components, dim), initializer=normal, name="means")
        self.factors = self.add_weight(
            shape=(components, dim, dim), initializer="zeros", name="factors"
        )
        self.built = True

    def log_prob(self, z):
        """Returns log p(z), `(batch,)`, in nats, of z `(batch, dim)`."""
        matrices, log_diagonal = self._matrices()
        # Of all components at once by one matrix product, `(batch, components, dim)`.
        rows = ops.reshape(matrices, (-1, self.dim))
        scaled = ops.reshape(ops.matmul(z, ops.transpose(rows)), (-1, self.components, self.dim))
        centers = ops.matmul(matrices, self.means[..., None])[..., 0]
        distance = ops.sum(ops.square(scaled - centers), axis=-1)
        log_probs = ops.sum(log_diagonal, axis=-1) - 0.5 * (distance + self.dim * LOG_2PI)
        return ops.logsumexp(log_probs + ops.log_softmax(self.logits), axis=-1)

    def sample(self, n, noise: Noise):
        """Returns `n` draws, `(n, dim)`."""
        matrices, _ = self._matrices()
        u = noise.at("component").uniform((n, 1))
        below = u > ops.cumsum(ops.softmax(self.logits))[None]
        # Rounding may leave the last sum below u.
        component = ops.minimum(ops.sum(ops.cast(below, "int32"), axis=1), self.components - 1)
        identity = ops.broadcast_to(ops.eye(self.dim), matrices.shape)
        deviations = ops.solve_triangular(matrices, identity, lower=True)
        epsilon = noise.normal((n, self.dim))
        moved = ops.matmul(ops.take(deviations, component, axis=0), epsilon[..., None])[..., 0]
        return ops.take(self.means, component, axis=0) + moved

    def _matrices(self):
        """A_k, `(components, dim, dim)`, and the logarithm of its diagonal."""
        factors = ops.convert_to_tensor(self.factors)
        log_diagonal = ops.diagonal(factors, axis1=1, axis2=2)
        log_diagonal = ops.minimum(log_diagonal, -math.log(NARROWEST))
        below = ops.tril(factors, -1)
        diagonal = ops.exp(log_diagonal)[..., None] * ops.eye(self.dim, dtype="float32")
        return below + diagonal, log_diagonal
