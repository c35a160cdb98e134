"""The ELBO, the importance weighted bound and their variants against models solved exactly.

For a linear decoder and Gaussian noise, x = W z + b + s * noise, everything is known in closed
form: log p(x) is that of N(b, W W' + s^2 I), and the posterior is N(M W'(x - b) / s^2, M) with
M = (I + W'W / s^2)^-1. With orthogonal columns in W, M is diagonal: an encoder can be exact.
"""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from keras_gen import data, likelihoods, models
from keras_gen.noise import Noise

RNG = np.random.default_rng(0)
DIM, LATENT, SCALE = 6, 2, 0.7
W = np.linalg.qr(RNG.normal(size=(DIM, LATENT)))[0] * [1.5, 0.8]
B = RNG.normal(size=DIM)
POSTERIOR_VARIANCE = 1 / (1 + np.diag(W.T @ W) / SCALE**2)
EXACT = scipy.stats.multivariate_normal(B, W @ W.T + SCALE**2 * np.eye(DIM))
X = EXACT.rvs(2000, random_state=1).astype("float32")


def linear_gaussian(log_variance_error=0.0, cls=models.VAE, **options):
    """The model above, with an encoder whose variances are off by a factor e^error."""
    encoder = keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(2 * LATENT)])
    decoder = keras.Sequential([keras.Input((LATENT,)), keras.layers.Dense(DIM)])
    to_mean = W * POSTERIOR_VARIANCE / SCALE**2
    log_variance = np.log(POSTERIOR_VARIANCE) + log_variance_error
    encoder.layers[0].set_weights(
        [
            np.concatenate([to_mean, np.zeros_like(to_mean)], axis=1),
            np.concatenate([-B @ to_mean, log_variance]),
        ]
    )
    decoder.layers[0].set_weights([W.T, B])
    model = cls(encoder, decoder, likelihood=likelihoods.Gaussian(SCALE), seed=0, **options)
    model.compile(keras.optimizers.Adam(1e-2))
    return model


def test_with_the_exact_posterior_every_importance_weight_is_the_likelihood():
    model = linear_gaussian()
    exact = EXACT.logpdf(X[:50])
    for num_samples in (1, 7):
        np.testing.assert_allclose(model.log_likelihood(X[:50], num_samples), exact, atol=2e-4)


def test_the_elbo_falls_short_of_the_likelihood_by_the_kl_to_the_posterior():
    error = 1.0
    metrics = linear_gaussian(error).evaluate(X, return_dict=True, verbose=0)
    kl_to_posterior = 0.5 * LATENT * (np.exp(error) - 1 - error)
    expected = EXACT.logpdf(X).mean() - kl_to_posterior
    # The spread of one draw per example, over 2000 examples.
    assert metrics["elbo"] == pytest.approx(expected, abs=4 * 1.5 / np.sqrt(len(X)))
    assert metrics["elbo"] == pytest.approx(metrics["reconstruction"] - metrics["kl"], abs=1e-4)
    assert metrics["loss"] == pytest.approx(-metrics["elbo"], abs=1e-4)


def test_the_importance_weighted_bound_rises_to_the_likelihood_from_below():
    model = linear_gaussian(log_variance_error=0.8)
    exact = EXACT.logpdf(X).mean()
    bounds = [model.log_likelihood(X, k).mean() for k in (1, 5, 50, 500)]
    assert bounds == sorted(bounds)
    assert bounds[0] < exact - 0.2
    assert exact - 0.01 < bounds[-1] < exact + 0.005


def test_iwae_of_one_sample_is_the_elbo_and_of_more_is_tighter():
    arrays = {"x": X}
    losses = {
        k: linear_gaussian(0.8, models.IWAE, num_samples=k).evaluate(
            arrays, return_dict=True, verbose=0
        )
        for k in (1, 5, 50)
    }
    assert losses[1]["loss"] == pytest.approx(-losses[1]["elbo"], abs=1e-4)
    assert losses[50]["loss"] < losses[5]["loss"] < losses[1]["loss"]
    assert -losses[50]["loss"] == pytest.approx(EXACT.logpdf(X).mean(), abs=0.02)
    by_log_likelihood = linear_gaussian(0.8).log_likelihood(X, 5).mean()
    assert -losses[5]["loss"] == pytest.approx(by_log_likelihood, abs=0.05)


def test_a_trained_linear_vae_finds_the_exact_likelihood():
    spec = data.Spec("linear", "vector", (DIM,), (float(X.min()), float(X.max())))
    vae = models.VAE.for_data(
        spec, latent_dim=LATENT, hidden=(), likelihood=likelihoods.Gaussian(SCALE), seed=3
    )
    vae.compile(keras.optimizers.Adam(2e-2))
    vae.fit(X, batch_size=200, epochs=80, verbose=0)
    elbo = vae.evaluate(X, return_dict=True, verbose=0)["elbo"]
    exact = EXACT.logpdf(X).mean()
    # A linear VAE can reach the maximum likelihood (probabilistic PCA), a little above the true
    # parameters' likelihood on the data it was trained on.
    assert exact - 0.1 < elbo < exact + 0.05


