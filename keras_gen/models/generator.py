"""What models with a generator and a discriminator can do besides training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from keras_gen import checks, data, networks
from keras_gen.engine import default_networks, options, serving
from keras_gen.engine.model import GenerativeModel
from keras_gen.noise import Noise

PENALTIES = ("r1", "r2", "wgan_gp")


class GeneratorModel(GenerativeModel):
    """Base class of `AdversarialModel`: default networks and optimizers, sampling, interpolation.

    Attributes:
        generator: from z ~ p(z), given by `latent`, to data.
        average: with `ema`, the moving average of the generator, which samples in its place.
    """

    generator: keras.Model
    average: keras.Model
    latent: Any
    ema: float
    # Whether the default discriminator returns features besides the logit.
    needs_features = False
    kinds: ClassVar = {"image": "dense", "vector": "dense"}

    @options.takes_options
    def for_data(
        cls,
        spec: data.Spec,
        latent_dim: int = 64,
        network: str | None = None,
        hidden: int | Sequence[int] | None = None,
        discriminator_hidden: int | Sequence[int] | None = None,
        depth: int | None = None,
        width: int | None = None,
        activation: str | None = None,
        generator_normalization: str | None = "batch",
        normalization: str | None = None,
        packing: int = 1,
        seed: int | None = None,
        remat: bool = False,
        **model,
    ) -> GeneratorModel:
        """Returns the model with default networks for the data that `spec` describes.

        Args:
            spec: of a data set, as `keras_gen.data.load(...).spec`.
            latent_dim: dimension of z.
            network: `"dense"` or `"conv"` (DCGAN's).
            hidden: units of the generator's dense layers.
            discriminator_hidden: of the discriminator; by default the same, reversed.
            depth: number of convolutional stages.
            width: channels of the convolutional stage next to the image; each further has twice as
                many.
            activation: of the discriminator's hidden layers; `"maxout"` in dense networks.
            generator_normalization: of the generator's hidden layers: None, "batch" or "layer".
            normalization: of the discriminator's hidden layers: None, "batch", "layer" or
                "spectral" (Miyato et al. 2018).
            packing: how many examples the discriminator sees as one pack.
            seed: of the initial weights and of all noise.
            remat: whether blocks of layers are computed a second time for the gradient, which saves
                memory; see `keras_gen.networks.remat`. A discriminator under a penalty is not.
            **model: the model's own hyperparameters, as in its constructor.

        Raises:
            TypeError: for an unknown option.
            ValueError: if there are no default networks for this kind of data, an option does not
                suit them, or labels are needed and there are none.
        """
        stages = {"network": network, "depth": depth, "width": width, "seed": seed}
        generator = default_networks.generator(
            cls,
            spec,
            latent_dim,
            hidden=hidden,
            normalization=generator_normalization,
            remat=remat,
            **stages,
        )
        if discriminator_hidden is None and hidden is not None:
            discriminator_hidden = networks.layer_sizes(hidden)[::-1]
        discriminator = default_networks.discriminator(
            cls,
            spec,
            hidden=discriminator_hidden,
            activation=activation,
            normalization=normalization,
            packing=packing,
            features=cls.needs_features,
            remat=remat and not any(model.get(penalty) for penalty in PENALTIES),
            **stages,
        )
        model = {"value_range": default_networks.generated_range(spec)} | model
        made = {"generator": generator, "discriminator": discriminator}
        made |= cls.further_networks(spec, discriminator, latent_dim, stages, model)
        return cls(**made, packing=packing, seed=seed, **model)

    @classmethod
    def further_networks(cls, spec, discriminator, latent_dim, stages, model) -> dict:
        """Returns default networks besides generator and discriminator: argument name -> network.

        Args:
            spec: of the data set.
            discriminator: the default discriminator.
            latent_dim: dimension of z.
            stages: `network`, `depth`, `width` and `seed`, as in `for_data`.
            model: the model's own hyperparameters.
        """
        return {}

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """Returns Adam as in Radford et al. 2016, section 4, for every player."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    def compile(self, optimizer=None, *args, **kwargs) -> None:
        """Configures training, as `GenerativeModel.compile`.

        Args:
            optimizer: one for each player, `{"discriminator": ..., "generator": ...}`, by name or
                object; one for all, of which each player gets a copy; or None for the paper's.
            *args, **kwargs: as in `GenerativeModel.compile`.
        """
        super().compile(optimizer, *args, **kwargs)

    def metric_unit(self, name: str) -> str:
        if name == "discriminator_accuracy":
            return "of 1"
        # The other losses of the game are not logarithms of probabilities.
        probabilities = self.loss_pair.logistic or self.loss_pair.name == "relativistic"
        return "nats" if probabilities or not name.endswith("_loss") else "-"

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

        Raises:
            ValueError: for latents of another shape, and fewer than two steps.
        """
        checks.integer("steps", steps, least=2)
        z_from, z_to = (checks.real_array("z", z) for z in (z_from, z_to))
        if z_from.ndim != 2 or z_from.shape[1] != self.latent.dim or z_to.shape != z_from.shape:
            raise ValueError(
                f"z_from and z_to must have shape (batch, {self.latent.dim}), one pair for each "
                f"path; got {z_from.shape} and {z_to.shape}."
            )
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
