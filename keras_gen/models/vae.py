"""The variational autoencoder.

Kingma & Welling 2014, "Auto-Encoding Variational Bayes" (arXiv:1312.6114); Rezende, Mohamed &
Wierstra 2014, "Stochastic Backpropagation and Approximate Inference in Deep Generative Models".

Training maximizes the evidence lower bound (Kingma & Welling, equation 3)

    ELBO(x) = E_{q(z|x)} [log p(x|z)] - KL(q(z|x) || p(z))  <=  log p(x),

the expectation by one draw z = mean + std * epsilon (equation 10), the KL in closed form
(appendix B).

    paper                       here
    ------------------------    --------------------------------------------------------------
    q_phi(z|x), phi             `posterior`: the `encoder`'s parameters of a `latents.Gaussian`
    p_theta(x|z), theta         `generator`: the `decoder`'s parameters of the `likelihood`
    p(z) = N(0, I)              `latent`, without parameters
    epsilon                     `noise`
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_gen import latents, likelihoods
from keras_gen.models.latent_variable import LatentVariableModel
from keras_gen.noise import Noise


class VAE(LatentVariableModel):
    """A variational autoencoder on networks of one's own, or with `for_data` on default ones.

    ```python
    vae = VAE(encoder, decoder, likelihood="bernoulli")
    vae.compile(optimizer="adam")
    vae.fit(x_train, epochs=10)
    vae.sample(16, seed=1)
    ```

    Args:
        encoder: `keras.Model` from data `(batch, *shape)` to `(batch, 2 * latent_dim)`: mean and
            log-variance of q(z|x).
        decoder: `keras.Model` from `(batch, latent_dim)` to the likelihood's parameters,
            `(batch, *likelihood.parameter_shape(shape))`.
        likelihood: what p(x|z) is: a name in `keras_gen.likelihoods.NAMES`, or an object.
        **kwargs: `seed` of all noise; `name`, `dtype` of `keras.Model`.

    `fit` and `evaluate` report, in nats per example, `loss` (what is minimized), `elbo`,
    `reconstruction` (the expected log p(x|z); minus it is the distortion) and `kl` (the rate); and
    `bits_per_dim` where the likelihood is a probability of discrete data.

    Raises:
        ValueError: if encoder, decoder and likelihood do not fit together.
    """

    paper = "Kingma & Welling 2014, Auto-Encoding Variational Bayes (arXiv:1312.6114)"

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: str | likelihoods.Likelihood = "bernoulli",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.check_built(encoder=encoder, decoder=decoder)
        self.encoder = encoder
        self.decoder = decoder
        self.latent = latents.Gaussian(encoder.output_shape[-1] // 2)
        self.data_shape = tuple(encoder.inputs[0].shape[1:])
        self.likelihood = self.fitting(likelihood)

    def train_step(self, batch):
        """One step of encoder and decoder up the ELBO; gives the metrics' means so far."""
        x, label = self.examples(batch)
        terms = self.minimize(
            lambda: self.objective(x, label, self.noise(x), training=True),
            self.encoder,
            self.decoder,
        )
        return self.report(terms)

    def objective(self, x, label, noise: Noise, training: bool) -> dict:
        """The negative ELBO and its parts, `(batch,)` each, in nats."""
        x = self.likelihood.observe(x, noise.at("observation"))
        posterior = self.posterior(x, label, training)
        z = self.latent.sample((ops.shape(x)[0],), noise.at("posterior"), posterior)
        reconstruction = self.log_prob_given(x, z, label, noise, training)
        kl = self.kl(posterior, z)
        return self.terms(self.penalty(kl) - reconstruction, reconstruction, kl)

    def kl(self, posterior, z):
        """KL(q(z|x) || p(z)), `(batch,)`, in nats; at the draw z where it has no closed form."""
        return self.latent.kl(posterior)

    def penalty(self, kl):
        """The price of the KL, `(batch,)`: here, the KL itself."""
        return kl

    def posterior(self, x, label=None, training: bool = False):
        """The parameters of q(z|x), `(batch, 2 * latent_dim)`."""
        return self.encoder(x, training=training)

    def generator(self, z, label=None, training: bool = False):
        """The parameters of p(x|z), `(batch, *likelihood.parameter_shape(data_shape))`."""
        return self.decoder(z, training=training)

    def terms(self, loss, reconstruction, kl) -> dict:
        """What `fit` and `evaluate` report, `(batch,)` each."""
        elbo = reconstruction - kl
        terms = {"loss": loss, "elbo": elbo, "reconstruction": reconstruction, "kl": kl}
        if self.likelihood.discrete:
            terms["bits_per_dim"] = -elbo / (self.event_size * math.log(2.0))
        return terms

    @property
    def metric_names(self) -> tuple[str, ...]:
        names = ("loss", "elbo", "reconstruction", "kl")
        return (*names, "bits_per_dim") if self.likelihood.discrete else names

    def metric_unit(self, name: str) -> str:
        return "bits" if name == "bits_per_dim" else "nats"

    def compile(self, optimizer="adam", loss=None, *args, **kwargs) -> None:
        """Configures training, as `GenerativeModel.compile`.

        A Keras loss stands for a likelihood: `"mse"` for a Gaussian of scale 1,
        `"binary_crossentropy"` for a Bernoulli. The usual way is the constructor's `likelihood`.

        Raises:
            ValueError: for another loss, or if the decoder does not fit the likelihood.
        """
        if loss is not None:
            self._replace_likelihood(loss)
        super().compile(optimizer, None, *args, **kwargs)

    def _replace_likelihood(self, loss) -> None:
        name = loss if isinstance(loss, str) else getattr(loss, "name", None) or loss.__name__
        if name not in likelihoods.LOSSES:
            raise ValueError(
                f"loss={name!r} is not a likelihood that {type(self).__name__} knows; use one of "
                f"{', '.join(likelihoods.LOSSES)}, or the constructor's `likelihood`."
            )
        if not isinstance(self.likelihood, likelihoods.LOSSES[name]):
            self.likelihood = self.fitting(likelihoods.LOSSES[name]())
            self._arguments["likelihood"] = self.likelihood
