"""RCGAN: the recurrent conditional GAN, for labelled sequences.

Esteban, Hyland & Rätsch 2017, "Real-valued (Medical) Time Series Generation with Recurrent
Conditional GANs" (arXiv:1706.02633), section 3: both networks read the label at every step, the
generator is fed with noise and not with its own output, and the discriminator, which reads forward,
returns a logit for every step. The game is `ConditionalGAN`'s, on `CRGAN`'s networks.

    paper            here
    -------------    ----------------------------------------------------------------------------
    c_n, the label   `label`, class indices; the networks see them one-hot, at every step
    Z_n              z, `(batch, length * latent_dim)`: noise for every step
    D's outputs      `discriminate(x, label)`: logits `(batch, length)`; the loss is their mean
"""

from __future__ import annotations

from keras_gen import data
from keras_gen.engine import options
from keras_gen.models.conditional_gan import ConditionalGAN
from keras_gen.models.crgan import CRGAN
from keras_gen.presets import citations


class RCGAN(CRGAN, ConditionalGAN):
    """A `CRGAN` given labels, with the paper's defaults; both networks take `[input, one_hot]`."""

    paper = citations.ESTEBAN

    @options.takes_options
    def for_data(
        cls,
        spec: data.Spec,
        latent_dim: int = 5,
        cell: str = "lstm",
        direction: str = "forward",
        logits: str = "step",
        **options,
    ) -> RCGAN:
        """Returns the model with default networks, the paper's; see `CRGAN.for_data`."""
        settings = {"cell": cell, "direction": direction, "logits": logits}
        return super().for_data(spec, latent_dim, **settings, **options)
