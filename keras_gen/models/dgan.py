"""The deep convolutional GAN, DCGAN.

Radford, Metz & Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks" (arXiv:1511.06434), section 3: strided convolutions in place of
pooling, batch normalization in both networks, ReLU in the generator and leaky ReLU in the
discriminator, a tanh at the generator's end. The game is `GAN`'s.

    paper                         here
    --------------------------    -----------------------------------------------------------------
    generator, figure 1           `networks.conv.generator`
    discriminator                 `networks.conv.discriminator`
    Z, uniform on [-1, 1]         `latent=latents.Uniform(100)`; the default is Gaussian
    Adam 2e-4, beta_1 0.5         the default optimizers of every adversarial model
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from keras_gen import data
from keras_gen.engine import options
from keras_gen.models.gan import GAN
from keras_gen.presets import citations


class DGAN(GAN):
    """A GAN on deep networks: DCGAN's for images, a deep perceptron for other data.

    `keras_gen.models.DCGAN` is an alias: the field's name for a DGAN on images. The arguments
    are those of `AdversarialModel`; `for_data` takes `depth`, the number of stages that halve an
    image, and `width`, the channels of the stage next to it.
    """

    paper = citations.RADFORD

    kinds: ClassVar = {"image": "conv", "vector": "dense"}

    @options.takes_options
    def for_data(
        cls,
        spec: data.Spec,
        latent_dim: int = 100,
        network: str | None = None,
        hidden: Sequence[int] | None = None,
        normalization: str | None = "batch",
        **options,
    ) -> DGAN:
        """Returns the model with default networks; see `AdversarialModel.for_data`.

        The defaults are the paper's. For data that is not a picture, or with `network="dense"`, the
        generator is a perceptron of 256, 512 and 1024 hidden units and the discriminator its mirror
        image.
        """
        if hidden is None and (network == "dense" or not spec.is_picture):
            hidden = (256, 512, 1024)
        return super().for_data(
            spec,
            latent_dim,
            network=network,
            hidden=hidden,
            normalization=normalization,
            **options,
        )
