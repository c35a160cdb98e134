"""The VampPrior VAE: its prior is a mixture of the posteriors of learned inputs.

Tomczak & Welling 2018, "VAE with a VampPrior" (arXiv:1705.07120), equation 9:

    p(z) = 1/K sum_k q(z|u_k)

The best prior for the ELBO is the mean of q(z|x) over the training data (equation 7); K
pseudo-inputs stand for all of it. N(0, I) has mass in regions that no example maps to, and samples
from there look like no example. This prior has its mass where the latents of examples are. The KL
has no closed form and is estimated with the draw of z, like the reconstruction (equation 3).

    paper       here
    -------     -------------------------------------------------------------
    u_k, K      `pseudo_inputs`, `components`
    p(z)        `log_prior`
"""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops

from keras_gen import checks
from keras_gen.latents import LOG_2PI
from keras_gen.models.vae import VAE
from keras_gen.noise import Noise
from keras_gen.presets import citations


class VampVAE(VAE):
    """A VAE with a mixture of variational posteriors as its prior.

    `kl` is estimated by one draw for each example; it can be negative for some.

    Args:
        encoder: as in `VAE`.
        decoder: as in `VAE`.
        likelihood: as in `VAE`.
        components: K, the number of pseudo-inputs. They start as training examples after
            `adapt(x)`, which runs call; else as noise.
        **kwargs: as in `VAE`.

    Raises:
        ValueError: if `components` is not a positive integer.
    """

    paper = citations.TOMCZAK

    def __init__(self, encoder, decoder, likelihood="bernoulli", components: int = 500, **kwargs):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        self.components = checks.integer("components", components)
        self.pseudo_inputs = keras.layers.Embedding(
            components,
            self.event_size,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=0.05, seed=self.seed),
        )
        self.pseudo_inputs.build()

    def adapt(self, x) -> None:
        """Prepares the decoder as `VAE.adapt`, and makes the first examples the pseudo-inputs.

        Raises:
            ValueError: if there are fewer examples than `components`.
        """
        super().adapt(x)
        if len(x) < self.components:
            raise ValueError(
                f"components={self.components} pseudo-inputs start as that many training examples; "
                f"there are {len(x)}: choose fewer components."
            )
        examples = np.reshape(x[: self.components], (self.components, -1))
        self.pseudo_inputs.set_weights([examples])

    def train_step(self, batch):
        """Takes one step up the ELBO, of the pseudo-inputs too; returns the metrics so far."""
        examples = self.examples(batch)
        noise = self.noise(examples.x)
        networks = self.encoder, self.decoder, self.pseudo_inputs
        objective = self.minimize(lambda: self.objective(examples, noise, training=True), *networks)
        return self.report(objective)

    def kl(self, posterior, z):
        return self.latent.log_prob(z, posterior) - self.log_prior(z)

    def log_prior(self, z):
        mean, log_variance = ops.split(self._components(), 2, axis=-1)
        precision = ops.exp(-log_variance)
        # Of all z under all components at once by matrix products, `(..., components)`.
        distance = (
            ops.matmul(ops.square(z), ops.transpose(precision))
            - 2.0 * ops.matmul(z, ops.transpose(mean * precision))
            + ops.sum(ops.square(mean) * precision, axis=-1)
        )
        log_scale = ops.sum(log_variance + LOG_2PI, axis=-1)
        log_probs = -0.5 * (distance + log_scale)
        return ops.logsumexp(log_probs, axis=-1) - math.log(self.components)

    def draw(self, n, noise: Noise):
        chosen = ops.floor(noise.at("component").uniform((n, 1))[:, 0] * self.components)
        posterior = ops.take(self._components(), ops.cast(chosen, "int32"), axis=0)
        return self.latent.sample((n,), noise, posterior)

    def _components(self):
        """Returns the parameters of q(z|u_k), `(components, 2 * latent_dim)`."""
        shape = (self.components, *self.data_shape)
        inputs = ops.reshape(self.pseudo_inputs.embeddings, shape)
        return ops.cast(self.posterior(inputs), "float32")
