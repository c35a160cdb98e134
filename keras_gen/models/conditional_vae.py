"""The conditional VAE: the label says what to generate.

Sohn, Lee & Yan 2015, "Learning Structured Output Representation using Deep Conditional Generative
Models", equation 4 (whose x is the condition and whose y is the data); Kingma et al. 2014,
"Semi-Supervised Learning with Deep Generative Models", equation 6 (model M2, every label observed).

    ELBO(x|y) = E_{q(z|x,y)} [log p(x|z,y)] - KL(q(z|x,y) || p(z))  <=  log p(x|y)

    paper          here
    ----------     ----------------------------------------------------------
    y              `label`, class indices; the networks see them one-hot
    q(z|x, y)      `posterior(x, label)`
    p(x|z, y)      `likelihood_parameters(z, label)`
    p(z|y)         `latent`: the same N(0, I) for every label
"""

from __future__ import annotations

from keras_gen.models import conditional
from keras_gen.models.vae import VAE
from keras_gen.presets import citations


class ConditionalVAE(conditional.Conditional, VAE):
    """A VAE of x given its label.

    Args:
        encoder: `keras.Model` from `[x, one_hot]`, `(batch, *shape)` and `(batch, num_classes)`, to
            `(batch, 2 * latent_dim)`.
        decoder: `keras.Model` from `[z, one_hot]` to the likelihood's parameters.
        likelihood: as in `VAE`.
        **kwargs: as in `VAE`.

    Raises:
        ValueError: if the networks do not take a label.
    """

    paper = citations.SOHN

    def __init__(self, encoder, decoder, likelihood="bernoulli", **kwargs):
        self.num_classes = conditional.num_classes(encoder=encoder, decoder=decoder)
        super().__init__(encoder, decoder, likelihood, **kwargs)

    def posterior(self, x, label=None, training: bool = False):
        return self.encoder([x, self.one_hot(label)], training=training)

    def likelihood_parameters(self, z, label=None, training: bool = False):
        return self.decoder([z, self.one_hot(label)], training=training)
