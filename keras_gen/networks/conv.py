"""Convolutional networks for images of any size.

Each stage halves (or doubles) height and width with a 4x4 kernel of stride 2, until at most 7x7
positions are left: 28 -> 14 -> 7, 64 -> 32 -> 16 -> 8 -> 4. The layout is that of Burgess et al.
2018, "Understanding disentangling in beta-VAE", appendix A. Transposed convolutions, not resizing,
bring the size back: they have exact second derivatives, which gradient penalties need.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks import common

SMALLEST = 7


def encoder(
    input_shape: tuple[int, int, int],
    output_size: int,
    filters: Sequence[int] = (32, 64, 64, 64),
    hidden: Sequence[int] = (256,),
    activation: str = "relu",
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Convolutions, then dense layers: images `(batch, *input_shape)` to `(batch, output_size)`.

    Args:
        input_shape: (height, width, channels).
        output_size: number of outputs.
        filters: of the stages, in order; the last serves any further stages.
        hidden: units of the dense layers, in order.
        activation: of the hidden layers.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input.
        seed: of the initial weights.
    """
    initializer = common.initializers(seed)
    x, inputs = common.with_label(tuple(input_shape), num_classes, "x")
    h = x
    for count in _filters(filters, len(_sizes(input_shape)) - 1):
        h = layers.Conv2D(
            count, 4, 2, "same", activation=activation, kernel_initializer=initializer()
        )(h)
    h = common.joined(layers.Flatten()(h), inputs)
    for units in hidden:
        h = layers.Dense(units, activation=activation, kernel_initializer=initializer())(h)
    h = layers.Dense(output_size, kernel_initializer=initializer(), dtype="float32")(h)
    return common.model(inputs, h, "encoder")


def decoder(
    latent_dim: int,
    output_shape: tuple[int, int, int],
    filters: Sequence[int] = (32, 64, 64, 64),
    hidden: Sequence[int] = (256,),
    activation: str = "relu",
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """The encoder's mirror image: z `(batch, latent_dim)` to `(batch, *output_shape)`.

    Args:
        latent_dim: dimension of z.
        output_shape: (height, width, channels) of the likelihood's parameters.
        filters: the encoder's filters, in the encoder's order.
        hidden: units of the dense layers, in order.
        activation: of the hidden layers.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input.
        seed: of the initial weights.
    """
    initializer = common.initializers(seed)
    sizes = _sizes(output_shape)
    counts = _filters(filters, len(sizes) - 1)
    z, inputs = common.with_label((latent_dim,), num_classes, "z")
    h = common.joined(z, inputs)
    start = (*sizes[-1], counts[-1])
    for units in (*hidden, math.prod(start)):
        h = layers.Dense(units, activation=activation, kernel_initializer=initializer())(h)
    h = layers.Reshape(start)(h)
    for count, size in zip(counts[-2::-1], sizes[-2:0:-1], strict=True):
        h = _doubled(h, size, count, initializer(), activation=activation)
    h = _doubled(h, sizes[0], output_shape[-1], initializer(), dtype="float32")
    return common.model(inputs, h, "decoder")


def _sizes(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Height and width at each stage, from the image down."""
    if len(shape) != 3:
        raise ValueError(f"images have shape (height, width, channels), got {tuple(shape)}.")
    sizes = [(shape[0], shape[1])]
    while len(sizes) == 1 or max(sizes[-1]) > SMALLEST:
        sizes.append(tuple((side + 1) // 2 for side in sizes[-1]))
    return sizes


def _filters(filters: Sequence[int], stages: int) -> list[int]:
    return [filters[min(i, len(filters) - 1)] for i in range(stages)]


def _doubled(h, size: tuple[int, int], filters: int, initializer, **options):
    """A transposed convolution of stride 2, cropped by a pixel where `size` is odd."""
    h = layers.Conv2DTranspose(filters, 4, 2, "same", kernel_initializer=initializer, **options)(h)
    extra = [(0, have - want) for have, want in zip(h.shape[1:3], size, strict=True)]
    if any(after for _, after in extra):
        h = layers.Cropping2D(extra, **({"dtype": "float32"} if "dtype" in options else {}))(h)
    return h
