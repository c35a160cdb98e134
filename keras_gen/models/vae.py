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
    p_theta(x|z), theta         `likelihood` with the parameters that the `decoder` returns
    p(z) = N(0, I)              `latent`, without parameters
    epsilon                     `noise`
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gen import latents, likelihoods
from keras_gen.engine import inputs
from keras_gen.engine.trainer import Objective
from keras_gen.models.latent_variable import LatentVariableModel
from keras_gen.noise import Noise
from keras_gen.presets import citations


class VAE(LatentVariableModel):
    """A variational autoencoder on your own networks, or by `for_data` on default ones.

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
        likelihood: p(x|z), a name in `keras_gen.likelihoods.NAMES` or an object.
        **kwargs: `seed` of all noise; `name`, `dtype` of `keras.Model`.

    `fit` and `evaluate` report, in nats per example, `loss` (what is minimized), `elbo`,
    `reconstruction` (the expected log p(x|z), minus the distortion) and `kl` (the rate); and
    `bits_per_dim` where the likelihood is a probability of discrete data.

    Raises:
        ValueError: if encoder, decoder and likelihood do not fit together.
    """

    paper = citations.KINGMA

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: str | likelihoods.Likelihood = "bernoulli",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        inputs.check_built(encoder=encoder, decoder=decoder)
        self.encoder = encoder
        self.decoder = decoder
        self.latent = latents.Gaussian(encoder.output_shape[-1] // 2)
        self.data_shape = tuple(encoder.inputs[0].shape[1:])
        self.likelihood = self.fitting(likelihood)

    def train_step(self, batch):
        """Takes one step of encoder and decoder up the ELBO; returns the metrics so far."""
        examples = self.examples(batch)
        noise = self.noise(examples.x)
        objective = self.minimize(
            lambda: self.objective(examples, noise, training=True), self.encoder, self.decoder
        )
        return self.report(objective)

    def objective(self, examples, noise: Noise, training: bool) -> Objective:
        """Returns the negative ELBO, and its parts as metrics, in nats.

        What variants need besides, the posterior's parameters and the draw z, is `shared`.
        """
        x = self.likelihood.observe(examples.x, noise.at("observation"))
        posterior = self.posterior(x, examples.label, training)
        z = self.latent.sample((ops.shape(x)[0],), noise.at("posterior"), posterior)
        reconstruction = self.log_prob_given(x, z, examples.label, noise, training)
        kl = self.kl(posterior, z)
        bound = self.bound(self.regularizer(kl) - reconstruction, reconstruction, kl)
        return bound._replace(shared=(posterior, z))

    def posterior(self, x, label=None, training: bool = False):
        """Returns the parameters of q(z|x), `(batch, 2 * latent_dim)`."""
        return self.encoder(x, training=training)

    def kl(self, posterior, z):
        """Returns KL(q(z|x) || p(z)), `(batch,)`, in nats; by the draw z without a closed form."""
        return self.latent.kl(posterior)

    def regularizer(self, kl):
        """Returns the weighted KL in the loss, `(batch,)`: here the KL itself."""
        return kl

    def likelihood_parameters(self, z, label=None, training: bool = False):
        """Returns the parameters of p(x|z), `(batch, *likelihood.parameter_shape(data_shape))`."""
        return self.decoder(z, training=training)

    def log_prob_given(self, x, z, label, noise: Noise, training: bool):
        """Returns log p(x|z), `(batch,)`, in nats."""
        return self.likelihood.log_prob(x, self.likelihood_parameters(z, label, training))

    def mean_given(self, z, label=None, training: bool = False):
        """Returns the mean of p(x|z), `(batch, *data_shape)`."""
        return self.likelihood.mean(self.likelihood_parameters(z, label, training))

    def call(self, inputs, training: bool = False):
        """Returns the reconstruction from the posterior's mean, `(batch, *data_shape)`."""
        examples = self.examples(inputs)
        z = self.latent.mean(self.posterior(examples.x, examples.label, training))
        return self.mean_given(z, examples.label, training)

    def bound(self, loss, reconstruction, kl) -> Objective:
        """Returns an objective that reports the ELBO and its parts, `(batch,)` each."""
        elbo = reconstruction - kl
        metrics = {"loss": loss, "elbo": elbo, "reconstruction": reconstruction, "kl": kl}
        if self.likelihood.discrete:
            metrics["bits_per_dim"] = -elbo / (self.event_size * math.log(2.0))
        return Objective(loss, metrics)

    @property
    def metric_names(self) -> tuple[str, ...]:
        names = ("loss", "elbo", "reconstruction", "kl")
        return (*names, "bits_per_dim") if self.likelihood.discrete else names

    def metric_unit(self, name: str) -> str:
        return "bits" if name == "bits_per_dim" else "nats"

    def adapt(self, x) -> None:
        """Lets the untrained decoder return the mean of the data. Call it before training, once.

        A decoder that starts far from the mean spends its first epochs on it, and not well: on
        MNIST, 15 epochs of `vae_mnist` end 4 nats worse. Burda et al. 2016 start this way too. A
        decoder that does not end with a `Dense` layer stays as it is.

        Args:
            x: `(examples, *data_shape)`, as for `fit`.
        """
        last = [layer for layer in self.decoder.layers if layer.weights][-1]
        # Over the examples; and over the steps, for a decoder that returns one at a time.
        axes = tuple(range(1 + np.ndim(x) - len(self.decoder.outputs[0].shape)))
        parameters = self.likelihood.parameters_of(np.mean(x, axis=axes, dtype="float64"))
        if isinstance(last, keras.layers.Dense) and parameters is not None:
            last.set_weights([last.get_weights()[0], parameters.ravel()])

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
                f"loss={name!r} does not stand for a likelihood: use one of "
                f"{', '.join(likelihoods.LOSSES)}, or the constructor's `likelihood`."
            )
        if not isinstance(self.likelihood, likelihoods.LOSSES[name]):
            self.likelihood = self.fitting(likelihoods.LOSSES[name]())
            self._arguments["likelihood"] = self.likelihood
