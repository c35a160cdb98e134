"""Sprites with known factors, drawn on demand: the factors of dSprites with nothing to download.

Source of the design: Matthey et al., dSprites, 2017 (https://github.com/deepmind/dsprites-dataset).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import tensorflow as tf

from keras_gen.data.dataset import Dataset
from keras_gen.data.pipeline import Batch
from keras_gen.data.specs import DataError, Spec

FACTORS = {"shape": 3, "scale": 6, "orientation": 40, "x": 32, "y": 32}
COUNT = math.prod(FACTORS.values())
SHAPES = ("square", "ellipse", "heart")

# Lengths are parts of the picture's side, given as pixels of a picture of 64.
SQUARE_HALF_SIDE = 10 / 64
ELLIPSE_HALF_AXES = (14 / 64, 7 / 64)
HEART_UNIT = 10.5 / 64
# The heart (x² + y² - 1)³ <= x² y³ has its centroid this far above the origin.
HEART_CENTROID = 0.29348
# No sprite reaches farther than 14.2 pixels from its centroid, so that all stay in the picture.
FIRST_POSITION, LAST_POSITION = 15 / 64, 49 / 64


def spec(image_size: int = 64) -> Spec:
    """The description of sprites of this size."""
    if not isinstance(image_size, int) or image_size < 8:
        raise DataError(f"image_size of shapes must be an int of at least 8, got {image_size!r}")
    return Spec("shapes", "image", (image_size, image_size, 1), (0.0, 1.0), factors=dict(FACTORS))


def load_shapes(
    *,
    image_size: int = 64,
    train_examples: int | Literal["all"] = 50_000,
    test_examples: int = 10_000,
    seed: int = 0,
) -> Dataset:
    """Binary pictures of a square, an ellipse or a heart; labels are the factors' indices.

    Of all 737,280 combinations of factors, `test_examples` drawn at random are for testing and
    `train_examples` others for training. Pictures are drawn whenever a batch is made: only the
    factors are in memory.

    Args:
        image_size: height and width; in small pictures neighbouring values may look the same.
        train_examples: number of training examples, or `"all"` that are not for testing.
        test_examples: number of test examples.
        seed: of the choice. The test examples do not depend on `train_examples`.
    """
    available = COUNT - test_examples
    if train_examples == "all":
        train_examples = available
    for name, value in (("train_examples", train_examples), ("test_examples", test_examples)):
        if not isinstance(value, int) or value < 1:
            raise DataError(f"{name} of shapes must be an int of at least 1, got {value!r}")
    if train_examples > available:
        raise DataError(
            f"shapes has {COUNT} pictures: {train_examples} for training and {test_examples} for "
            "testing are too many"
        )
    # RandomState's numbers, unlike default_rng's, are the same in every version of NumPy.
    order = np.random.RandomState(seed).permutation(COUNT)[: test_examples + train_examples]
    factors = np.stack(np.unravel_index(order, tuple(FACTORS.values())), axis=-1).astype(np.uint8)

    def decode(batch: Batch) -> Batch:
        return {
            "x": _draw(batch["factors"], image_size),
            "label": tf.cast(batch["factors"], tf.int32),
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
        factors: indices of the factors' values, integers of shape `(n, 5)`: shape (square, ellipse,
            heart), scale (0.5 to 1 in 6 steps), orientation (40 counter-clockwise steps of 9
            degrees), x (32 steps to the right), y (32 steps down).
        image_size: height and width.

    Returns:
        Pictures `(n, image_size, image_size, 1)`, float32, of zeros and ones.

    Raises:
        DataError: if `factors` has another shape or an index out of range.
    """
    factors = np.asarray(factors)
    limits = list(FACTORS.values())
    if factors.ndim != 2 or factors.shape[1] != len(limits) or factors.dtype.kind not in "iu":
        raise DataError(
            f"factors must be integers of shape (n, 5), got {factors.dtype} "
            f"of shape {factors.shape}"
        )
    if ((factors < 0) | (factors >= limits)).any():
        raise DataError(f"factors must be from 0 to below {FACTORS}")
    size = spec(image_size).shape[0]
    chunks = [_draw(tf.constant(factors[i : i + 256]), size) for i in range(0, len(factors), 256)]
    return np.concatenate(chunks) if chunks else np.zeros((0, size, size, 1), np.float32)


def _draw(factors: tf.Tensor, image_size: int) -> tf.Tensor:
    """Pictures (n, image_size, image_size, 1) of factors (n, 5): a pixel is lit if its centre is
    inside the sprite."""
    shape, scale, orientation, x, y = tf.unstack(tf.cast(factors, tf.float32)[..., None], axis=1)
    angle = orientation * (2 * math.pi / FACTORS["orientation"])
    scale = 0.5 + 0.5 * scale / (FACTORS["scale"] - 1)
    step = (LAST_POSITION - FIRST_POSITION) / (FACTORS["x"] - 1)
    pixels = (tf.range(image_size, dtype=tf.float32) + 0.5) / image_size
    # Seen from the sprite: right and up in its own, unturned and unscaled frame, (n, size) each.
    right = (pixels - (FIRST_POSITION + step * x)) / scale
    up = ((FIRST_POSITION + step * y) - pixels) / scale
    cos, sin = tf.cos(angle), tf.sin(angle)

    def square(u, v):
        return tf.maximum(tf.abs(u), tf.abs(v)) < SQUARE_HALF_SIDE

    def ellipse(u, v):
        return (u / ELLIPSE_HALF_AXES[0]) ** 2 + (v / ELLIPSE_HALF_AXES[1]) ** 2 < 1

    def heart(u, v):
        u, v = u / HEART_UNIT, v / HEART_UNIT + HEART_CENTROID
        return (u * u + v * v - 1) ** 3 < u * u * v**3

    # Each picture is drawn by the formula of its own shape alone.
    which = tf.cast(shape[:, 0], tf.int32)
    places = tf.dynamic_partition(tf.range(tf.size(which)), which, len(SHAPES))
    pictures = []
    for place, inside in zip(places, (square, ellipse, heart), strict=True):
        c, s, r, t = (tf.gather(value, place) for value in (cos, sin, right, up))
        u = (c * r)[:, None, :] + (s * t)[:, :, None]
        v = (c * t)[:, :, None] - (s * r)[:, None, :]
        pictures.append(tf.cast(inside(u, v), tf.float32))
    pictures = tf.dynamic_stitch(places, pictures)[..., None]
    return tf.ensure_shape(pictures, (factors.shape[0], image_size, image_size, 1))
