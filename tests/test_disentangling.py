"""The total correlation of latents, by closed forms and by densities that SciPy knows."""

import keras
import numpy as np
import pytest
import scipy.stats
from keras import ops
from scipy.special import logsumexp

from keras_gen import data, models
from keras_gen.data.pipeline import as_array
from keras_gen.models import beta_tc_vae, factor_vae
from keras_gen.noise import Noise

SPEC = data.Spec("pixels", "vector", (6,), (0.0, 1.0))
RHO = 0.8
CORRELATION = -0.5 * np.log(1 - RHO**2)  # of two Gaussian numbers of correlation RHO, in nats


def pairs(n, seed=0):
    """Draws of two standard normal numbers of correlation RHO."""
    covariance = [[1.0, RHO], [RHO, 1.0]]
    return np.random.default_rng(seed).multivariate_normal([0, 0], covariance, n).astype("float32")


def test_total_correlation_is_that_of_the_mixture_of_the_batch():
    rng = np.random.default_rng(1)
    mean, log_variance = rng.normal(size=(2, 5, 3)).astype("float32")
    z = rng.normal(size=(5, 3)).astype("float32")
    posterior = np.concatenate([mean, log_variance], axis=1)
    found = as_array(beta_tc_vae.total_correlation(ops.convert_to_tensor(posterior), z))
    # log q(z) and log q(z_j), of mixtures of all posteriors with equal weights.
    each = scipy.stats.norm(mean, np.exp(0.5 * log_variance)).logpdf(z[:, None])
    joint = logsumexp(each.sum(-1), axis=1) - np.log(5)
    marginals = (logsumexp(each, axis=1) - np.log(5)).sum(-1)
    np.testing.assert_allclose(found, joint - marginals, rtol=1e-4, atol=1e-5)


def test_total_correlation_of_many_posteriors_is_the_closed_form():
    # q(z|x) = N(m_x, s^2 I) with m_x ~ N(0, C - s^2 I): q(z) is N(0, C).
    rng, noise = np.random.default_rng(2), 0.3
    covariance = np.array([[1.0, RHO], [RHO, 1.0]])
    mean = rng.multivariate_normal([0, 0], covariance - noise**2 * np.eye(2), 2000)
    z = mean + noise * rng.normal(size=mean.shape)
    posterior = np.concatenate([mean, np.full_like(mean, 2 * np.log(noise))], axis=1)
    given = (ops.convert_to_tensor(each.astype("float32")) for each in (posterior, z))
    found = as_array(beta_tc_vae.total_correlation(*given))
    assert found.mean() == pytest.approx(CORRELATION, abs=0.05)


def test_permuted_dimensions_keep_their_values_and_lose_their_dependence():
    z = pairs(4000)
    found = as_array(factor_vae.permuted(ops.convert_to_tensor(z), Noise(3)))
    for j in range(2):
        np.testing.assert_array_equal(np.sort(found[:, j]), np.sort(z[:, j]))
    assert abs(np.corrcoef(z.T)[0, 1]) > 0.75
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.05
    again = as_array(factor_vae.permuted(ops.convert_to_tensor(z), Noise(4)))
    assert (again != found).any()


def test_the_discriminator_learns_the_total_correlation():
    """On an encoder that is the identity, nearly without noise, and stands still."""
    encoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])
    encoder.layers[0].set_weights([np.eye(2, 4), np.array([0, 0, -12, -12])])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    spec = data.Spec("pairs", "vector", (2,), (-np.inf, np.inf))
    discriminator = models.FactorVAE.for_data(spec, latent_dim=2, seed=0).discriminator
    vae = models.FactorVAE(encoder, decoder, discriminator, "gaussian", seed=0)
    rates = {"discriminator": keras.optimizers.Adam(1e-3), "autoencoder": keras.optimizers.SGD(0.0)}
    vae.compile(rates)
    vae.fit(pairs(20_000), batch_size=500, epochs=10, verbose=0)
    found = vae.evaluate(pairs(10_000, seed=1), batch_size=1000, return_dict=True, verbose=0)
    assert found["total_correlation"] == pytest.approx(CORRELATION, abs=0.06)
    assert 0.4 < found["discriminator_loss"] < np.log(2)


@pytest.mark.parametrize(
    ("variant", "neutral"), [(models.FactorVAE, {"gamma": 0.0}), (models.BetaTCVAE, {"beta": 1.0})]
)
def test_the_neutral_weight_is_the_vae(variant, neutral):
    x = np.random.default_rng(0).uniform(size=(64, 6)).astype("float32")
    histories = []
    for model, options in ((models.VAE, {}), (variant, neutral)):
        vae = model.for_data(SPEC, latent_dim=3, hidden=(8,), seed=1, **options)
        vae.compile(keras.optimizers.SGD(1e-2))
        histories.append(vae.fit(x, batch_size=16, epochs=2, verbose=0).history)
    for metric, values in histories[0].items():
        np.testing.assert_allclose(histories[1][metric], values, rtol=1e-5, err_msg=metric)


@pytest.mark.parametrize(
    ("variant", "name", "neutral"),
    [(models.FactorVAE, "gamma", 0.0), (models.BetaTCVAE, "beta", 1.0)],
)
def test_a_weight_lowers_the_total_correlation(variant, name, neutral):
    # Two dependent numbers, each in three pixels: latents of the plain VAE depend on each other.
    x = np.repeat(1 / (1 + np.exp(-pairs(512))), 3, axis=1).astype("float32")
    found = []
    for weight in (neutral, 20.0):
        options = {name: weight, "likelihood": "learned_gaussian"}
        vae = variant.for_data(SPEC, latent_dim=2, hidden=(16,), seed=1, **options)
        vae.compile(keras.optimizers.Adam(3e-3))
        vae.fit(x, batch_size=64, epochs=60, verbose=0)
        posterior = vae.posterior(ops.convert_to_tensor(x))
        z = vae.latent.sample((512,), Noise(0), posterior)
        found.append(as_array(beta_tc_vae.total_correlation(posterior, z)).mean())
    assert found[0] > 0.02
    assert found[1] < found[0] / 3


def test_networks_that_do_not_fit_are_told():
    fits = models.FactorVAE.for_data(SPEC, latent_dim=3, hidden=(8,), seed=1)
    with pytest.raises(ValueError, match=r"discriminator must map latents \(batch, 3\)"):
        models.FactorVAE(fits.encoder, fits.decoder, fits.decoder)
    with pytest.raises(ValueError, match="gamma"):
        models.FactorVAE.for_data(SPEC, gamma=-1.0)
    with pytest.raises(ValueError, match="beta"):
        models.BetaTCVAE.for_data(SPEC, beta=0.5)
