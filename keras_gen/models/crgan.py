"""CRGAN: the continuous recurrent GAN, a game of sequences.

Mogren 2016, "C-RNN-GAN: Continuous recurrent neural networks with adversarial training"
(arXiv:1611.09904). The generator reads a sequence of noise and writes a sequence of data; the
discriminator reads a sequence in both directions, or backwards in time only. The game is `GAN`'s,
and

    L_G = 1/m sum_i sum of squares of R(x_i) - R(G(z_i))                          (feature matching)

may join or, with a great weight, replace the generator's side of it.

Esteban, Hyland & Rätsch 2017, "Real-valued (Medical) Time Series Generation with Recurrent
Conditional GANs" (arXiv:1706.02633): noise only, no feedback, and a verdict on every step, of which
the loss is the mean (section 3).

    paper                          here
    ---------------------------    ---------------------------------------------------------------
    z_t, the noise of a step       z is all of them in a row, `(batch, length * latent_dim)`; with
                                   `static_dim` of `for_data`, after what all steps share
    G reads its last output        `feedback=True` of `for_data`
    D reads in both directions     `direction="bidirectional"` of `for_data`
    verdicts on steps              `verdict="step"`; then `judge` gives logits `(batch, length)`
    R(x)                           the discriminator's features, its second output
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
from keras import ops

from keras_gen import data, networks
from keras_gen.models.gan import GAN
from keras_gen.noise import Noise


class CRGAN(GAN):
    """A GAN of sequences on recurrent networks.

    Args:
        generator: `keras.Model` from noise, `(batch, length * latent_dim)` as a rule, to sequences
            `(batch, length, channels)`.
        discriminator: `keras.Model` from sequences to `[logit, features]`: a logit `(batch, 1)`, or
            one for each step, `(batch, length, 1)`, and what it is made from. Without feature
            matching the logit alone will do.
        feature_matching: weight of feature matching in the generator's loss, 0 for none.
        mask_value: of padding: a step all of whose channels have this value is no part of its
            sequence. Generated sequences are as long as the real ones beside them; `sample` gives
            whole ones.
        **kwargs: as in `AdversarialModel`.

    Raises:
        ValueError: also if feature matching lacks features.
    """

    paper = "Mogren 2016, C-RNN-GAN (arXiv:1611.09904)"
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
        self.feature_matching = feature_matching
        self.mask_value = mask_value
        if feature_matching < 0:
            raise ValueError(f"feature_matching must be at least 0, got {feature_matching}.")
        if feature_matching and len(discriminator.outputs) != 2:
            raise ValueError("feature_matching needs a discriminator with [logit, features].")

    @classmethod
    def for_data(cls, spec: data.Spec, latent_dim: int = 8, **options) -> CRGAN:
        """As `AdversarialModel.for_data`; `latent_dim` is the size of each step's noise."""
        cls.default_network(spec, options.get("network"))  # refuses what is no spec of sequences
        options = {"mask_value": spec.mask_value} | options
        return super().for_data(spec, latent_dim, **options)

    @classmethod
    def default_networks(
        cls,
        spec: data.Spec,
        latent_dim: int,
        hidden: int | Sequence[int] = (24, 24),
        discriminator_hidden: int | Sequence[int] | None = None,
        cell: str = "gru",
        static_dim: int = 0,
        initial_state: str = "zeros",
        feedback: bool = False,
        direction: str = "backward",
        verdict: str = "sequence",
        deltas: float = 0.0,
        generator_normalization: str | None = None,
        normalization: str | None = None,
        packing: int = 1,
        seed: int | None = None,
    ) -> dict[str, keras.Model]:
        """Recurrent networks; see `keras_gen.networks.recurrent` for what the options mean.

        Args:
            spec: of a data set of sequences.
            latent_dim: size of each step's noise.
            hidden: units of the generator's layers.
            discriminator_hidden: of the discriminator's; by default the same, reversed.
            cell: "gru" or "lstm".
            static_dim: size of the noise that all steps share, in addition.
            initial_state: of the generator: "zeros", or "noise", by what all steps share.
            feedback: whether the generator reads its last output.
            direction: "backward", "forward" or "bidirectional", of the discriminator.
            verdict: "sequence" or "step".
            deltas: factor of each step's change since the one before, which the discriminator then
                reads too; 0 for none.
            generator_normalization: of the generator: None or "layer".
            normalization: of the discriminator: None or "layer".
            packing: how many sequences are judged together.
            seed: of the initial weights.
        """
        kind = cls.default_network(spec)
        hidden = networks.layer_sizes(hidden)
        shape, value_range = spec.shape, cls._value_range(spec)
        settings = {"cell": cell} | cls.label_settings(spec)
        return {
            "generator": kind.generator(
                static_dim + spec.shape[0] * latent_dim,
                shape,
                value_range,
                hidden=hidden,
                static_dim=static_dim,
                initial_state=initial_state,
                feedback=feedback,
                normalization=generator_normalization,
                seed=seed,
                **settings,
            ),
            "discriminator": kind.discriminator(
                (shape[0], shape[1] * packing),
                value_range,
                hidden=networks.layer_sizes(discriminator_hidden or hidden[::-1]),
                direction=direction,
                verdict=verdict,
                deltas=deltas,
                normalization=normalization,
                mask_value=spec.mask_value,
                features=cls.needs_features,
                # Out of the reach of the generator's seeds.
                seed=None if seed is None else seed + 1000,
                **settings,
            ),
        }

    def generator_objective(self, x, fake, z, label, noise: Noise, training: bool) -> dict:
        terms = super().generator_objective(x, fake, z, label, noise, training)
        if not self.feature_matching:
            return terms
        pair = (terms[which].features for which in ("real_judgement", "judgement"))
        real, generated = (ops.cast(each, "float32") for each in pair)
        distance = ops.sum(ops.square(real - generated), axis=-1)
        loss = terms["loss"] + self.feature_matching * self.verdict_of(distance, x)
        return terms | {"loss": loss, "generator_loss": loss}

    @property
    def compares(self) -> bool:
        return super().compares or self.feature_matching > 0

    @property
    def faster_without_xla(self) -> tuple[type, ...]:
        """As in the base; but loops of small cells are faster with XLA, unless a penalty asks for
        their second derivative, which it makes many times slower."""
        slower = super().faster_without_xla
        if self.r1 or self.r2 or self.wgan_gp:
            return slower
        return tuple(kind for kind in slower if kind is not keras.layers.RNN)

    def check_examples(self, x, label=None, name: str = "x") -> None:
        if self.mask_value is not None and x.ndim == 3:
            padding = np.all(x == self.mask_value, axis=-1, keepdims=True)
            # Of no value that is out of range.
            x = np.where(padding, np.clip(0.0, *self.value_range).astype(x.dtype), x)
        super().check_examples(x, label, name)

    def valid(self, x):
        """Which steps of sequences are no padding, `(batch, length)`."""
        valid = networks.recurrent.valid_steps(x, self.mask_value)
        return ops.ones(ops.shape(x)[:2], "bool") if valid is None else valid

    def generate_for(self, x, z, label=None, training: bool = False):
        """G(z), each sequence as long as the one of x that it stands beside."""
        made = self.generate(z, label, training)
        if self.mask_value is None:
            return made
        return ops.where(self.valid(x)[..., None], made, self.mask_value)

    def verdict_of(self, values, x):
        """The mean over the steps of each sequence, where there is a value for each step."""
        if len(values.shape) == 1:
            return values
        valid = ops.cast(self.valid(x), "float32")
        return ops.sum(values * valid, axis=1) / ops.maximum(ops.sum(valid, axis=1), 1.0)

    def _judges(self, output) -> bool:
        return super()._judges(output) or output.shape[1:] == (self.data_shape[0], 1)
