"""Convolutional networks for images of any size.

Each stage halves (or doubles) height and width by a 4x4 kernel of stride 2, down to at most 7x7
positions: 28 -> 14 -> 7, 64 -> 32 -> 16 -> 8 -> 4. The layout follows Burgess et al. 2018,
"Understanding disentangling in beta-VAE", appendix A. Sizes grow by transposed convolutions and not
by resizing, because gradient penalties need exact second derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks import common, stages, strided


def encoder(
    input_shape: tuple[int, int, int],
    output_size: int,
    filters: Sequence[int] = (32, 64, 64, 64),
    hidden: Sequence[int] = (256,),
    activation: str = "relu",
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Returns an encoder from images `(batch, *input_shape)` to `(batch, output_size)`.

    It has convolutions, then dense layers.

    Args:
        input_shape: (height, width, channels).
        output_size: number of outputs.
        filters: channels after each stage; the last number applies to all further stages.
        hidden: units of the dense layers, from first to last.
        activation: activation of the hidden layers.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input.
        seed: seed of the initial weights.
    """
    initializer = common.initializers(seed)
    x, inputs = common.with_label(tuple(input_shape), num_classes, "x")
    h = x
    for count in _filters(filters, len(stages.sizes(input_shape)) - 1):
        h = strided.Conv2D(
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
    """Returns a decoder from z `(batch, latent_dim)` to `(batch, *output_shape)`.

    It mirrors the encoder.

    Args:
        latent_dim: dimension of z.
        output_shape: (height, width, channels) of the likelihood's parameters.
        filters: the encoder's filters, in the encoder's order.
        hidden: units of the dense layers, from first to last.
        activation: activation of the hidden layers.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input.
        seed: seed of the initial weights.
    """
    initializer = common.initializers(seed)
    sizes = stages.sizes(output_shape)
    counts = _filters(filters, len(sizes) - 1)
    z, inputs = common.with_label((latent_dim,), num_classes, "z")
    h = common.joined(z, inputs)
    start = (*sizes[-1], counts[-1])
    for units in (*hidden, math.prod(start)):
        h = layers.Dense(units, activation=activation, kernel_initializer=initializer())(h)
    h = layers.Reshape(start)(h)
    for count, size in zip(counts[-2::-1], sizes[-2:0:-1], strict=True):
        h = stages.doubled(h, size, count, initializer(), activation=activation)
    h = stages.doubled(h, sizes[0], output_shape[-1], initializer(), dtype="float32")
    return common.model(inputs, h, "decoder")


def generator(
    latent_dim: int,
    output_shape: tuple[int, int, int],
    value_range: tuple[float, float] = (-math.inf, math.inf),
    depth: int | None = None,
    width: int = 64,
    hidden: Sequence[int] = (),
    activation: str = "relu",
    normalization: str | None = "batch",
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Returns DCGAN's generator, from z `(batch, latent_dim)` to images `(batch, *output_shape)`.

    Source: Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional
    Generative Adversarial Networks", section 3 and figure 1.

    Args:
        latent_dim: dimension of z.
        output_shape: (height, width, channels).
        value_range: least and greatest value of the data. If both are finite, the outputs pass
            through a scaled tanh.
        depth: number of stages; each doubles height and width. By default the first stage starts
            from at most 7x7 positions.
        width: channels before the last stage; each earlier stage has twice as many.
        hidden: units of dense layers before the first stage, from first to last.
        activation: activation of the hidden layers.
        normalization: normalization of the hidden layers: None, `"batch"` or `"layer"`.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input.
        seed: seed of the initial weights.
    """
    initializer = common.initializers(seed)
    sizes = stages.sizes(output_shape, depth)
    counts = [width * 2**i for i in range(len(sizes) - 1)]
    z, inputs = common.with_label((latent_dim,), num_classes, "z")
    h = common.joined(z, inputs)
    start = (*sizes[-1], counts[-1])
    for units in hidden:

        def dense(units=units, **options):
            return layers.Dense(units, kernel_initializer=initializer(), **options)

        h = common.hidden_layer(dense, activation, normalization)(h)

    def project(**options):
        return layers.Dense(math.prod(start), kernel_initializer=initializer(), **options)

    h = common.hidden_layer(project, activation, normalization)(h)
    h = layers.Reshape(start)(h)
    for count, size in zip(counts[-2::-1], sizes[-2:0:-1], strict=True):

        def double(count=count, **options):
            return stages.doubling(count, initializer(), **options)

        h = common.hidden_layer(double, activation, normalization)(h)
        h = stages.cropped(h, size)
    h = stages.doubled(h, sizes[0], output_shape[-1], initializer())
    return common.model(inputs, common.squashed(h, value_range), "generator", seed)


def discriminator(
    input_shape: tuple[int, int, int],
    value_range: tuple[float, float] = (-math.inf, math.inf),
    depth: int | None = None,
    width: int = 64,
    hidden: Sequence[int] = (),
    activation: str = "leaky_relu",
    normalization: str | None = None,
    num_classes: int | None = None,
    features: bool = False,
    seed: int | None = None,
) -> keras.Model:
    """Returns DCGAN's discriminator, from images `(batch, *input_shape)` to a logit `(batch, 1)`.

    It mirrors `generator`. As in the paper, the first stage has no batch normalization.

    Args:
        input_shape: (height, width, channels) of an image, or of a pack of images.
        value_range: least and greatest value of the data. If both are finite, the inputs are
            scaled to [-1, 1].
        depth: number of stages; each halves height and width.
        width: channels after the first stage; each later stage has twice as many.
        hidden: units of dense layers after the last stage, from first to last.
        activation: activation of the hidden layers.
        normalization: None, `"batch"`, `"layer"` or `"spectral"`.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input, which
            enters by projection (`common.discriminator_outputs`).
        features: whether the last hidden layer is a second output.
        seed: seed of the initial weights.
    """
    initializer = common.initializers(seed)
    x, inputs = common.with_label(tuple(input_shape), num_classes, "x")
    h = common.centered(x, value_range)
    for stage in range(len(stages.sizes(input_shape, depth)) - 1):

        def halve(stage=stage, **options):
            count = width * 2**stage
            return strided.Conv2D(count, 4, 2, "same", kernel_initializer=initializer(), **options)

        first = stage == 0 and normalization in ("batch", "layer")
        h = common.hidden_layer(halve, activation, None if first else normalization)(h)
    h = layers.Flatten()(h)
    for units in hidden:

        def dense(units=units, **options):
            return layers.Dense(units, kernel_initializer=initializer(), **options)

        h = common.hidden_layer(dense, activation, normalization)(h)
    outputs = common.discriminator_outputs(
        h, inputs, num_classes, normalization, initializer, features
    )
    return common.model(inputs, outputs, "discriminator", seed)


def _filters(filters: Sequence[int], stages: int) -> list[int]:
    return [filters[min(i, len(filters) - 1)] for i in range(stages)]
