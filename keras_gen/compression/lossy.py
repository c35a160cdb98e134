"""Compression with loss: quantized latents, coded under a Gaussian for each."""

from __future__ import annotations

import hashlib

import numpy as np
from keras import ops

from keras_gen import checks, representation
from keras_gen.compression import entropy
from keras_gen.models import GenerativeModel

LEAST_STD = 2.0**-6  # of a latent's indices: a latent that is always the same costs next to nothing
LARGEST = 2**14  # absolute value of an index


def encode(model: GenerativeModel, x: np.ndarray, quality: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the table of the latents' distributions, and the stack of bits.

    Args:
        model: that infers latents and decodes them.
        x: images, `(n, *data_shape)`, in the model's range.
        quality: quantization steps in one unit of a latent.

    Returns:
        Means and standard deviations of the indices, `(2, latent_dim)`, float16; and uint32.

    Raises:
        ValueError: if the model cannot do that, or a latent is too large for the quality.
    """
    check(model)
    checks.number("quality", quality, above=0)
    index = np.rint(representation.latents(model, x).astype("float64") * quality)
    if np.abs(index).max() > LARGEST:
        raise ValueError(f"quality {quality:g} is too fine for latents as large as these.")
    spread = np.maximum(index.std(axis=0), LEAST_STD)
    table = np.stack([index.mean(axis=0), spread]).astype("float16")
    coder = entropy.stack.AnsCoder()
    coder.encode_reverse(index.astype("int32").ravel(), _family(), *_parameters(table, len(x)))
    return table, coder.get_compressed()


def decode(
    model: GenerativeModel, table: np.ndarray, stack: np.ndarray, n: int, quality: float
) -> np.ndarray:
    """Returns the images, `(n, *data_shape)`, float32; the other arguments as in `encode`."""
    check(model)
    coder = entropy.stack.AnsCoder(stack)
    index = coder.decode(_family(), *_parameters(table, n))
    return model.decode((index.reshape(n, -1) / quality).astype("float32"))


def fingerprint(model: GenerativeModel) -> str:
    """Returns a hash of a model's weights."""
    digest = hashlib.sha256()
    for weight in model.weights:
        digest.update(np.ascontiguousarray(ops.convert_to_numpy(weight)).tobytes())
    return digest.hexdigest()


def check(model: GenerativeModel) -> None:
    """Raises a ValueError if a model cannot compress with loss."""
    if (
        model.conditional
        or representation.discrete(model)
        or not (hasattr(model, "encode") or hasattr(model, "represent"))
    ):
        raise ValueError(
            f"{type(model).__name__} cannot compress with loss: that takes a model without labels "
            "that infers all of an image's latents, a VAE, VAEGAN or GLO."
        )


def _family():
    return entropy.model.QuantizedGaussian(-LARGEST, LARGEST)


def _parameters(table: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    mean, std = (np.tile(row.astype("float64"), n) for row in table)
    return mean, std
