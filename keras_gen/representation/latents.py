"""The latents of examples, by whatever a model has to find them."""

from __future__ import annotations

import numpy as np
from keras import ops

from keras_gen import latents as families
from keras_gen.models import GenerativeModel

METHODS = ("encode", "represent", "infer_codes")


def latents(model: GenerativeModel, x, label=None) -> np.ndarray:
    """Returns what a model infers of examples, `(n, dim)`.

    That is the mean of q(z|x) of a model with an encoder, the latents that GLO finds by search, the
    codes Q(c|x) that InfoGAN infers, or the vectors of a VQVAE's indices.

    Args:
        model: with a method `encode`, `represent` or `infer_codes`.
        x: examples, `(n, *data_shape)`.
        label: class indices `(n,)`, of a conditional model; other models ignore them.

    Raises:
        ValueError: if the model infers nothing, or x does not suit it.
    """
    if discrete(model):
        vectors = model.vectors(model.encode(x, *([label] if model.conditional else [])))
        return ops.convert_to_numpy(vectors).reshape(len(x), -1)
    if hasattr(model, "encode"):
        return model.encode(x, *([label] if model.conditional else []))
    for method in METHODS[1:]:
        if hasattr(model, method):
            return getattr(model, method)(x)
    raise ValueError(
        f"{type(model).__name__} infers no latents: it has none of the methods "
        f"{', '.join(METHODS)}. Use a VAE, InfoGAN, VAEGAN or GLO."
    )


def discrete(model: GenerativeModel) -> bool:
    """Returns whether a model's latents are indices, which cannot be changed by degrees."""
    return hasattr(model, "codebook")


def kl_per_latent(model: GenerativeModel, x, label=None, batch_size: int = 512) -> np.ndarray:
    """Returns how much each latent is used: its mean KL(q(z_i|x) || N(0, 1)), `(dim,)`, in nats.

    A latent with a KL of 0 holds nothing: its posterior has collapsed to the prior.

    Args:
        model: a VAE with Gaussian latents and a standard Gaussian prior.
        x: examples, `(n, *data_shape)`.
        label: class indices `(n,)`, of a conditional model; other models ignore them.
        batch_size: examples at a time.

    Raises:
        ValueError: if the model has no such posterior.
    """
    if not hasattr(model, "posterior") or not isinstance(model.latent, families.Gaussian):
        raise ValueError(f"{type(model).__name__} has no Gaussian posterior q(z|x).")
    total = np.zeros(model.latent.dim)
    for i in range(0, len(x), batch_size):
        given = [label[i : i + batch_size]] if model.conditional else []
        posterior = model.posterior(ops.convert_to_tensor(x[i : i + batch_size]), *given)
        kl = ops.convert_to_numpy(model.latent.kl(posterior, per_dimension=True))
        total += kl.sum(axis=0, dtype="float64")
    return total / len(x)
