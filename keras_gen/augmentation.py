"""Differentiable augmentation of a discriminator's inputs, real and generated images alike.

The same distribution of augmentations for both leaves the generator's target unchanged, and all
operations have gradients with respect to the images. Images are `(batch, height, width, channels)`
with values in [-1, 1]; pixels that are shifted in or cut out are mid-grey, 0.

Source: Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", section 3.
"""

from __future__ import annotations

from keras_gen import quiet  # noqa: F401  # isort: skip  (before TensorFlow)

from keras import ops

from keras_gen.noise import Noise

# Limits of `affine`: radians, a slope, and fractions of the size.
MOST_TURN, MOST_SHEAR, MOST_STRETCH, MOST_SHIFT = 0.25, 0.25, 0.175, 0.09


def color(x, noise: Noise):
    """Changes the brightness, saturation and contrast of each image at random."""

    def factor(place: str, low: float, high: float):
        drawn = noise.at(place).uniform((ops.shape(x)[0], 1, 1, 1))
        return ops.cast(low + (high - low) * drawn, x.dtype)

    x = x + factor("brightness", -0.5, 0.5)
    mean = ops.mean(x, axis=3, keepdims=True)
    x = (x - mean) * factor("saturation", 0.0, 2.0) + mean
    mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
    return (x - mean) * factor("contrast", 0.5, 1.5) + mean


def translation(x, noise: Noise, ratio: float = 0.125):
    """Shifts each image by up to `ratio` of its height and width, and fills with zeros."""
    _, height, width, _ = x.shape
    # Products with shifted unit matrices have derivatives of every order.
    rows = _shift(noise.at("rows"), ops.shape(x)[0], height, ratio)
    columns = _shift(noise.at("columns"), ops.shape(x)[0], width, ratio)
    rows, columns = ops.cast(rows, x.dtype), ops.cast(columns, x.dtype)
    return ops.einsum("bij,bjkc,blk->bilc", rows, x, columns)


def flip(x, noise: Noise):
    """Mirrors half of the images, at random, left to right."""
    flipped = noise.uniform((ops.shape(x)[0], 1, 1, 1)) < 0.5
    return ops.where(flipped, ops.flip(x, axis=2), x)


def cutout(x, noise: Noise, ratio: float = 0.5):
    """Sets a random rectangle of `ratio` times the height and width of each image to zero."""
    _, height, width, _ = x.shape

    def inside(place: str, length: int):
        side = int(length * ratio + 0.5)
        low = ops.floor(noise.at(place).uniform((ops.shape(x)[0], 1)) * (length + 1 - side % 2))
        distance = ops.arange(length, dtype="float32")[None] - (low - side // 2)
        return ops.logical_and(distance >= 0, distance < side)

    hole = ops.logical_and(inside("rows", height)[:, :, None], inside("columns", width)[:, None, :])
    return x * ops.cast(ops.logical_not(hole), x.dtype)[..., None]


def affine(x, noise: Noise):
    """Rotates, shears, scales and shifts each image a little, with bilinear interpolation.

    Pixels from outside the image repeat its border. The transformations keep an image's class, but
    not its slant or position. Source: the geometric transformations of Karras et al. 2020,
    "Training Generative Adversarial Networks with Limited Data", appendix B.
    """
    _, height, width, channels = x.shape
    batch = ops.shape(x)[0]

    def factor(place: str, most: float):
        return most * (2.0 * noise.at(place).uniform((batch, 1, 1)) - 1.0)

    # Coordinates, relative to the centre, of the point of the image for each pixel of the result.
    down = (ops.arange(height, dtype="float32") - (height - 1) / 2)[None, :, None]
    down = down * (1.0 + factor("height", MOST_STRETCH))
    across = (ops.arange(width, dtype="float32") - (width - 1) / 2)[None, None, :]
    across = across * (1.0 + factor("width", MOST_STRETCH)) + down * factor("shear", MOST_SHEAR)
    angle = factor("angle", MOST_TURN)
    row = ops.cos(angle) * down + ops.sin(angle) * across + factor("down", MOST_SHIFT * height)
    column = ops.cos(angle) * across - ops.sin(angle) * down + factor("across", MOST_SHIFT * width)
    row = ops.clip(row + (height - 1) / 2, 0.0, height - 1.0)
    column = ops.clip(column + (width - 1) / 2, 0.0, width - 1.0)
    top, left = ops.floor(row), ops.floor(column)
    pixels = ops.reshape(x, (batch, height * width, channels))

    def at(row, column):
        row, column = ops.minimum(row, height - 1.0), ops.minimum(column, width - 1.0)
        place = ops.cast(row * width + column, "int32")
        return ops.take_along_axis(pixels, ops.reshape(place, (batch, -1, 1)), axis=1)

    def between(first, second, share):
        share = ops.cast(ops.reshape(share, (batch, -1, 1)), x.dtype)
        return first + share * (second - first)

    upper = between(at(top, left), at(top, left + 1), column - left)
    lower = between(at(top + 1, left), at(top + 1, left + 1), column - left)
    return ops.reshape(between(upper, lower, row - top), ops.shape(x))


def _shift(noise: Noise, batch, length: int, ratio: float):
    """Returns matrices `(batch, length, length)` that shift a vector by a random distance."""
    most = int(length * ratio + 0.5)
    by = ops.floor(noise.uniform((batch, 1, 1)) * (2 * most + 1)) - most
    places = ops.arange(length, dtype="float32")
    return ops.cast(places[None, :, None] - places[None, None, :] == by, "float32")


POLICIES = {
    "color": color,
    "translation": translation,
    "cutout": cutout,
    "affine": affine,
    "flip": flip,
}


def policies(names: str) -> list[str]:
    """Returns the names in a comma-separated list of augmentations: "color,translation".

    Raises:
        ValueError: if a name is unknown.
    """
    found = [name.strip() for name in names.split(",") if name.strip()]
    for name in found:
        if name not in POLICIES:
            raise ValueError(f"Unknown augmentation {name!r}. Known: {', '.join(POLICIES)}.")
    return found


def augment(x, names: list[str], noise: Noise):
    """Returns the images after all the named augmentations, in order."""
    for name in names:
        x = POLICIES[name](x, noise.at(name))
    return x
