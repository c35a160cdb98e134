"""The VAE whose prior is a mixture of Gaussians.

Jiang, Zheng, Tan, Tang & Zhou 2017, "Variational Deep Embedding: An Unsupervised and Generative
Approach to Clustering" (arXiv:1611.05148). With the component c of equations 1 to 3 summed out,

    p(z) = sum_c pi_c N(z | mu_c, Sigma_c),
    ELBO(x) = E_{q(z|x)} [log p(x|z) + log p(z) - log q(z|x)].

N(0, I) has mass in regions that no example maps to, and samples from there look like no example.
The mixture has its mass where the latents are. Learned together from the start, latents and
components collapse onto each other; so, as in the paper, encoder and decoder come first. In the
first steps they learn by the bound with N(0, I), and the mixture is fitted to the draws of z.

The paper has a component for each cluster, diagonal covariances, and a bound on the KL in closed
form. Here there are many components with full covariances, which follow the latents more closely,
and the KL is estimated by the draw of z, like the reconstruction.

    paper                   here
    --------------------    ------------------------
    pi_c, mu_c, Sigma_c     `prior`
    p(z)                    `log_prior`
"""

from __future__ import annotations

import keras
from keras import ops

from keras_gen import checks
from keras_gen.engine.trainer import Objective
from keras_gen.models.mixture import GaussianMixture
from keras_gen.models.vae import VAE
from keras_gen.noise import Noise
from keras_gen.presets import citations


class MixtureVAE(VAE):
    """A VAE with a learned mixture of Gaussians as its prior.

    `kl` is estimated by one draw for each example; it can be negative for some.

    Args:
        encoder: as in `VAE`.
        decoder: as in `VAE`.
        likelihood: as in `VAE`.
        components: number of Gaussians.
        pretrain_steps: steps in which encoder and decoder learn by the bound with N(0, I).
        **kwargs: as in `VAE`.

    Raises:
        ValueError: if `components` is not a positive integer, or `pretrain_steps` a natural number.
    """

    paper = citations.JIANG

    def __init__(
        self,
        encoder,
        decoder,
        likelihood="bernoulli",
        components: int = 100,
        pretrain_steps: int = 5000,
        **kwargs,
    ):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        self.components = checks.integer("components", components)
        self.pretrain_steps = checks.integer("pretrain_steps", pretrain_steps, least=0)
        self.prior = GaussianMixture(components, self.latent.dim, self.seed)

    @property
    def players(self):
        return {"autoencoder": (self.encoder, self.decoder), "prior": (self.prior,)}

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """Returns Adam, for the prior at ten times the rate: its components have far to go."""
        return keras.optimizers.Adam(1e-2 if player == "prior" else 1e-3)

    def compile(self, optimizer=None, loss=None, *args, **kwargs) -> None:
        """Configures training, as `VAE.compile`.

        Args:
            optimizer: one for each of the players `autoencoder` and `prior`; one for both; or None
                for the defaults.
            loss: as in `VAE.compile`.
            *args, **kwargs: as in `VAE.compile`.
        """
        super().compile(optimizer, loss, *args, **kwargs)

    def train_step(self, batch):
        """Takes one step up the ELBO, of the prior too; returns the metrics so far."""
        examples = self.examples(batch)
        noise = self.noise(examples.x)
        networks = self.encoder, self.decoder, self.prior
        objective = self.minimize(lambda: self.objective(examples, noise, training=True), *networks)
        return self.report(objective)

    def objective(self, examples, noise: Noise, training: bool) -> Objective:
        """Returns the negative ELBO, `(batch,)`, in nats. In the first steps of training the loss
        is that with the prior N(0, I), and what fits the mixture to z as it is."""
        bound = super().objective(examples, noise, training)
        if not training:
            return bound
        posterior, z = bound.shared
        standard = self.latent.kl(posterior) - self.latent.log_prob(z, posterior)
        return bound._replace(loss=bound.loss + ops.where(self._pretrains(), standard, 0.0))

    def kl(self, posterior, z):
        fixed = ops.where(self._pretrains(), ops.stop_gradient(z), z)
        return self.latent.log_prob(z, posterior) - self.log_prior(fixed)

    def _pretrains(self):
        """Returns whether these are the first steps, in which the mixture is fitted to z."""
        return self.step < self.pretrain_steps

    def log_prior(self, z):
        return ops.reshape(
            self.prior.log_prob(ops.reshape(z, (-1, z.shape[-1]))), ops.shape(z)[:-1]
        )

    def draw(self, n, noise: Noise):
        return self.prior.sample(n, noise)
