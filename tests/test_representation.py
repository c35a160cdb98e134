"""Probes, attributes, missing values and anomalies: against closed forms and other libraries."""

import keras
import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from keras_gen import data, evaluation, latents, likelihoods, models, representation
from keras_gen.representation import robustness

SPEC = data.Spec("vector", "vector", (3,), (-np.inf, np.inf), num_classes=2)


def linear_gaussian(weights: np.ndarray, scale: float) -> models.VAE:
    """A VAE whose p(x|z) is N(W z, scale² I), and whose encoder is the exact posterior."""
    size, dim = weights.shape
    covariance = np.linalg.inv(np.eye(dim) + weights.T @ weights / scale**2)
    gain = covariance @ weights.T / scale**2
    x, z = keras.Input((size,)), keras.Input((dim,))
    encoder = keras.Model(x, keras.layers.Dense(2 * dim)(x))
    decoder = keras.Model(z, keras.layers.Dense(size, use_bias=False)(z))
    decoder.set_weights([weights.T])
    bias = np.concatenate([np.zeros(dim), np.log(np.diag(covariance))])
    encoder.set_weights([np.concatenate([gain, np.zeros_like(gain)]).T, bias])
    return models.VAE(encoder, decoder, likelihood=likelihoods.Gaussian(scale=scale), seed=0)


@pytest.fixture(scope="module")
def gaussian():
    weights = np.random.default_rng(0).normal(size=(5, 2)).astype("float32")
    return linear_gaussian(weights, 0.3), weights


# ---- latents and probes ------------------------------------------------------------------------


def test_latents_are_what_the_model_infers(gaussian):
    model, _ = gaussian
    x = np.random.default_rng(1).normal(size=(4, 5)).astype("float32")
    np.testing.assert_array_equal(representation.latents(model, x), model.encode(x))
    coded = models.InfoGAN.for_data(SPEC, hidden=(4,), codes="categorical:2", seed=0)
    np.testing.assert_array_equal(
        representation.latents(coded, x[:, :3]), coded.infer_codes(x[:, :3])
    )
    plain = models.GAN.for_data(SPEC, hidden=(4,))
    with pytest.raises(ValueError, match="GAN infers no latents: it has none"):
        representation.latents(plain, x[:, :3])


def test_few_labels_keep_the_proportions():
    label = np.repeat([0, 1, 2], [600, 300, 100])
    chosen = representation.few_labels(label, 0.1, seed=3)
    assert (np.bincount(label[chosen]) == [60, 30, 10]).all()
    assert (np.diff(chosen) > 0).all()
    assert (chosen == representation.few_labels(label, 0.1, seed=3)).all()
    assert len(representation.few_labels(label, 1.0)) == 1000
    for share in (0, 1.5, 0.001):
        with pytest.raises(ValueError, match="share must be"):
            representation.few_labels(label, share)


def test_probes_find_what_there_is_and_nothing_else():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 600)
    x = rng.normal(size=(600, 3, 1)) + 8.0 * label[:, None, None]
    train, test = slice(0, 400), slice(400, None)
    for probe in (representation.linear_probe, representation.knn_accuracy):
        assert probe(x[train], label[train], x[test], label[test]) == 1.0
        shuffled = rng.permutation(label[train])
        assert probe(x[train], shuffled, x[test], label[test]) < 0.7
    # A ring around a cluster: no line separates them, neighbours do.
    angle = rng.uniform(0, 2 * np.pi, 600)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1) * (0.1 + 4 * label[:, None])
    linear = representation.linear_probe(ring[train], label[train], ring[test], label[test])
    near = representation.knn_accuracy(ring[train], label[train], ring[test], label[test])
    assert linear < 0.75 < 0.99 < near


