"""What models share that generate data from z ~ p(z) by one network, which may be averaged."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gen import checks
from keras_gen.engine import serving
from keras_gen.engine.backends import backend
from keras_gen.engine.model import GenerativeModel
from keras_gen.noise import Noise


class GeneratorModel(GenerativeModel):
    """Base class of models with a `generator` from z ~ p(z), given by `latent`, to data.

    With `ema`, the moving average of the generator's weights samples in its place.
    """

    generator: keras.Model
    latent: Any
    ema: float

    def draw(self, n, noise: Noise):
        return self.latent.sample((n,), noise.at("prior"))

    def draw_for(self, x, noise: Noise):
        """Returns z ~ p(z) for each example of a batch, `(batch, latent_dim)`."""
        # Only once there is a batch: batch normalization counts what is generated.
        return backend.after([x], lambda: self.draw(ops.shape(x)[0], noise))

    def generate(self, z, label=None, training: bool = False):
        """Returns G(z), `(batch, *data_shape)`."""
        return ops.cast(self.generator(self._with_label(z, label), training=training), "float32")

    def start_average(self) -> None:
        """Makes the averaged generator, equal to the generator, if there is to be one."""
        if self.ema:
            self.average = keras.models.clone_model(self.generator)
            self.average.set_weights(self.generator.get_weights())
            self.average.trainable = False

    def update_average(self) -> None:
        """Moves the averaged generator: average <- ema * average + (1 - ema) * generator."""
        if self.ema:
            for mean, value in zip(self.average.weights, self.generator.weights, strict=True):
                mean.assign(self.ema * mean + (1.0 - self.ema) * value)

    @property
    def sampler(self) -> keras.Model:
        """The network that samples: the average with `ema`, else the generator."""
        return self.average if self.ema else self.generator

    def for_use(self) -> GeneratorModel:
        """Returns a copy whose generator is the averaged one."""
        copy = type(self).from_config(self.get_config() | {"ema": 0.0})
        networks = [layer for layer in self.layers if not (self.ema and layer is self.average)]
        for new, old in zip(copy.layers, networks, strict=True):
            new.set_weights(old.get_weights())
        copy.generator.set_weights(self.sampler.get_weights())
        copy.step.assign(self.step)
        return copy

    # ---- generation ------------------------------------------------------------------------------

    def interpolate(self, z_from, z_to, steps: int = 8, label=None) -> np.ndarray:
        """Decodes points between pairs of latents, on great circles where p(z) is Gaussian.

        Points on a straight line between two Gaussian draws are shorter than draws are, and the
        generator has seen few such (White 2016, "Sampling Generative Networks", section 2.1).

        Args:
            z_from: `(batch, latent_dim)`, for instance of `draw_latents`.
            z_to: as `z_from`.
            steps: number of points on each path, both ends included.
            label: `(batch,)`, of both ends, for a conditional model.

        Returns:
            `(batch, steps, *data_shape)`.
        """
        checks.integer("steps", steps, least=2)
        z_from, z_to = (checks.real_array("z", z) for z in (z_from, z_to))
        return serving.decode_paths(self, self.latent.interpolate(z_from, z_to, steps), label)

    def signatures(self):
        label = ["label"] if self.conditional else []
        z = serving.inputs(*label, z=(self.latent.dim,))

        def decode(z, label=None):
            return {"x": ops.cast(self.sampler(self._with_label(z, label)), "float32")}

        def sample(n, seed, label=None):
            return decode(self.draw(n, Noise(seed).at("sample")), label)

        return {
            "serving_default": (decode, z),
            "sample": (sample, serving.inputs("n", "seed", *label)),
            "generate": (decode, z),
            "decode": (decode, z),
        }

    def _with_label(self, tensor, label):
        """The inputs of a network, to which a conditional model adds the label."""
        return tensor
