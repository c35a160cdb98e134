"""CRGAN: the continuous recurrent GAN, for sequences.

Mogren 2016, "C-RNN-GAN: Continuous recurrent neural networks with adversarial training"
(arXiv:1611.09904). The generator reads a sequence of noise and writes a sequence of data; the
discriminator reads a sequence in both directions, or backwards in time only. The game is `GAN`'s.
Feature matching,

    L_G = 1/m sum_i sum of squares of R(x_i) - R(G(z_i)),

can be added to the generator's loss, or replace it if its weight is large.

Esteban, Hyland & Rätsch 2017, "Real-valued (Medical) Time Series Generation with Recurrent
Conditional GANs" (arXiv:1706.02633): noise only, no feedback, and a logit for every step; the loss
is the mean over the steps (section 3).

    paper                          here
    ---------------------------    ---------------------------------------------------------------
    z_t, the noise of a step       z is all of them in a row, `(batch, length * latent_dim)`; with
                                   `static_dim` of `for_data`, after what all steps share
    G reads its last output        `feedback=True` of `for_data`
    D reads in both directions     `direction="bidirectional"` of `for_data`
    D's outputs for steps          `logits="step"`; `discriminate` then returns `(batch, length)`
    R(x)                           the discriminator's features, its second output
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
from keras import ops

from keras_gen import checks, data, networks
from keras_gen.engine import default_networks, options
from keras_gen.engine.trainer import Objective
from keras_gen.models.gan import GAN
from keras_gen.noise import Noise
from keras_gen.presets import citations


class CRGAN(GAN):
    """A GAN of sequences on recurrent networks.

    Args:
        generator: `keras.Model` from noise, `(batch, length * latent_dim)` as a rule, to sequences
            `(batch, length, channels)`.
        discriminator: `keras.Model` from sequences to `[logit, features]`: a logit `(batch, 1)`, or
            one for each step, `(batch, length, 1)`, and what it is made from. Without feature
            matching the logit alone will do.
        feature_matching: weight of feature matching in the generator's loss, 0 for none.
        mask_value: of padding: a step whose channels all have this value is not part of its
            sequence. In training, generated sequences are as long as the real ones they are
            compared with; `sample` returns whole ones.
        **kwargs: as in `AdversarialModel`.

    Raises:
        ValueError: also if feature matching lacks features.
    """

    paper = citations.MOGREN
    kinds: ClassVar = {"sequence": "recurrent"}
    needs_features = True

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        feature_matching: float = 0.0,
        mask_value: float | None = None,
        **kwargs,
    ):
        super().__init__(generator, discriminator, **kwargs)
        self.feature_matching = checks.number("feature_matching", feature_matching, least=0)
        self.mask_value = mask_value
        if feature_matching and len(discriminator.outputs) != 2:
            raise ValueError(
                "feature_matching needs a discriminator that returns [logit, features]."
            )

    @options.takes_options
    def for_data(
        cls,
        spec: data.Spec,
        latent_dim: int = 8,
        hidden: int | Sequence[int] = (24, 24),
        discriminator_hidden: int | Sequence[int] | None = None,
        cell: str = "gru",
        static_dim: int = 0,
        initial_state: str = "zeros",
        feedback: bool = False,
        direction: str = "backward",
        logits: str = "sequence",
        deltas: float = 0.0,
        generator_normalization: str | None = None,
        normalization: str | None = None,
        packing: int = 1,
        seed: int | None = None,
        **model,
    ) -> CRGAN:
        """Returns the model with recurrent networks; see `keras_gen.networks.recurrent`.

        Args:
            spec: of a data set of sequences.
            latent_dim: size of each step's noise.
            hidden: units of the generator's layers.
            discriminator_hidden: of the discriminator's layers; by default the same, reversed.
            cell: "gru" or "lstm".
            static_dim: size of the noise that all steps share, in addition.
            initial_state: of the generator: "zeros", or "noise", from what all steps share.
            feedback: whether the generator reads its last output.
            direction: "backward", "forward" or "bidirectional", of the discriminator.
            logits: "sequence", one for the whole, or "step", one for each step.
            deltas: factor of each step's change since the one before, which the discriminator then
                reads too; 0 for none.
            generator_normalization: of the generator: None or "layer".
            normalization: of the discriminator: None or "layer".
            packing: how many sequences the discriminator sees as one pack.
            seed: of the initial weights and of all noise.
            **model: the model's own hyperparameters, as in its constructor.

        Raises:
            TypeError: for an unknown option.
            ValueError: if the data is not sequences, an option does not suit the networks, or
                labels are needed and there are none.
        """
        kind = default_networks.module(cls, spec)
        checks.integer("latent_dim", latent_dim, least=0)
        checks.integer("packing", packing)
        hidden = networks.layer_sizes(hidden)
        length, channels = spec.shape
        value_range = default_networks.generated_range(spec)
        shared = {"cell": cell} | default_networks.label_settings(cls, spec)
        generator = kind.generator(
            static_dim + length * latent_dim,
            spec.shape,
            value_range,
            hidden=hidden,
            static_dim=static_dim,
            initial_state=initial_state,
            feedback=feedback,
            normalization=generator_normalization,
            seed=default_networks.seeded(seed),
            **shared,
        )
        discriminator = kind.discriminator(
            (length, channels * packing),
            value_range,
            hidden=networks.layer_sizes(discriminator_hidden or hidden[::-1]),
            direction=direction,
            logits=logits,
            deltas=deltas,
            normalization=normalization,
            mask_value=spec.mask_value,
            features=cls.needs_features,
            seed=default_networks.seeded(seed, default_networks.SECOND),
            **shared,
        )
        model = {"mask_value": spec.mask_value, "value_range": value_range} | model
        return cls(generator, discriminator, packing=packing, seed=seed, **model)

    def generator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> Objective:
        objective = super().generator_objective(x, fake, z, label, noise, training)
        if not self.feature_matching:
            return objective
        features = (ops.cast(output.features, "float32") for output in objective.shared)
        real, generated = features
        distance = ops.sum(ops.square(real - generated), axis=-1)
        loss = objective.loss + self.feature_matching * self.per_example(distance, x)
        return objective._replace(loss=loss, metrics={"generator_loss": loss})

    @property
    def compares(self) -> bool:
        return super().compares or self.feature_matching > 0

    @property
    def faster_without_xla(self) -> tuple[type, ...]:
        """The layers that XLA slows down. Loops of small cells are faster with XLA, unless a
        penalty needs their second derivative, which is then many times slower."""
        slower = super().faster_without_xla
        if self.r1 or self.r2 or self.wgan_gp:
            return slower
        return tuple(kind for kind in slower if kind is not keras.layers.RNN)

    def check_examples(self, x, label=None, name: str = "x") -> None:
        if self.mask_value is not None and x.ndim == 3:
            padding = np.all(x == self.mask_value, axis=-1, keepdims=True)
            # Padding may lie outside the range of the data.
            x = np.where(padding, np.clip(0.0, *self.value_range).astype(x.dtype), x)
        super().check_examples(x, label, name)

    def valid(self, x):
        """Returns which steps of sequences are not padding, `(batch, length)`."""
        valid = networks.recurrent.valid_steps(x, self.mask_value)
        return ops.ones(ops.shape(x)[:2], "bool") if valid is None else valid

    def generate_for(self, x, z, label=None, training: bool = False):
        """Returns G(z), each sequence as long as the one of x that it is compared with."""
        made = self.generate(z, label, training)
        if self.mask_value is None:
            return made
        return ops.where(self.valid(x)[..., None], made, self.mask_value)

    def per_example(self, values, x):
        """Returns the mean over the steps of each sequence, if there is a value for each step."""
        if len(values.shape) == 1:
            return values
        valid = ops.cast(self.valid(x), "float32")
        return ops.sum(values * valid, axis=1) / ops.maximum(ops.sum(valid, axis=1), 1.0)

    def has_logit_shape(self, output) -> bool:
        return super().has_logit_shape(output) or output.shape[1:] == (self.data_shape[0], 1)
