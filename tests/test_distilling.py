"""Students: narrower networks, that learn what the teacher generates."""

import json

import keras
import numpy as np
import pytest
from keras import layers

from keras_gen import data, distilling, likelihoods, models, runs
from keras_gen.cli.main import main
from keras_gen.distilling.distill import student_of

GRAY = data.Spec("gray", "image", (8, 8, 1), (0.0, 1.0), num_classes=3)


def widths(network):
    entries = {"Dense": "units", "Conv2DTranspose": "filters"}
    return [getattr(each, entries[type(each).__name__]) for each in network.layers
            if type(each).__name__ in entries]  # fmt: skip


def test_hidden_layers_are_narrower_and_the_output_is_not():
    gan = models.DGAN.for_data(GRAY, latent_dim=5, width=16, depth=2, seed=0)
    assert widths(gan.generator) == [2 * 2 * 32, 16, 1]
    small = distilling.narrowed(gan.generator, 0.25)
    assert widths(small) == [2 * 2 * 8, 4, 1]
    assert small.input_shape == gan.generator.input_shape
    assert small.output_shape == gan.generator.output_shape
    vae = models.ConditionalVAE.for_data(GRAY, latent_dim=3, network="dense", hidden=(10, 7))
    assert widths(distilling.narrowed(vae.decoder, 0.5)) == [4, 5, 64]
    assert distilling.narrowed(vae.decoder, 0.001).output_shape == (None, 8, 8, 1)


def test_a_layer_that_cannot_be_narrower_is_named():
    z = keras.Input((4,))
    network = keras.Model(z, layers.UnitNormalization(name="unit")(layers.Dense(3)(z)))
    with pytest.raises(ValueError, match="unit is a UnitNormalization"):
        distilling.narrowed(network, 0.5)


def test_the_other_networks_are_the_teachers():
    gan = models.DGAN.for_data(GRAY, latent_dim=5, width=8, ema=0.9, seed=0)
    student, network = student_of(gan, 0.5, seed=1)
    assert network is gan.average
    assert student.ema == 0
    for ours, theirs in zip(
        student.discriminator.get_weights(), gan.discriminator.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    vae = models.VAE.for_data(GRAY, latent_dim=3, network="dense", hidden=(8,), seed=0)
    student, _ = student_of(vae, 0.5, seed=1)
    x = np.random.default_rng(0).uniform(size=(4, *GRAY.shape)).astype("float32")
    np.testing.assert_array_equal(student.encode(x), vae.encode(x))


def linear(dim, size, likelihood, kernel=None):
    """A VAE with a linear encoder, and a decoder of one hidden linear layer."""
    x, z = keras.Input((size,)), keras.Input((dim,))
    encoder = keras.Model(x, layers.Dense(2 * dim)(x))
    out = layers.Dense(likelihood.parameter_shape((size,))[0])(layers.Dense(8)(z))
    return models.VAE(encoder, keras.Model(z, out), likelihood=likelihood, seed=0)


@pytest.mark.parametrize("likelihood", [likelihoods.Gaussian(0.5), likelihoods.Bernoulli()])
def test_the_cross_entropy_reaches_the_teachers_entropy(likelihood):
    """KL(p_T || p_S) goes to 0 for a student that can represent the teacher."""
    keras.utils.set_random_seed(0)
    teacher = linear(2, 5, likelihood)
    teacher.decoder.set_weights([3 * w for w in teacher.decoder.get_weights()])
    student, network = student_of(teacher, 0.5, seed=1)
    job = distilling.Distillation(student, network, seed=0)
    job.compile(optimizer=keras.optimizers.Adam(0.01))
    x = np.random.default_rng(0).uniform(size=(2000, 5)).astype("float32")
    before = job.evaluate(x, return_dict=True, verbose=0)["cross_entropy"]
    job.fit(x, epochs=30, batch_size=100, verbose=0)
    after = job.evaluate(x, return_dict=True, verbose=0)["cross_entropy"]
    z = teacher.draw_latents(500, seed=5)
    difference = np.abs(student.decode(z) - teacher.decode(z)).max()
    assert difference < 0.15
    assert after < before
    if isinstance(likelihood, likelihoods.Gaussian):
        entropy = 5 * (0.5 * np.log(2 * np.pi * np.e) + np.log(0.5))
        assert after == pytest.approx(entropy, abs=0.15)


def test_a_generator_comes_closer_to_its_teacher(tmp_path):
    spec = data.Spec("gray", "image", (8, 8, 1), (0.0, 1.0))
    gan = models.GAN.for_data(spec, latent_dim=4, hidden=(16,), seed=0)
    gan.generator.set_weights([2 * w for w in gan.generator.get_weights()])
    student, network = student_of(gan, 0.5, seed=1)
    job = distilling.Distillation(student, network, seed=0)
    job.compile()
    x = np.random.default_rng(0).uniform(size=(640, 8, 8, 1)).astype("float32")
    first = student.discriminator.get_weights()
    before = job.evaluate(x, return_dict=True, verbose=0)["distance"]
    history = job.fit(x, epochs=10, batch_size=64, verbose=0).history
    after = job.evaluate(x, return_dict=True, verbose=0)["distance"]
    assert after < 0.8 * before
    assert np.isfinite(history["discriminator_loss"]).all()
    assert any((a != b).any() for a, b in zip(first, student.discriminator.get_weights(),
                                              strict=True))  # fmt: skip
    z = gan.draw_latents(64, seed=3)
    direct = np.abs(student.decode(z) - gan.decode(z)).mean()
    assert direct == pytest.approx(after, rel=0.2)


def test_the_command_writes_a_model_that_is_used_as_any_other(tmp_path, capsys):
    out = tmp_path / "small"
    command = ["distill", "vae_digits", "--width", "0.25", "--epochs", "2", "--metrics",
               "active_units", "--out", str(out)]  # fmt: skip
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "active_units:" in printed and "64 samples in" in printed
    card = json.loads((out / "card.json").read_text())["distilled"]
    trained = runs.open(out)
    assert card["parameters"]["student"] == trained.model.decoder.count_params()
    assert card["parameters"]["student"] < 0.2 * card["parameters"]["teacher"]
    assert trained.sample(3, seed=1).shape == (3, 8, 8, 1)
    assert main(["sample", str(out), "-n", "4", "--out", str(tmp_path / "x.png")]) == 0
    assert main(["distill", "vae_digits", "--width", "1.5", "--out", str(tmp_path / "y")]) == 2
    assert "width must be a share between 0 and 1" in capsys.readouterr().err


def test_models_that_have_nothing_to_distill():
    glo = models.GLO.for_data(GRAY, num_examples=4, latent_dim=2, width=2)
    with pytest.raises(ValueError, match="GLO has no decoder that can be distilled"):
        student_of(glo, 0.5, seed=0)
