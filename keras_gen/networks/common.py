"""Pieces that the default networks share."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import keras
from keras import layers


def initializers(seed: int | None) -> Callable[[], keras.initializers.Initializer]:
    """A function that gives each layer its own initializer: same seed, same network."""
    numbers = itertools.count()
    return lambda: keras.initializers.GlorotUniform(
        seed=None if seed is None else seed + next(numbers)
    )


def with_label(input_shape: tuple[int, ...], num_classes: int | None, name: str):
    """The input of a network, and the list of its inputs with the one-hot label if there is one."""
    main = keras.Input(input_shape, name=name)
    if num_classes is None:
        return main, [main]
    return main, [main, keras.Input((num_classes,), name="label")]


def joined(features, inputs: list):
    """Flat features, with the label (the second input, if any) beside them."""
    return layers.Concatenate()([features, inputs[1]]) if len(inputs) > 1 else features


def model(inputs: list, output, name: str) -> keras.Model:
    """The functional model; a single input is passed without a list around it."""
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], output, name=name)
