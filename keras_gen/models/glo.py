"""Generative latent optimization: a generator learned by regression, with no adversary.

Bojanowski, Joulin, Lopez-Paz & Szlam 2018, "Optimizing the Latent Space of Generative Networks"
(arXiv:1707.05776). Each training example x_i has a latent z_i of its own, learned together with
the generator (section 2):

    min_theta 1/N sum_i min_{z_i in Z} l(g_theta(z_i), x_i),

with Z the unit ball, into which each z_i is projected after its step, and l the Laplacian pyramid
distance Lap1. The z_i start as the whitened principal components of the x_i, one of the paper's two
ways, and samples are g_theta of draws from the Gaussian that fits the z_i.

The z_i of images are far from Gaussian: most draws lie where no z_i is. With `components`, a
mixture of so many Gaussians is fitted in the same steps. Nothing else depends on it.

    paper        here
    ---------    --------------------------------------------------------------------------------
    z_i          row i of `latents`; `adapt` computes its start
    g_theta      `generator`
    l            `loss`: "laplacian" (images) or "squared"
    -            `density`, the mixture
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
from keras import ops

from keras_gen import checks, data, losses
from keras_gen.engine import default_networks, inputs, options, serving
from keras_gen.engine.model import GenerativeModel
from keras_gen.engine.trainer import Objective
from keras_gen.models import latent_search
from keras_gen.models.mixture import GaussianMixture
from keras_gen.noise import Noise
from keras_gen.presets import citations


class GLO(GenerativeModel):
    """A generator that learns, for every training example, the latent it is generated from.

    ```python
    glo = GLO.for_data(spec, num_examples=len(x_train), latent_dim=32)
    glo.compile()
    glo.adapt(x_train)  # latents start as principal components: far fewer epochs
    glo.fit(x_train, epochs=20)
    z = glo.represent(x_test)  # the latents of new examples
    glo.decode(z)
    ```

    `fit` takes arrays, a `keras_gen.data.Dataset`, or batches with each example's `index`:
    `dataset.batches(index=True)`. `fit` and `evaluate` report `loss`, the distance per example, and
    with several components `density_loss`, -log p(z) in nats. For held-out data they are measured
    at latents found by `represent` in few steps: upper bounds.

    Args:
        generator: `keras.Model` from z `(batch, latent_dim)` to data `(batch, *shape)`.
        num_examples: number of training examples, N.
        loss: a name in `keras_gen.losses.reconstruction.LOSSES`.
        represent_steps: steps of the search for the latents of held-out examples in `evaluate`.
        components: number of Gaussians of the mixture from which samples are drawn.
        value_range: of the data, which `fit` checks; None for all numbers.
        **kwargs: `seed` of all noise; `name`, `dtype` of `keras.Model`.

    Raises:
        ValueError: if the generator does not suit, or the loss is unknown.
    """

    paper = citations.BOJANOWSKI
    kinds: ClassVar = {"image": "conv", "vector": "dense"}
    uses_index = True

    def __init__(
        self,
        generator: keras.Model,
        num_examples: int,
        loss: str = "squared",
        represent_steps: int = 20,
        components: int = 1,
        value_range: tuple[float, float] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        inputs.check_built(generator=generator)
        self.generator = generator
        self.num_examples = checks.integer("num_examples", num_examples)
        self.represent_steps = checks.integer("represent_steps", represent_steps)
        self.value_range = inputs.unbounded(value_range)
        self.distance = losses.reconstruction.get(loss)
        self.data_shape = tuple(generator.output_shape[1:])
        self.latent_dim = generator.inputs[0].shape[-1]
        self.latents = latent_search.embedding(num_examples, self.latent_dim, self.seed)
        self.components = checks.integer("components", components)
        # A single Gaussian has a closed form, and learns nothing.
        self.density = None
        if components > 1:
            self.density = GaussianMixture(components, self.latent_dim, self.seed)

    @property
    def codes(self) -> keras.layers.Embedding:
        """The latents under the name that they have in `.keras` files."""
        return self.latents

    @options.takes_options
    def for_data(
        cls,
        spec: data.Spec,
        num_examples: int,
        latent_dim: int = 32,
        loss: str | None = None,
        network: str | None = None,
        hidden: int | Sequence[int] | None = None,
        depth: int | None = None,
        width: int | None = None,
        generator_normalization: str | None = "batch",
        seed: int | None = None,
        remat: bool = False,
        **model,
    ) -> GLO:
        """Returns the model with a default generator for the data that `spec` describes.

        Args:
            spec: of a data set.
            num_examples: number of training examples.
            latent_dim: dimension of z.
            loss: by default "laplacian" for images and "squared" for other data.
            network, hidden, depth, width, generator_normalization, remat: of the generator, as in
                `AdversarialModel.for_data`.
            seed: of the initial weights and latents.
            **model: the model's own hyperparameters, as in its constructor.

        Raises:
            TypeError: for an unknown option.
            ValueError: if there are no default networks for the data, or an option does not suit
                them.
        """
        further = {"normalization": generator_normalization, "seed": seed, "remat": remat}
        generator = default_networks.generator(
            cls, spec, latent_dim, network, hidden, depth, width, **further
        )
        loss = loss or ("laplacian" if spec.is_picture else "squared")
        model = {"value_range": default_networks.generated_range(spec)} | model
        return cls(generator, num_examples, loss=loss, seed=seed, **model)

    @property
    def players(self):
        density = {"density": (self.density,)} if self.density else {}
        return {"latents": (self.latents,), "generator": (self.generator,)} | density

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """Returns Adam, with a rate of its own for the mixture; for the latents without momentum,
        which would move them in the steps of other examples.

        Adam's second moments decay in those steps too, so that a latent moves about 20 rates in its
        own: in an epoch as far as the paper's, whose rate is 10 times the generator's.
        """
        rate = 1e-2 if player == "density" else 1e-3
        return keras.optimizers.Adam(rate, beta_1=0.0 if player == "latents" else 0.9)

    def compile(self, optimizer=None, *args, **kwargs) -> None:
        """Configures training, as `GenerativeModel.compile`.

        Args:
            optimizer: one for each of the players `latents`, `generator` and, with several
                components, `density`; one for all; or None for the defaults.
            *args, **kwargs: as in `GenerativeModel.compile`.
        """
        super().compile(optimizer, *args, **kwargs)

    def train_step(self, batch):
        """Takes a step of the generator and of the batch's latents, both down the same loss, and
        of the mixture; returns the metrics so far."""
        examples = self.examples(batch)
        if examples.index is None:
            raise ValueError(
                "GLO learns a latent for each example and must know which is which: fit arrays, or "
                'batches with an "index", as dataset.batches(index=True) gives.'
            )
        noise = self.noise(examples.x)
        networks = [network for player in self.players.values() for network in player]
        objective = self.minimize(lambda: self.objective(examples, noise, training=True), *networks)
        return self.report(objective)

    def objective(self, examples, noise: Noise, training: bool) -> Objective:
        """Returns the distance from examples to what their latents generate, `(batch,)`, and what
        fits the mixture to those latents as they are.

        Training examples have learned latents, those of their `index`. For other examples latents
        are searched for.
        """
        if examples.index is None:
            z = self._search(examples.x, self.represent_steps)
        else:
            z = self.latents(examples.index)
        generated = ops.cast(self.generator(z, training=training), "float32")
        loss = self.distance(examples.x, generated)
        if not self.density:
            return Objective(loss, {"loss": loss})
        density_loss = -self.density.log_prob(self.scale * ops.stop_gradient(z))
        return Objective(loss + density_loss, {"loss": loss, "density_loss": density_loss})

    @property
    def scale(self) -> float:
        """By which latents are multiplied for the mixture, whose components start at scale 1."""
        return math.sqrt(self.latent_dim)

    def _search(self, x, steps):
        """Latents that generate nearly x, `(batch, latent_dim)`."""

        def distance(z):
            return self.distance(x, ops.cast(self.generator(z), "float32"))

        return latent_search.search(distance, ops.zeros((ops.shape(x)[0], self.latent_dim)), steps)

    def adapt(self, x) -> None:
        """Lets the latents start as the whitened principal components of the training examples.
        Call it before training, once.

        On MNIST this halves the loss of the first epoch.

        Args:
            x: the training examples in order, `(examples, *data_shape)`; latents of examples that
                are left out, and dimensions beyond those of x, stay as they are.
        """
        self.check_size(len(x))
        found = latent_search.principal_components(x, self.latent_dim, self.seed)
        latents = ops.convert_to_numpy(self.latents.embeddings).copy()
        latents[: len(x), : found.shape[1]] = found
        self.latents.embeddings.assign(self.latents.embeddings_constraint(latents))
        if self.density and len(x) >= self.components:
            self.density.means.assign(self.scale * latents[: self.components])

    def check_size(self, examples: int) -> None:
        if examples > self.num_examples:
            raise ValueError(f"x has {examples} examples, but num_examples is {self.num_examples}.")

    def call(self, inputs, training: bool = False):
        """Returns what the latents found for examples generate, `(batch, *data_shape)`."""
        x = self.examples(inputs).x
        return self.generator(self._search(x, self.represent_steps), training=training)

    # ---- use -------------------------------------------------------------------------------------

    def represent(self, x, steps: int = 200, batch_size: int = 512) -> np.ndarray:
        """Returns the latents from which the generator makes examples best, `(batch, latent_dim)`.

        Args:
            x: `(batch, *data_shape)`.
            steps: of the search, by gradient descent from 0.
            batch_size: how many are searched for at a time.

        Raises:
            ValueError: if x does not suit the model, or a number is not a positive integer.
        """
        x = checks.real_array("x", x)
        self.check_examples(x)
        steps = np.array(checks.integer("steps", steps), "int32")
        checks.integer("batch_size", batch_size)
        search = serving.graph(self, "represent")
        starts = range(0, len(x), batch_size)
        parts = [ops.convert_to_numpy(search(x[i : i + batch_size], steps)["z"]) for i in starts]
        return np.concatenate(parts)

    def reconstruct(self, x, steps: int = 200, batch_size: int = 512) -> np.ndarray:
        """Returns `decode(represent(x))`, `(batch, *data_shape)`."""
        return self.decode(self.represent(x, steps, batch_size), batch_size=batch_size)

    def draw(self, n, noise: Noise):
        """Returns draws from the Gaussian or the mixture that fits the learned latents, in the unit
        ball, `(n, latent_dim)`."""
        if not self.density:
            return latent_search.draw_alike(self.latents.embeddings, n, noise)
        return latent_search.UnitBall()(self.density.sample(n, noise) / self.scale)

    def signatures(self):
        z = serving.inputs(z=(self.latent_dim,))
        steps = serving.Input("steps", (), "int32")

        def decode(z):
            return {"x": ops.cast(self.generator(z), "float32")}

        def sample(n, seed):
            return decode(self.draw(n, Noise(seed).at("sample")))

        def represent(x, steps):
            return {"z": self._search(x, steps)}

        return {
            "serving_default": (decode, z),
            "sample": (sample, serving.inputs("n", "seed")),
            "decode": (decode, z),
            "represent": (represent, [*serving.inputs(x=self.data_shape), steps]),
        }

    @property
    def metric_names(self) -> tuple[str, ...]:
        return ("loss", "density_loss") if self.density else ("loss",)

    def metric_unit(self, name: str) -> str:
        return "nats" if name == "density_loss" else "-"
