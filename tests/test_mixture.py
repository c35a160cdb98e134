"""Mixtures of Gaussians, and models with one as their prior, against SciPy."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats

from keras_gen import likelihoods, models
from keras_gen.models.mixture import GaussianMixture
from keras_gen.noise import Noise

DIM, LATENT, K, SCALE = 4, 2, 3, 0.7
RNG = np.random.default_rng(0)


def fill(mixture):
    """Gives a mixture any weights; returns them: p_k, means, covariances."""
    logits = RNG.normal(size=K)
    means = 2 * RNG.normal(size=(K, LATENT))
    factors = 0.5 * RNG.normal(size=(K, LATENT, LATENT))
    mixture.set_weights([logits, means, factors])
    matrices = np.tril(factors, -1) + np.exp(factors) * np.eye(LATENT)
    covariances = np.linalg.inv(np.swapaxes(matrices, 1, 2) @ matrices)
    return scipy.special.softmax(logits), means, covariances


def log_density(x, p, means, covariances):
    each = [
        scipy.stats.multivariate_normal(m, c).logpdf(x)
        for m, c in zip(means, covariances, strict=True)
    ]
    return scipy.special.logsumexp(each, axis=0, b=p[:, None])


@pytest.fixture(scope="module")
def mixture():
    mixture = GaussianMixture(K, LATENT, seed=0)
    return mixture, fill(mixture)


@pytest.fixture(scope="module")
def vae():
    """Linear networks with any weights, but a posterior around where x comes from."""
    encoder = keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(2 * LATENT)])
    decoder = keras.Sequential([keras.Input((LATENT,)), keras.layers.Dense(DIM)])
    model = models.MixtureVAE(encoder, decoder, likelihoods.Gaussian(SCALE), components=K, seed=0)
    w, b = RNG.normal(size=(LATENT, DIM)), RNG.normal(size=DIM)
    decoder.layers[0].set_weights([w, b])
    back = np.hstack([np.linalg.pinv(w), 0.05 * RNG.normal(size=(DIM, LATENT))])
    encoder.layers[0].set_weights([back, -b @ back])
    return model, fill(model.prior)


def test_density_is_the_mixtures(mixture):
    mixture, parameters = mixture
    z = RNG.normal(size=(7, LATENT)).astype("float32")
    np.testing.assert_allclose(mixture.log_prob(z), log_density(z, *parameters), atol=1e-5)


def test_draws_have_the_moments_of_the_mixture(mixture):
    mixture, (p, means, covariances) = mixture
    z = np.asarray(mixture.sample(100_000, Noise(3)))
    mean = p @ means
    centered = means - mean
    covariance = np.einsum("k,kij->ij", p, covariances) + (centered * p[:, None]).T @ centered
    scale = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose((z.mean(axis=0) - mean) / scale, 0, atol=0.02)
    correlations = (np.cov(z.T) - covariance) / np.outer(scale, scale)
    np.testing.assert_allclose(correlations, 0, atol=0.04)


def test_a_component_does_not_end_on_an_example():
    mixture = GaussianMixture(2, LATENT, seed=0)
    z = np.array([[0.0, 0.0], [1.0, 1.0]], "float32")
    mixture.set_weights([np.zeros(2), z, 9 * np.stack([np.eye(LATENT)] * 2)])
    # Each has half of the mass, and the standard deviation 0.01 along both axes.
    expected = np.log(0.5) + scipy.stats.norm(0, 0.01).logpdf(0) * LATENT
    np.testing.assert_allclose(mixture.log_prob(z), expected, rtol=1e-5)


def test_log_likelihood_is_that_of_a_mixture_in_x(vae):
    model, (p, means, covariances) = vae
    w, b = (np.float64(each) for each in model.decoder.layers[0].get_weights())
    x = model.sample(20, seed=1) + SCALE * RNG.normal(size=(20, DIM)).astype("float32")
    in_x = [w.T @ c @ w + SCALE**2 * np.eye(DIM) for c in covariances]
    expected = log_density(x, p, means @ w + b, in_x)
    np.testing.assert_allclose(model.log_likelihood(x, 20_000), expected, atol=0.1)


def test_the_bound_is_below(vae):
    model, _ = vae
    x = model.sample(200, seed=2)
    model.compile()
    metrics = model.evaluate(x, return_dict=True, verbose=0)
    assert metrics["elbo"] < model.log_likelihood(x, 1000).mean()
    assert metrics["loss"] == pytest.approx(-metrics["elbo"], rel=1e-5)


def one_step(model, x):
    """Returns how far each trainable weight moves in one step of plain gradient descent."""
    model.compile(keras.optimizers.SGD(0.01))
    before = [w.numpy() for w in model.trainable_variables]
    model.train_on_batch(x)
    return [w.numpy() - v for w, v in zip(model.trainable_variables, before, strict=True)]


def test_at_first_the_networks_learn_as_a_vaes_and_the_prior_as_ever(vae):
    vae, _ = vae
    x = vae.sample(64, seed=3)
    moved = {}
    for steps in (1, 0):
        copy = models.MixtureVAE.from_config(vae.get_config() | {"pretrain_steps": steps})
        copy.set_weights(vae.get_weights())
        moved[steps] = one_step(copy, x)
    networks = [keras.models.clone_model(network) for network in (vae.encoder, vae.decoder)]
    for network, original in zip(networks, (vae.encoder, vae.decoder), strict=True):
        network.set_weights(original.get_weights())
    plain = one_step(models.VAE(*networks, vae.likelihood, seed=0), x)
    first, later = (moved[steps] for steps in (1, 0))
    for one, other in zip(first[:4], plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    for one, other in zip(first[4:], later[4:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)
    assert not np.allclose(first[0], later[0], rtol=0.01, atol=1e-4)


def test_mistakes(vae):
    vae, _ = vae
    with pytest.raises(ValueError, match="components must be a positive integer, got 0"):
        models.MixtureVAE(vae.encoder, vae.decoder, components=0)
    with pytest.raises(ValueError, match="pretrain_steps must be"):
        models.MixtureVAE(vae.encoder, vae.decoder, pretrain_steps=-1)
