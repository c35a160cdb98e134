"""What models with an encoder, a decoder and a likelihood can do once they are trained."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gen import data, latents, likelihoods, networks
from keras_gen.models.base import GenerativeModel
from keras_gen.noise import Noise


class LatentVariableModel(GenerativeModel):
    """Base class of models p(x|z) p(z) with an approximate posterior q(z|x).

    A subclass sets `encoder`, `decoder`, `latent`, `likelihood` and `data_shape`, and defines
    `posterior(x, label)` and `generator(z, label)`, which give the parameters of q(z|x) and p(x|z).

    Arrays go in and come out as NumPy arrays, `batch_size` examples at a time. Methods take
    `label`, `(batch,)` class indices, for models that use labels.
    """

    kinds: ClassVar = {"image": "conv", "vector": "dense"}
    encoder: keras.Model
    decoder: keras.Model
    latent: latents.Gaussian
    likelihood: likelihoods.Likelihood

    @classmethod
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
        **options,
    ) -> LatentVariableModel:
        """The model with default networks for the data that `spec` describes.

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
            **options: the model's own hyperparameters.

        Raises:
            ValueError: if there are no default networks for this kind of data, or labels are
                needed and there are none.
        """
        kind = cls.default_network(spec, network)
        if likelihood is None:
            likelihood = "bernoulli" if spec.value_range == (0.0, 1.0) else "gaussian"
        likelihood = likelihoods.get(likelihood)
        settings = {"activation": activation} | cls.label_settings(spec)
        if filters is not None:
            if kind is not networks.conv:
                raise ValueError("`filters` are for convolutional networks: network='conv'.")
            settings["filters"] = networks.layer_sizes(filters)
        back = settings.copy()
        if hidden is not None:
            sizes = networks.layer_sizes(hidden)
            settings["hidden"], back["hidden"] = sizes, sizes[::-1]
        # The decoder's seeds are out of the reach of the encoder's, which has one for each layer.
        decoder_seed = None if seed is None else seed + 1000
        shape = likelihood.parameter_shape(spec.shape)
        return cls(
            kind.encoder(
                spec.shape, latents.Gaussian(latent_dim).parameter_size, seed=seed, **settings
            ),
            kind.decoder(latent_dim, shape, seed=decoder_seed, **back),
            likelihood=likelihood,
            seed=seed,
            **options,
        )

    def adapt(self, x) -> None:
        """Lets the untrained decoder put out the mean of the data; call it before training, once.

        A decoder that starts far from the mean spends its first epochs on it, and not well: on
        MNIST, 15 epochs of `vae_mnist` end 4 nats worse. Burda et al. 2016 start so too. A decoder
        that does not end with a `Dense` layer stays as it is.

        Args:
            x: `(examples, *data_shape)`, as for `fit`.
        """
        last = [layer for layer in self.decoder.layers if layer.weights][-1]
        # Over the examples; and over the steps, for a decoder that puts out one at a time.
        axes = tuple(range(1 + np.ndim(x) - len(self.decoder.outputs[0].shape)))
        parameters = self.likelihood.parameters_of(np.mean(x, axis=axes, dtype="float64"))
        if isinstance(last, keras.layers.Dense) and parameters is not None:
            last.set_weights([last.get_weights()[0], parameters.ravel()])

    def call(self, inputs, training: bool = False):
        """The reconstruction from the posterior's mean, `(batch, *data_shape)`."""
        x, label = self.examples(inputs)
        z = self.latent.mean(self.posterior(x, label, training))
        return self.mean_given(z, label, training)

    def mean_given(self, z, label=None, training: bool = False):
        """The mean of p(x|z), `(batch, *data_shape)`."""
        return self.likelihood.mean(self.generator(z, label, training))

    def log_prob_given(self, x, z, label, noise: Noise, training: bool):
        """log p(x|z), `(batch,)`, in nats."""
        return self.likelihood.log_prob(x, self.generator(z, label, training))

    def sample(
        self, n: int, seed: int | None = None, label=None, batch_size: int = 512
    ) -> np.ndarray:
        """The means of p(x|z) at `n` draws z ~ p(z), `(n, *data_shape)`.

        Args:
            n: number of samples.
            seed: the same seed gives the same samples; None draws a seed.
            label: `(n,)`, for a model that uses labels.
            batch_size: how many are decoded at a time.
        """
        seed = random.randrange(2**31) if seed is None else seed
        return self.decode(self._prior(n, seed).numpy(), label, batch_size)

    def encode(self, x, label=None, batch_size: int = 512) -> np.ndarray:
        """The mean of q(z|x), `(batch, latent_dim)`, for x `(batch, *data_shape)`."""
        return self.run("encode", x, label, batch_size=batch_size)

    def decode(self, z, label=None, batch_size: int = 512) -> np.ndarray:
        """The mean of p(x|z), `(batch, *data_shape)`, for z `(batch, latent_dim)`."""
        return self.run("decode", z, label, batch_size=batch_size)

    def reconstruct(self, x, label=None, batch_size: int = 512) -> np.ndarray:
        """`decode(encode(x))`, `(batch, *data_shape)`."""
        return self.run("reconstruct", x, label, batch_size=batch_size)

    def interpolate(self, x_from, x_to, steps: int = 8, label=None) -> np.ndarray:
        """Decoded points on the straight lines between the codes of pairs of examples.

        Args:
            x_from: `(batch, *data_shape)`.
            x_to: likewise.
            steps: number of points on each line, both ends included.
            label: `(batch,)`, of both ends.

        Returns:
            `(batch, steps, *data_shape)`.
        """
        weights = np.linspace(0.0, 1.0, steps, dtype="float32")[None, :, None]
        start, end = self.encode(x_from, label)[:, None], self.encode(x_to, label)[:, None]
        return self._decode_paths(start * (1.0 - weights) + end * weights, label)

    def traverse(
        self, x, dimension: int, values: Sequence[float] | None = None, label=None
    ) -> np.ndarray:
        """Decodes the codes of examples with one latent dimension set to each of some values.

        Args:
            x: `(batch, *data_shape)`.
            dimension: which latent to vary.
            values: what to set it to; by default seven values from -3 to 3.
            label: `(batch,)`.

        Returns:
            `(batch, len(values), *data_shape)`.

        Raises:
            ValueError: if the latent space has no such dimension.
        """
        if not 0 <= dimension < self.latent.dim:
            raise ValueError(f"dimension must be in 0..{self.latent.dim - 1}, got {dimension}.")
        values = np.linspace(-3.0, 3.0, 7) if values is None else np.asarray(values)
        z = np.repeat(self.encode(x, label)[:, None], len(values), axis=1)
        z[:, :, dimension] = values
        return self._decode_paths(z, label)

    def log_likelihood(
        self, x, num_samples: int = 100, seed: int = 0, label=None, batch_size: int = 1000
    ) -> np.ndarray:
        """The importance-weighted estimate of log p(x), `(batch,)`, in nats.

        log 1/k sum_i p(x, z_i) / q(z_i|x), z_i ~ q(z|x): a lower bound in expectation that rises to
        log p(x) with the number of samples k (Burda et al. 2016, theorem 1).

        Args:
            x: `(batch, *data_shape)`.
            num_samples: k.
            seed: of the draws.
            label: `(batch,)`.
            batch_size: how many draws, of one example or several, are decoded at a time: so few
                that the decoder's activations stay in the processor's cache.
        """
        examples = [np.asarray(a) for a in (x, label) if a is not None]
        self.check_examples(*examples)
        # Rather many draws of few examples than the other way round: examples cost more.
        chunk = min(num_samples, max(1, batch_size // 4))
        count = max(1, batch_size // chunk)
        sizes = [min(chunk, num_samples - start) for start in range(0, num_samples, chunk)]
        graph = self._log_sum_weights()
        estimates = []
        for i in range(0, len(examples[0]), count):
            batch = [array[i : i + count] for array in examples]
            place = tf.constant([seed, i], tf.int32)
            sums = [graph(place, tf.constant(c), k, *batch) for c, k in enumerate(sizes)]
            estimates.append(np.logaddexp.reduce(np.float64(sums), axis=0) - np.log(num_samples))
        return np.concatenate(estimates).astype("float32")

    def _log_sum_weights(self):
        """The compiled step of `log_likelihood`: log of a sum of weights, `(batch,)`."""

        def log_sum_weights(place, chunk, num_samples, x, label=None):
            noise = Noise(place[0]).at("log_likelihood", place[1])
            x = self.likelihood.observe(x, noise.at("observation"))
            noise = noise.at("posterior", chunk)
            weights = self.importance_weights(x, label, noise, num_samples)
            return ops.logsumexp(sum(weights), axis=1)

        if "log_sum_weights" not in self._graphs:
            self._graphs["log_sum_weights"] = tf.function(log_sum_weights)
        return self._graphs["log_sum_weights"]

    def importance_weights(self, x, label, noise: Noise, num_samples: int, training: bool = False):
        """log p(x|z) and log p(z) - log q(z|x) of draws z ~ q(z|x), in nats.

        Their sum is the logarithm of the weight w in Burda et al. 2016, equation 8.

        Returns:
            Two tensors `(batch, num_samples)`.
        """
        posterior = self.posterior(x, label, training)
        z = self.latent.sample((ops.shape(x)[0], num_samples), noise, posterior)
        label = None if label is None else ops.repeat(label, num_samples, axis=0)
        repeated = ops.repeat(x, num_samples, axis=0)
        flat = ops.reshape(z, (-1, self.latent.dim))
        log_likelihood = self.log_prob_given(repeated, flat, label, noise, training)
        log_ratio = self.log_prior(z) - self.latent.log_prob(z, posterior)
        return ops.reshape(log_likelihood, (-1, num_samples)), log_ratio

    def signatures(self):
        x = tf.TensorSpec((None, *self.data_shape), tf.float32, name="x")
        z = tf.TensorSpec((None, self.latent.dim), tf.float32, name="z")
        n = tf.TensorSpec((), tf.int32, name="n")
        seed = tf.TensorSpec((), tf.int32, name="seed")
        labels = [tf.TensorSpec((None,), tf.int32, name="label")] if self.uses_labels else []

        def encode(x, label=None):
            return {"z": self.latent.mean(self.posterior(x, label))}

        def decode(z, label=None):
            return {"x": self.mean_given(z, label)}

        def reconstruct(x, label=None):
            return decode(encode(x, label)["z"], label)

        def sample(n, seed, label=None):
            return decode(self._prior(n, seed), label)

        return {
            "serving_default": (reconstruct, [x, *labels]),
            "sample": (sample, [n, seed, *labels]),
            "encode": (encode, [x, *labels]),
            "decode": (decode, [z, *labels]),
            "reconstruct": (reconstruct, [x, *labels]),
        }

    def fitting(self, likelihood: str | likelihoods.Likelihood) -> likelihoods.Likelihood:
        """The likelihood, once it is known to fit encoder and decoder.

        Raises:
            ValueError: saying which shapes do not fit.
        """
        likelihood = likelihoods.get(likelihood)
        parameters = self.encoder.output_shape[-1]
        if len(self.encoder.output_shape) != 2 or parameters % 2:
            raise ValueError(
                "encoder must put out (batch, 2 * latent_dim), the mean and the log-variance of "
                f"q(z|x); it puts out {self.encoder.output_shape}."
            )
        expected = {
            "take": ((None, self.latent.dim), self.decoder.inputs[0].shape),
            "put out": (
                (None, *likelihood.parameter_shape(self.data_shape)),
                self.decoder.output_shape,
            ),
        }
        for verb, (wanted, found) in expected.items():
            if tuple(found) != wanted:
                raise ValueError(
                    f"decoder must {verb} {wanted} to go with the encoder, which maps data of "
                    f"shape {self.data_shape} to {self.latent.dim} latents, and with likelihood "
                    f"{type(likelihood).__name__}; it does {tuple(found)}."
                )
        return likelihood

    def check_examples(self, x: np.ndarray, label=None, name: str = "x") -> None:
        if x.shape[1:] != self.data_shape:
            raise ValueError(
                f"{name} has shape {x.shape}, but the encoder takes (examples, "
                f"{', '.join(map(str, self.data_shape))})."
            )
        self.likelihood.validate(x, name)

    def log_prior(self, z):
        """log p(z), in nats: z `(..., latent_dim)` gives `(...)`."""
        return self.latent.log_prob(z)

    def draw_prior(self, n, noise: Noise):
        """Draws z ~ p(z), `(n, latent_dim)`."""
        return self.latent.sample((n,), noise)

    def _prior(self, n, seed):
        return self.draw_prior(n, Noise(seed).at("sample"))

    def _decode_paths(self, z: np.ndarray, label) -> np.ndarray:
        """Decodes z `(batch, steps, latent_dim)` to `(batch, steps, *data_shape)`."""
        label = None if label is None else np.repeat(label, z.shape[1])
        decoded = self.decode(z.reshape(-1, self.latent.dim), label)
        return decoded.reshape(*z.shape[:2], *self.data_shape)
