"""The beta-TCVAE: a weight on the dependence of latents, not on all of the KL.

Chen, Li, Grosse & Duvenaud 2018, "Isolating Sources of Disentanglement in Variational Autoencoders"
(arXiv:1802.04942). On average over the data, the KL is the sum of three terms (equation 2): the
mutual information of x and z, the total correlation of the latents, and each latent's distance from
its prior. The second alone asks for latents that are independent; the first is what makes a
beta-VAE's reconstructions poor. With weights alpha = gamma = 1 on the others (equation 4),

    loss(x) = -ELBO(x) + (beta - 1) TC,    TC = KL(q(z) || prod_j q(z_j)).

q(z) is the mean of q(z|x) over the data, estimated by the batch (equation 5). There it has the
constant factor 1 / (N M), of N examples in all and M in the batch, and here 1 / M, which leaves
gradients as they are and the reported value independent of N.

    paper           here
    ------------    ----------------------------------------------
    beta            `beta`
    TC              `total_correlation`
    q(z(n_i)|n_j)   `log_densities`, for all pairs of the batch
"""

from __future__ import annotations

from keras import ops

from keras_gen import checks
from keras_gen.engine.trainer import Objective
from keras_gen.latents import LOG_2PI
from keras_gen.models.vae import VAE
from keras_gen.noise import Noise
from keras_gen.presets import citations


class BetaTCVAE(VAE):
    """A VAE with a weight on the total correlation of its latents.

    `fit` and `evaluate` report `total_correlation` besides the metrics of `VAE`: in nats, estimated
    by each batch. The loss of an example depends on the rest of its batch: each replica, and each
    part of a step with `compile(accumulate=...)`, estimates by its own examples.

    Args:
        encoder: as in `VAE`.
        decoder: as in `VAE`.
        likelihood: as in `VAE`.
        beta: weight of the total correlation; 1 is the VAE.
        **kwargs: as in `VAE`.

    Raises:
        ValueError: for a weight below 1 or not finite.
    """

    paper = citations.CHEN_R
    mixes_batch = True

    def __init__(self, encoder, decoder, likelihood="bernoulli", beta: float = 6.0, **kwargs):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        self.beta = checks.number("beta", beta, least=1)

    def objective(self, examples, noise: Noise, training: bool) -> Objective:
        """Returns the negative ELBO with the weighted total correlation, `(batch,)`, in nats."""
        objective = super().objective(examples, noise, training)
        correlation = total_correlation(*objective.shared)
        loss = objective.loss + (self.beta - 1.0) * correlation
        metrics = {"loss": loss, "total_correlation": correlation}
        return Objective(loss, objective.metrics | metrics)

    @property
    def metric_names(self) -> tuple[str, ...]:
        return (*super().metric_names, "total_correlation")


def total_correlation(posterior, z):
    """Returns log q(z) - sum_j log q(z_j) of each draw, `(batch,)`, in nats.

    Args:
        posterior: means and log-variances of q(z|x), `(batch, 2 * latent_dim)`.
        z: a draw of each, `(batch, latent_dim)`.
    """
    densities = log_densities(posterior, z)
    joint = ops.logsumexp(ops.sum(densities, axis=-1), axis=1)
    marginals = ops.sum(ops.logsumexp(densities, axis=1), axis=-1)
    count = ops.cast(ops.shape(z)[0], "float32")
    return joint - marginals + (z.shape[-1] - 1) * ops.log(count)


def log_densities(posterior, z):
    """Returns log q(z_j|x) of every draw under every posterior, `(batch, batch, latent_dim)`."""
    mean, log_variance = ops.split(posterior[None], 2, axis=-1)
    distance = ops.square(z[:, None] - mean) * ops.exp(-log_variance)
    return -0.5 * (distance + log_variance + LOG_2PI)
