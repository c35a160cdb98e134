"""What z is: the prior p(z), and the family that an encoder's output q(z|x) belongs to.

A latent is described by `parameters`, a tensor whose last axis an encoder produces; without
parameters a method speaks of the prior. Densities are in nats, one value per example.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_gen.noise import Noise

LOG_2PI = math.log(2 * math.pi)


@keras.saving.register_keras_serializable("keras_gen")
class Gaussian:
    """z in R^dim with p(z) = N(0, I) and q(z|x) = N(mean, diag exp(log_variance)).

    Parameters are `(..., 2 * dim)`: the mean, then the logarithm of the variance. Source: Kingma &
    Welling 2014, "Auto-Encoding Variational Bayes", section 3 and appendix B.
    """

    def __init__(self, dim: int):
        if dim < 1:
            raise ValueError(f"latent dim must be at least 1, got {dim}.")
        self.dim = dim

    @property
    def parameter_size(self) -> int:
        """How many numbers an encoder must produce per example."""
        return 2 * self.dim

    def sample(self, size: Any, noise: Noise, parameters=None):
        """Draws of shape `(*size, dim)`, by the reparametrization z = mean + std * epsilon.

        With parameters of shape `(batch, 2 * dim)`, `size` is `(batch,)` or `(batch, k)` for k
        draws per example.
        """
        epsilon = noise.normal((*size, self.dim))
        if parameters is None:
            return epsilon
        mean, log_variance = self._split(parameters, rank=len(size) + 1)
        return mean + ops.exp(0.5 * log_variance) * epsilon

    def mean(self, parameters):
        """The mean of q(z|x), `(batch, dim)`."""
        return self._split(parameters)[0]

    def log_prob(self, z, parameters=None):
        """log p(z), or log q(z|x) with parameters, in nats: z `(..., dim)` gives `(...)`."""
        if parameters is None:
            return -0.5 * ops.sum(ops.square(z) + LOG_2PI, axis=-1)
        mean, log_variance = self._split(parameters, rank=len(z.shape))
        scaled = ops.square(z - mean) * ops.exp(-log_variance)
        return -0.5 * ops.sum(scaled + log_variance + LOG_2PI, axis=-1)

    def kl(self, parameters, per_dimension: bool = False):
        """KL(q(z|x) || p(z)) in nats, `(batch,)`, or `(batch, dim)` per dimension.

        Kingma & Welling 2014, appendix B.
        """
        mean, log_variance = self._split(parameters)
        kl = 0.5 * (ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance)
        return kl if per_dimension else ops.sum(kl, axis=-1)

    def _split(self, parameters, rank: int = 2):
        """Mean and log-variance in float32, with axes added before the last up to `rank`."""
        parameters = ops.cast(parameters, "float32")
        while len(parameters.shape) < rank:
            parameters = ops.expand_dims(parameters, axis=-2)
        return ops.split(parameters, 2, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {"dim": self.dim}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Gaussian:
        return cls(**config)
