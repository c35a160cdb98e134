"""The VampPrior against mixtures of Gaussians that SciPy knows.

For a linear decoder and Gaussian noise, x = W z + b + s * noise, and a prior that is a mixture of
N(m_k, V_k), p(x) is the mixture of N(W m_k + b, W V_k W' + s^2 I).
"""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats

from keras_gen import likelihoods, models
from keras_gen.noise import Noise

DIM, LATENT, K, SCALE = 4, 2, 5, 0.7
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model():
    """Linear networks with any weights, but a posterior that is wide enough."""
    encoder = keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(2 * LATENT)])
    decoder = keras.Sequential([keras.Input((LATENT,)), keras.layers.Dense(DIM)])
    model = models.VampVAE(encoder, decoder, likelihoods.Gaussian(SCALE), components=K, seed=0)
    encoder.layers[0].set_weights([0.3 * RNG.normal(size=(DIM, 4)), np.full(4, -0.3)])
    decoder.layers[0].set_weights([RNG.normal(size=(LATENT, DIM)), RNG.normal(size=DIM)])
    model.pseudo_inputs.set_weights([2 * RNG.normal(size=(K, DIM))])
    return model


@pytest.fixture(scope="module")
def components(model):
    """Means and variances of the prior's components, `(K, LATENT)` each."""
    parameters = np.float64(model.encoder(model.pseudo_inputs.embeddings))
    return parameters[:, :LATENT], np.exp(parameters[:, LATENT:])


def mixture(x, means, covariances):
    each = [
        scipy.stats.multivariate_normal(m, c).logpdf(x)
        for m, c in zip(means, covariances, strict=True)
    ]
    return scipy.special.logsumexp(each, axis=0) - np.log(K)


def test_the_prior_is_the_mixture_of_the_pseudo_inputs_posteriors(model, components):
    means, variances = components
    z = RNG.normal(size=(7, LATENT)).astype("float32")
    expected = mixture(z, means, [np.diag(v) for v in variances])
    np.testing.assert_allclose(model.log_prior(z), expected, atol=1e-5)
    np.testing.assert_allclose(model.log_prior(z[None])[0], expected, atol=1e-5)


def test_draws_have_the_moments_of_the_mixture(model, components):
    means, variances = components
    z = np.asarray(model.draw(40_000, Noise(3)))
    np.testing.assert_allclose(z.mean(axis=0), means.mean(axis=0), atol=0.03)
    centered = means - means.mean(axis=0)
    expected = np.diag(variances.mean(axis=0)) + centered.T @ centered / K
    np.testing.assert_allclose(np.cov(z.T), expected, atol=0.06)


def test_importance_weights_find_the_likelihood_under_the_mixture(model, components):
    means, variances = components
    weights, b = model.decoder.layers[0].get_weights()
    covariances = [weights.T @ np.diag(v) @ weights + SCALE**2 * np.eye(DIM) for v in variances]
    x = (means[[0, 1, 2]] @ weights + b + 0.2).astype("float32")
    found = model.log_likelihood(x, num_samples=5000)
    np.testing.assert_allclose(found, mixture(x, means @ weights + b, covariances), atol=0.06)


def test_the_kl_to_a_prior_of_one_component_is_that_of_two_gaussians(model):
    single = models.VampVAE(model.encoder, model.decoder, model.likelihood, components=1, seed=0)
    single.compile()
    x = RNG.normal(size=(20_000, DIM)).astype("float32")
    posterior, prior = (
        np.float64(model.encoder(each)) for each in (x, single.pseudo_inputs.embeddings)
    )
    (m, log_v), (m0, log_v0) = np.split(posterior, 2, axis=1), np.split(prior, 2, axis=1)
    kl = 0.5 * (np.exp(log_v - log_v0) + (m - m0) ** 2 / np.exp(log_v0) - 1 + log_v0 - log_v)
    found = single.evaluate(x, batch_size=1000, return_dict=True, verbose=0)["kl"]
    assert found == pytest.approx(kl.sum(axis=1).mean(), rel=0.03)


def test_the_pseudo_inputs_start_as_examples_and_learn(model):
    x = RNG.normal(size=(K + 1, DIM)).astype("float32")
    other = models.VampVAE(model.encoder, model.decoder, model.likelihood, components=K, seed=0)
    other.adapt(x)
    np.testing.assert_array_equal(other.pseudo_inputs.get_weights()[0], x[:K])
    other.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    other.train_on_batch(x)
    assert np.abs(other.pseudo_inputs.get_weights()[0] - x[:K]).max() > 0
    with pytest.raises(ValueError, match="choose fewer components"):
        other.adapt(x[: K - 1])
    with pytest.raises(ValueError, match="components must be a positive integer, got 0"):
        models.VampVAE(model.encoder, model.decoder, components=0)
