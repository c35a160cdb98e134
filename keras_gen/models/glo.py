"""Generative latent optimization: a generator learned by regression, with no adversary.

Bojanowski, Joulin, Lopez-Paz & Szlam 2018, "Optimizing the Latent Space of Generative Networks"
(arXiv:1707.05776). Each training example x_i has a latent z_i of its own, learned together with
the generator (section 2):

    min_theta 1/N sum_i min_{z_i in Z} l(g_theta(z_i), x_i),

with Z the unit ball, into which each z_i is projected after its step, and l the Laplacian pyramid
distance Lap1. Samples are G of draws from the Gaussian that fits the z_i.

    paper        here
    ---------    --------------------------------------------------------------------------------
    z_i          row i of `codes`
    g_theta      `generator`
    l            `loss`: "laplacian" (images) or "squared"
"""

from __future__ import annotations

import math
import random
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gen import data, losses, networks
from keras_gen.models import latent_search
from keras_gen.models.adversarial import AdversarialModel
from keras_gen.models.base import GenerativeModel
from keras_gen.noise import Noise


class GLO(GenerativeModel):
    """A generator that learns, for every training example, the latent that it is generated from.

    ```python
    glo = GLO.for_data(spec, num_examples=len(x_train), latent_dim=32)
    glo.compile()
    glo.fit(x_train, epochs=50)
    z = glo.represent(x_test)  # the latents of new examples
    glo.decode(z)
    ```

    `fit` takes arrays, or batches with each example's `index`: `dataset.batches(index=True)`.
    `fit` and `evaluate` report `loss`, the distance per example. That of held-out data is at
    latents found by `represent`, with few steps: an upper bound.

    Args:
        generator: `keras.Model` from z `(batch, latent_dim)` to data `(batch, *shape)`.
        num_examples: number of training examples, N.
        loss: a name in `keras_gen.losses.reconstruction.LOSSES`.
        represent_steps: steps of the search for the latents of held-out examples in `evaluate`.
        value_range: of the data, which `fit` checks.
        **kwargs: `seed` of all noise; `name`, `dtype` of `keras.Model`.

    Raises:
        ValueError: if the generator does not suit, or the loss is unknown.
    """

    paper = (
        "Bojanowski et al. 2018, Optimizing the Latent Space of Generative Networks "
        "(arXiv:1707.05776)"
    )
    kinds: ClassVar = {"image": "conv", "vector": "dense"}
    uses_index = True

    def __init__(
        self,
        generator: keras.Model,
        num_examples: int,
        loss: str = "squared",
        represent_steps: int = 20,
        value_range: tuple[float, float] = (-math.inf, math.inf),
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.check_built(generator=generator)
        if num_examples < 1:
            raise ValueError(f"num_examples must be at least 1, got {num_examples}.")
        self.generator = generator
        self.num_examples = num_examples
        self.represent_steps = represent_steps
        self.value_range = tuple(value_range)
        self.distance = losses.reconstruction.get(loss)
        self.data_shape = tuple(generator.output_shape[1:])
        self.latent_dim = generator.inputs[0].shape[-1]
        self.codes = keras.layers.Embedding(
            num_examples,
            self.latent_dim,
            embeddings_initializer=keras.initializers.RandomNormal(
                stddev=1.0 / math.sqrt(self.latent_dim), seed=self.seed
            ),
            embeddings_constraint=latent_search.UnitBall(),
            dtype="float32",
        )
        self.codes.build()
        self.codes.embeddings.assign(self.codes.embeddings_constraint(self.codes.embeddings))

    @classmethod
    def for_data(
        cls,
        spec: data.Spec,
        num_examples: int,
        latent_dim: int = 32,
        loss: str | None = None,
        network: str | None = None,
        hidden=None,
        depth: int | None = None,
        width: int | None = None,
        generator_normalization: str | None = "batch",
        seed: int | None = None,
        **options,
    ) -> GLO:
        """The model with a default generator for the data that `spec` describes.

        Args:
            spec: of a data set.
            num_examples: number of training examples.
            latent_dim: dimension of z.
            loss: by default "laplacian" for images and "squared" for other data.
            network, hidden, depth, width, generator_normalization: of the generator, as in
                `AdversarialModel.default_networks`.
            seed: of the initial weights and codes.
            **options: the model's own hyperparameters.

        Raises:
            ValueError: if z has no dimension, or there are no default networks for the data.
        """
        pictures = cls.default_network(spec) is networks.conv
        made = AdversarialModel.default_networks(
            spec,
            latent_dim,
            network=network or ("conv" if pictures else None),
            hidden=hidden,
            depth=depth,
            width=width,
            generator_normalization=generator_normalization,
            seed=seed,
        )
        loss = loss or ("laplacian" if pictures else "squared")
        options |= {"value_range": AdversarialModel._value_range(spec), "seed": seed}
        return cls(made["generator"], num_examples, loss=loss, **options)

    @property
    def players(self):
        return {"codes": (self.codes,), "generator": (self.generator,)}

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """Adam; the codes faster by the paper's factor, 10, and without momentum, which would move
        them on in the steps of other examples."""
        if player == "codes":
            return keras.optimizers.Adam(1e-2, beta_1=0.0)
        return keras.optimizers.Adam(1e-3)

    def compile(self, optimizer=None, *args, **kwargs) -> None:
        """As `AdversarialModel.compile`, for the players `codes` and `generator`."""
        super().compile(optimizer, *args, **kwargs)

    def train_step(self, batch):
        """A step of the generator and of the batch's latents; gives the metrics' means so far."""
        x, index = self.examples(batch)
        if index is None:
            raise ValueError(
                "GLO learns a latent for each example and must know which is which: fit arrays, or "
                'batches with an "index", as dataset.batches(index=True) gives.'
            )

        def objective():
            return self.objective(x, index, self.noise(x), training=True)

        # Both go down the same loss, each by its own optimizer, after one forward pass.
        terms = self.minimize(lambda: self.minimize(objective, self.codes), self.generator)
        return self.report(terms)

    def objective(self, x, label, noise: Noise, training: bool) -> dict:
        """The distance from what the latents of examples generate, `(batch,)`: of training examples
        `label` is the index; without it the latents are searched for."""
        z = self._search(x, self.represent_steps) if label is None else self.codes(label)
        made = ops.cast(self.generator(z, training=training), "float32")
        return {"loss": self.distance(x, made)}

    def test_step(self, batch):
        # Where there is an index, it is that of other examples than the training ones.
        return super().test_step(self.examples(batch)[0])

    def _search(self, x, steps):
        """Latents that generate nearly x, `(batch, latent_dim)`."""

        def distance(z):
            return self.distance(x, ops.cast(self.generator(z), "float32"))

        return latent_search.search(distance, ops.zeros((ops.shape(x)[0], self.latent_dim)), steps)

    def examples(self, batch):
        """As `GenerativeModel.examples`, with an example's index (or None) in place of a label."""
        x, _ = super().examples(batch)
        inputs = batch[0] if isinstance(batch, tuple) else batch
        return x, inputs.get("index") if isinstance(inputs, dict) else None

    def fit(self, x=None, *args, **kwargs) -> keras.callbacks.History:
        """As `GenerativeModel.fit`, on at most as many examples as the model has latents for."""
        size = x.examples if isinstance(x, data.Batches) else None
        if (arrays := self._arrays(x)) is not None:
            count = len(arrays["x"])
            size = count - int(count * kwargs.get("validation_split", 0.0))
        if size is not None and size > self.num_examples:
            raise ValueError(f"x has {size} examples, but num_examples is {self.num_examples}.")
        return super().fit(x, *args, **kwargs)

    def call(self, inputs, training: bool = False):
        """What the latents found for examples generate, `(batch, *data_shape)`."""
        x, _ = self.examples(inputs)
        return self.generator(self._search(x, self.represent_steps), training=training)

    # ---- use -----------------------------------------------------------------------------------

    def represent(self, x, steps: int = 200, batch_size: int = 512) -> np.ndarray:
        """The latents from which the generator makes examples best, `(batch, latent_dim)`.

        Args:
            x: `(batch, *data_shape)`.
            steps: of the search, by gradient descent from 0.
            batch_size: how many are searched for at a time.
        """
        self.check_examples(np.asarray(x))
        if "represent" not in self._graphs:
            self._graphs["represent"] = tf.function(self._search)
        steps = tf.constant(steps)
        parts = [
            self._graphs["represent"](tf.constant(x[i : i + batch_size], tf.float32), steps)
            for i in range(0, len(x), batch_size)
        ]
        return np.concatenate(parts)

    def decode(self, z, batch_size: int = 512) -> np.ndarray:
        """G(z), `(batch, *data_shape)`, for z `(batch, latent_dim)`."""
        return self.run("decode", z, batch_size=batch_size)

    def reconstruct(self, x, steps: int = 200, batch_size: int = 512) -> np.ndarray:
        """`decode(represent(x))`, `(batch, *data_shape)`."""
        return self.decode(self.represent(x, steps, batch_size), batch_size)

    def sample(self, n: int, seed: int | None = None, batch_size: int = 512) -> np.ndarray:
        """G of `n` draws from the Gaussian that fits the learned codes, `(n, *data_shape)`.

        Args:
            n: number of samples.
            seed: the same seed gives the same samples; None draws a seed.
            batch_size: how many are generated at a time.
        """
        seed = random.randrange(2**31) if seed is None else seed
        return self.decode(self._prior(n, seed).numpy(), batch_size)

    def _prior(self, n, seed):
        return latent_search.draw_alike(self.codes.embeddings, n, Noise(seed).at("sample"))

    def signatures(self):
        z = tf.TensorSpec((None, self.latent_dim), tf.float32, name="z")
        x = tf.TensorSpec((None, *self.data_shape), tf.float32, name="x")
        n = tf.TensorSpec((), tf.int32, name="n")
        seed = tf.TensorSpec((), tf.int32, name="seed")
        steps = tf.TensorSpec((), tf.int32, name="steps")

        def decode(z):
            return {"x": ops.cast(self.generator(z), "float32")}

        return {
            "serving_default": (decode, [z]),
            "sample": (lambda n, seed: decode(self._prior(n, seed)), [n, seed]),
            "decode": (decode, [z]),
            "represent": (lambda x, steps: {"z": self._search(x, steps)}, [x, steps]),
        }

    def metric_unit(self, name: str) -> str:
        return "-"