def test_beta_weights_the_kl():
    kl = np.float32([0.0, 1.0, 5.0])
    np.testing.assert_allclose(
        linear_gaussian(cls=models.BetaVAE, beta=4.0).regularizer(kl), 4 * kl
    )
    capacity = linear_gaussian(cls=models.BetaVAE, beta=10.0, capacity=2.0, capacity_steps=100)
    for step, free in [(0, 0.0), (50, 1.0), (100, 2.0), (1000, 2.0)]:
        capacity.step.assign(step)
        np.testing.assert_allclose(capacity.regularizer(kl), 10 * np.abs(kl - free), rtol=1e-6)
    warm = linear_gaussian(cls=models.BetaVAE, beta=2.0, warmup_steps=10)
    for step, weight in [(0, 0.0), (5, 1.0), (10, 2.0), (50, 2.0)]:
        warm.step.assign(step)
        np.testing.assert_allclose(warm.regularizer(kl), weight * kl)
    with pytest.raises(ValueError, match="beta must be a number, at least 0; got"):
        linear_gaussian(cls=models.BetaVAE, beta=-1.0)


def test_beta_one_is_the_vae():
    vae, beta = linear_gaussian(0.3), linear_gaussian(0.3, models.BetaVAE, beta=1.0)
    assert vae.fit(X, epochs=2, verbose=0).history == beta.fit(X, epochs=2, verbose=0).history


def test_capacity_is_used():
    spec = data.Spec("linear", "vector", (DIM,), (-1.0, 1.0))
    for capacity in (0.5, 1.5):
        model = models.BetaVAE.for_data(
            spec, latent_dim=3, beta=50.0, capacity=capacity, capacity_steps=1, seed=0
        )
        model.compile(keras.optimizers.Adam(3e-3))
        model.fit(X, batch_size=100, epochs=15, verbose=0)
        kl = model.evaluate(X, return_dict=True, verbose=0)["kl"]
        assert kl == pytest.approx(capacity, rel=0.1)


def test_a_label_steers_the_conditional_vae():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 1200)
    centres = np.eye(3)[:, [0, 1, 2, 0]] * 0.8 + 0.1
    x = np.clip(centres[label] + rng.normal(scale=0.03, size=(1200, 4)), 0, 1).astype("float32")
    spec = data.Spec("blobs", "vector", (4,), (0.0, 1.0), num_classes=3)
    model = models.ConditionalVAE.for_data(
        spec, latent_dim=2, hidden=(32,), likelihood=likelihoods.Gaussian(0.1), seed=0
    )
    model.compile(keras.optimizers.Adam(3e-3))
    model.fit(x, label, batch_size=50, epochs=20, verbose=0)
    samples = model.sample(9, seed=0)
    np.testing.assert_allclose(samples, centres[np.arange(9) % 3], atol=0.1)
    asked = model.sample(2, seed=0, label=[2, 0])
    np.testing.assert_allclose(asked, centres[[2, 0]], atol=0.1)
    exact = model.log_likelihood(x[:100], 50, label=label[:100]).mean()
    swapped = model.log_likelihood(x[:100], 50, label=(label[:100] + 1) % 3).mean()
    assert exact > swapped + 10


def test_keras_losses_stand_for_likelihoods():
    spec = data.Spec("v", "vector", (4,), (0.0, 1.0))
    x = np.random.default_rng(0).uniform(size=(64, 4)).astype("float32")
    for loss, cls in [
        ("mse", likelihoods.Gaussian),
        (keras.losses.MeanSquaredError(), likelihoods.Gaussian),
        ("binary_crossentropy", likelihoods.Bernoulli),
    ]:
        vae = models.VAE.for_data(spec, latent_dim=2, seed=0)
        vae.compile(optimizer="adam", loss=loss)
        assert type(vae.likelihood) is cls
        assert type(models.VAE.from_config(vae.get_config()).likelihood) is cls
        vae.fit(x, verbose=0)
    assert vae.likelihood.get_config() == {"binarize": False}
    with pytest.raises(ValueError, match="does not stand for a likelihood"):
        vae.compile(loss="hinge")


