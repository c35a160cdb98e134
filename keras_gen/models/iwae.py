"""The importance weighted autoencoder: the VAE's networks under a tighter bound.

Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders" (arXiv:1509.00519),
equation 8:

    L_k(x) = E_{z_1..z_k ~ q(z|x)} [log 1/k sum_i w_i],    w_i = p(x|z_i) p(z_i) / q(z_i|x)

L_1 is the ELBO, and L_k rises towards log p(x) with k (theorem 1).

    paper       here
    -------     ------------------------------------------------------------
    k           `num_samples`
    w_i         `log_weights`, their logarithms
"""

from __future__ import annotations

import math

from keras import ops

from keras_gen import checks
from keras_gen.engine.trainer import Objective
from keras_gen.models.vae import VAE
from keras_gen.presets import citations


class IWAE(VAE):
    """A VAE trained on the importance weighted bound.

    `loss` is minus the bound L_k; `elbo`, `reconstruction` and `kl` are those of a VAE with the
    same networks, each averaged over the k draws.

    Args:
        encoder: as in `VAE`.
        decoder: as in `VAE`.
        likelihood: as in `VAE`.
        num_samples: k, draws per example.
        **kwargs: as in `VAE`.

    Raises:
        ValueError: if `num_samples` is not a positive integer.
    """

    paper = citations.BURDA

    def __init__(self, encoder, decoder, likelihood="bernoulli", num_samples: int = 5, **kwargs):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        self.num_samples = checks.integer("num_samples", num_samples)

    def objective(self, examples, noise, training: bool) -> Objective:
        """Returns the negative bound -L_k, and the parts of the ELBO as metrics, in nats."""
        x, label = self.likelihood.observe(examples.x, noise.at("observation")), examples.label
        noise = noise.at("posterior")
        posterior = self.posterior(x, label, training)
        z = self.latent.sample((ops.shape(x)[0], self.num_samples), noise, posterior)
        log_likelihood = self.log_prob_of_draws(x, z, label, noise, training)
        log_ratio = self.log_prior(z) - self.latent.log_prob(z, posterior)
        log_weights = log_likelihood + log_ratio
        bound = ops.logsumexp(log_weights, axis=1) - math.log(self.num_samples)
        reconstruction = ops.mean(log_likelihood, axis=1)
        return self.bound(-bound, reconstruction, kl=-ops.mean(log_ratio, axis=1))
