"""Strided convolutions for images of few channels compute the same as Keras's layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import strided

FEATURES = 5
PAIRS = [
    (strided.Conv2D, keras.layers.Conv2D),
    (strided.Conv2DTranspose, keras.layers.Conv2DTranspose),
]
each_pair = pytest.mark.parametrize(("ours", "stock"), PAIRS, ids=["convolve", "transposed"])


def twins(ours, stock, shape, channels, side=4, stride=2):
    """Returns both layers with equal weights, and a batch of inputs: images or features."""
    filters, depth = (FEATURES, channels) if stock is PAIRS[0][1] else (channels, FEATURES)
    made = [kind(filters, side, stride, "same", activation="tanh") for kind in (ours, stock)]
    x = np.random.default_rng(0).normal(size=(3, *shape, depth)).astype("float32")
    for layer in made:
        layer.build(x.shape)
    weights = [np.random.default_rng(1).normal(size=w.shape) for w in made[1].get_weights()]
    for layer in made:
        layer.set_weights(weights)
    return *made, tf.constant(x)


def derivatives(layer, x):
    """Returns a layer's outputs, and the first and second derivatives that penalties need.

    The first are the gradient of a function of the outputs, the second the gradient of the squared
    norm of its gradient with respect to x.
    """
    variables = [v.value for v in layer.trainable_variables]
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch(x)
            y = layer(x)
            total = tf.reduce_sum(tf.sin(3.0 * y))
        slope = inner.gradient(total, x)
        penalty = tf.reduce_sum(slope**2)
    second = outer.gradient(penalty, [x, *variables], unconnected_gradients="zero")
    return [y, slope, *inner.gradient(total, variables), *second]


@each_pair
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("shape", "channels", "side", "stride"),
    [
        ((14, 10), 1, 4, 2),
        ((7, 9), 3, 4, 2),
        ((5, 5), 2, 2, 2),
        ((9, 6), 2, 6, 3),
        ((5, 4), 1, 3, 1),
    ],
)
def test_values_and_derivatives_equal_those_of_keras(
    ours, stock, jit, shape, channels, side, stride
):
    layer, expected, x = twins(ours, stock, shape, channels, side, stride)
    compiled = tf.function(lambda x: derivatives(layer, x), jit_compile=jit)
    for found, wanted in zip(compiled(x), derivatives(expected, x), strict=True):
        scale = np.abs(wanted).max()
        np.testing.assert_allclose(found, wanted, atol=1e-5 * scale)


@each_pair
def test_the_kernel_is_used_where_channels_are_few(ours, stock, monkeypatch):
    def used(channels):
        calls = []
        folded = strided._folded
        monkeypatch.setattr(strided, "_folded", lambda *a: calls.append(a) or folded(*a))
        layer, _, x = twins(ours, stock, (6, 6), channels)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        tape.gradient(y, x)
        return len(calls)

    assert used(1) == used(strided.MOST_CHANNELS) == 1
    assert used(strided.MOST_CHANNELS + 1) == 0


@each_pair
def test_images_of_any_size_use_the_layers_of_keras(ours, stock):
    layer, expected, x = twins(ours, stock, (6, 6), 1)
    network = keras.Sequential([keras.Input((None, None, x.shape[-1])), layer])
    np.testing.assert_allclose(network(x), expected(x), rtol=1e-5)


def test_transposed_is_the_transpose_of_convolve():
    """<convolve(x), y> = <x, transposed(y)>, the definition of a transpose."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 7, 8, 3)), rng.normal(size=(2, 4, 4, FEATURES))
    kernel = rng.normal(size=(4, 4, 3, FEATURES))
    image = strided.transposed(tf.constant(y), tf.constant(kernel), 2, (7, 8))
    features = strided.convolve(tf.constant(x), tf.constant(kernel), 2)
    np.testing.assert_allclose(np.sum(features * y), np.sum(x * image), rtol=1e-12)
