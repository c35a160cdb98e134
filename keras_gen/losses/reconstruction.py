"""Distances between data and what a generator makes of it, one value per example."""

from __future__ import annotations

import numpy as np
from keras import ops

BINOMIAL = np.outer(*[np.array([1.0, 4.0, 6.0, 4.0, 1.0], "float32") / 16.0] * 2)
SMALLEST = 4  # no level has a shorter side than half of this


def squared(x, y):
    """The squared Euclidean distance of each pair, `(batch,)`."""
    return ops.sum(ops.square(x - y), axis=tuple(range(1, len(x.shape))))


def laplacian(x, y):
    """The Lap1 distance of pairs of images, `(batch,)`.

    The sum over the levels j = 0, 1, ... of Laplacian pyramids of 4^j times the absolute difference
    (Ling & Okada 2006; Bojanowski et al. 2018, "Optimizing the Latent Space of Generative
    Networks"): coarse levels, whose pixels are fewer, count for as much as fine ones.

    Args:
        x: `(batch, height, width, channels)`.
        y: likewise.
    """
    # A pyramid is linear: that of the difference is the difference of the pyramids.
    levels = laplacian_pyramid(x - y)
    return sum(4.0**j * ops.sum(ops.abs(level), axis=(1, 2, 3)) for j, level in enumerate(levels))


def laplacian_pyramid(x) -> list:
    """What each halving of images loses, from the finest level on, and what is left at the end.

    Burt & Adelson 1983, with each level's detail taken before it is sampled down.
    """
    levels = []
    while min(x.shape[1:3]) >= SMALLEST:
        blurred = _blurred(x)
        levels.append(x - blurred)
        x = blurred[:, ::2, ::2]
    return [*levels, x]


def _blurred(x):
    """The images under a 5x5 binomial filter, mirrored at the borders."""
    channels = x.shape[-1]
    padded = ops.pad(x, [[0, 0], [2, 2], [2, 2], [0, 0]], mode="reflect")
    kernel = ops.tile(BINOMIAL[:, :, None, None], (1, 1, channels, 1))
    return ops.depthwise_conv(padded, ops.cast(kernel, x.dtype), padding="valid")


LOSSES = {"squared": squared, "laplacian": laplacian}


def get(name: str):
    """The distance of that name.

    Raises:
        ValueError: if there is none.
    """
    if name not in LOSSES:
        raise ValueError(f"Unknown reconstruction loss {name!r}. Known: {', '.join(LOSSES)}.")
    return LOSSES[name]
