"""What models with an encoder, a decoder and a likelihood can do once they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
from keras import ops

from keras_gen import checks, data, latents, likelihoods
from keras_gen.engine import default_networks, inputs, options, serving
from keras_gen.engine.model import GenerativeModel
from keras_gen.noise import Noise


class LatentVariableModel(GenerativeModel):
    """Base class of models p(x|z) p(z) with an approximate posterior q(z|x).

    A subclass sets `encoder`, `decoder`, `latent`, `likelihood` and `data_shape`, and defines
    `posterior`, `mean_given` and `log_prob_given`.

    Arrays go in and come out as NumPy arrays, `batch_size` examples at a time. Methods take
    `label`, `(batch,)` class indices, for conditional models.
    """

    kinds: ClassVar = {"image": "conv", "vector": "dense"}
    encoder: keras.Model
    decoder: keras.Model
    latent: latents.Gaussian
    likelihood: likelihoods.Likelihood

    @options.takes_options
    def for_data(
        cls,
        spec: data.Spec,
        latent_dim: int = 16,
        likelihood: str | likelihoods.Likelihood | None = None,
        network: str | None = None,
        hidden: int | Sequence[int] | None = None,
        filters: int | Sequence[int] | None = None,
        activation: str = "relu",
        seed: int | None = None,
        remat: bool = False,
        **model,
    ) -> LatentVariableModel:
        """Returns the model with default networks for the data that `spec` describes.

        Args:
            spec: of a data set, as `keras_gen.data.load(...).spec`.
            latent_dim: dimension of z.
            likelihood: a name in `keras_gen.likelihoods.NAMES` or an object; by default Bernoulli
                for data in [0, 1] and Gaussian for other data.
            network: `"dense"` or `"conv"`; by default convolutional for images, else dense.
            hidden: units of the dense layers of the encoder; the decoder has them in reverse.
            filters: of the convolutional stages (see `keras_gen.networks.conv`).
            activation: of the hidden layers.
            seed: of the initial weights and of all noise.
            remat: whether blocks of layers are computed a second time for the gradient, which saves
                memory; see `keras_gen.networks.remat`.
            **model: the model's own hyperparameters, as in its constructor.

        Raises:
            TypeError: for an unknown option.
            ValueError: if there are no default networks for this kind of data, an option does not
                suit them, or labels are needed and there are none.
        """
        encoder, decoder, likelihood = default_networks.encoder_decoder(
            cls, spec, latent_dim, likelihood, network, hidden, filters, activation, seed, remat
        )
        further = cls.further_networks(latent_dim, seed)
        return cls(encoder, decoder, likelihood=likelihood, seed=seed, **further, **model)

    @classmethod
    def further_networks(cls, latent_dim: int, seed: int | None) -> dict[str, keras.Model]:
        """Returns default networks besides encoder and decoder: argument name -> network."""
        return {}

    def encode(self, x, label=None, batch_size: int = 512) -> np.ndarray:
        """Returns the mean of q(z|x), `(batch, latent_dim)`, for x `(batch, *data_shape)`."""
        return serving.run(self, "encode", x, label, batch_size=batch_size)

    def reconstruct(self, x, label=None, batch_size: int = 512) -> np.ndarray:
        """Returns `decode(encode(x))`, `(batch, *data_shape)`."""
        return serving.run(self, "reconstruct", x, label, batch_size=batch_size)

    def interpolate(self, x_from, x_to, steps: int = 8, label=None) -> np.ndarray:
        """Decodes points on the straight lines between the latents of pairs of examples.

        Args:
            x_from: `(batch, *data_shape)`.
            x_to: as `x_from`.
            steps: number of points on each line, both ends included.
            label: `(batch,)`, of both ends.

        Returns:
            `(batch, steps, *data_shape)`.
        """
        checks.integer("steps", steps, least=2)
        path = latents.straight(self.encode(x_from, label), self.encode(x_to, label), steps)
        return serving.decode_paths(self, path, label)

    def traverse(
        self, x, dimension: int, values: Sequence[float] | None = None, label=None
    ) -> np.ndarray:
        """Decodes the latents of examples with one dimension set to each of some values.

        Args:
            x: `(batch, *data_shape)`.
            dimension: index of the latent to vary.
            values: what to set it to; by default seven values from -3 to 3.
            label: `(batch,)`.

        Returns:
            `(batch, len(values), *data_shape)`.

        Raises:
            ValueError: if the latent space has no such dimension.
        """
        checks.integer("dimension", dimension, least=0, most=self.latent.dim - 1)
        values = np.linspace(-3.0, 3.0, 7) if values is None else np.asarray(values)
        z = np.repeat(self.encode(x, label)[:, None], len(values), axis=1)
        z[:, :, dimension] = values
        return serving.decode_paths(self, z, label)

    def log_likelihood(
        self, x, num_samples: int = 100, seed: int = 0, label=None, batch_size: int = 1000
    ) -> np.ndarray:
        """Returns the importance-weighted estimate of log p(x), `(batch,)`, in nats.

        log 1/k sum_i p(x, z_i) / q(z_i|x), z_i ~ q(z|x): a lower bound in expectation, which rises
        to log p(x) with the number of samples k (Burda et al. 2016, theorem 1).

        Args:
            x: `(batch, *data_shape)`.
            num_samples: k.
            seed: of the draws.
            label: `(batch,)`.
            batch_size: how many draws, of one example or several, are decoded at a time. So few
                that the decoder's activations stay in the processor's cache are fastest.

        Raises:
            ValueError: if the model cannot explain x, or a number is not a positive integer.
        """
        checks.integer("num_samples", num_samples)
        checks.integer("batch_size", batch_size)
        checks.seed(seed)
        examples = [checks.real_array(*a) for a in (("x", x), ("label", label)) if a[1] is not None]
        self.check_examples(*examples)
        # Many draws of few examples, not the other way round: examples cost more.
        chunk = min(num_samples, max(1, batch_size // 4))
        count = max(1, batch_size // chunk)
        sizes = [min(chunk, num_samples - start) for start in range(0, num_samples, chunk)]
        log_sum = serving.graph(self, "log_sum_weights", self._log_sum_weights)
        estimates = []
        for i in range(0, len(examples[0]), count):
            batch = [array[i : i + count] for array in examples]
            place = np.array([seed, i], "int32")
            sums = [
                ops.convert_to_numpy(log_sum(place, np.array(c, "int32"), k, *batch))
                for c, k in enumerate(sizes)
            ]
            estimates.append(np.logaddexp.reduce(np.float64(sums), axis=0) - np.log(num_samples))
        return np.concatenate(estimates).astype("float32")

    def _log_sum_weights(self, place, chunk, num_samples, x, label=None):
        """The logarithm of the sum of importance weights of some draws, `(batch,)`."""
        noise = Noise(place[0]).at("log_likelihood", place[1])
        x = self.likelihood.observe(x, noise.at("observation"))
        noise = noise.at("posterior", chunk)
        posterior = self.posterior(x, label)
        z = self.latent.sample((ops.shape(x)[0], num_samples), noise, posterior)
        log_ratio = self.log_prior(z) - self.latent.log_prob(z, posterior)
        log_prob = self.log_prob_of_draws(x, z, label, noise)
        return ops.logsumexp(log_prob + log_ratio, axis=1)

    def log_prob_of_draws(self, x, z, label, noise: Noise, training: bool = False):
        """Returns log p(x|z), `(batch, num_samples)`, of several draws z for each example.

        Args:
            x: `(batch, *data_shape)`.
            z: `(batch, num_samples, latent_dim)`.
            label: `(batch,)`, or None.
            noise: of what the likelihood draws.
            training: whether the decoder is in training mode.
        """
        num_samples = z.shape[1]
        label = None if label is None else ops.repeat(label, num_samples, axis=0)
        repeated = ops.repeat(x, num_samples, axis=0)
        flat = ops.reshape(z, (-1, self.latent.dim))
        log_prob = self.log_prob_given(repeated, flat, label, noise, training)
        return ops.reshape(log_prob, (-1, num_samples))

    def log_prior(self, z):
        """Returns log p(z), in nats: z `(..., latent_dim)` gives `(...)`."""
        return self.latent.log_prob(z)

    def draw(self, n, noise: Noise):
        return self.latent.sample((n,), noise)

    def signatures(self):
        label = ["label"] if self.conditional else []
        x = serving.inputs(*label, x=self.data_shape)

        def encode(x, label=None):
            return {"z": self.latent.mean(self.posterior(x, label))}

        def decode(z, label=None):
            return {"x": self.mean_given(z, label)}

        def reconstruct(x, label=None):
            return decode(encode(x, label)["z"], label)

        def sample(n, seed, label=None):
            return decode(self.draw(n, Noise(seed).at("sample")), label)

        return {
            "serving_default": (reconstruct, x),
            "sample": (sample, serving.inputs("n", "seed", *label)),
            "encode": (encode, x),
            "decode": (decode, serving.inputs(*label, z=(self.latent.dim,))),
            "reconstruct": (reconstruct, x),
        }

    def fitting(self, likelihood: str | likelihoods.Likelihood) -> likelihoods.Likelihood:
        """Returns the likelihood, once it is known to fit encoder and decoder.

        Raises:
            ValueError: if it does not; the message has the shapes.
        """
        likelihood = likelihoods.get(likelihood)
        size = self.encoder.output_shape[-1]
        if len(self.encoder.output_shape) != 2 or size % 2:
            raise ValueError(
                "encoder must return (batch, 2 * latent_dim), the mean and the log-variance of "
                f"q(z|x); it returns {self.encoder.output_shape}."
            )
        wanted = (None, *likelihood.parameter_shape(self.data_shape))
        expected = {
            "take": ((None, self.latent.dim), self.decoder.inputs[0].shape),
            "return": (wanted, self.decoder.output_shape),
        }
        for verb, (shape, found) in expected.items():
            if tuple(found) != shape:
                raise ValueError(
                    f"decoder must {verb} {shape} to go with the encoder, which maps data of "
                    f"shape {self.data_shape} to {self.latent.dim} latents, and with likelihood "
                    f"{type(likelihood).__name__}; got {tuple(found)}."
                )
        return likelihood

    def check_examples(self, x: np.ndarray, label=None, name: str = "x") -> None:
        inputs.check_shape(self, x, name)
        self.likelihood.validate(x, name)
