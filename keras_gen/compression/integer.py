"""Networks in integer arithmetic: the same results on every machine, with any number of threads.

A decoder must reproduce the encoder's probabilities exactly, but sums of floating-point numbers
depend on their order, and that on the library, the batch and the threads. Here weights and
activations are integers, held in float64. All sums stay below 2^53, where float64 is exact in any
order, so that matrix products may be computed by any BLAS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import keras
import numpy as np
from keras import layers

from keras_gen.compression import tables

BITS = 12  # of activations, after the point
WEIGHT_BITS = 14
LIMIT = 2.0**21  # of activations, in units of 2^-BITS
EXACT = 2.0**53


class IntegerNetwork:
    """A network as a function of fixed-point numbers, integers in units of 2^-BITS.

    Args:
        network: a chain of layers: dense, convolutional, transposed convolutional, reshaping,
            cropping, and ReLU, leaky ReLU and tanh. Its outputs come within rounding.

    Attributes:
        fingerprint: SHA-256 of all that the results depend on.

    Raises:
        ValueError: for a layer that is not supported, or if sums could exceed 2^53.
    """

    def __init__(self, network: keras.Model):
        self._steps: list[Callable] = []
        digest = hashlib.sha256(f"{BITS} {WEIGHT_BITS} {LIMIT}".encode())
        before = network.inputs[0]
        for layer in network.layers:
            if isinstance(layer, layers.InputLayer):
                continue
            if layer.input is not before:
                raise ValueError(
                    f"{layer.name} of {network.name} does not follow the layer before it: only a "
                    "chain of layers can be computed in integers."
                )
            before = layer.output
            self._steps += _steps(layer, digest)
        self.fingerprint = digest.hexdigest()

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Returns the outputs `(batch, ...)` of integers `(batch, ...)`, both in float64."""
        for step in self._steps:
            x = step(x)
        return x


def _steps(layer: keras.Layer, digest) -> list[Callable]:
    """Returns what a layer does, and adds its settings to a hash."""
    digest.update(type(layer).__name__.encode())
    if isinstance(layer, layers.Dense):
        product = _product(layer, layer.kernel, digest)
        return [product, *_activation(layer.activation, layer)]
    if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose)):
        (stride, _), (size, _) = layer.strides, layer.kernel_size
        square = layer.strides == (stride, stride) and layer.kernel_size == (size, size)
        if not square or layer.padding != "same" or layer.dilation_rate != (1, 1):
            raise ValueError(f"{layer.name} cannot be computed in integers: only square kernels "
                             "and strides with 'same' padding can.")  # fmt: skip
        digest.update(f"{stride} {size}".encode())
        return [*_convolution(layer, stride, size, digest), *_activation(layer.activation, layer)]
    if isinstance(layer, (layers.Flatten, layers.Reshape)):
        shape = tuple(layer.output.shape[1:])
        return [lambda x: x.reshape(-1, *shape)]
    if isinstance(layer, layers.Cropping2D):
        (top, bottom), (left, right) = layer.cropping
        return [lambda x: x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]]
    if isinstance(layer, layers.Activation):
        return _activation(layer.activation, layer)
    if isinstance(layer, layers.LeakyReLU):
        return [_leaky(layer.negative_slope, digest)]
    raise ValueError(
        f"the layer {layer.name} ({type(layer).__name__}) cannot be computed in integers: use "
        "dense and convolutional layers with ReLU, leaky ReLU or tanh."
    )


def _product(layer, kernel, digest, outputs: int | None = None) -> Callable:
    """Returns the product with a kernel `(inputs, outputs)` plus the bias, rounded and limited."""
    kernel = np.rint(np.asarray(keras.ops.convert_to_numpy(kernel), float) * 2**WEIGHT_BITS)
    bias = np.zeros(outputs or kernel.shape[-1])
    if layer.use_bias:
        bias = np.asarray(keras.ops.convert_to_numpy(layer.bias), float)
    bias = np.rint(bias * 2.0 ** (BITS + WEIGHT_BITS))
    most = np.abs(kernel).sum() if outputs else np.abs(kernel).sum(axis=0).max()
    if LIMIT * most + np.abs(bias).max(initial=0) >= EXACT:
        raise ValueError(f"the weights of {layer.name} are too large for exact integer sums.")
    digest.update(kernel.tobytes() + bias.tobytes())
    if outputs:
        return lambda x: x @ kernel, lambda total: _limited(total + bias)
    return lambda x: _limited(x @ kernel + bias)


def _limited(total: np.ndarray) -> np.ndarray:
    return np.clip(tables.rounded(total, WEIGHT_BITS), -LIMIT, LIMIT)


def _convolution(layer, stride: int, size: int, digest) -> list[Callable]:
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    if isinstance(layer, layers.Conv2D):
        product = _product(layer, kernel.reshape(-1, kernel.shape[-1]), digest)
        return [lambda x: product(_patches(x, stride, size))]
    # (rows, columns, outputs, inputs): each input adds to size * size positions.
    outputs = kernel.shape[2]
    flat = kernel.reshape(-1, kernel.shape[3]).T
    multiply, finish = _product(layer, flat, digest, outputs)
    return [lambda x: finish(_scattered(multiply(x), stride, size, outputs))]


def _patches(x: np.ndarray, stride: int, size: int) -> np.ndarray:
    """Returns the patches that a convolution sees, `(batch, rows, columns, size² * channels)`."""
    pads = []
    for length in x.shape[1:3]:
        missing = max((-(-length // stride) - 1) * stride + size - length, 0)
        pads.append((missing // 2, missing - missing // 2))
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    return windows.reshape(*windows.shape[:3], -1)


def _scattered(products: np.ndarray, stride: int, size: int, outputs: int) -> np.ndarray:
    """Returns the sums where the products of a transposed convolution overlap."""
    batch, rows, columns, _ = products.shape
    products = products.reshape(batch, rows, columns, size, size, outputs)
    height, width = rows * stride, columns * stride
    extra = max(size - stride, 0)
    total = np.zeros((batch, height + extra, width + extra, outputs))
    for i in range(size):
        for j in range(size):
            place = total[:, i : i + height : stride, j : j + width : stride]
            place += products[:, :, :, i, j]
    start = extra // 2
    return total[:, start : start + height, start : start + width]


def _activation(activation: Callable, layer) -> list[Callable]:
    known = {
        keras.activations.linear: [],
        keras.activations.relu: [lambda x: np.maximum(x, 0.0)],
        keras.activations.tanh: [lambda x: tables.tanh(x, BITS)],
    }
    if activation not in known:
        raise ValueError(
            f"the activation {activation.__name__} of {layer.name} cannot be computed in integers: "
            "use relu, leaky_relu or tanh."
        )
    return known[activation]


def _leaky(slope: float, digest) -> Callable:
    slope = np.rint(slope * 2**WEIGHT_BITS)
    digest.update(str(slope).encode())
    return lambda x: np.where(x < 0, tables.rounded(x * slope, WEIGHT_BITS), x)
