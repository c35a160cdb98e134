"""The importance weighted autoencoder: the VAE's networks under a tighter bound.

Burda, Grosse & Salakhutdinov 2016, "Importance Weighted Autoencoders" (arXiv:1509.00519),
equation 8:

    L_k(x) = E_{z_1..z_k ~ q(z|x)} [log 1/k sum_i w_i],    w_i = p(x|z_i) p(z_i) / q(z_i|x)

L_1 is the ELBO, and L_k rises towards log p(x) with k (theorem 1).

    paper       here
    -------     ------------------------------------------------------------
    k           `num_samples`
    log w_i     the sum of the two terms of `importance_weights`
"""

from __future__ import annotations

import math

from keras import ops

from keras_gen.models.vae import VAE


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
        ValueError: if `num_samples` is less than 1.
    """

    paper = (
        "Burda, Grosse & Salakhutdinov 2016, Importance Weighted Autoencoders (arXiv:1509.00519)"
    )

    def __init__(self, encoder, decoder, likelihood="bernoulli", num_samples: int = 5, **kwargs):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        if num_samples < 1:
            raise ValueError(f"num_samples must be at least 1, got {num_samples}.")
        self.num_samples = num_samples

    def objective(self, x, label, noise, training: bool) -> dict:
        """The negative bound -L_k and the parts of the ELBO, `(batch,)` each, in nats."""
        x = self.likelihood.observe(x, noise.at("observation"))
        log_likelihood, log_ratio = self.importance_weights(
            x, label, noise.at("posterior"), self.num_samples, training
        )
        log_weights = log_likelihood + log_ratio
        bound = ops.logsumexp(log_weights, axis=1) - math.log(self.num_samples)
        reconstruction = ops.mean(log_likelihood, axis=1)
        return self.terms(-bound, reconstruction, kl=-ops.mean(log_ratio, axis=1))
