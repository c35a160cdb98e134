"""The latents of examples, by whatever a model has to find them."""

from __future__ import annotations

import numpy as np

from keras_gen.models import GenerativeModel

METHODS = ("encode", "represent", "infer_codes")


def latents(model: GenerativeModel, x, label=None) -> np.ndarray:
    """Returns what a model infers of examples, `(n, dim)`.

    That is the mean of q(z|x) of a model with an encoder, the latents that GLO finds by search, or
    the codes Q(c|x) that InfoGAN infers.

    Args:
        model: with a method `encode`, `represent` or `infer_codes`.
        x: examples, `(n, *data_shape)`.
        label: class indices `(n,)`, of a conditional model; other models ignore them.

    Raises:
        ValueError: if the model infers nothing, or x does not suit it.
    """
    if hasattr(model, "encode"):
        return model.encode(x, *([label] if model.conditional else []))
    for method in METHODS[1:]:
        if hasattr(model, method):
            return getattr(model, method)(x)
    raise ValueError(
        f"{type(model).__name__} infers no latents: it has none of the methods "
        f"{', '.join(METHODS)}. Use a VAE, InfoGAN, VAEGAN or GLO."
    )
