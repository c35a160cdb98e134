"""InfoGAN's codes against what they must be."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax

from keras_gen import augmentation, data, evaluation, latents, models
from keras_gen.noise import Noise

SPEC = data.Spec("vector", "vector", (12,), (-math.inf, math.inf), num_classes=10)
CODES = "categorical:10,uniform:2"


def copier():
    """A generator that shows its code, 12 numbers, and hides its noise."""
    z = keras.Input((3 + 12,))
    return keras.Model(z, keras.layers.Cropping1D((3, 0))(z[:, :, None])[..., 0])


def readers(scale):
    """A discriminator whose features are its input, and a Q that reads the code from them."""
    x = keras.Input((12,))
    discriminator = keras.Model(x, [keras.layers.Dense(1)(x), x])
    features = keras.Input((12,))
    weights = np.diag([scale] * 10 + [1.0] * 2).astype("float32")
    q = keras.Model(features, keras.layers.Dense(12, use_bias=False)(features))
    q.set_weights([weights])
    return discriminator, q


@pytest.mark.parametrize(("scale", "expected"), [(100.0, math.log(10.0)), (0.0, 0.0)])
def test_the_bound_of_a_perfect_and_of_a_useless_recognition(scale, expected):
    model = models.InfoGAN(copier(), *readers(scale), codes=CODES, seed=0)
    model.compile()
    x = np.zeros((64, 12), "float32")
    results = model.evaluate(x, return_dict=True, verbose=0)
    assert results["information"] == pytest.approx(expected, abs=1e-4)
    assert results["information_maximum"] == pytest.approx(math.log(10.0), rel=1e-6)
    # Q's mean is exact: log N(c | c, 1) + log 2, for each of two codes.
    continuous = 2 * (math.log(2.0) - 0.5 * math.log(2 * math.pi))
    assert results["continuous_information"] == pytest.approx(continuous, rel=1e-5)
    # The information is in both players' losses, with the weight lambda.
    other = models.InfoGAN(
        model.generator,
        model.discriminator,
        model.recognition,
        codes=CODES,
        information_weight=0.0,
        seed=0,
    )
    other.compile()
    noise = model.noise(x)
    for weighted, plain in (
        (m.objective(m.examples(x), noise, training=False) for m in (model, other)),
    ):
        difference = float(np.mean(plain.loss - weighted.loss))
        assert difference == pytest.approx(expected + continuous, abs=1e-4)


def test_the_shared_trunk_is_in_the_update_of_the_recognition():
    model = models.InfoGAN.for_data(SPEC, network="dense", hidden=(8,), seed=1)
    # No game at all: what moves the discriminator's trunk is Q's likelihood.
    zero = model.discriminator.layers[-1]
    assert zero.output.shape[1:] == (1,)
    zero.set_weights([np.zeros_like(w) for w in zero.get_weights()])
    zero.trainable = False
    rates = {"discriminator": keras.optimizers.SGD(0.1), "generator": keras.optimizers.SGD(0.0)}
    model.compile(rates)
    trunk = next(layer for layer in model.discriminator.layers if layer.weights)
    before = trunk.get_weights()[0]
    x = np.random.default_rng(0).normal(size=(32, 12)).astype("float32")
    model.train_on_batch(x)
    assert not np.array_equal(trunk.get_weights()[0], before)


def test_the_scale_of_the_noise_leaves_the_codes_alone():
    z, scaled = (
        models.InfoGAN.for_data(
            SPEC, hidden=(8,), codes=CODES, noise_scale=scale, seed=1
        ).draw_latents(5_000, seed=2)
        for scale in (1.0, 0.3)
    )
    np.testing.assert_array_equal(scaled[:, 62:], z[:, 62:])
    np.testing.assert_allclose(scaled[:, :62], 0.3 * z[:, :62], rtol=1e-6)
    assert z[:, :62].std() == pytest.approx(1.0, abs=0.01)
    with pytest.raises(ValueError, match="noise_scale must be a number, greater than 0"):
        models.InfoGAN.for_data(SPEC, hidden=(8,), noise_scale=0.0)


def test_kinds_alone_are_read_from_augmented_images():
    images = data.Spec("image", "image", (8, 8, 1), (0.0, 1.0))
    options = {"network": "dense", "hidden": (8,), "codes": "categorical:10,uniform:2", "seed": 1}
    x = tf.random.stateless_uniform((16, 8, 8, 1), (1, 2))
    plain, model = (
        models.InfoGAN.for_data(images, code_augment=names, **options) for names in ("", "affine")
    )
    noise, z = Noise(3), model.draw(16, Noise(4))
    fake = model.generate(z)
    clear, terms = (
        each.generator_objective(x, fake, z, None, noise, False).metrics for each in (plain, model)
    )
    for name in ("generator_loss", "continuous_information"):
        np.testing.assert_array_equal(terms[name], clear[name])
    # Augmentations know values in [-1, 1].
    seen = (augmentation.affine(2 * fake - 1, noise.at("code", "affine")) + 1) / 2
    logits = np.asarray(model.recognition(model.discriminator(seen)[1]))[:, :10]
    bound = np.sum(z[:, -12:-2] * log_softmax(logits, axis=1), axis=1) + math.log(10)
    np.testing.assert_allclose(terms["information"], bound, rtol=1e-4, atol=1e-5)
    assert not np.allclose(clear["information"], bound, rtol=1e-2)
    with pytest.raises(ValueError, match="augment is for images"):
        models.InfoGAN.for_data(SPEC, hidden=(8,), code_augment="affine")


def test_codes_are_inferred_given_and_traversed():
    model = models.InfoGAN(copier(), *readers(100.0), codes=CODES, seed=0)
    classes, styles = np.arange(10), np.linspace(-1, 1, 20).reshape(10, 2)
    x = model.sample(10, seed=1, codes=[classes, styles])
    np.testing.assert_allclose(x, np.hstack([np.eye(10), styles]), atol=1e-6)
    inferred = model.infer_codes(x)
    np.testing.assert_array_equal(inferred[:, :10].argmax(1), classes)
    np.testing.assert_allclose(inferred[:, 10:], styles, atol=1e-5)
    rows = model.traverse(0, n=3, seed=2)
    assert rows.shape == (3, 10, 12)
    np.testing.assert_allclose(rows[:, :, :10], np.tile(np.eye(10), (3, 1, 1)), atol=1e-6)
    assert (rows[:, :, 10:] == rows[:, :1, 10:]).all()
    rows = model.traverse(2, n=3, seed=2, steps=5)
    np.testing.assert_allclose(rows[0, :, 11], np.linspace(-1, 1, 5), atol=1e-6)
    assert (rows[:, :, :11] == rows[:, :1, :11]).all()
    with pytest.raises(ValueError, match="code must be an integer from 0 to 2, got 3"):
        model.traverse(3)
    with pytest.raises(ValueError, match=r"codes must be \(4, 12\)"):
        model.sample(4, codes=np.zeros((4, 10)))
    with pytest.raises(ValueError, match="packing is not for InfoGAN"):
        models.InfoGAN.for_data(SPEC, packing=2)


def test_deep_infogan_has_the_papers_codes():
    spec = data.spec("svhn_cropped")
    model = models.DeepInfoGAN.for_data(spec, width=4, seed=0)
    kinds = [type(part) for part in model.codes.parts]
    assert kinds == [latents.Categorical] * 4 + [latents.Uniform]
    assert model.codes.entropy == pytest.approx(4 * math.log(10) + 4 * math.log(2))


def test_code_error_is_of_the_best_one_to_one_map():
    labels = np.repeat(np.arange(5), 20)
    renamed = np.array([3, 1, 4, 0, 2])[labels]
    assert evaluation.code_error(renamed, labels) == 0.0
    renamed[:7] = (renamed[:7] + 1) % 5
    assert evaluation.code_error(renamed, labels) == pytest.approx(0.07)
    # Two classes on one code, one code idle: one of the two is all wrong.
    merged = np.where(labels == 4, 0, labels)
    assert evaluation.code_error(merged, labels) == pytest.approx(0.2)
    assert evaluation.code_error(np.zeros(100, int), labels) == pytest.approx(0.8)
    with pytest.raises(ValueError, match="codes and labels must have the same length"):
        evaluation.code_error(labels[:5], labels)
