"""Convolutional networks between images and grids of vectors, for discrete latents.

The layout follows van den Oord et al. 2017, section 4.1: strided convolutions of kernel 4x4, then
residual blocks of a 3x3 and a 1x1 convolution; and the mirror image of it.
"""

from __future__ import annotations

from keras import Model, layers

from keras_gen.networks import common, stages, strided


def encoder(
    input_shape: tuple[int, int, int],
    output_size: int,
    depth: int = 2,
    width: int = 64,
    blocks: int = 2,
    normalization: str | None = "batch",
    seed: int | None = None,
) -> Model:
    """Returns an encoder from images `(batch, *input_shape)` to `(batch, rows, columns, size)`.

    Args:
        input_shape: (height, width, channels).
        output_size: size of the vector at each place of the grid.
        depth: number of stages, each of which halves height and width.
        width: channels of the hidden layers.
        blocks: number of residual blocks.
        normalization: of the vectors: None, or "batch". With the latter they spread as far as the
            vectors of a codebook that starts as standard normal numbers, which all come into use
            (Łańcucki et al. 2020, "Robust Training of Vector Quantized Bottleneck Models").
        seed: seed of the initial weights.
    """
    initializer = common.initializers(seed)
    x, inputs = common.with_label(tuple(input_shape), None, "x")
    h = x
    for stage in range(len(stages.sizes(input_shape, depth)) - 1):
        count = width if stage == depth - 1 else max(1, width // 2)
        h = strided.Conv2D(
            count, 4, 2, "same", activation="relu", kernel_initializer=initializer()
        )(h)
    h = layers.Conv2D(width, 3, padding="same", kernel_initializer=initializer())(h)
    h = _residual(h, blocks, width, initializer)
    h = layers.Conv2D(output_size, 1, kernel_initializer=initializer(), dtype="float32")(h)
    if normalization == "batch":
        h = common.BatchNormalization(center=False, scale=False, dtype="float32")(h)
    return common.model(inputs, h, "encoder")


def decoder(
    latent_size: int,
    output_shape: tuple[int, int, int],
    depth: int = 2,
    width: int = 64,
    blocks: int = 2,
    seed: int | None = None,
) -> Model:
    """Returns a decoder from `(batch, rows, columns, latent_size)` to `(batch, *output_shape)`.

    It mirrors the encoder, and its arguments are the encoder's.
    """
    initializer = common.initializers(seed)
    sizes = stages.sizes(output_shape, depth)
    z, inputs = common.with_label((*sizes[-1], latent_size), None, "z")
    h = layers.Conv2D(width, 3, padding="same", kernel_initializer=initializer())(z)
    h = _residual(h, blocks, width, initializer)
    for size in sizes[-2:0:-1]:
        h = stages.doubled(h, size, max(1, width // 2), initializer(), activation="relu")
    h = stages.doubled(h, sizes[0], output_shape[-1], initializer(), dtype="float32")
    return common.model(inputs, h, "decoder")


def _residual(h, blocks: int, width: int, initializer):
    """Applies residual blocks, and a last ReLU."""
    for _ in range(blocks):
        change = layers.Activation("relu")(h)
        change = layers.Conv2D(
            width, 3, padding="same", activation="relu", kernel_initializer=initializer()
        )(change)
        change = layers.Conv2D(width, 1, kernel_initializer=initializer())(change)
        h = layers.Add()([h, change])
    return layers.Activation("relu")(h)
