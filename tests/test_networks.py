"""Default networks: shapes for any size, labels, seeds."""

import keras
import numpy as np
import pytest

from keras_gen import data, models
from keras_gen.networks import conv, dense


@pytest.mark.parametrize("shape", [(28, 28, 1), (64, 64, 3), (9, 8, 1), (25, 13, 2), (4, 4, 1)])
@pytest.mark.parametrize("network", [conv, dense])
def test_decoder_output_has_the_shape_of_the_encoder_input(network, shape):
    encoder = network.encoder(shape, 6, hidden=(8,), seed=0)
    decoder = network.decoder(3, shape, hidden=(8,), seed=0)
    assert encoder.input_shape == decoder.output_shape == (None, *shape)
    assert encoder.output_shape == (None, 6)
    assert decoder.input_shape == (None, 3)


@pytest.mark.parametrize("size, stages", [(8, 1), (28, 2), (32, 3), (64, 4)])
def test_convolutions_halve_until_seven(size, stages):
    encoder = conv.encoder((size, size, 1), 2, filters=(4, 8), hidden=())
    filters = [la.filters for la in encoder.layers if isinstance(la, keras.layers.Conv2D)]
    assert filters == ([4, 8] + [8] * stages)[:stages]


@pytest.mark.parametrize("network", [conv, dense])
def test_outputs_depend_on_the_label(network):
    encoder = network.encoder((8, 8, 1), 4, hidden=(8,), num_classes=3, seed=0)
    decoder = network.decoder(2, (8, 8, 1), hidden=(8,), num_classes=3, seed=0)
    x, z, label = np.ones((3, 8, 8, 1)), np.ones((3, 2)), np.eye(3)
    for output in (encoder.predict([x, label], verbose=0), decoder.predict([z, label], verbose=0)):
        assert not np.allclose(output[0], output[1])


@pytest.mark.parametrize("network", [conv, dense])
def test_the_seed_fixes_the_weights_and_layers_differ(network):
    def weights(seed):
        model = network.encoder((8, 8, 1), 4, hidden=(6, 6, 6), seed=seed)
        return [w for w in model.get_weights() if w.ndim > 1]

    for a, b in zip(weights(1), weights(1), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(weights(1), weights(2), strict=True):
        assert not np.any(a == b)
    *_, second_last, last = (w for w in weights(1) if w.shape == (6, 6))
    assert not np.any(second_last == last)


def test_outputs_are_float32_under_mixed_precision(mixed):
    with mixed("mixed_float16"):
        for network in (conv, dense):
            encoder = network.encoder((9, 9, 1), 4)
            decoder = network.decoder(2, (9, 9, 1))
            assert encoder.output.dtype == decoder.output.dtype == "float32"


def test_an_image_has_three_axes():
    with pytest.raises(ValueError, match=r"\(height, width, channels\), got \(28, 28\)"):
        conv.encoder((28, 28), 4)


@pytest.mark.parametrize("name", ["VAE", "GAN", "GLO"])
def test_a_single_hidden_layer_may_be_a_number(name):
    spec = data.Spec("v", "vector", (6,), (0.0, 1.0))
    size = {"num_examples": 4} if name == "GLO" else {}
    one, listed = (
        models.get(name).for_data(spec, hidden=hidden, seed=1, **size) for hidden in (5, (5,))
    )
    assert one.count_params() == listed.count_params()
