"""Pieces that the default networks share."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Callable, Sequence

import keras
from keras import layers, ops

LEAKY_SLOPE = 0.2  # Radford et al. 2016, section 4
MAXOUT_PIECES = 5
NORMALIZATIONS = ("batch", "layer", "spectral", None)


def initializers(
    seed: int | None, kind: type = keras.initializers.GlorotUniform
) -> Callable[[], keras.initializers.Initializer]:
    """A function that gives each layer its own initializer: same seed, same network."""
    place = itertools.count()
    return lambda: kind(seed=None if seed is None else seed + next(place))


def layer_sizes(units: int | Sequence[int]) -> tuple[int, ...]:
    """The sizes of several layers, or of a single one given as a number.

    Raises:
        ValueError: if one is no positive whole number.
    """
    sizes = tuple(units) if isinstance(units, Sequence) else (units,)
    if not all(isinstance(size, numbers.Integral) and size > 0 for size in sizes):
        raise ValueError(f"sizes of layers must be positive whole numbers, got {units!r}.")
    return sizes


def with_label(input_shape: tuple[int, ...], num_classes: int | None, name: str):
    """The input of a network, and the list of its inputs with the one-hot label if there is one."""
    main = keras.Input(input_shape, name=name)
    if num_classes is None:
        return main, [main]
    return main, [main, keras.Input((num_classes,), name="label")]


def joined(features, inputs: list):
    """Flat features, with the label (the second input, if any) beside them."""
    return layers.Concatenate()([features, inputs[1]]) if len(inputs) > 1 else features


def model(inputs: list, outputs, name: str, seed: int | None = None) -> keras.Model:
    """The functional model; a single input or output is passed without a list around it.

    Args:
        inputs: its inputs.
        outputs: its output, or a list of them.
        name: its name.
        seed: of what spectral normalization starts from, which Keras draws without one.
    """

    def alone(tensors):
        return tensors[0] if isinstance(tensors, list) and len(tensors) == 1 else tensors

    network = keras.Model(alone(inputs), alone(outputs), name=name)
    if seed is not None:
        normalized = [x for x in network.layers if isinstance(x, layers.SpectralNormalization)]
        for i, layer in enumerate(normalized):
            initializer = keras.initializers.TruncatedNormal(stddev=0.02, seed=seed + i)
            layer.vector_u.assign(initializer(layer.vector_u.shape))
    return network


def activated(h, activation: str):
    """`h` after an activation by name; `"leaky_relu"` has DCGAN's slope."""
    if activation == "leaky_relu":
        return layers.LeakyReLU(LEAKY_SLOPE)(h)
    return layers.Activation(activation)(h)


def hidden_layer(make: Callable[..., keras.Layer], activation: str, normalization: str | None):
    """A function that applies a layer, its normalization and its activation.

    Args:
        make: makes the layer; it is called with `use_bias`.
        activation: name of an activation.
        normalization: one of `NORMALIZATIONS`: `"batch"` is over all replicas' examples,
            `"layer"` over each example, `"spectral"` bounds the layer's slope.
    """
    check_normalization(normalization)

    def apply(h):
        h = spectral(make(use_bias=normalization != "batch"), normalization)(h)
        if normalization == "batch":
            # Radford et al. 2016; over the global batch, so that N replicas train as one.
            h = layers.BatchNormalization(momentum=0.9, synchronized=True)(h)
        elif normalization == "layer":
            h = layers.LayerNormalization(axis=list(range(1, len(h.shape))))(h)
        return activated(h, activation)

    return apply


def check_normalization(normalization: str | None) -> None:
    """Raises ValueError unless it is one of `NORMALIZATIONS`."""
    if normalization not in NORMALIZATIONS:
        known = ", ".join(map(repr, NORMALIZATIONS))
        raise ValueError(f"Unknown normalization {normalization!r}. Known: {known}.")


def spectral(layer: keras.Layer, normalization: str | None) -> keras.Layer:
    """The layer, under spectral normalization (Miyato et al. 2018) if that is asked for."""
    if normalization != "spectral":
        return layer
    # It writes to the layer's weights: in float16 it would round them.
    return layers.SpectralNormalization(layer, dtype="float32")


def bounded(value_range: tuple[float, float]) -> bool:
    """Whether both ends of a range are finite."""
    return math.isfinite(value_range[0]) and math.isfinite(value_range[1])


def squashed(h, value_range: tuple[float, float]):
    """A generator's output brought into the data's range, as by DCGAN's tanh; float32."""
    if not bounded(value_range):
        return h
    return rescaled(layers.Activation("tanh", dtype="float32")(h), value_range)


def rescaled(h, value_range: tuple[float, float]):
    """Values in [-1, 1] brought into the data's range, in float32; as they are if unbounded."""
    low, high = value_range
    if not bounded(value_range):
        return h
    return layers.Rescaling((high - low) / 2, (high + low) / 2, dtype="float32")(h)


def centered(x, value_range: tuple[float, float]):
    """Data brought from its range to [-1, 1], what a discriminator sees; as it is if unbounded."""
    low, high = value_range
    if not bounded(value_range):
        return x
    return layers.Rescaling(2 / (high - low), -(high + low) / (high - low))(x)


def judged(
    features, inputs: list, num_classes: int | None, normalization, initializer, with_features: bool
) -> list:
    """The logit `(batch, 1)` of flat features, and the features themselves if they are asked for.

    With a label, the projection discriminator of Miyato & Koyama 2018, "cGANs with Projection
    Discriminator", equation 3: the logit gains the features' inner product with a vector that is
    learned for each class.
    """

    def dense(units, **options):
        layer = layers.Dense(units, kernel_initializer=initializer(), dtype="float32", **options)
        return spectral(layer, normalization)

    logit = dense(1)(features)
    if num_classes is not None:
        embedding = dense(features.shape[-1], use_bias=False)(inputs[1])
        product = layers.Dot(axes=1, dtype="float32")([embedding, features])
        logit = layers.Add(dtype="float32")([logit, product])
    return [logit, features] if with_features else [logit]


def maxout(h, units: int, initializer, normalization):
    """The largest of five linear functions, for each unit (Goodfellow et al. 2013).

    Raises:
        ValueError: for a normalization other than None and "spectral".
    """
    check_normalization(normalization)
    if normalization not in (None, "spectral"):
        raise ValueError(f"maxout layers have no normalization {normalization!r}: choose None.")
    h = spectral(
        layers.Dense(units * MAXOUT_PIECES, kernel_initializer=initializer), normalization
    )(h)
    return ops.max(layers.Reshape((units, MAXOUT_PIECES))(h), axis=-1)
