"""A decoder as a list of steps and one array of weights, which a page computes without Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_gen import likelihoods
from keras_gen.models import GenerativeModel

ACTIVATIONS = ("linear", "relu", "leaky_relu", "tanh", "sigmoid", "elu", "silu")


class Program:
    """The steps from z, and a label, to an image.

    A step is a dictionary: `op`, its sizes, and `at`, where its weights start in `weights`. The
    steps are those of a network whose layers follow one another.

    Attributes:
        steps: in order.
        parts: arrays `(count,)` float32, which lie one after the other in `weights`.
    """

    def __init__(self, model: GenerativeModel):
        self.steps: list[dict[str, Any]] = []
        self.parts: list[np.ndarray] = []
        self._size = 0
        likelihood = getattr(model, "likelihood", None)
        network = getattr(model, "sampler", getattr(model, "generator", None))
        if likelihood is not None:
            network = model.decoder
        for layer in network.layers:
            self._layer(layer)
        if likelihood is not None:
            self._mean(likelihood)

    def _layer(self, layer: keras.Layer) -> None:
        name = type(layer).__name__
        if name in ("InputLayer", "Reshape", "Flatten"):
            return
        write = getattr(self, f"_{name.lower()}", None)
        if write is None:
            raise ValueError(
                f"a page runs networks of dense and transposed convolutional layers; "
                f"{layer.name} is a {name}."
            )
        write(layer)

    def _concatenate(self, layer) -> None:
        # The label, one-hot, stands behind z from the start.
        if any(not isinstance(each._keras_history.operation, keras.layers.InputLayer)
               for each in layer.input):  # fmt: skip
            raise ValueError(f"a page joins only z and the label; {layer.name} joins features.")

    def _dense(self, layer) -> None:
        if layer.input.ndim != 2:
            raise ValueError(f"a page runs dense layers of flat features; {layer.name} has others.")
        inputs, outputs = layer.kernel.shape
        self._step("dense", inputs=inputs, outputs=outputs, at=self._store(_numpy(layer.kernel)))
        self._affine(1.0, _numpy(layer.bias) if layer.use_bias else 0.0, outputs)
        self._activate(layer.activation)

    def _conv2dtranspose(self, layer) -> None:
        if layer.padding != "same" or layer.dilation_rate != (1, 1):
            raise ValueError(
                f"a page runs transposed convolutions with padding 'same' and no dilation; "
                f"{layer.name} has {layer.padding!r} and {layer.dilation_rate}."
            )
        height, width, inputs = layer.input.shape[1:]
        kernel = np.transpose(_numpy(layer.kernel), (0, 1, 3, 2))
        stride, size = layer.strides, layer.kernel_size
        # What "same" cuts off before the first row and column.
        before = [max(k - s, 0) // 2 for k, s in zip(size, stride, strict=True)]
        self._step(
            "transposed",
            input=[height, width, inputs],
            output=[height * stride[0], width * stride[1], layer.filters],
            kernel=list(size),
            stride=list(stride),
            before=before,
            at=self._store(kernel),
        )
        self._affine(1.0, _numpy(layer.bias) if layer.use_bias else 0.0, layer.filters)
        self._activate(layer.activation)

    def _batchnormalization(self, layer) -> None:
        mean, variance = _numpy(layer.moving_mean), _numpy(layer.moving_variance)
        scale = (_numpy(layer.gamma) if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
        shift = _numpy(layer.beta) if layer.center else 0.0
        self._affine(scale, shift - mean * scale, len(mean))

    def _layernormalization(self, layer) -> None:
        size = layer.input.shape[1:]
        if len(np.atleast_1d(layer.axis)) != len(size):
            raise ValueError(f"a page normalizes over a whole example; {layer.name} does not.")
        self._step("normalize", epsilon=layer.epsilon)
        scale = _numpy(layer.gamma).ravel() if layer.scale else 1.0
        self._affine(scale, _numpy(layer.beta).ravel() if layer.center else 0.0, np.prod(size))

    def _rescaling(self, layer) -> None:
        self._affine(layer.scale, layer.offset, 1)

    def _activation(self, layer) -> None:
        self._activate(layer.activation)

    def _leakyrelu(self, layer) -> None:
        self._step("activation", name="leaky_relu", slope=layer.negative_slope)

    def _cropping2d(self, layer) -> None:
        (top, _), (left, _) = layer.cropping
        self._step("crop", input=list(layer.input.shape[1:]), output=list(layer.output.shape[1:]),
                   top=top, left=left)  # fmt: skip

    def _mean(self, likelihood: likelihoods.Likelihood) -> None:
        """Adds what makes the likelihood's mean of its parameters."""
        kind = type(likelihood)
        if kind is likelihoods.Bernoulli:
            return self._step("activation", name="sigmoid")
        if kind is likelihoods.Gaussian:
            return self._step("first", of=likelihood.parameters_per_value)
        if kind is likelihoods.LogisticMixture:
            self._step("mixture", components=likelihood.components)
        elif kind is likelihoods.DiscretizedLogistic:
            self._step("first", of=2, low=-1, high=1)
        else:
            raise ValueError(f"a page does not know the mean of {kind.__name__}.")
        low, high = likelihood.value_range
        return self._affine((high - low) / 2, (high + low) / 2, 1)

    def _activate(self, activation) -> None:
        name = keras.activations.serialize(activation)
        if name not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise ValueError(f"a page knows the activations {known}; got {name}.")
        if name != "linear":
            self._step("activation", name=name, slope=0.2)

    def _affine(self, scale, shift, channels: int) -> None:
        """Adds a scale and a shift of each channel."""
        both = [np.broadcast_to(np.asarray(each, "float32"), channels) for each in (scale, shift)]
        self._step("affine", channels=int(channels), at=self._store(np.stack(both)))

    def _step(self, op: str, **sizes) -> None:
        self.steps.append({"op": op, **sizes})

    def _store(self, values) -> int:
        values = np.asarray(values, "float32").ravel()
        at, self._size = self._size, self._size + len(values)
        self.parts.append(values)
        return at


def _numpy(variable) -> np.ndarray:
    return np.float64(keras.ops.convert_to_numpy(variable))
