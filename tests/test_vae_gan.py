"""The VAE-GAN's three losses, against formulas."""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_gen import data, models

SPEC = data.Spec("vector", "vector", (4,), (-math.inf, math.inf))


def make(**options):
    options = {"network": "dense", "hidden": (8,), "latent_dim": 2} | options
    return models.VAEGAN.for_data(SPEC, seed=1, generator_normalization=None, **options)


def examples(n=32):
    return tf.constant(np.random.default_rng(0).normal(size=(n, 4)).astype("float32"))


def test_each_loss_is_its_formula():
    model, x = make(gamma=0.3), examples()
    noise = model.noise(x)
    objective = model.objective(model.examples(x), noise, training=False)
    terms = {k: np.asarray(v) for k, v in objective.metrics.items()}
    mean, log_variance = np.split(np.asarray(model.encoder(x)), 2, axis=1)
    kl = 0.5 * np.sum(mean**2 + np.exp(log_variance) - 1 - log_variance, axis=1)
    np.testing.assert_allclose(terms["kl"], kl, rtol=1e-4, atol=1e-6)
    epsilon = np.asarray(noise.at("posterior").normal((32, 2)))
    reconstruction = model.generator(mean + np.exp(log_variance / 2) * epsilon)
    sample = model.generator(model.draw(32, noise))
    features = [np.asarray(model.discriminator(each)[1]) for each in (x, reconstruction)]
    feature_loss = 0.5 * np.sum((features[0] - features[1]) ** 2, axis=1)
    np.testing.assert_allclose(terms["feature_loss"], feature_loss, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(terms["encoder_loss"], kl + feature_loss, rtol=1e-4)

    def softplus(t):
        return np.logaddexp(0, t)

    real, *fakes = (
        np.asarray(model.discriminator(each)[0])[:, 0] for each in (x, reconstruction, sample)
    )
    game = np.mean([softplus(-fake) for fake in fakes], axis=0)
    np.testing.assert_allclose(terms["generator_loss"], 0.3 * feature_loss + game, rtol=1e-4)
    against_both = softplus(-real) + np.mean([softplus(fake) for fake in fakes], axis=0)
    np.testing.assert_allclose(terms["discriminator_loss"], against_both, rtol=1e-4)


def test_the_discriminator_does_not_learn_to_like_reconstructions():
    # Its gradient is that of the game alone: with the features' loss in it, gamma would matter.
    def moved(gamma):
        model = make(gamma=gamma)
        rates = {player: keras.optimizers.SGD(0.0) for player in model.players}
        model.compile(rates | {"discriminator": keras.optimizers.SGD(1.0)})
        model.train_on_batch(examples())
        return model.discriminator.get_weights()

    for a, b in zip(moved(0.0), moved(10.0), strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_encodes_and_reconstructs():
    model, x = make(), examples(5).numpy()
    z = model.encode(x)
    np.testing.assert_allclose(z, np.asarray(model.encoder(x))[:, :2], rtol=1e-5)
    np.testing.assert_allclose(model.reconstruct(x), model.decode(z), rtol=1e-5)