def test_bits_per_dimension_are_nats_over_dimensions_and_log_two():
    spec = data.Spec("bits", "image", (8, 8, 1), (0.0, 1.0))
    x = np.round(np.random.default_rng(0).uniform(size=(32, 8, 8, 1)) * 255) / 255
    vae = models.VAE.for_data(spec, latent_dim=2, likelihood="discretized_logistic", seed=0)
    vae.compile()
    metrics = vae.evaluate(x, return_dict=True, verbose=0)
    assert metrics["bits_per_dim"] == pytest.approx(-metrics["elbo"] / 64 / np.log(2), rel=1e-5)
    # An untrained law spread over 256 levels needs at least their entropy.
    assert metrics["bits_per_dim"] > 7.0


def test_interpolation_and_traversal_pass_through_their_ends():
    model = linear_gaussian()
    a, b = X[:3], X[3:6]
    line = model.interpolate(a, b, steps=5)
    assert line.shape == (3, 5, DIM)
    np.testing.assert_allclose(line[:, 0], model.reconstruct(a), rtol=1e-5)
    np.testing.assert_allclose(line[:, -1], model.reconstruct(b), rtol=1e-5)
    np.testing.assert_allclose(line[:, 2], (line[:, 0] + line[:, -1]) / 2, atol=1e-5)
    walk = model.traverse(a, 1, [-1.0, 0.0, 1.0])
    assert walk.shape == (3, 3, DIM)
    # A linear decoder moves along a column of W.
    np.testing.assert_allclose(walk[:, 2] - walk[:, 1], np.tile(W[:, 1], (3, 1)), atol=1e-5)
    with pytest.raises(ValueError, match="dimension must be an integer from 0 to 1"):
        model.traverse(a, 2)


def test_encode_decode_and_call_are_the_closed_forms():
    model = linear_gaussian()
    mean = (X[:5] - B) @ W * POSTERIOR_VARIANCE / SCALE**2
    np.testing.assert_allclose(model.encode(X[:5]), mean, atol=1e-5)
    np.testing.assert_allclose(model.decode(mean), mean @ W.T + B, atol=1e-5)
    np.testing.assert_allclose(model.reconstruct(X[:5]), mean @ W.T + B, atol=1e-5)
    np.testing.assert_allclose(model.predict(X[:5], verbose=0), mean @ W.T + B, atol=1e-5)
    z = np.asarray(Noise(4).at("sample").normal((3, LATENT)))
    np.testing.assert_allclose(model.sample(3, seed=4), z @ W.T + B, atol=1e-5)


@pytest.mark.parametrize(
    "likelihood", ["bernoulli", "gaussian", "learned_gaussian", "discretized_logistic"]
)
def test_adapt_starts_at_the_mean_of_the_data(likelihood):
    x = np.random.default_rng(0).beta(0.5, 2.0, size=(500, 4, 3, 1)).astype("float32")
    spec = data.Spec("v", "image", (4, 3, 1), (0.0, 1.0))
    vae = models.VAE.for_data(
        spec, latent_dim=2, network="dense", hidden=(8,), likelihood=likelihood, seed=0
    )
    vae.adapt(x)
    np.testing.assert_allclose(vae.decode(np.zeros((1, 2)))[0], x.mean(0), atol=1e-5)


def test_networks_that_do_not_fit_are_named():
    encoder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6)])
    with pytest.raises(ValueError, match="decoder must take"):
        models.VAE(encoder, keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)]))
    with pytest.raises(ValueError, match="decoder must return"):
        models.VAE(encoder, keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)]))
    with pytest.raises(ValueError, match="encoder must return"):
        models.VAE(
            keras.Sequential([keras.Input((4,)), keras.layers.Dense(5)]),
            keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)]),
        )
    with pytest.raises(ValueError, match="encoder is not built"):
        models.VAE(keras.Sequential([keras.layers.Dense(6)]), encoder)
    with pytest.raises(ValueError, match="needs class labels"):
        models.ConditionalVAE.for_data(data.Spec("v", "vector", (4,), (0.0, 1.0)))
    with pytest.raises(ValueError, match=r"default networks for data of kind .*, not text"):
        models.VAE.for_data(data.Spec("t", "text", (4,), (0.0, 9.0)))


def test_a_network_must_have_known_shapes():
    class Encoder(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(4)

        def call(self, x):
            return self.dense(x)

    encoder = Encoder()
    encoder(np.zeros((1, 3), "float32"))
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="encoder must be a functional or sequential"):
        models.VAE(encoder, decoder)


def test_a_pipeline_of_ones_own_is_read_without_the_autotuner_unless_it_asks(monkeypatch):
    read = []
    monkeypatch.setattr(keras.Model, "fit", lambda self, x, **_: read.append(x.options()))
    asking = tf.data.Options()
    asking.autotune.enabled = True
    plain = tf.data.Dataset.from_tensor_slices(X).batch(4)
    model = linear_gaussian()
    for pipeline in (plain, plain.with_options(asking)):
        model.fit(pipeline)
    assert [options.autotune.enabled for options in read] == [False, True]
