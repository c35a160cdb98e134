"""The conditional GAN: generator and discriminator are given the label.

Mirza & Osindero 2014, "Conditional Generative Adversarial Nets" (arXiv:1411.1784), equation 2,

    min_G max_D E_{x, y ~ data} [log D(x|y)] + E_{z, y} [log(1 - D(G(z|y)|y))].

The default discriminator uses the label by projection: Miyato & Koyama 2018, "cGANs with
Projection Discriminator" (arXiv:1802.05637), equation 3: logit(x, y) = y' V phi(x) + psi(phi(x)).

    paper          here
    -----------    ------------------------------------------------------------------------------
    y              `label`, class indices; the networks see them one-hot
    G(z|y)         `generate(z, label)`
    D(x|y)         `discriminate(x, label)`; the projection is in `networks.common`
"""

from __future__ import annotations

import math

from keras import ops

from keras_gen import checks
from keras_gen.models import conditional
from keras_gen.models.gan import GAN
from keras_gen.presets import citations


class ConditionalGAN(conditional.Conditional, GAN):
    """A GAN of x given its label; both networks take `[input, one_hot]`.

    Its arguments are those of `AdversarialModel`. In training, generated examples have the labels
    of the real ones. With packing, the discriminator takes the one-hot labels of a pack side by
    side, `(packs, packing * num_classes)`.

    Raises:
        ValueError: if the networks do not take a label.
    """

    paper = citations.MIRZA

    def __init__(self, generator, discriminator, packing: int = 1, **kwargs):
        self.num_classes = conditional.num_classes(
            checks.integer("packing", packing), generator=generator, discriminator=discriminator
        )
        super().__init__(generator, discriminator, packing=packing, **kwargs)

    def _with_label(self, tensor, label):
        label = self.one_hot(label)
        return [tensor, ops.reshape(label, (-1, math.prod(label.shape[1:])))]
