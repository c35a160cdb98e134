"""Sprites with the factors of dSprites, drawn on demand: no download is needed.

Source: Matthey et al., dSprites, 2017 (https://github.com/deepmind/dsprites-dataset).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from keras import ops

from keras_gen.data.checks import random_state
from keras_gen.data.dataset import Dataset
from keras_gen.data.pipeline import Batch, as_array
from keras_gen.data.specs import DataError, Spec

FACTORS = {"shape": 3, "scale": 6, "orientation": 40, "x": 32, "y": 32}
COUNT = math.prod(FACTORS.values())
SHAPES = ("square", "ellipse", "heart")

# Lengths are fractions of the image's side, given in pixels of an image of 64 pixels.
SQUARE_HALF_SIDE = 10 / 64
ELLIPSE_HALF_AXES = (14 / 64, 7 / 64)
HEART_UNIT = 10.5 / 64
# Height of the centroid of the heart (x² + y² - 1)³ <= x² y³ above the origin.
HEART_CENTROID = 0.29348
# No sprite extends more than 14.2 pixels from its centroid, so all of them stay in the image.
FIRST_POSITION, LAST_POSITION = 15 / 64, 49 / 64


def spec(image_size: int = 64) -> Spec:
    """Returns the description of sprites of this size."""
    if not isinstance(image_size, int) or image_size < 8:
        raise DataError(f"image_size of shapes must be an int of at least 8, got {image_size!r}.")
    return Spec("shapes", "image", (image_size, image_size, 1), (0.0, 1.0), factors=dict(FACTORS))


def load_shapes(
    *,
    image_size: int = 64,
    train_examples: int | Literal["all"] = 50_000,
    test_examples: int = 10_000,
    seed: int = 0,
) -> Dataset:
    """Loads binary images of a square, an ellipse or a heart; labels are the factors' indices.

    There are 737,280 combinations of factors. `test_examples` of them, chosen at random, are the
    test examples, and `train_examples` others the training examples. Images are drawn when a batch
    is made, so that only the factors are in memory.

    Args:
        image_size: height and width; in small images neighbouring values may look the same.
        train_examples: number of training examples, or `"all"` for all others.
        test_examples: number of test examples.
        seed: seed of the choice. The test examples do not depend on `train_examples`.
    """
    available = COUNT - test_examples
    if train_examples == "all":
        train_examples = available
    for name, value in (("train_examples", train_examples), ("test_examples", test_examples)):
        if not isinstance(value, int) or value < 1:
            raise DataError(f"{name} of shapes must be an int of at least 1, got {value!r}.")
    if train_examples > available:
        raise DataError(
            f"shapes has {COUNT} images: {train_examples} for training and {test_examples} for "
            "testing are too many."
        )
    order = random_state(seed).permutation(COUNT)[: test_examples + train_examples]
    factors = np.stack(np.unravel_index(order, tuple(FACTORS.values())), axis=-1).astype(np.uint8)

    def decode(batch: Batch) -> Batch:
        return {
            "x": _draw(batch["factors"], image_size),
            "label": ops.cast(batch["factors"], "int32"),
        }

    return Dataset(
        spec(image_size),
        train={"factors": factors[test_examples:]},
        test={"factors": factors[:test_examples]},
        decode=decode,
    )


def draw_shapes(factors, image_size: int = 64) -> np.ndarray:
    """Draws sprites.

    Args:
        factors: indices of the factors' values, integers `(n, 5)`: shape (square, ellipse, heart),
            scale (6 values from 0.5 to 1), orientation (40 counter-clockwise steps of 9 degrees),
            x (32 steps to the right), y (32 steps down).
        image_size: height and width.

    Returns:
        Images `(n, image_size, image_size, 1)`, float32, of zeros and ones.

    Raises:
        DataError: if `factors` has another shape or an index out of range.
    """
    factors = np.asarray(factors)
    limits = list(FACTORS.values())
    if factors.ndim != 2 or factors.shape[1] != len(limits) or factors.dtype.kind not in "iu":
        raise DataError(
            f"factors must be integers of shape (n, 5), got {factors.dtype} of shape "
            f"{factors.shape}."
        )
    if ((factors < 0) | (factors >= limits)).any():
        raise DataError(f"factors must be from 0 to below {FACTORS}.")
    size = spec(image_size).shape[0]
    starts = range(0, len(factors), 256)
    chunks = [as_array(_draw(factors[i : i + 256], size)) for i in starts]
    return np.concatenate(chunks) if chunks else np.zeros((0, size, size, 1), np.float32)


def _draw(factors, image_size: int):
    """Returns images (n, image_size, image_size, 1) of factors (n, 5).

    A pixel is 1 if its centre is inside the sprite.
    """
    factors = ops.cast(factors, "float32")
    shape, scale, orientation, x, y = (factors[:, i : i + 1] for i in range(5))
    angle = orientation * (2 * math.pi / FACTORS["orientation"])
    scale = 0.5 + 0.5 * scale / (FACTORS["scale"] - 1)
    step = (LAST_POSITION - FIRST_POSITION) / (FACTORS["x"] - 1)
    pixels = (ops.arange(image_size, dtype="float32") + 0.5) / image_size
    # Offsets from the sprite's centroid, to the right and up, in its own scale: (n, size) each.
    right = (pixels - (FIRST_POSITION + step * x)) / scale
    up = ((FIRST_POSITION + step * y) - pixels) / scale
    cos, sin = ops.cos(angle), ops.sin(angle)
    u = (cos * right)[:, None, :] + (sin * up)[:, :, None]
    v = (cos * up)[:, :, None] - (sin * right)[:, None, :]

    square = ops.maximum(ops.abs(u), ops.abs(v)) < SQUARE_HALF_SIDE
    ellipse = ops.square(u / ELLIPSE_HALF_AXES[0]) + ops.square(v / ELLIPSE_HALF_AXES[1]) < 1
    u, v = u / HEART_UNIT, v / HEART_UNIT + HEART_CENTROID
    ball = u * u + v * v - 1
    heart = ball * ball * ball < u * u * v * v * v
    which = shape[:, :, None]
    inside = ops.where(which == 0, square, ops.where(which == 1, ellipse, heart))
    return ops.cast(inside, "float32")[..., None]
