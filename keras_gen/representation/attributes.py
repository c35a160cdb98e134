"""Changing examples through their latents: attribute vectors, and another label in one style."""

from __future__ import annotations

import numpy as np

from keras_gen.models import GenerativeModel
from keras_gen.representation.latents import discrete, latents


def attribute_vector(model: GenerativeModel, x, has, label=None) -> np.ndarray:
    """Returns the direction of an attribute, `(latent_dim,)`: mean latents with it minus without.

    Source: Larsen et al. 2016, "Autoencoding beyond pixels", section 4.2.

    Args:
        model: with an encoder, or GLO.
        x: examples, `(n, *data_shape)`.
        has: whether each has the attribute, `(n,)`, of both kinds.
        label: class indices `(n,)`, of a conditional model.

    Raises:
        ValueError: if all examples or none have the attribute, or the model cannot decode what it
            infers.
    """
    has = np.asarray(has, bool)
    if has.all() or not has.any():
        raise ValueError(
            f"has must be true of some examples and false of others; it is true of {has.sum()} of "
            f"{len(has)}."
        )
    z = _moved(model, x, 0.0, label)
    return z[has].mean(axis=0) - z[~has].mean(axis=0)


def with_attribute(
    model: GenerativeModel, x, vector: np.ndarray, strength: float = 1.0, label=None
) -> np.ndarray:
    """Returns reconstructions of examples moved along an attribute, `(n, *data_shape)`.

    Args:
        model: as for `attribute_vector`.
        x: examples, `(n, *data_shape)`.
        vector: from `attribute_vector`.
        strength: how far; 1 is the mean difference, and a negative one takes the attribute away.
        label: class indices `(n,)`, of a conditional model.
    """
    z = _moved(model, x, strength * vector, label)
    return model.decode(z, *([label] if model.conditional else []))


def relabelled(model: GenerativeModel, x, label, new_label) -> np.ndarray:
    """Returns examples with another label in the same style, `(n, *data_shape)`.

    The latents of a conditional model hold what the label does not tell: the style. (For InfoGAN,
    `sample` with one seed and different `codes` does the same for samples.)

    Args:
        model: conditional, with an encoder.
        x: examples, `(n, *data_shape)`.
        label: their class indices, `(n,)`.
        new_label: class indices `(n,)`, or one for all.

    Raises:
        ValueError: if the model is not conditional, or has no encoder.
    """
    if not model.conditional or discrete(model) or not hasattr(model, "encode"):
        raise ValueError(
            f"{type(model).__name__} is not a conditional model with an encoder: its latents are "
            "not apart from the label. Use ConditionalVAE."
        )
    new_label = np.broadcast_to(np.asarray(new_label), (len(x),))
    return model.decode(model.encode(x, label), new_label)


def _moved(model: GenerativeModel, x, by, label) -> np.ndarray:
    """Returns the latents of examples plus a vector, float32."""
    if discrete(model) or not (hasattr(model, "encode") or hasattr(model, "represent")):
        raise ValueError(
            f"{type(model).__name__} does not infer all of an example's latents: an attribute is "
            "changed with a model that has an encoder, or with GLO."
        )
    return (latents(model, x, label) + by).astype("float32")
