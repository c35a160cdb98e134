"""Multilayer perceptrons, for vectors and for data of any shape taken as a vector."""

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
    """A perceptron from data `(batch, *input_shape)` to `(batch, output_size)`.

    Args:
        input_shape: shape of one example.
        output_size: number of outputs.
        hidden: units of the hidden layers, in order.
        activation: of the hidden layers.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input.
        seed: of the initial weights.
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
    """A perceptron from z `(batch, latent_dim)` to `(batch, *output_shape)`.

    Args:
        latent_dim: dimension of z.
        output_shape: shape of the likelihood's parameters for one example.
        hidden: units of the hidden layers, in order (the encoder's, reversed, as a rule).
        activation: of the hidden layers.
        num_classes: if given, a one-hot label `(batch, num_classes)` is a second input.
        seed: of the initial weights.
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