def test_pca_errors_are_those_of_scikit_learn():
    x = np.random.default_rng(0).normal(size=(60, 2, 4))
    train, test = x[:40], x[40:]
    errors = representation.pca_errors(train, test, [0, 1, 3, 8])
    for dimension, error in zip((1, 3, 8), errors[1:], strict=True):
        pca = PCA(dimension).fit(train.reshape(40, 8))
        back = pca.inverse_transform(pca.transform(test.reshape(20, 8)))
        assert error == pytest.approx(np.mean((back - test.reshape(20, 8)) ** 2), abs=1e-12)
    mean = train.reshape(40, 8).mean(axis=0)
    assert errors[0] == pytest.approx(np.mean((test.reshape(20, 8) - mean) ** 2))


def test_reconstruction_error(gaussian):
    model, _ = gaussian
    x = np.random.default_rng(1).normal(size=(30, 5)).astype("float32")
    expected = np.mean((model.decode(model.encode(x)) - x) ** 2)
    assert representation.reconstruction_error(model, x) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="GAN has no method reconstruct"):
        representation.reconstruction_error(models.GAN.for_data(SPEC, hidden=(4,)), x[:, :3])


def test_protocols_measure_the_latents():
    digits = data.load("digits")
    model = models.VAE.for_data(digits.spec, latent_dim=4, hidden=(16,), network="dense", seed=0)
    model.compile()
    train, test = digits.arrays("train"), digits.arrays("test")
    z, unseen = model.encode(train["x"]), model.encode(test["x"])
    for protocol, share, probe in (
        ("linear_probe_10pct", 0.1, representation.linear_probe),
        ("knn_all", 1.0, representation.knn_accuracy),
    ):
        result = evaluation.measure(protocol, model, digits)
        chosen = representation.few_labels(train["label"], share)
        expected = probe(z[chosen], train["label"][chosen], unseen, test["label"])
        assert (result.value, result.n) == (expected, len(unseen))


# ---- attributes --------------------------------------------------------------------------------


def test_attribute_vectors_move_groups_onto_each_other(gaussian):
    model, _ = gaussian
    x = np.random.default_rng(2).normal(size=(40, 5)).astype("float32")
    has = np.arange(40) % 4 == 0
    vector = representation.attribute_vector(model, x, has)
    z = model.encode(x)
    np.testing.assert_allclose(z[~has].mean(0) + vector, z[has].mean(0), atol=1e-6)
    moved = representation.with_attribute(model, x, vector, strength=-2.0)
    np.testing.assert_allclose(moved, model.decode(z - 2.0 * vector), atol=1e-6)
    with pytest.raises(ValueError, match="true of some examples and false of others"):
        representation.attribute_vector(model, x, np.ones(40))
    with pytest.raises(ValueError, match="InfoGAN does not infer all of an example's latents"):
        coded = models.InfoGAN.for_data(SPEC, hidden=(4,), codes="categorical:2")
        representation.attribute_vector(coded, x[:, :3], has)


def test_relabelled_keeps_the_latents():
    spec = data.Spec("vector", "vector", (3,), (0.0, 1.0), num_classes=2)
    model = models.ConditionalVAE.for_data(spec, latent_dim=2, hidden=(4,), seed=0)
    x, label = np.random.default_rng(0).uniform(size=(6, 3)).astype("float32"), np.arange(6) % 2
    changed = representation.relabelled(model, x, label, 1)
    np.testing.assert_array_equal(changed, model.decode(model.encode(x, label), np.ones(6, int)))
    with pytest.raises(ValueError, match="VAE is not a conditional model"):
        representation.relabelled(models.VAE.for_data(spec, hidden=(4,)), x, label, 1)


# ---- missing values ----------------------------------------------------------------------------


