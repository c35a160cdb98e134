"""What all games between a generator and a discriminator have in common.

The objectives are in the models' own files. Here are the default networks, the options that every
adversarial model shares (penalties, packing, augmentation, averaging), and sampling.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from types import ModuleType
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gen import augmentation, data, latents, losses, networks
from keras_gen.models.base import GenerativeModel
from keras_gen.noise import Noise

SQUASHING = (keras.activations.sigmoid, keras.activations.tanh, keras.activations.softmax)


class Judgement(NamedTuple):
    """What a discriminator puts out: logits `(batch,)`, and features `(batch, n)` or None."""

    logit: Any
    features: Any = None


class AdversarialModel(GenerativeModel):
    """Base class of models with a generator and a discriminator.

    Args:
        generator: `keras.Model` from z `(batch, latent_dim)` (and a one-hot label, for models that
            use labels) to data `(batch, *shape)`.
        discriminator: `keras.Model` from data `(batch, *shape)` (and a one-hot label) to a logit
            `(batch, 1)`, without an activation. With packing, shape's last axis is `packing` times
            as long.
        loss: a name in `keras_gen.losses.adversarial.LOSSES`.
        latent: what z is, a `keras_gen.latents` object or its description, such as "uniform:64"; by
            default a standard Gaussian.
        value_range: of the data, which `fit` checks.
        r1: weight gamma of R1, on the gradient at real examples.
        r2: weight gamma of R2, on the gradient at generated examples.
        wgan_gp: weight lambda of WGAN-GP, on the gradient between both.
        discriminator_steps: moves of the discriminator for each of the generator, each with new
            generated examples, on the same real ones.
        packing: how many examples the discriminator judges together (Lin et al. 2018, "PacGAN").
        ema: decay of the moving average of the generator's weights that `sample` and `export` use;
            0 for none.
        label_smoothing: the label of real examples is 1 minus this (Salimans et al. 2016).
        augment: augmentations of what the discriminator sees, of images: a comma-separated list of
            "color", "translation", "cutout" (Zhao et al. 2020) and "affine".
        **kwargs: `seed` of all noise; `name`, `dtype` of `keras.Model`.

    A player's move changes its own trainable weights only. The moving statistics of batch
    normalization are no such weights: any pass in training mode counts into them.

    Attributes:
        sampler: the network that samples: the generator, or its average.

    Raises:
        ValueError: if the networks do not fit together, or an option does not fit them.
    """

    generator: keras.Model
    discriminator: keras.Model
    # Whether the default discriminator puts out features besides the logit.
    needs_features = False
    kinds: ClassVar = {"image": "dense", "vector": "dense"}

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        loss: str = "non_saturating",
        latent: Any = None,
        value_range: tuple[float, float] = (-math.inf, math.inf),
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
        self.check_built(generator=generator, discriminator=discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.loss_pair = losses.adversarial.get(loss)
        self.latent = latents.get(latent or f"gaussian:{generator.inputs[0].shape[-1]}")
        self.data_shape = tuple(generator.output_shape[1:])
        self.value_range = tuple(value_range)
        self.r1, self.r2, self.wgan_gp = r1, r2, wgan_gp
        self.discriminator_steps = discriminator_steps
        self.packing = packing
        self.ema = ema
        self.label_smoothing = label_smoothing
        self.augmentations = augmentation.policies(augment)
        self._check_options()
        self._check_networks()
        self._normalizes_batches = _has(discriminator, keras.layers.BatchNormalization)
        # In training mode this layer writes to the discriminator's weights, whosever move it is.
        self._writes_weights = _has(discriminator, keras.layers.SpectralNormalization)
        if ema:
            self.average = keras.models.clone_model(generator)
            self.average.set_weights(generator.get_weights())
            self.average.trainable = False

    @classmethod
    def for_data(
        cls,
        spec: data.Spec,
        latent_dim: int = 64,
        packing: int = 1,
        seed: int | None = None,
        **options,
    ) -> AdversarialModel:
        """The model with default networks for the data that `spec` describes.

        Args:
            spec: of a data set, as `keras_gen.data.load(...).spec`.
            latent_dim: dimension of z.
            packing: how many examples the discriminator judges together.
            seed: of the initial weights and of all noise.
            **options: those of `default_networks`, and the model's own hyperparameters.

        Raises:
            ValueError: if there are no default networks for this kind of data, an option does not
                go with them, or labels are needed and there are none.
        """
        networks, options = cls._split_options(options)
        made = cls.default_networks(spec, latent_dim, packing=packing, seed=seed, **networks)
        options = {"value_range": cls._value_range(spec)} | options
        return cls(**made, packing=packing, seed=seed, **options)

    @classmethod
    def default_networks(
        cls,
        spec: data.Spec,
        latent_dim: int,
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
    ) -> dict[str, keras.Model]:
        """Generator and discriminator for the data that `spec` describes.

        Args:
            spec: of a data set.
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
            packing: how many examples the discriminator judges together.
            seed: of the initial weights.

        Returns:
            The networks by the name of the constructor's argument.

        Raises:
            ValueError: if z has no dimension, there are no default networks for this kind of data,
                or an option does not go with them.
        """
        if latent_dim < 1:
            raise ValueError(f"latent dim must be at least 1, got {latent_dim}.")
        kind, settings = cls._network(spec, network, depth, width)
        back = settings | ({} if activation is None else {"activation": activation})
        if hidden is not None:
            sizes = networks.layer_sizes(hidden)
            settings["hidden"], back["hidden"] = sizes, sizes[::-1]
        if discriminator_hidden is not None:
            back["hidden"] = networks.layer_sizes(discriminator_hidden)
        value_range = cls._value_range(spec)
        settings |= {"normalization": generator_normalization, "seed": seed}
        # The discriminator's seeds are out of the reach of the generator's.
        back |= {"normalization": normalization, "seed": None if seed is None else seed + 1000}
        shape = (*spec.shape[:-1], spec.shape[-1] * packing)
        return {
            "generator": kind.generator(latent_dim, spec.shape, value_range, **settings),
            "discriminator": kind.discriminator(
                shape, value_range, features=cls.needs_features, **back
            ),
        }

    @classmethod
    def _split_options(cls, options: dict) -> tuple[dict, dict]:
        """Options of the default networks, and the others."""
        named = {parameter.name for parameter in cls.parameters_of("default_networks")}
        own = {name: value for name, value in options.items() if name in named}
        return own, {name: value for name, value in options.items() if name not in named}

    @staticmethod
    def _value_range(spec: data.Spec) -> tuple[float, float]:
        """The range that a generator fills: one of the usual scales. Other bounds are only those
        of the examples that were seen."""
        usual = spec.value_range in ((0.0, 1.0), (-1.0, 1.0))
        return spec.value_range if usual else (-math.inf, math.inf)

    @classmethod
    def _network(cls, spec, network, depth, width) -> tuple[ModuleType, dict]:
        """The module of the default networks and the settings that its functions share."""
        kind = cls.default_network(spec, network)
        settings = {k: v for k, v in {"depth": depth, "width": width}.items() if v is not None}
        if settings and kind is not networks.conv:
            raise ValueError("`depth` and `width` are for convolutional networks: network='conv'.")
        return kind, settings | cls.label_settings(spec)

    @property
    def players(self) -> dict[str, tuple[keras.Model, ...]]:
        return {"discriminator": (self.discriminator,), "generator": (self.generator,)}

    def moves(self, player: str) -> int:
        return self.discriminator_steps if player == "discriminator" else 1

    def metric_unit(self, name: str) -> str:
        if name == "discriminator_accuracy":
            return "of 1"
        # Other losses of the game are no logarithms of probabilities.
        probabilities = self.loss_pair.logistic or self.loss_pair.name == "relativistic"
        return "nats" if probabilities or not name.endswith("_loss") else "-"

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """Adam as in Radford et al. 2016, section 4, for every player."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    def compile(self, optimizer=None, *args, **kwargs) -> None:
        """Configures training, as `GenerativeModel.compile`.

        Args:
            optimizer: one for each player, `{"discriminator": ..., "generator": ...}`, by name or
                object; one for all, of which each player gets its own copy; or None for the
                paper's.
            *args, **kwargs: as in `GenerativeModel.compile`.
        """
        super().compile(optimizer, *args, **kwargs)

    def examples(self, batch):
        x, label = super().examples(batch)
        return ops.cast(x, "float32"), label

    # ---- the players' networks -----------------------------------------------------------------

    def draw(self, batch, noise: Noise):
        """z ~ p(z), `(batch, latent_dim)`."""
        return self.latent.sample((batch,), noise.at("prior"))

    def draw_for(self, x, noise: Noise):
        """z ~ p(z) for each example of a batch, `(batch, latent_dim)`."""
        # Not before there is a batch (see `minimize`): normalization counts what is generated.
        with tf.control_dependencies([x]):
            return tf.identity(self.draw(ops.shape(x)[0], noise))

    def generate(self, z, label=None, training: bool = False):
        """G(z), `(batch, *data_shape)`."""
        made = self.generator(self._with_label(z, label), training=training)
        return ops.cast(made, "float32")

    def generate_for(self, x, z, label=None, training: bool = False):
        """G(z) as it is to stand beside real examples x."""
        return self.generate(z, label, training)

    def verdict_of(self, values, x):
        """What a judgement of prepared examples x comes to, `(packs,)`: here, itself."""
        return values

    @property
    def compares(self) -> bool:
        """Whether the generator's loss needs the judgement of real examples too."""
        return self.loss_pair.compares

    def judge(self, x, label=None, training: bool = False):
        """The discriminator's judgement of prepared examples, one for each."""
        logit, *features = tf.nest.flatten(
            self.discriminator(self._with_label(x, label), training=training)
        )
        return Judgement(ops.cast(logit[..., 0], "float32"), *features)

    def judge_both(self, real, fake, label=None, training: bool = False):
        """The judgements of real and of generated examples, both prepared."""
        if self._normalizes_batches and training:
            # Statistics of a batch that mixes both would tell them apart.
            return self.judge(real, label, training), self.judge(fake, label, training)
        label = None if label is None else ops.concatenate([label, label])
        both = self.judge(ops.concatenate([real, fake]), label, training)
        halves = [(None, None) if output is None else ops.split(output, 2) for output in both]
        return tuple(Judgement(*parts) for parts in zip(*halves, strict=True))

    def prepare(self, x, noise: Noise):
        """What the discriminator sees of examples: augmented, then packed, `(packs, ...)`."""
        return self.pack(self.augmented(x, self.augmentations, noise))

    def augmented(self, x, augmentations: list[str], noise: Noise):
        """Examples after augmentations, which know values in [-1, 1]."""
        if not augmentations:
            return x
        low, high = self.value_range if math.isfinite(self.value_range[1]) else (-1.0, 1.0)
        middle, half = (low + high) / 2, (high - low) / 2
        return middle + half * augmentation.augment((x - middle) / half, augmentations, noise)

    def pack(self, x):
        """Groups of `packing` examples side by side in the last axis, `(packs, ...)`."""
        if self.packing == 1:
            return x
        batch = ops.shape(x)[0]
        packs = (batch + self.packing - 1) // self.packing
        # A last pack that is not full is filled from the start of the batch.
        x = ops.take(x, ops.arange(packs * self.packing) % batch, axis=0)
        x = ops.reshape(x, (packs, self.packing, *self.data_shape))
        return ops.concatenate([x[:, i] for i in range(self.packing)], axis=-1)

    def penalized(self, real, fake, label, noise: Noise, training: bool):
        """The judgements of real and generated examples, and their penalties, `(packs,)`."""
        if not (self.r1 or self.r2):
            judged = self.judge_both(real, fake, label, training)
            penalty = 0.0
        else:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([real, fake])
                judged = self.judge_both(real, fake, label, training)
                # No derivative of what is not wanted.
                total = sum(
                    ops.sum(self.verdict_of(each.logit, x))
                    for each, x, weight in zip(
                        judged, (real, fake), (self.r1, self.r2), strict=True
                    )
                    if weight
                )
            slopes = tape.gradient(total, [real, fake], unconnected_gradients="zero")
            penalty = self.r1 * losses.penalties.zero_centered(slopes[0])
            penalty += self.r2 * losses.penalties.zero_centered(slopes[1])
        if self.wgan_gp:
            weight = noise.at("interpolation").uniform((ops.shape(real)[0],))
            between = losses.penalties.interpolated(real, fake, ops.cast(weight, real.dtype))
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(between)
                logit = self.judge(between, label, training).logit
                total = ops.sum(self.verdict_of(logit, real))
            slope = tape.gradient(total, between)
            penalty += self.wgan_gp * losses.penalties.one_centered(slope)
        return *judged, penalty

    def update_average(self) -> None:
        """Moves the averaged generator: average <- ema * average + (1 - ema) * generator."""
        if self.ema:
            for mean, value in zip(self.average.weights, self.generator.weights, strict=True):
                mean.assign(self.ema * mean + (1.0 - self.ema) * value)

    @property
    def sampler(self) -> keras.Model:
        """The network that samples are drawn from: the average with `ema`, else the generator."""
        return self.average if self.ema else self.generator

    def for_use(self) -> AdversarialModel:
        """A copy whose generator is the averaged one."""
        copy = type(self).from_config(self.get_config() | {"ema": 0.0})
        networks = [layer for layer in self.layers if not (self.ema and layer is self.average)]
        for new, old in zip(copy.layers, networks, strict=True):
            new.set_weights(old.get_weights())
        copy.generator.set_weights(self.sampler.get_weights())
        copy.step.assign(self.step)
        return copy

    def call(self, inputs, training: bool = False):
        """The discriminator's logits of examples, `(batch,)`, or of packs, `(packs,)`."""
        x, label = self.examples(inputs)
        return self.judge(self.pack(x), label, training).logit

    # ---- generation ----------------------------------------------------------------------------

    def sample(
        self, n: int, seed: int | None = None, label=None, batch_size: int = 512
    ) -> np.ndarray:
        """`n` draws from the generator (its average, with `ema`), `(n, *data_shape)`.

        Args:
            n: number of samples.
            seed: the same seed gives the same samples; None draws a seed.
            label: `(n,)`, for a model that uses labels.
            batch_size: how many are generated at a time.
        """
        return self.run("generate", self.draw_z(n, seed), label, batch_size=batch_size)

    def draw_z(self, n: int, seed: int | None = None) -> np.ndarray:
        """The z of which `sample` makes its samples, `(n, latent_dim)`."""
        seed = random.randrange(2**31) if seed is None else seed
        return self._prior(n, seed).numpy()

    def _prior(self, n, seed):
        return self.draw(n, Noise(seed).at("sample"))

    def signatures(self):
        z = tf.TensorSpec((None, self.latent.dim), tf.float32, name="z")
        n = tf.TensorSpec((), tf.int32, name="n")
        seed = tf.TensorSpec((), tf.int32, name="seed")
        x = tf.TensorSpec((None, *self.data_shape), tf.float32, name="x")
        labels = [tf.TensorSpec((None,), tf.int32, name="label")] if self.uses_labels else []

        def generate(z, label=None):
            return {"x": ops.cast(self.sampler(self._with_label(z, label)), "float32")}

        def sample(n, seed, label=None):
            return generate(self._prior(n, seed), label)

        def discriminate(x, label=None):
            return {"logit": self.judge(self.pack(x), label).logit}

        return {
            "serving_default": (generate, [z, *labels]),
            "sample": (sample, [n, seed, *labels]),
            "generate": (generate, [z, *labels]),
            "discriminate": (discriminate, [x, *labels]),
        }

    def _with_label(self, tensor, label):
        """The inputs of a network; a model that uses labels adds them."""
        return tensor

    # ---- mistakes ------------------------------------------------------------------------------

    def _judges(self, output) -> bool:
        """Whether an output of the discriminator has the shape of a logit."""
        return output.shape[1:] == (1,)

    def _check_options(self) -> None:
        at_least = {"r1": 0, "r2": 0, "wgan_gp": 0, "discriminator_steps": 1, "packing": 1}
        for option, least in at_least.items():
            value = getattr(self, option)
            if value < least:
                raise ValueError(f"{option} must be at least {least}, got {value}.")
        for option in ("ema", "label_smoothing"):
            if not 0.0 <= getattr(self, option) < 1.0:
                raise ValueError(f"{option} must be in [0, 1), got {getattr(self, option)}.")
        if self.label_smoothing and not self.loss_pair.logistic:
            raise ValueError(
                f"label_smoothing has no meaning for loss={self.loss_pair.name!r}, which has no "
                "labels: use loss='non_saturating' or 'minimax'."
            )
        self._check_augmentations(self.augmentations)
        if self.uses_labels and self.packing > 1:
            raise ValueError("packing is for models without labels: a pack mixes classes.")

    def _check_augmentations(self, augmentations: list[str]) -> None:
        if augmentations and len(self.data_shape) != 3:
            raise ValueError(
                f"augment is for images (height, width, channels), not for {self.data_shape}."
            )

    def _check_networks(self) -> None:
        if self.generator.inputs[0].shape[1:] != (self.latent.dim,):
            raise ValueError(
                f"generator must take z (batch, {self.latent.dim}), as `latent` is; it takes "
                f"{self.generator.inputs[0].shape}."
            )
        packed = (*self.data_shape[:-1], self.data_shape[-1] * self.packing)
        outputs = self.discriminator.outputs
        if self.discriminator.inputs[0].shape[1:] != packed or not self._judges(outputs[0]):
            raise ValueError(
                f"discriminator must take (batch, {', '.join(map(str, packed))}), what the "
                f"generator makes{' in packs' * (self.packing > 1)}, and put out a logit (batch, "
                f"1); it maps {self.discriminator.inputs[0].shape} to {outputs[0].shape}."
            )
        last = outputs[0]._keras_history.operation
        if getattr(last, "activation", None) in SQUASHING:
            raise ValueError(
                f"discriminator must put out a logit, but its last layer {last.name!r} squashes it "
                f"by a {last.activation.__name__}: leave the activation out; the loss has its own."
            )
        if not (self.r1 or self.r2 or self.wgan_gp):
            return
        if _has(self.discriminator, keras.layers.BatchNormalization):
            raise ValueError(
                "A penalty is on the gradient of each example's logit, which batch normalization "
                "makes depend on all others: use normalization None, 'layer' or 'spectral' in the "
                "discriminator, or no r1, r2 and wgan_gp."
            )
        for layer in self.discriminator._flatten_layers():
            smooth = (
                isinstance(layer, (keras.layers.UpSampling2D, keras.layers.UpSampling3D))
                and getattr(layer, "interpolation", "nearest") != "nearest"
            )
            cudnn = isinstance(layer, (keras.layers.LSTM, keras.layers.GRU)) and layer.use_cudnn
            if smooth or isinstance(layer, keras.layers.Resizing) or cudnn:
                raise ValueError(
                    f"The discriminator's layer {layer.name!r} has no right second derivative, "
                    "which r1, r2 and wgan_gp need: upsample by interpolation='nearest' or a "
                    "transposed convolution, and give LSTM and GRU use_cudnn=False."
                )


def _has(network: keras.Model, kind: type) -> bool:
    return any(isinstance(layer, kind) for layer in network._flatten_layers())
