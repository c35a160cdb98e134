"""Likelihoods and latents equal SciPy's distributions and closed forms, in nats."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats

from keras_gen import latents, likelihoods
from keras_gen.noise import Noise

RNG = np.random.default_rng(0)


def log_prob(likelihood, x, parameters):
    return keras.ops.convert_to_numpy(
        likelihood.log_prob(np.float32(x), np.float32(parameters))
    ).astype("float64")


def test_bernoulli_is_scipys():
    x = RNG.integers(0, 2, (5, 4, 3)).astype("float32")
    logits = RNG.normal(size=(5, 4, 3)) * 3
    expected = scipy.stats.bernoulli.logpmf(x, scipy.special.expit(logits)).sum((1, 2))
    np.testing.assert_allclose(log_prob(likelihoods.Bernoulli(), x, logits), expected, rtol=1e-5)


def test_bernoulli_is_finite_and_exact_for_large_logits():
    value = log_prob(likelihoods.Bernoulli(), [[1.0], [0.0]], [[-200.0], [200.0]])
    np.testing.assert_allclose(value, [-200.0, -200.0])


def test_stochastic_binarization_draws_the_gray_value():
    x = np.full((1000, 50), 0.3, "float32")
    observed = keras.ops.convert_to_numpy(
        likelihoods.Bernoulli(binarize=True).observe(x, Noise(0).at("o"))
    )
    assert set(np.unique(observed)) == {0.0, 1.0}
    assert abs(observed.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / observed.size)
    edges = likelihoods.Bernoulli(binarize=True).observe(
        np.float32([[0.0, 1.0]] * 500), Noise(0).at("o")
    )
    np.testing.assert_array_equal(edges, [[0.0, 1.0]] * 500)


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_gaussian_of_fixed_scale_is_scipys(scale):
    x, mean = RNG.normal(size=(2, 6, 7))
    expected = scipy.stats.norm.logpdf(x, mean, scale).sum(1)
    got = log_prob(likelihoods.Gaussian(scale), x, mean)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_gaussian_of_learned_scale_is_scipys():
    x, mean, log_scale = RNG.normal(size=(3, 6, 7, 2))
    parameters = np.stack([mean, log_scale], axis=-1).reshape(6, 7, 4)
    expected = scipy.stats.norm.logpdf(x, mean, np.exp(log_scale)).sum((1, 2))
    got = log_prob(likelihoods.Gaussian("learned"), x, parameters)
    np.testing.assert_allclose(got, expected, rtol=1e-4)


def test_categorical_is_scipys():
    index = RNG.integers(0, 5, (4, 3))
    logits = RNG.normal(size=(4, 3, 5))
    expected = np.take_along_axis(
        scipy.special.log_softmax(logits, axis=-1), index[..., None], axis=-1
    ).sum((1, 2))
    got = log_prob(likelihoods.Categorical(5), index, logits.reshape(4, 15))
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    levels = likelihoods.Categorical(5, value_range=(0.0, 1.0))
    np.testing.assert_allclose(
        log_prob(levels, index / 4.0, logits.reshape(4, 15)), expected, rtol=1e-5
    )


@pytest.mark.parametrize("mean, log_scale", [(0.0, -1.0), (0.9, -3.0), (-1.5, 0.5), (0.2, -6.0)])
def test_discretized_logistic_is_differences_of_scipys_cdf(mean, log_scale):
    levels = np.arange(256)
    x = levels / 255.0
    centre = x * 2 - 1
    distribution = scipy.stats.logistic(mean, np.exp(log_scale))
    upper = np.where(levels == 255, 1.0, distribution.cdf(centre + 1 / 255))
    lower = np.where(levels == 0, 0.0, distribution.cdf(centre - 1 / 255))
    mass = upper - lower
    parameters = np.tile([mean, log_scale], (256, 1))
    got = log_prob(likelihoods.DiscretizedLogistic(), x[:, None], parameters)
    assert np.isfinite(got).all()
    assert np.exp(got).sum() == pytest.approx(1.0, abs=2e-4)
    # SciPy's difference is accurate only where the mass is not tiny.
    kept = mass > 1e-7
    np.testing.assert_allclose(got[kept], np.log(mass[kept]), rtol=2e-3, atol=2e-3)


def test_a_logistic_mixture_is_the_weighted_sum_of_its_components():
    rng = np.random.default_rng(0)
    logits, pairs = rng.normal(size=3), rng.normal(size=(3, 2)) - [0, 2]
    x = np.arange(256)[:, None] / 255.0
    mixture = likelihoods.LogisticMixture()
    parameters = np.tile(np.concatenate([logits, pairs.ravel()]), (256, 1))
    got = np.exp(log_prob(mixture, x, parameters))
    single = likelihoods.DiscretizedLogistic()
    parts = [np.exp(log_prob(single, x, np.tile(pair, (256, 1)))) for pair in pairs]
    np.testing.assert_allclose(got, scipy.special.softmax(logits) @ parts, rtol=1e-4)
    assert got.sum() == pytest.approx(1.0, abs=2e-4)
    mean = np.asarray(mixture.mean(np.float32(parameters[:1])))
    means = [np.asarray(single.mean(np.float32([pair]))) for pair in pairs]
    np.testing.assert_allclose(
        mean, np.tensordot(scipy.special.softmax(logits), means, 1), rtol=1e-5
    )


def test_means_equal_closed_forms():
    def mean(likelihood, parameters):
        return np.asarray(likelihood.mean(np.float32(parameters)))

    np.testing.assert_allclose(mean(likelihoods.Bernoulli(), [[0.0, np.log(3)]]), [[0.5, 0.75]])
    np.testing.assert_allclose(mean(likelihoods.Gaussian(2.0), [[1.5]]), [[1.5]])
    np.testing.assert_allclose(mean(likelihoods.Gaussian("learned"), [[1.5, 9.0]]), [[1.5]])
    logits = np.log([[0.5, 0.25, 0.25]])
    levels = likelihoods.Categorical(3, value_range=(0.0, 1.0))
    np.testing.assert_allclose(mean(levels, logits), [[0.375]], rtol=1e-6)
    np.testing.assert_allclose(mean(likelihoods.Categorical(3), logits), [[0.0]])
    np.testing.assert_allclose(
        mean(likelihoods.DiscretizedLogistic(), [[0.0, 1.0, -3.0, 1.0]]), [[0.5, 0.0]]
    )


def test_values_outside_the_range_are_named():
    with pytest.raises(ValueError, match=r"pixels has values from 0 to 255.*divide by 255"):
        likelihoods.Bernoulli().validate(np.array([0, 255]), "pixels")
    with pytest.raises(ValueError, match="NaN"):
        likelihoods.Gaussian().validate(np.array([0.0, np.nan]))
    with pytest.raises(ValueError, match=r"Unknown likelihood 'poisson'\. Known: bernoulli"):
        likelihoods.get("poisson")
    for name in ("bernoulli:17", "categorical:", "categorical:many", "discretized_logistic:-1"):
        with pytest.raises(ValueError, match=f"Unknown likelihood '{name}'"):
            likelihoods.get(name)


def test_a_name_may_end_with_the_number_of_levels():
    # The probabilities of all 17 levels sum to one; with 256 levels they would not.
    parameters = np.float32([[0.3, -1.0]])
    levels = np.linspace(0, 1, 17, dtype="float32")[:, None]
    distribution = likelihoods.get("discretized_logistic:17")
    total = np.exp(distribution.log_prob(levels, np.repeat(parameters, 17, axis=0))).sum()
    np.testing.assert_allclose(total, 1.0, rtol=1e-5)
    assert distribution.get_config() == likelihoods.DiscretizedLogistic(17).get_config()
    assert likelihoods.get("categorical:5").parameters_per_value == 5


@pytest.mark.parametrize("name", likelihoods.NAMES)
def test_configuration_round_trip(name):
    likelihood = likelihoods.get(name)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(likelihood))
    assert type(again) is type(likelihood)
    assert again.get_config() == likelihood.get_config()


def test_gaussian_latent_against_closed_forms():
    latent = latents.Gaussian(3)
    mean, log_variance = np.float32(RNG.normal(size=(2, 5, 3)))
    parameters = np.concatenate([mean, log_variance], axis=1)
    std = np.exp(log_variance / 2)
    z = np.float32(RNG.normal(size=(5, 3)))
    np.testing.assert_allclose(latent.log_prob(z), scipy.stats.norm.logpdf(z).sum(1), rtol=1e-5)
    np.testing.assert_allclose(
        latent.log_prob(z, parameters), scipy.stats.norm.logpdf(z, mean, std).sum(1), rtol=1e-4
    )
    # The KL divergence between Gaussians, from determinants and traces of covariance matrices.
    expected = [
        0.5 * (np.trace(np.diag(s**2)) + m @ m - 3 - np.log(np.linalg.det(np.diag(s**2))))
        for m, s in zip(mean, std, strict=True)
    ]
    np.testing.assert_allclose(latent.kl(parameters), expected, rtol=1e-4)
    np.testing.assert_allclose(
        np.sum(latent.kl(parameters, per_dimension=True), axis=1), expected, rtol=1e-4
    )
    np.testing.assert_allclose(latent.kl(np.zeros((2, 6))), 0.0)


def test_gaussian_latent_draws_have_the_posteriors_moments():
    latent = latents.Gaussian(2)
    parameters = np.float32([[1.0, -2.0, np.log(0.25), np.log(4.0)]])
    z = np.asarray(latent.sample((1, 100_000), Noise(0).at("z"), parameters))[0]
    np.testing.assert_allclose(z.mean(0), [1.0, -2.0], atol=0.03)
    np.testing.assert_allclose(z.std(0), [0.5, 2.0], rtol=0.02)


def quantile(likelihood, u, parameters):
    return keras.ops.convert_to_numpy(likelihood.quantile(np.float32(u), np.float32(parameters)))


def test_quantiles_are_scipys():
    u = RNG.uniform(0.01, 0.99, (6, 7, 2))
    first, second = RNG.normal(size=(2, 6, 7, 2))
    both = np.stack([first, second], axis=-1).reshape(6, 7, 4)
    distributions = {
        likelihoods.Bernoulli(): (first, scipy.stats.bernoulli(scipy.special.expit(first))),
        likelihoods.Gaussian(0.3): (first, scipy.stats.norm(first, 0.3)),
        likelihoods.Gaussian("learned"): (both, scipy.stats.norm(first, np.exp(second))),
    }
    for likelihood, (parameters, distribution) in distributions.items():
        found = quantile(likelihood, u, parameters)
        np.testing.assert_allclose(found, distribution.ppf(u), rtol=1e-4, atol=1e-5)


def test_categorical_quantile_inverts_the_distribution_function():
    logits = RNG.normal(size=(5, 3, 4))
    u = RNG.uniform(size=(5, 3, 1))
    below = scipy.special.softmax(logits, axis=-1).cumsum(axis=-1)
    expected = (below < u).sum(axis=-1, keepdims=True)
    found = quantile(likelihoods.Categorical(4), u, logits)
    np.testing.assert_array_equal(found, expected)
    levels = quantile(likelihoods.Categorical(4, (0.0, 1.0)), u, logits)
    np.testing.assert_allclose(levels, expected / 3, rtol=1e-6)


@pytest.mark.parametrize(
    ("likelihood", "parameters"),
    [
        (likelihoods.DiscretizedLogistic(levels=5), [[0.3, -1.0]]),
        (likelihoods.LogisticMixture(5, 2), [[0.5, -0.2, -0.9, -3.0, 0.4, -1.0]]),
    ],
)
def test_quantiles_draw_with_the_probabilities_of_log_prob(likelihood, parameters):
    parameters = np.float32(parameters)
    u = (np.arange(20_000)[:, None] + 0.5) / 20_000
    drawn = quantile(likelihood, u, np.repeat(parameters, len(u), axis=0))
    levels = np.linspace(0, 1, 5, dtype="float32")[:, None]
    p = np.exp(log_prob(likelihood, levels, np.repeat(parameters, 5, axis=0)))
    found = [(np.abs(drawn - level) < 1e-6).mean() for level in levels[:, 0]]
    np.testing.assert_allclose(found, p, atol=1e-3)
    assert np.all(np.diff(drawn[:, 0]) >= 0)


def test_padding_has_log_probability_zero():
    x = RNG.uniform(size=(3, 4, 2)).astype("float32")
    parameters = RNG.normal(size=(3, 4, 2))
    padded = x.copy()
    padded[:, 2:] = -1.0
    inner = likelihoods.Bernoulli()
    masked = likelihoods.Masked(inner, -1.0)
    expected = log_prob(inner, x[:, :2], parameters[:, :2])
    np.testing.assert_allclose(log_prob(masked, padded, parameters), expected, rtol=1e-5)
    masked.validate(padded)
    padded[0, 0, 0] = 2.0
    with pytest.raises(ValueError, match=r"values from .* to 2"):
        masked.validate(padded)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(masked))
    assert again.get_config() == masked.get_config()
    drawn = likelihoods.Masked("binarized_bernoulli", -1.0).observe(
        np.float32([[[0.5], [-1.0]]] * 50), Noise(0)
    )
    drawn = keras.ops.convert_to_numpy(drawn)
    assert set(np.unique(drawn[:, 0])) == {0.0, 1.0} and (drawn[:, 1] == -1.0).all()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: likelihoods.Gaussian(scale=0), "must be a number, greater than 0; got 0"),
        (lambda: likelihoods.Gaussian(scale=np.nan), "scale .*must be a number.* got nan"),
        (lambda: likelihoods.Gaussian(scale="wide"), "scale .*must be a number.* got 'wide'"),
        (lambda: likelihoods.Categorical(1), "num_classes must be an integer of at least 2, got 1"),
        (lambda: likelihoods.DiscretizedLogistic(2.5), "levels must be an integer.* got 2.5"),
    ],
)
def test_errors_of_parameters(make, message):
    with pytest.raises(ValueError, match=message):
        make()
