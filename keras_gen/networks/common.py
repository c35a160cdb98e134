"""Building blocks of the default networks."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Callable, Sequence

import keras
from keras import layers, ops

from keras_gen.networks import remat

LEAKY_SLOPE = 0.2  # Radford et al. 2016, section 4
MAXOUT_PIECES = 5
NORMALIZATIONS = ("batch", "layer", "spectral", None)


def initializers(
    seed: int | None, kind: type = keras.initializers.GlorotUniform
) -> Callable[[], keras.initializers.Initializer]:
    """Returns a function that returns a new initializer for each layer.

    The same seed gives the same network. Without one, weights are random.
    """
    place = itertools.count()
    return lambda: kind(seed=None if seed is None else seed + next(place))


def layer_sizes(units: int | Sequence[int]) -> tuple[int, ...]:
    """Returns the sizes of several layers, or of one that is given as a number.

    Raises:
        ValueError: if a size is not a positive integer.
    """
    sizes = tuple(units) if isinstance(units, Sequence) else (units,)
    if not all(isinstance(size, numbers.Integral) and size > 0 for size in sizes):
        raise ValueError(f"sizes of layers must be positive whole numbers, got {units!r}.")
    return sizes


def with_label(input_shape: tuple[int, ...], num_classes: int | None, name: str):
    """Returns a network's main input, and the list of all its inputs.

    With `num_classes` a one-hot label `(batch, num_classes)` is the second input.
    """
    main = keras.Input(input_shape, name=name)
    if num_classes is None:
        return main, [main]
    return main, [main, keras.Input((num_classes,), name="label")]


def joined(features, inputs: list):
    """Returns flat features, with the label appended if it is an input."""
    return layers.Concatenate()([features, inputs[1]]) if len(inputs) > 1 else features


def model(inputs: list, outputs, name: str, seed: int | None = None) -> keras.Model:
    """Returns a functional model, whose single input or output is not wrapped in a list.

    Args:
        inputs: list of the inputs.
        outputs: the output, or a list of outputs.
        name: name of the model.
        seed: seed of the initial vectors of spectral normalization, for which Keras has none.
    """

    def unwrapped(tensors):
        return tensors[0] if isinstance(tensors, list) and len(tensors) == 1 else tensors

    network = remat.functional(unwrapped(inputs), unwrapped(outputs), name)
    if seed is not None:
        normalized = [x for x in network.layers if isinstance(x, layers.SpectralNormalization)]
        for i, layer in enumerate(normalized):
            initializer = keras.initializers.TruncatedNormal(stddev=0.02, seed=seed + i)
            layer.vector_u.assign(initializer(layer.vector_u.shape))
    return network


def activated(h, activation: str):
    """Applies an activation by name; `"leaky_relu"` has DCGAN's slope."""
    if activation == "leaky_relu":
        return layers.LeakyReLU(LEAKY_SLOPE)(h)
    return layers.Activation(activation)(h)


@keras.saving.register_keras_serializable("keras_gen")
class BatchNormalization(layers.BatchNormalization):
    """Batch normalization over the global batch, on every backend.

    Only on TensorFlow must replicas synchronize; Keras refuses the word elsewhere.
    """

    def __init__(self, synchronized: bool = True, **kwargs):
        on_tensorflow = keras.backend.backend() == "tensorflow"
        super().__init__(synchronized=synchronized and on_tensorflow, **kwargs)
        self._stored = synchronized

    def _moments(self, inputs, mask):
        """Returns mean and variance; on JAX by sums of one pass, where `jax.numpy.var` takes two.

        The moving mean is near the mean, so that the difference of squares is accurate.
        """
        if keras.backend.backend() != "jax" or mask is not None:
            return super()._moments(inputs, mask)
        shape = [1 if axis in self._reduction_axes else -1 for axis in range(len(inputs.shape))]
        near = ops.stop_gradient(ops.cast(self.moving_mean, inputs.dtype))
        inputs = inputs - ops.reshape(near, shape)
        mean = ops.mean(inputs, self._reduction_axes)
        variance = ops.mean(ops.square(inputs), self._reduction_axes) - ops.square(mean)
        return near + mean, ops.maximum(variance, 0.0)

    def get_config(self) -> dict:
        return super().get_config() | {"synchronized": self._stored}


