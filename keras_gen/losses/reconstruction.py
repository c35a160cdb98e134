"""Distances between data and its reconstruction, one value per example."""

from __future__ import annotations

import numpy as np
from keras import ops

BINOMIAL = np.outer(*[np.array([1.0, 4.0, 6.0, 4.0, 1.0], "float32") / 16.0] * 2)
SMALLEST = 4  # images with a shorter side are not halved again


def squared(x, y):
    """Returns the squared Euclidean distance of each pair, `(batch,)`."""
    return ops.sum(ops.square(x - y), axis=tuple(range(1, len(x.shape))))


def laplacian(x, y):
    """Returns the Lap1 distance of each pair of images, `(batch,)`.

    It is the sum over the levels j = 0, 1, ... of Laplacian pyramids of 4^j times the absolute
    difference. The weights make up for the smaller number of pixels of coarse levels. Source: Ling
    & Okada 2006; Bojanowski et al. 2018, "Optimizing the Latent Space of Generative Networks".

    Args:
        x: `(batch, height, width, channels)`.
        y: `(batch, height, width, channels)`.
    """
    # Pyramids are linear: the pyramid of the difference is the difference of the pyramids.
    levels = laplacian_pyramid(x - y)
    return sum(4.0**j * ops.sum(ops.abs(level), axis=(1, 2, 3)) for j, level in enumerate(levels))


def laplacian_pyramid(x) -> list:
    """Returns the detail that each halving of images removes, finest first, and the last image.

    Source: Burt & Adelson 1983, except that the detail of a level is the difference from the
    blurred image before it is subsampled.
    """
    levels = []
    while min(x.shape[1:3]) >= SMALLEST:
        blurred = _blurred(x)
        levels.append(x - blurred)
        x = blurred[:, ::2, ::2]
    return [*levels, x]


def _blurred(x):
    """Returns images after a 5x5 binomial filter, mirrored at the borders."""
    channels = x.shape[-1]
    padded = ops.pad(x, [[0, 0], [2, 2], [2, 2], [0, 0]], mode="reflect")
    kernel = ops.tile(BINOMIAL[:, :, None, None], (1, 1, channels, 1))
    return ops.depthwise_conv(padded, ops.cast(kernel, x.dtype), padding="valid")


LOSSES = {"squared": squared, "laplacian": laplacian}


def get(name: str):
    """Returns the distance with this name.

    Raises:
        ValueError: if the name is unknown.
    """
    if name not in LOSSES:
        raise ValueError(f"Unknown reconstruction loss {name!r}. Known: {', '.join(LOSSES)}.")
    return LOSSES[name]
