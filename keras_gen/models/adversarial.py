"""What all models with a generator and a discriminator share.

The objectives are in the models' own files. Here are the discriminator's passes and the options of
every adversarial model: packing, augmentation, penalties (in `gradient_penalties`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import keras
from keras import ops

from keras_gen import augmentation, checks, data, latents, losses, networks
from keras_gen.engine import default_networks, inputs, options, serving
from keras_gen.models import adversarial_checks
from keras_gen.models.generator import GeneratorModel
from keras_gen.noise import Noise


class DiscriminatorOutput(NamedTuple):
    """What a discriminator returns: logits `(batch,)`, and features `(batch, n)` or None."""

    logits: Any
    features: Any = None


class AdversarialModel(GeneratorModel):
    """Base class of models with a generator and a discriminator.

    Args:
        generator: `keras.Model` from z `(batch, latent_dim)` (and a one-hot label, for conditional
            models) to data `(batch, *shape)`.
        discriminator: `keras.Model` from data `(batch, *shape)` (and a one-hot label) to a logit
            `(batch, 1)`, without an activation. With packing, shape's last axis is `packing` times
            as long.
        loss: a name in `keras_gen.losses.adversarial.LOSSES`.
        latent: p(z), a `keras_gen.latents` object or its description, such as "uniform:64"; by
            default a standard Gaussian.
        value_range: of the data, which `fit` checks; None for all numbers.
        r1: weight gamma of R1, on the gradient at real examples.
        r2: weight gamma of R2, on the gradient at generated examples.
        wgan_gp: weight lambda of WGAN-GP, on the gradient between both.
        discriminator_steps: steps of the discriminator for each of the generator, each with new
            generated examples, on the same real ones.
        packing: how many examples the discriminator sees as one pack (Lin et al. 2018, "PacGAN").
        ema: decay of the moving average of the generator's weights that `sample` and `export` use;
            0 for none.
        label_smoothing: the label of real examples is 1 minus this (Salimans et al. 2016).
        augment: augmentations of what the discriminator sees, of images: a comma-separated list of
            "color", "translation", "cutout" (Zhao et al. 2020) and "affine".
        **kwargs: `seed` of all noise; `name`, `dtype` of `keras.Model`.

    A player's step changes its own trainable weights only. The moving statistics of batch
    normalization are not trainable: any pass in training mode counts into them.

    Raises:
        ValueError: if the networks do not fit together, or an option does not fit them.
    """

    discriminator: keras.Model
    # Whether the default discriminator returns features besides the logit.
    needs_features = False
    kinds: ClassVar = {"image": "dense", "vector": "dense"}

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        loss: str = "non_saturating",
        latent: Any = None,
        value_range: tuple[float, float] | None = None,
        r1: float = 0.0,
        r2: float = 0.0,
        wgan_gp: float = 0.0,
        discriminator_steps: int = 1,
        packing: int = 1,
        ema: float = 0.0,
        label_smoothing: float = 0.0,
        augment: str = "",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        inputs.check_built(generator=generator, discriminator=discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.loss_pair = losses.adversarial.get(loss)
        self.latent = latents.get(latent or f"gaussian:{generator.inputs[0].shape[-1]}")
        self.data_shape = tuple(generator.output_shape[1:])
        self.value_range = inputs.unbounded(value_range)
        self.r1 = checks.number("r1", r1, least=0)
        self.r2 = checks.number("r2", r2, least=0)
        self.wgan_gp = checks.number("wgan_gp", wgan_gp, least=0)
        self.discriminator_steps = checks.integer("discriminator_steps", discriminator_steps)
        self.packing = checks.integer("packing", packing)
        self.ema = checks.number("ema", ema, least=0, below=1)
        self.label_smoothing = checks.number("label_smoothing", label_smoothing, least=0, below=1)
        self.augmentations = augmentation.policies(augment)
        adversarial_checks.check(self)
        # A batch of real and generated examples would have statistics that tell them apart.
        self._normalizes_batches = adversarial_checks.has(
            discriminator, keras.layers.BatchNormalization
        )
        # In training mode this layer writes to the discriminator's weights, in every player's step.
        self._writes_weights = adversarial_checks.has(
            discriminator, keras.layers.SpectralNormalization
        )
        self.start_average()

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
        **model,
    ) -> AdversarialModel:
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
            **model: the model's own hyperparameters, as in its constructor.

        Raises:
            TypeError: for an unknown option.
            ValueError: if there are no default networks for this kind of data, an option does not
                suit them, or labels are needed and there are none.
        """
        stages = {"network": network, "depth": depth, "width": width, "seed": seed}
        generator = default_networks.generator(
            cls, spec, latent_dim, hidden=hidden, normalization=generator_normalization, **stages
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

    @property
    def players(self) -> dict[str, tuple[keras.Model, ...]]:
        return {"discriminator": (self.discriminator,), "generator": (self.generator,)}

    def steps_of(self, player: str) -> int:
        return self.discriminator_steps if player == "discriminator" else 1

    def metric_unit(self, name: str) -> str:
        if name == "discriminator_accuracy":
            return "of 1"
        # The other losses of the game are not logarithms of probabilities.
        probabilities = self.loss_pair.logistic or self.loss_pair.name == "relativistic"
        return "nats" if probabilities or not name.endswith("_loss") else "-"

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

    # ---- the players' networks -------------------------------------------------------------------

    def generate_for(self, x, z, label=None, training: bool = False):
        """Returns G(z) in the form that is compared with real examples x."""
        return self.generate(z, label, training)

    def discriminate(self, x, label=None, training: bool = False) -> DiscriminatorOutput:
        """Returns the discriminator's output for what `discriminator_view` returned."""
        outputs = self.discriminator(self._with_label(x, label), training=training)
        logits, *features = keras.tree.flatten(outputs)
        return DiscriminatorOutput(ops.cast(logits[..., 0], "float32"), *features)

    def discriminate_both(self, real, fake, label=None, training: bool = False):
        """Returns the discriminator's outputs for real and for generated examples."""
        if self._normalizes_batches and training:
            return self.discriminate(real, label, training), self.discriminate(
                fake, label, training
            )
        label = None if label is None else ops.concatenate([label, label])
        both = self.discriminate(ops.concatenate([real, fake]), label, training)
        halves = [(None, None) if output is None else ops.split(output, 2) for output in both]
        return tuple(DiscriminatorOutput(*parts) for parts in zip(*halves, strict=True))

    def per_example(self, values, x):
        """Returns one value for each example or pack, `(batch,)`: here the values themselves."""
        return values

    @property
    def compares(self) -> bool:
        """Whether the generator's loss needs the discriminator's output for real examples too."""
        return self.loss_pair.compares

    def discriminator_view(self, x, noise: Noise):
        """Returns what the discriminator sees of examples: augmented, then packed."""
        return self.pack(self.augmented(x, self.augmentations, noise))

    def augmented(self, x, augmentations: list[str], noise: Noise):
        """Returns examples after augmentations, which are defined for values in [-1, 1]."""
        if not augmentations:
            return x
        low, high = self.value_range if math.isfinite(self.value_range[1]) else (-1.0, 1.0)
        middle, half = (low + high) / 2, (high - low) / 2
        return middle + half * augmentation.augment((x - middle) / half, augmentations, noise)

    def pack(self, x):
        """Returns packs: groups of `packing` examples side by side in the last axis."""
        if self.packing == 1:
            return x
        batch = ops.shape(x)[0]
        packs = (batch + self.packing - 1) // self.packing
        # A last pack that is not full is filled from the start of the batch.
        x = ops.take(x, ops.arange(packs * self.packing) % batch, axis=0)
        x = ops.reshape(x, (packs, self.packing, *self.data_shape))
        return ops.concatenate([x[:, i] for i in range(self.packing)], axis=-1)

    def call(self, inputs, training: bool = False):
        """Returns the discriminator's logits of examples, `(batch,)`, or of packs, `(packs,)`."""
        examples = self.examples(inputs)
        return self.discriminate(self.pack(examples.x), examples.label, training).logits

    def signatures(self):
        label = ["label"] if self.conditional else []

        def discriminate(x, label=None):
            return {"logit": self.discriminate(self.pack(x), label).logits}

        inputs = serving.inputs(*label, x=self.data_shape)
        return super().signatures() | {"discriminate": (discriminate, inputs)}

    def has_logit_shape(self, output) -> bool:
        """Whether an output of the discriminator has the shape of logits."""
        return output.shape[1:] == (1,)