def test_missing_values_have_their_conditional_mean(gaussian):
    """Of a linear Gaussian model it is known: x ~ N(0, W W' + s² I)."""
    model, weights = gaussian
    x = stats.norm.rvs(size=(6, 2), random_state=1) @ weights.T
    x = (x + 0.3 * stats.norm.rvs(size=(6, 5), random_state=2)).astype("float32")
    known = np.array([True, True, False, True, False])
    covariance = weights @ weights.T + 0.09 * np.eye(5)
    gain = covariance[np.ix_(~known, known)] @ np.linalg.inv(covariance[np.ix_(known, known)])
    broken = np.where(known, x, np.nan)
    filled = representation.fill_in(model, broken, known, steps=400, tries=8, seed=1)
    np.testing.assert_array_equal(filled[:, known], x[:, known])
    np.testing.assert_allclose(filled[:, ~known], x[:, known] @ gain.T, atol=0.05)
    again = representation.fill_in(model, broken, known, steps=400, tries=8, seed=1)
    np.testing.assert_array_equal(again, filled)


def test_a_generator_fills_in_with_its_nearest_sample():
    """Of a linear generator the nearest G(z) is known."""
    weights = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    z = keras.Input((2,))
    generator = keras.Model(z, keras.layers.Dense(3, use_bias=False)(z))
    generator.set_weights([weights])
    discriminator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    gan = models.GAN(generator, discriminator, seed=0)
    target = np.float32([[0.5, -1.0], [1.5, 0.3]]) @ weights
    known = np.array([True, True, False])
    filled = representation.fill_in(gan, target, known, steps=400, seed=0)
    part = weights[:, known]  # ridge regression: the prior is half a square, of small weight
    gram = part @ part.T + robustness.PRIOR_WEIGHT / 2 * np.eye(2)
    best = np.linalg.solve(gram, part @ target[:, known].T).T @ weights
    np.testing.assert_allclose(filled, np.where(known, target, best), atol=0.01)
    uniform = models.GAN(generator, discriminator, latent=latents.Uniform(2), seed=0)
    with pytest.raises(ValueError, match="nor Gaussian z to search"):
        representation.fill_in(uniform, target, known)


@pytest.mark.parametrize(("name", "value"), [("steps", 1), ("tries", 0), ("seed", 2**40)])
def test_filling_in_checks_its_numbers(gaussian, name, value):
    with pytest.raises(ValueError, match=name):
        representation.fill_in(gaussian[0], np.zeros((1, 5)), True, **{name: value})


def test_everything_known_comes_back_as_it_is(gaussian):
    x = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    np.testing.assert_array_equal(representation.fill_in(gaussian[0], x, True, steps=2), x)


# ---- anomalies ---------------------------------------------------------------------------------


def test_anomaly_scores(gaussian):
    model, weights = gaussian
    x = np.random.default_rng(3).normal(size=(20, 5)).astype("float32")
    covariance = weights @ weights.T + 0.09 * np.eye(5)
    exact = stats.multivariate_normal(np.zeros(5), covariance).logpdf(x)
    scores = representation.anomaly_scores(model, x, num_samples=2000)
    np.testing.assert_allclose(scores, -exact, atol=0.2)
    wider = linear_gaussian(weights, 1.0)
    ratio = representation.anomaly_scores(model, x, background=wider, num_samples=2000)
    wide = stats.multivariate_normal(np.zeros(5), weights @ weights.T + np.eye(5)).logpdf(x)
    np.testing.assert_allclose(ratio, wide - exact, atol=0.4)
    errors = representation.anomaly_scores(model, x, by="reconstruction")
    np.testing.assert_allclose(errors, np.mean((model.reconstruct(x) - x) ** 2, 1), rtol=1e-5)


def test_scores_that_a_model_does_not_have(gaussian):
    x = np.zeros((2, 3), "float32")
    gan = models.GAN.for_data(SPEC, hidden=(4,))
    with pytest.raises(ValueError, match="by must be one of likelihood, reconstruction"):
        representation.anomaly_scores(gaussian[0], x, by="magic")
    with pytest.raises(ValueError, match="GAN has no likelihood"):
        representation.anomaly_scores(gan, x)
    with pytest.raises(ValueError, match="a background is for by='likelihood'"):
        representation.anomaly_scores(gaussian[0], x, by="reconstruction", background=gaussian[0])
    with pytest.raises(ValueError, match="GAN does not reconstruct"):
        representation.denoise(gan, x)
