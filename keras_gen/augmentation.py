"""Differentiable augmentation of what a discriminator sees, of real and generated images alike.

Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", section 3 and
appendix A: the same law of augmentation on both keeps the generator's target as it is, and its
gradient flows back through every operation here. Images are `(batch, height, width, channels)` with
values in [-1, 1], as in the paper: what enters or is cut out is mid-gray, 0.
"""

from __future__ import annotations

from keras import ops

from keras_gen.noise import Noise


def color(x, noise: Noise):
    """Random brightness, saturation and contrast of each image."""

    def factor(place: str, low: float, high: float):
        drawn = noise.at(place).uniform((ops.shape(x)[0], 1, 1, 1))
        return ops.cast(low + (high - low) * drawn, x.dtype)

    x = x + factor("brightness", -0.5, 0.5)
    mean = ops.mean(x, axis=3, keepdims=True)
    x = (x - mean) * factor("saturation", 0.0, 2.0) + mean
    mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
    return (x - mean) * factor("contrast", 0.5, 1.5) + mean


def translation(x, noise: Noise, ratio: float = 0.125):
    """Shifts each image by up to an eighth of its height and width; what enters is zero."""
    _, height, width, _ = x.shape
    # As products with shifted unit matrices, which have derivatives of every order.
    rows = _shift(noise.at("rows"), ops.shape(x)[0], height, ratio)
    columns = _shift(noise.at("columns"), ops.shape(x)[0], width, ratio)
    rows, columns = ops.cast(rows, x.dtype), ops.cast(columns, x.dtype)
    return ops.einsum("bij,bjkc,blk->bilc", rows, x, columns)


def cutout(x, noise: Noise, ratio: float = 0.5):
    """Sets a square of half the height and width, somewhere in each image, to zero."""
    _, height, width, _ = x.shape

    def inside(place: str, length: int):
        side = int(length * ratio + 0.5)
        low = ops.floor(noise.at(place).uniform((ops.shape(x)[0], 1)) * (length + 1 - side % 2))
        distance = ops.arange(length, dtype="float32")[None] - (low - side // 2)
        return ops.logical_and(distance >= 0, distance < side)

    hole = ops.logical_and(inside("rows", height)[:, :, None], inside("columns", width)[:, None, :])
    return x * ops.cast(ops.logical_not(hole), x.dtype)[..., None]


def _shift(noise: Noise, batch, length: int, ratio: float):
    """Matrices `(batch, length, length)` that move a vector by a random number of places."""
    most = int(length * ratio + 0.5)
    by = ops.floor(noise.uniform((batch, 1, 1)) * (2 * most + 1)) - most
    places = ops.arange(length, dtype="float32")
    return ops.cast(places[None, :, None] - places[None, None, :] == by, "float32")


POLICIES = {"color": color, "translation": translation, "cutout": cutout}


def policies(names: str) -> list[str]:
    """The names in a comma-separated list of augmentations, such as "color,translation".

    Raises:
        ValueError: if one is unknown.
    """
    found = [name.strip() for name in names.split(",") if name.strip()]
    for name in found:
        if name not in POLICIES:
            raise ValueError(f"Unknown augmentation {name!r}. Known: {', '.join(POLICIES)}.")
    return found


def augment(x, names: list[str], noise: Noise):
    """The images after each of the augmentations, in order."""
    for name in names:
        x = POLICIES[name](x, noise.at(name))
    return x
