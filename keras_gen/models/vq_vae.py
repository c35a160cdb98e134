"""The vector-quantized VAE: discrete latents, and a prior that writes them one by one.

van den Oord, Vinyals & Kavukcuoglu 2017, "Neural Discrete Representation Learning"
(arXiv:1711.00937). The encoder returns a grid of vectors, and each is replaced by the nearest of
the K vectors of a codebook (equations 1 and 2). The posterior q(z|x) has all its mass on the
resulting indices z, so that the bound is

    ELBO(x) = log p(x|z) + log p(z),    p(z) = prod_i p(z_i | z_1, ..., z_(i-1)),

and training minimizes it with the terms that bring vectors and codebook together (equation 3):

    loss(x) = -ELBO(x) + ||sg[z_e(x)] - e||^2 + beta ||z_e(x) - sg[e]||^2,

summed over the grid, where sg stops the gradient. The decoder's gradient goes to the encoder as if
nothing had been quantized (straight through). The paper fits the prior once the rest is trained;
nothing else depends on it, so here it learns in the same steps. It is a recurrent network that
reads the indices line by line (van den Oord et al. 2016, "Pixel Recurrent Neural Networks"): at
each place it is told the place, the index to the left and the one above.

    paper               here
    ----------------    ---------------------------------------------------------------
    z_e(x)              `encoder`, `(batch, rows, columns, size)`
    e_1, ..., e_K       `codebook`
    q(z|x)              `quantized`, indices `(batch, rows * columns)`
    p(x|z)              `likelihood` with the parameters that the `decoder` returns
    p(z)                `prior`, a network for one step of a `GridPrior`, which writes z
    beta                `commitment`
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
from keras import ops

from keras_gen import checks, data, likelihoods, networks
from keras_gen.engine import default_networks, inputs, options, serving
from keras_gen.engine.model import GenerativeModel
from keras_gen.engine.trainer import Objective
from keras_gen.models.grid_prior import GridPrior
from keras_gen.models.vae import VAE
from keras_gen.noise import Noise
from keras_gen.presets import citations


class VQVAE(GenerativeModel):
    """A VAE whose latents are indices of a codebook's vectors, with an autoregressive prior.

    ```python
    vae = VQVAE.for_data(mnist.spec, num_vectors=64)
    vae.compile()
    vae.fit(x_train, epochs=20)
    z = vae.encode(x)   # (batch, rows * columns), whole numbers below 64
    vae.sample(16)      # written by the prior, then decoded
    ```

    Args:
        encoder: `keras.Model` from data `(batch, *shape)` to `(batch, rows, columns, size)`.
        decoder: `keras.Model` from `(batch, rows, columns, size)` to the likelihood's parameters.
        prior: `keras.Model` for one step, from `[previous, place, *state]` to
            `[logits, *new_state]`: the indices to the left and above, `(batch, 2)`, K where there
            is none; row and column, one-hot, `(batch, rows + columns)`; tensors `(batch, units)`
            that start at zero; and logits `(batch, K)`.
        likelihood: as in `VAE`.
        commitment: beta, the weight of the encoder's distance from the codebook.
        **kwargs: `seed` of all noise; `name`, `dtype` of `keras.Model`.

    `fit` and `evaluate` report, in nats per example, `loss`, `elbo`, `reconstruction` (log p(x|z))
    and `kl` (minus log p(z), since q has no entropy); `quantization`, the squared distance from the
    codebook; and `bits_per_dim` where the likelihood is a probability of discrete data.

    Raises:
        ValueError: if the networks do not fit together, or the weight is negative or not finite.
    """

    paper = citations.OORD
    num_classes = 0
    kinds: ClassVar = {"image": "grid"}

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        prior: keras.Model,
        likelihood: str | likelihoods.Likelihood = "bernoulli",
        commitment: float = 0.25,
        **kwargs,
    ):
        super().__init__(**kwargs)
        inputs.check_built(encoder=encoder, decoder=decoder, prior=prior)
        self.encoder, self.decoder, self.prior = encoder, decoder, prior
        self.likelihood = likelihoods.get(likelihood)
        self.commitment = checks.number("commitment", commitment, least=0)
        self.data_shape = tuple(encoder.inputs[0].shape[1:])
        self._check_networks()
        one_hot = self.one_hot if self.conditional else None
        self.grid = GridPrior(prior, *encoder.output_shape[1:3], one_hot, self.num_classes)
        self.num_vectors = self.grid.count
        self.codebook = keras.layers.Embedding(
            self.num_vectors,
            self.encoder.output_shape[-1],
            embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0, seed=self.seed),
        )
        self.codebook.build()

    @options.takes_options
    def for_data(
        cls,
        spec: data.Spec,
        num_vectors: int = 256,
        vector_size: int = 4,
        likelihood: str | likelihoods.Likelihood | None = None,
        depth: int = 2,
        width: int = 64,
        blocks: int = 2,
        normalization: str | None = "batch",
        hidden: int | Sequence[int] = (256,),
        cell: str = "lstm",
        seed: int | None = None,
        **model,
    ) -> VQVAE:
        """Returns the model with default networks for the images that `spec` describes.

        Args:
            spec: of a data set of images.
            num_vectors: K, the size of the codebook.
            vector_size: size of each of its vectors. In a small space random vectors are near
                everything, and all of the codebook comes into use.
            likelihood: a name in `keras_gen.likelihoods.NAMES` or an object; by default Bernoulli
                for data in [0, 1] and Gaussian for other data.
            depth: stages of encoder and decoder; the grid has `2 ** depth` times fewer rows and
                columns than the image.
            width: channels of encoder and decoder.
            blocks: residual blocks in each.
            normalization: of the encoder's vectors, None or "batch"; see `keras_gen.networks.grid`.
            hidden: units of the recurrent layers of the prior.
            cell: of the prior, "gru" or "lstm".
            seed: of the initial weights and of all noise.
            **model: the model's own hyperparameters, as in its constructor.

        Raises:
            TypeError: for an unknown option.
            ValueError: if the data are not images, or an option does not suit them.
        """
        kind = default_networks.module(cls, spec)
        for name, value in (("num_vectors", num_vectors), ("vector_size", vector_size)):
            checks.integer(name, value)
        likelihood = default_networks.likelihood_of(spec, likelihood)
        stages = {"depth": depth, "width": width, "blocks": blocks}
        seeded = default_networks.seeded
        encoder = kind.encoder(
            spec.shape, vector_size, normalization=normalization, seed=seeded(seed), **stages
        )
        shape = likelihood.parameter_shape(spec.shape)
        seed_of_decoder = seeded(seed, default_networks.SECOND)
        decoder = kind.decoder(vector_size, shape, seed=seed_of_decoder, **stages)
        label = default_networks.label_settings(cls, spec).get("num_classes", 0)
        prior = networks.recurrent.decoder(
            sum(encoder.output_shape[1:3]) + label,
            2,
            num_vectors,
            hidden=networks.layer_sizes(hidden),
            cell=cell,
            symbols=num_vectors,
            seed=seeded(seed, default_networks.THIRD),
        )
        return cls(encoder, decoder, prior, likelihood=likelihood, seed=seed, **model)

    def train_step(self, batch):
        """Takes one step of all networks and the codebook; returns the metrics so far."""
        examples = self.examples(batch)
        noise = self.noise(examples.x)
        networks = self.encoder, self.decoder, self.prior, self.codebook
        objective = self.minimize(lambda: self.objective(examples, noise, training=True), *networks)
        return self.report(objective)

    def objective(self, examples, noise: Noise, training: bool) -> Objective:
        """Returns the loss of equation 3 with the prior's, and the bound's parts, in nats."""
        x = self.likelihood.observe(examples.x, noise.at("observation"))
        vectors = self.encoder(x, training=training)
        z = self.quantized(vectors)
        nearest = self.vectors(z)
        straight_through = vectors + ops.stop_gradient(nearest - vectors)
        parameters = self.decoder(straight_through, training=training)
        reconstruction = self.likelihood.log_prob(x, parameters)
        kl = -self.grid.log_prob(z, examples.label, training)
        codebook = squared_distance(ops.stop_gradient(vectors), nearest)
        commitment = squared_distance(vectors, ops.stop_gradient(nearest))
        loss = kl - reconstruction + codebook + self.commitment * commitment
        bound = self.bound(loss, reconstruction, kl)
        return bound._replace(metrics=bound.metrics | {"quantization": commitment})

    def quantized(self, vectors):
        """Returns the indices of the nearest vectors of the codebook, `(batch, rows * columns)`,
        of vectors `(batch, rows, columns, size)`."""
        e = ops.cast(self.codebook.embeddings, "float32")
        rows = ops.reshape(vectors, (-1, e.shape[-1]))
        distance = ops.sum(ops.square(e), axis=-1) - 2.0 * ops.matmul(rows, ops.transpose(e))
        return ops.reshape(ops.argmin(distance, axis=-1), (-1, self.grid.places))

    def vectors(self, z):
        """Returns the vectors of indices z, `(batch, rows, columns, size)`."""
        vectors = ops.take(self.codebook.embeddings, ops.cast(z, "int32"), axis=0)
        return ops.reshape(vectors, (-1, *self.encoder.output_shape[1:]))

    def call(self, inputs, training: bool = False):
        """Returns the mean of p(x|z) for the indices z of x, `(batch, *data_shape)`."""
        z = self.quantized(self.encoder(self.examples(inputs).x, training=training))
        return self.likelihood.mean(self.decoder(self.vectors(z), training=training))

    # The same as of any VAE, whose latents are Gaussian in all else.
    bound, metric_unit = VAE.bound, VAE.metric_unit
    reconstruct, check_examples = VAE.reconstruct, VAE.check_examples

    @property
    def metric_names(self) -> tuple[str, ...]:
        return (*VAE.metric_names.fget(self), "quantization")

    # ---- generation ------------------------------------------------------------------------------

    def draw(self, n, noise: Noise):
        """Returns the numbers from which `write` makes latents, `(n, rows * columns)`."""
        return noise.uniform((n, self.grid.places))

    def draw_latents(self, n: int, seed: int | None = None, label=None) -> np.ndarray:
        """Returns the z that `sample` decodes, `(n, rows * columns)`; None draws a seed."""
        return serving.run(self, "write", super().draw_latents(n, seed), label)

    def sample(
        self, n: int, seed: int | None = None, label=None, batch_size: int = 512
    ) -> np.ndarray:
        return self.decode(self.draw_latents(n, seed, label), label, batch_size)

    def encode(self, x, label=None, batch_size: int = 512) -> np.ndarray:
        """Returns the indices of examples x, `(batch, rows * columns)`, whole numbers."""
        return serving.run(self, "encode", x, label, batch_size=batch_size)

    def signatures(self):
        label = ["label"] if self.conditional else []
        x = serving.inputs(*label, x=self.data_shape)

        def encode(x, label=None):
            return {"z": ops.cast(self.quantized(self.encoder(x)), "float32")}

        def decode(z, label=None):
            return {"x": self.likelihood.mean(self.decoder(self.vectors(z)))}

        def reconstruct(x, label=None):
            return decode(encode(x)["z"])

        def write(u, label=None):
            return {"z": self.grid.write(u, label)}

        def sample(n, seed, label=None):
            return decode(self.grid.write(self.draw(n, Noise(seed).at("sample")), label))

        return {
            "serving_default": (reconstruct, x),
            "sample": (sample, serving.inputs("n", "seed", *label)),
            "write": (write, serving.inputs(*label, u=(self.grid.places,))),
            "encode": (encode, x),
            "decode": (decode, serving.inputs(*label, z=(self.grid.places,))),
            "reconstruct": (reconstruct, x),
        }

    def _check_networks(self) -> None:
        grid = tuple(self.encoder.output_shape)
        parameters = (None, *self.likelihood.parameter_shape(self.data_shape))
        found = tuple(self.decoder.inputs[0].shape), tuple(self.decoder.output_shape)
        if len(grid) != 4 or found != (grid, parameters):
            raise ValueError(
                f"encoder must return (batch, rows, columns, size), and decoder map it to "
                f"{parameters}, for likelihood {type(self.likelihood).__name__}; the encoder "
                f"returns {grid}, and the decoder maps {found[0]} to {found[1]}."
            )


def squared_distance(a, b):
    """Returns the squared distance of grids of vectors, `(batch,)`."""
    return ops.sum(ops.square(a - b), axis=(1, 2, 3))