@keras.saving.register_keras_serializable("keras_gen")
class Rescaling(keras.Layer):
    """`keras.layers.Rescaling`, which on other backends imports TensorFlow at every call."""

    def __init__(self, scale: float, offset: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, inputs):
        inputs = ops.cast(inputs, self.compute_dtype)
        return inputs * ops.cast(self.scale, inputs.dtype) + ops.cast(self.offset, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        return super().get_config() | {"scale": self.scale, "offset": self.offset}


OURS = {each.__name__: each for each in (BatchNormalization, Rescaling)}


def repaired(config):
    """Returns a serialized object whose layers every backend can read and makes as they were.

    The layers here stand in for Keras's that some backends lack. Keras also drops `use_cudnn` of
    recurrent layers, and its own choice may have no second derivative and rounds otherwise.
    """
    if isinstance(config, (list, tuple)):
        return [repaired(each) for each in config]
    if not isinstance(config, dict):
        return config
    config = {key: repaired(value) for key, value in config.items()}
    if config.get("module") == "keras.layers":
        ours = OURS.get(config["class_name"])
        if ours:
            config["module"] = __name__
            config["registered_name"] = keras.saving.get_registered_name(ours)
        elif config["class_name"] in ("GRU", "LSTM"):
            config["config"]["use_cudnn"] = False
    return config


def hidden_layer(make: Callable[..., keras.Layer], activation: str, normalization: str | None):
    """Returns a function that applies a layer, its normalization and its activation.

    Args:
        make: function of `use_bias` that returns the layer.
        activation: name of an activation.
        normalization: one of `NORMALIZATIONS`: `"batch"` normalizes over the examples of all
            replicas, `"layer"` over each example, `"spectral"` bounds the layer's slope.
    """
    check_normalization(normalization)

    def apply(h):
        h = spectral(make(use_bias=normalization != "batch"), normalization)(h)
        if normalization == "batch":
            # Radford et al. 2016. Over the global batch, so that N replicas train as one does.
            h = BatchNormalization(momentum=0.9)(h)
        elif normalization == "layer":
            h = layers.LayerNormalization(axis=list(range(1, len(h.shape))))(h)
        return activated(h, activation)

    return apply


def check_normalization(normalization: str | None) -> None:
    """Raises a ValueError unless `normalization` is one of `NORMALIZATIONS`."""
    if normalization not in NORMALIZATIONS:
        known = ", ".join(map(repr, NORMALIZATIONS))
        raise ValueError(f"Unknown normalization {normalization!r}. Known: {known}.")


def spectral(layer: keras.Layer, normalization: str | None) -> keras.Layer:
    """Returns the layer, with spectral normalization (Miyato et al. 2018) if it is chosen."""
    if normalization != "spectral":
        return layer
    # It assigns to the layer's weights, which float16 would round.
    return layers.SpectralNormalization(layer, dtype="float32")


def bounded(value_range: tuple[float, float]) -> bool:
    """Returns whether both ends of a range are finite."""
    return math.isfinite(value_range[0]) and math.isfinite(value_range[1])


def squashed(h, value_range: tuple[float, float]):
    """Maps a generator's output into the data's range by a tanh, in float32.

    In an unbounded range it is unchanged.
    """
    if not bounded(value_range):
        return h
    return rescaled(layers.Activation("tanh", dtype="float32")(h), value_range)


def rescaled(h, value_range: tuple[float, float]):
    """Maps values in [-1, 1] to the data's range, in float32; unchanged if it is unbounded."""
    low, high = value_range
    if not bounded(value_range):
        return h
    return Rescaling((high - low) / 2, (high + low) / 2, dtype="float32")(h)


def centered(x, value_range: tuple[float, float]):
    """Maps data from its range to [-1, 1]; unchanged if the range is unbounded."""
    low, high = value_range
    if not bounded(value_range):
        return x
    return Rescaling(2 / (high - low), -(high + low) / (high - low))(x)


def discriminator_outputs(
    features, inputs: list, num_classes: int | None, normalization, initializer, with_features: bool
) -> list:
    """Returns the logit `(batch, 1)` of flat features, and with `with_features` the features too.

    With a label this is a projection discriminator: the inner product of the features with a
    learned vector for each class is added to the logit (Miyato & Koyama 2018, "cGANs with
    Projection Discriminator", equation 3).
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
    """Returns for each unit the largest of five linear functions (Goodfellow et al. 2013).

    Raises:
        ValueError: if the normalization is neither None nor "spectral".
    """
    check_normalization(normalization)
    if normalization not in (None, "spectral"):
        raise ValueError(
            f"normalization of maxout layers must be None or 'spectral', got {normalization!r}."
        )
    h = spectral(
        layers.Dense(units * MAXOUT_PIECES, kernel_initializer=initializer), normalization
    )(h)
    return ops.max(layers.Reshape((units, MAXOUT_PIECES))(h), axis=-1)
