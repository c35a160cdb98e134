"""Multilayer perceptrons for vectors, and for data of other shapes, which they flatten."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import layers

from keras_gen.networks import common


def encoder(
    input_shape: tuple[int, ...],
    output_size: int,
    hidden: Sequence[int] = (512,),
    activation: str = "relu",
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Returns an encoder from data `(batch, *input_shape)` to `(batch, output_size)`.

    Args:
        input_shape: shape of one example.
        output_size: number of outputs.
        hidden: units of the hidden layers, from first to last.
        activation: activation of the hidden layers.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input.
        seed: seed of the initial weights.
    """
    initializer = common.initializers(seed)
    x, inputs = common.with_label(tuple(input_shape), num_classes, "x")
    h = common.joined(layers.Flatten()(x) if len(input_shape) > 1 else x, inputs)
    for units in hidden:
        h = layers.Dense(units, activation=activation, kernel_initializer=initializer())(h)
    h = layers.Dense(output_size, kernel_initializer=initializer(), dtype="float32")(h)
    return common.model(inputs, h, "encoder")


def decoder(
    latent_dim: int,
    output_shape: tuple[int, ...],
    hidden: Sequence[int] = (512,),
    activation: str = "relu",
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Returns a decoder from z `(batch, latent_dim)` to `(batch, *output_shape)`.

    Args:
        latent_dim: dimension of z.
        output_shape: shape of the likelihood's parameters for one example.
        hidden: units of the hidden layers, from first to last; usually the encoder's in reverse.
        activation: activation of the hidden layers.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input.
        seed: seed of the initial weights.
    """
    initializer = common.initializers(seed)
    z, inputs = common.with_label((latent_dim,), num_classes, "z")
    h = common.joined(z, inputs)
    for units in hidden:
        h = layers.Dense(units, activation=activation, kernel_initializer=initializer())(h)
    size = math.prod(output_shape)
    h = layers.Dense(size, kernel_initializer=initializer(), dtype="float32")(h)
    if len(output_shape) > 1:
        h = layers.Reshape(tuple(output_shape), dtype="float32")(h)
    return common.model(inputs, h, "decoder")


def generator(
    latent_dim: int,
    output_shape: tuple[int, ...],
    value_range: tuple[float, float] = (-math.inf, math.inf),
    hidden: Sequence[int] = (256, 512),
    activation: str = "relu",
    normalization: str | None = None,
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Returns a generator from z `(batch, latent_dim)` to data `(batch, *output_shape)`.

    Args:
        latent_dim: dimension of z.
        output_shape: shape of one example.
        value_range: least and greatest value of the data. If both are finite, the outputs pass
            through a scaled tanh.
        hidden: units of the hidden layers, from first to last.
        activation: activation of the hidden layers.
        normalization: normalization of the hidden layers: None, `"batch"` or `"layer"`.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input.
        seed: seed of the initial weights.
    """
    initializer = common.initializers(seed)
    z, inputs = common.with_label((latent_dim,), num_classes, "z")
    h = common.joined(z, inputs)
    for units in hidden:

        def dense(units=units, **options):
            return layers.Dense(units, kernel_initializer=initializer(), **options)

        h = common.hidden_layer(dense, activation, normalization)(h)
    size = math.prod(output_shape)
    h = layers.Dense(size, kernel_initializer=initializer(), dtype="float32")(h)
    h = common.squashed(h, value_range)
    if len(output_shape) > 1:
        h = layers.Reshape(tuple(output_shape), dtype="float32")(h)
    return common.model(inputs, h, "generator", seed)


def discriminator(
    input_shape: tuple[int, ...],
    value_range: tuple[float, float] = (-math.inf, math.inf),
    hidden: Sequence[int] = (512, 256),
    activation: str = "leaky_relu",
    normalization: str | None = None,
    num_classes: int | None = None,
    features: bool = False,
    seed: int | None = None,
) -> keras.Model:
    """Returns a discriminator from data `(batch, *input_shape)` to a logit `(batch, 1)`.

    Args:
        input_shape: shape of one example, or of one pack.
        value_range: least and greatest value of the data. If both are finite, the inputs are
            scaled to [-1, 1].
        hidden: units of the hidden layers, from first to last.
        activation: activation of the hidden layers; `"maxout"` takes the largest of five pieces.
        normalization: None, `"batch"`, `"layer"` or `"spectral"`.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input, which
            enters by projection (`common.discriminator_outputs`).
        features: whether the last hidden layer is a second output.
        seed: seed of the initial weights.
    """
    initializer = common.initializers(seed)
    x, inputs = common.with_label(tuple(input_shape), num_classes, "x")
    h = common.centered(x, value_range)
    if len(input_shape) > 1:
        h = layers.Flatten()(h)
    for units in hidden:
        if activation == "maxout":
            h = common.maxout(h, units, initializer(), normalization)
            continue

        def dense(units=units, **options):
            return layers.Dense(units, kernel_initializer=initializer(), **options)

        h = common.hidden_layer(dense, activation, normalization)(h)
    outputs = common.discriminator_outputs(
        h, inputs, num_classes, normalization, initializer, features
    )
    return common.model(inputs, outputs, "discriminator", seed)
