"""What all models with a generator and a discriminator share.

The objectives are in the models' own files. Here are the discriminator's passes and the options of
every adversarial model: packing, augmentation, penalties.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_gen import augmentation, checks, latents, losses
from keras_gen.engine import inputs, serving
from keras_gen.engine.backends import backend
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
            "color", "translation", "cutout" (Zhao et al. 2020), "affine" and "flip".
        **kwargs: `seed` of all noise; `name`, `dtype` of `keras.Model`.

    A player's step changes its own trainable weights only. The moving statistics of batch
    normalization are not trainable: any pass in training mode counts into them.

    Raises:
        ValueError: if the networks do not fit together, or an option does not fit them.
    """

    discriminator: keras.Model

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
        self.packing = self.unit = checks.integer("packing", packing)
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

    @property
    def players(self) -> dict[str, tuple[keras.Model, ...]]:
        return {"discriminator": (self.discriminator,), "generator": (self.generator,)}

    def steps_of(self, player: str) -> int:
        return self.discriminator_steps if player == "discriminator" else 1

    # ---- the players' networks -------------------------------------------------------------------

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

    def generate_for(self, x, z, label=None, training: bool = False):
        """Returns G(z) in the form that is compared with real examples x."""
        return self.generate(z, label, training)

    def discriminate(self, x, label=None, training: bool = False) -> DiscriminatorOutput:
        """Returns the discriminator's output for what `discriminator_view` returned.

        Args:
            x: packs of examples.
            label: what `pack_labels` returned.
            training: whether the discriminator is in training mode.
        """
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
        return ops.concatenate(ops.unstack(self._packs(x), axis=1), axis=-1)

    def pack_labels(self, label):
        """Returns the labels of each pack, `(packs, packing)`; where nothing is packed, as given.

        The discriminator sees the label of each member, so a pack may mix classes.
        """
        return label if label is None or self.packing == 1 else self._packs(label)

    def _packs(self, tensor):
        """Returns a tensor of the batch's examples as `(packs, packing, ...)`."""
        batch = ops.shape(tensor)[0]
        packs = (batch + self.packing - 1) // self.packing
        # A last pack that is not full is filled from the start of the batch.
        tensor = ops.take(tensor, ops.arange(packs * self.packing) % batch, axis=0)
        return ops.reshape(tensor, (packs, self.packing, *tensor.shape[1:]))

    def penalized(self, real, fake, label, noise: Noise, training: bool) -> tuple:
        """Returns the discriminator's outputs for real and for generated examples, and the penalty.

        The penalty is the sum of those with a weight, `r1`, `r2` and `wgan_gp`, `(packs,)`, or 0.

        Args:
            real: what the discriminator sees of real examples.
            fake: what it sees of generated ones.
            label: what `pack_labels` returned.
            noise: of the points between both.
            training: whether the discriminator is in training mode.
        """
        if not (self.r1 or self.r2):
            outputs = self.discriminate_both(real, fake, label, training)
            penalty = 0.0
        else:

            def total(real, fake):
                outputs = self.discriminate_both(real, fake, label, training)
                # Only the sums that have a weight: second derivatives are expensive.
                sums = (
                    ops.sum(self.per_example(output.logits, x))
                    for output, x, weight in zip(
                        outputs, (real, fake), (self.r1, self.r2), strict=True
                    )
                    if weight
                )
                return sum(sums), outputs

            slopes, outputs = backend.gradient(total, [real, fake])
            penalty = self.r1 * losses.penalties.zero_centered(slopes[0])
            penalty += self.r2 * losses.penalties.zero_centered(slopes[1])
        if self.wgan_gp:
            weight = noise.at("interpolation").uniform((ops.shape(real)[0],))
            between = losses.penalties.interpolated(real, fake, ops.cast(weight, real.dtype))

            def total_between(between):
                logits = self.discriminate(between, label, training).logits
                return ops.sum(self.per_example(logits, real)), None

            (slope,), _ = backend.gradient(total_between, [between])
            penalty += self.wgan_gp * losses.penalties.one_centered(slope)
        return *outputs, penalty

    def call(self, inputs, training: bool = False):
        """Returns the discriminator's logits of examples, `(batch,)`, or of packs, `(packs,)`."""
        examples = self.examples(inputs)
        label = self.pack_labels(examples.label)
        return self.discriminate(self.pack(examples.x), label, training).logits

    def signatures(self):
        label = ["label"] if self.conditional else []

        def discriminate(x, label=None):
            return {"logit": self.discriminate(self.pack(x), self.pack_labels(label)).logits}

        inputs = serving.inputs(*label, x=self.data_shape)
        return super().signatures() | {"discriminate": (discriminate, inputs)}

    def has_logit_shape(self, output) -> bool:
        """Whether an output of the discriminator has the shape of logits."""
        return output.shape[1:] == (1,)
