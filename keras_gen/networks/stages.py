"""Stages of convolutional networks: each halves or doubles an image's height and width."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks import strided

SMALLEST = 7


def sizes(shape: Sequence[int], depth: int | None = None) -> list[tuple[int, int]]:
    """Returns height and width at each stage, starting with the image's.

    `depth` is the number of stages; by default they go on to at most 7x7 positions.
    """
    if len(shape) != 3:
        raise ValueError(f"shape of images must be (height, width, channels), got {tuple(shape)}.")
    most = math.ceil(math.log2(max(2, *shape[:2])))
    if depth is not None and not 1 <= depth <= most:
        raise ValueError(
            f"depth must be from 1 to {most} for images of {shape[0]}x{shape[1]}, got {depth}."
        )
    found = [(shape[0], shape[1])]
    while len(found) <= depth if depth else len(found) == 1 or max(found[-1]) > SMALLEST:
        found.append(tuple((side + 1) // 2 for side in found[-1]))
    return found


def doubled(h, size: tuple[int, int], filters: int, initializer, **options):
    """Applies a transposed convolution of stride 2, and crops a pixel where `size` is odd."""
    return cropped(doubling(filters, initializer, **options)(h), size, options.get("dtype"))


def doubling(filters: int, initializer, **options) -> keras.Layer:
    """Returns a transposed convolution of stride 2."""
    return strided.Conv2DTranspose(filters, 4, 2, "same", kernel_initializer=initializer, **options)


def cropped(h, size: tuple[int, int], dtype: str | None = None):
    """Cuts off what is beyond a size, below and at the right."""
    extra = [(0, have - want) for have, want in zip(h.shape[1:3], size, strict=True)]
    return layers.Cropping2D(extra, dtype=dtype)(h) if any(after for _, after in extra) else h
