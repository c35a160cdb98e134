"""The FactorVAE: a discriminator measures how dependent the latents are.

Kim & Mnih 2018, "Disentangling by Factorising" (arXiv:1802.05983). The VAE's bound with a penalty
on the total correlation of the latents (equation 2),

    loss(x) = -ELBO(x) + gamma KL(q(z) || prod_j q(z_j)),

whose densities are unknown. A discriminator D learns to tell draws of q(z) from draws of the
product, which are draws of q(z) of which each dimension was permuted over the batch (algorithm 1).
Its logit is then log q(z) - sum_j log q(z_j), and the autoencoder minimizes the logit's mean
(equation 3). The two players take turns (algorithm 2). Here both kinds of draws come from the same
batch, where the paper permutes those of a second one.

    paper              here
    ---------------    -------------------------------------------------------
    gamma              `gamma`
    log D/(1 - D)      the logit of the `discriminator`; `total_correlation`
    permute_dims       `permuted`
"""

from __future__ import annotations

import keras
from keras import ops

from keras_gen import checks, networks
from keras_gen.engine import default_networks, inputs
from keras_gen.engine.trainer import Objective
from keras_gen.models.vae import VAE
from keras_gen.noise import Noise
from keras_gen.presets import citations


class FactorVAE(VAE):
    """A VAE and a discriminator of its latents: two players.

    ```python
    vae = FactorVAE.for_data(sprites.spec, latent_dim=10, gamma=35.0)
    vae.compile()
    vae.fit(x_train, epochs=10)
    ```

    `fit` and `evaluate` report, besides the metrics of `VAE`, `total_correlation` as the
    discriminator estimates it and `discriminator_loss`, in nats, log 2 where it cannot tell the
    draws apart. The loss of an example depends on the rest of its batch: each replica, and each
    part of a step with `compile(accumulate=...)`, permutes its own examples.

    Args:
        encoder: as in `VAE`.
        decoder: as in `VAE`.
        discriminator: `keras.Model` from latents `(batch, latent_dim)` to a logit, `(batch, 1)`.
        likelihood: as in `VAE`.
        gamma: weight of the total correlation; 0 is the VAE.
        **kwargs: as in `VAE`.

    Raises:
        ValueError: if the networks do not fit together, or `gamma` is negative or not finite.
    """

    paper = citations.KIM
    mixes_batch = True

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        likelihood="bernoulli",
        gamma: float = 35.0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        inputs.check_built(discriminator=discriminator)
        self.discriminator = discriminator
        self.gamma = checks.number("gamma", gamma, least=0)
        shapes = [tuple(each.shape) for each in (*discriminator.inputs, *discriminator.outputs)]
        if shapes != [(None, self.latent.dim), (None, 1)]:
            raise ValueError(
                f"discriminator must map latents (batch, {self.latent.dim}) to a logit (batch, 1); "
                f"its inputs and outputs are {shapes}."
            )

    @classmethod
    def further_networks(cls, latent_dim: int, seed: int | None) -> dict[str, keras.Model]:
        """Returns the default discriminator: three layers of 256 leaky ReLUs; the paper has six
        of 1000."""
        discriminator = networks.dense.discriminator(
            (latent_dim,),
            hidden=(256, 256, 256),
            seed=default_networks.seeded(seed, default_networks.THIRD),
        )
        return {"discriminator": discriminator}

    @property
    def players(self):
        return {
            "discriminator": (self.discriminator,),
            "autoencoder": (self.encoder, self.decoder),
        }

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """Returns the paper's, section 5: Adam of rate 1e-4, for the discriminator with its own
        decay rates."""
        betas = {"discriminator": (0.5, 0.9), "autoencoder": (0.9, 0.999)}
        return keras.optimizers.Adam(1e-4, *betas[player])

    def compile(self, optimizer=None, loss=None, *args, **kwargs) -> None:
        """Configures training, as `VAE.compile`; `optimizer=None` means the paper's.

        An optimizer for each player is `{"discriminator": ..., "autoencoder": ...}`.
        """
        super().compile(optimizer, loss, *args, **kwargs)

    def train_step(self, batch):
        """Takes a step of the autoencoder, then one of the discriminator; returns the metrics."""
        examples = self.examples(batch)
        noise = self.noise(examples.x)
        autoencoder = self.minimize(
            lambda: self.autoencoder_objective(examples, noise, True), self.encoder, self.decoder
        )
        _, z = autoencoder.shared
        discriminator = self.minimize(
            lambda: self.discriminator_objective(z, noise, True), self.discriminator
        )
        return self.report(autoencoder, discriminator)

    def autoencoder_objective(self, examples, noise: Noise, training: bool) -> Objective:
        """Returns the negative ELBO with the weighted total correlation, `(batch,)`, in nats."""
        objective = super().objective(examples, noise, training)
        _, z = objective.shared
        correlation = self.discriminator(z, training=training)[:, 0]
        loss = objective.loss + self.gamma * correlation
        metrics = objective.metrics | {"loss": loss, "total_correlation": correlation}
        return Objective(loss, metrics, objective.shared)

    def discriminator_objective(self, z, noise: Noise, training: bool) -> Objective:
        """Returns the loss of telling draws z from permuted ones, `(batch,)`, in nats."""
        z = ops.stop_gradient(z)
        joint = self.discriminator(z, training=training)[:, 0]
        product = self.discriminator(permuted(z, noise.at("permutation")), training=training)[:, 0]
        loss = 0.5 * (ops.softplus(-joint) + ops.softplus(product))
        return Objective(loss, {"discriminator_loss": loss})

    def objective(self, examples, noise: Noise, training: bool) -> Objective:
        """Returns both players' losses; `loss` is the autoencoder's."""
        autoencoder = self.autoencoder_objective(examples, noise, training)
        _, z = autoencoder.shared
        discriminator = self.discriminator_objective(z, noise, training)
        return autoencoder._replace(metrics=autoencoder.metrics | discriminator.metrics)

    @property
    def metric_names(self) -> tuple[str, ...]:
        return (*super().metric_names, "total_correlation", "discriminator_loss")


def permuted(z, noise: Noise):
    """Returns z, `(batch, latent_dim)`, with each dimension permuted over the batch by itself."""
    order = ops.argsort(noise.uniform(ops.shape(z)), axis=0)
    return ops.take_along_axis(z, order, axis=0)
