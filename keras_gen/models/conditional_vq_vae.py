"""The vector-quantized VAE with a conditional prior: the label says what the indices tell.

van den Oord, Vinyals & Kavukcuoglu 2017, "Neural Discrete Representation Learning"
(arXiv:1711.00937), sections 3.2 and 4.2, where the prior of images is conditional on their class.

    ELBO(x|y) = log p(x|z) + log p(z|y)  <=  log p(x|y)

    paper          here
    ----------     ----------------------------------------------------------
    y              `label`, class indices; only the `prior` sees it, one-hot
    p(z|y)         `log_prior(z, label)`
"""

from __future__ import annotations

from keras_gen.models import conditional
from keras_gen.models.vq_vae import VQVAE


class ConditionalVQVAE(conditional.Conditional, VQVAE):
    """A VQVAE whose prior is told the label; encoder and decoder are not.

    Args:
        encoder: as in `VQVAE`.
        decoder: as in `VQVAE`.
        prior: as in `VQVAE`, with the one-hot label after row and column, `(batch, rows + columns +
            num_classes)`.
        likelihood: as in `VQVAE`.
        commitment: as in `VQVAE`.
        **kwargs: as in `VQVAE`.

    Raises:
        ValueError: if the prior does not take a label.
    """

    def __init__(self, encoder, decoder, prior, likelihood="bernoulli", commitment=0.25, **kwargs):
        place = sum(encoder.output_shape[1:3])
        self.num_classes = prior.inputs[1].shape[-1] - place
        if self.num_classes < 1:
            raise ValueError(
                f"prior must take row, column and label, more than {place} numbers; it takes "
                f"{prior.inputs[1].shape[-1]}."
            )
        super().__init__(encoder, decoder, prior, likelihood, commitment, **kwargs)
