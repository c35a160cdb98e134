"""Faster strided convolutions for images of few channels on a CPU.

A transposed convolution that outputs an image, and the gradient of a strided convolution with
respect to an image, are the same sums. TensorFlow's CPU kernel for them is vectorized over the
image's channels: for one to eight channels it reaches 3 to 5 % of the machine's speed for matrix
products. This module sums over the many channels of the features in one matrix product, and then
adds its `kernel * kernel` results for each position where they overlap. That is three times as
fast, and computes the same. All other operations use TensorFlow's kernels.
"""

from __future__ import annotations

import keras
from keras import layers, ops

from keras_gen.quiet import LazyTensorFlow

tf = LazyTensorFlow("a convolution by matrix products")

# The matrix product is faster up to this number of an image's channels.
MOST_CHANNELS = 8


def _pays(layer, size, channels: int | None) -> bool:
    """Returns whether a layer between images `(*size, channels)` and features uses this code."""
    (height, width), (stride, _) = layer.kernel_size, layer.strides
    return (
        keras.backend.backend() == "tensorflow"
        and not tf.config.list_physical_devices("GPU")
        and None not in size
        and channels is not None
        and channels <= MOST_CHANNELS
        and height == width
        and height % stride == 0
        and layer.strides == (stride, stride)
        and layer.padding == "same"
        and layer.data_format == "channels_last"
        and layer.dilation_rate == (1, 1)
        and getattr(layer, "output_padding", None) is None
        and getattr(layer, "groups", 1) == 1
    )


@keras.saving.register_keras_serializable("keras_gen")
class Conv2D(layers.Conv2D):
    """`keras.layers.Conv2D` with a faster gradient with respect to images of few channels."""

    def convolution_op(self, inputs, kernel):
        if not _pays(self, inputs.shape[1:3], inputs.shape[-1]):
            return super().convolution_op(inputs, kernel)
        return convolve(inputs, tf.convert_to_tensor(kernel), self.strides[0])


@keras.saving.register_keras_serializable("keras_gen")
class Conv2DTranspose(layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, faster where it outputs images of few channels."""

    def call(self, inputs):
        if not _pays(self, inputs.shape[1:3], self.filters):
            return super().call(inputs)
        stride = self.strides[0]
        size = tuple(stride * side for side in inputs.shape[1:3])
        outputs = transposed(inputs, tf.convert_to_tensor(self.kernel), stride, size)
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs)


def convolve(x, kernel, stride: int):
    """Returns the strided convolution with "same" padding.

    Args:
        x: images `(batch, height, width, channels)`.
        kernel: `(side, side, channels, features)`; side is a multiple of stride.
        stride: stride in both directions.

    Returns:
        Features `(batch, ceil(height / stride), ceil(width / stride), features)`.
    """
    size = tuple(x.shape[1:3])

    @tf.custom_gradient
    def compute(x, kernel):
        def gradient(dy):
            return transposed(dy, kernel, stride, size), _kernel_gradient(x, kernel, dy, stride)

        return tf.nn.conv2d(x, kernel, stride, "SAME"), gradient

    return compute(x, kernel)


def transposed(x, kernel, stride: int, size: tuple[int, int]):
    """Returns the transpose of `convolve`, its gradient with respect to the images.

    Args:
        x: features `(batch, rows, columns, features)`.
        kernel: as in `convolve`.
        stride: stride in both directions.
        size: height and width of the images.

    Returns:
        Images `(batch, *size, channels)`.
    """

    @tf.custom_gradient
    def compute(x, kernel):
        def gradient(dy):
            return convolve(dy, kernel, stride), _kernel_gradient(dy, kernel, x, stride)

        return _folded(x, kernel, stride, size), gradient

    return compute(x, kernel)


def _kernel_gradient(image, kernel, features, stride: int):
    """Returns the gradient with respect to the kernel.

    One of `image` and `features` is a value, the other the gradient with respect to the other
    value.
    """
    return tf.raw_ops.Conv2DBackpropFilter(
        input=image,
        filter_sizes=tuple(kernel.shape),
        out_backprop=features,
        strides=[1, stride, stride, 1],
        padding="SAME",
    )


def _folded(x, kernel, stride: int, size: tuple[int, int]):
    """Computes `transposed` by one matrix product.

    Each position of x contributes `side * side` pixels to the image: `blocks * blocks` blocks of
    `stride * stride` pixels, which overlap with the neighbours' blocks.
    """
    rows, columns, features = x.shape[1:]
    side, _, channels, _ = kernel.shape
    blocks, block = side // stride, stride * stride * channels
    kernel = tf.reshape(kernel, (blocks, stride, blocks, stride, channels, features))
    kernel = tf.reshape(tf.transpose(kernel, (5, 0, 2, 1, 3, 4)), (features, blocks**2 * block))
    parts = tf.reshape(x, (-1, features)) @ kernel
    parts = tf.reshape(parts, (-1, rows, columns, blocks**2, block))
    total = tf.add_n(
        [
            tf.pad(
                parts[:, :, :, i * blocks + j],
                [[0, 0], [i, blocks - 1 - i], [j, blocks - 1 - j], [0, 0]],
            )
            for i in range(blocks)
            for j in range(blocks)
        ]
    )
    rows, columns = rows + blocks - 1, columns + blocks - 1
    total = tf.reshape(total, (-1, rows, columns, stride, stride, channels))
    total = tf.transpose(total, (0, 1, 3, 2, 4, 5))
    image = tf.reshape(total, (-1, rows * stride, columns * stride, channels))
    top, left = ((n * stride - m) // 2 for n, m in zip((rows, columns), size, strict=True))
    return image[:, top : top + size[0], left : left + size[1]]
