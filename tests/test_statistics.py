"""Statistics and tests of two samples against closed forms, quadrature and their own levels."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.spatial.distance import pdist
from scipy.stats import kstest, norm

from keras_gen.evaluation.metrics.distances import sliced_wasserstein_distance
from keras_gen.evaluation.metrics.statistics import (
    energy_test,
    feature_tests,
    mmd_test,
    sample_statistics,
    standardized_differences,
)

PERMUTED = pytest.mark.parametrize("test", [energy_test, mmd_test])
TESTS = pytest.mark.parametrize("test", [energy_test, mmd_test, feature_tests])


def even(n: int, mean: float = 0.0, deviation: float = 1.0) -> np.ndarray:
    """Quantiles of a normal distribution at even levels: a sample without noise."""
    return norm.ppf((np.arange(n) + 0.5) / n, mean, deviation)


def test_sample_statistics_by_hand():
    x = np.array([[1.0, 0.0], [2.0, 0.0], [6.0, 3.0]])
    found = sample_statistics(x, (0.0, 0.25, 0.5, 1.0))
    np.testing.assert_allclose(found.mean, [3.0, 1.0])
    np.testing.assert_allclose(found.variance, [7.0, 3.0])
    np.testing.assert_allclose(found.quantiles, [[1, 0], [1.5, 0], [2, 0], [6, 3]])


def test_differences_of_statistics_of_a_shifted_and_scaled_set():
    real = np.random.default_rng(0).normal(size=(50, 4, 3))
    difference = sample_statistics(2 * real + 1) - sample_statistics(real)
    statistics = sample_statistics(real)
    np.testing.assert_allclose(difference.mean, statistics.mean + 1)
    np.testing.assert_allclose(difference.variance, 3 * statistics.variance)
    np.testing.assert_allclose(difference.quantiles, statistics.quantiles + 1, atol=1e-12)
    assert difference.quantiles.shape == (5, 12)


def test_standardized_differences_by_hand():
    # Means 1 and 3, unbiased variances 2 and 8, in the mixture 5 + 1; a constant; constants apart.
    real = np.stack([[0.0, 2.0], [4.0, 4.0], [0.0, 0.0]], axis=1)
    generated = np.stack([[1.0, 5.0], [4.0, 4.0], [-7.0, -7.0]], axis=1)
    found = standardized_differences(real, generated, (0.0, 0.5))
    np.testing.assert_allclose(found.mean, [2 / np.sqrt(6), 0.0, -2.0])
    np.testing.assert_allclose(found.variance, [6 / 10, 0.0, 0.0])
    np.testing.assert_allclose(found.quantiles, [[1, 0, -2], [2, 0, -2]] / np.sqrt([6, 1, 1]))


def test_a_standardized_difference_is_a_correlation_and_has_no_unit():
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(500, 3)), rng.gamma(2.0, size=(500, 3)) * [1, 2, 3]
    found = standardized_differences(real, generated)
    both, which = np.concatenate([real, generated]), np.repeat([0, 1], 500)
    correlations = [np.corrcoef(x, which)[0, 1] for x in both.T]
    np.testing.assert_allclose(found.mean, np.multiply(2, correlations), rtol=2e-3)
    scaled = standardized_differences(*(1000 * x - 7 for x in (real, generated)))
    exchanged = standardized_differences(generated, real)
    for name in ("mean", "variance", "quantiles"):
        values = getattr(found, name)
        np.testing.assert_allclose(getattr(scaled, name), values)
        np.testing.assert_allclose(getattr(exchanged, name), -values)


def test_feature_tests_by_hand():
    # After 1 and 2 the first function is at 2/3, the second at 0. Other features: equal, or apart.
    real = np.stack([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0], [0.0, 1.0, 2.0]], axis=1)
    generated = np.stack([[3.0, 4.0, 5.0], [0.0, 0.0, 0.0], [7.0, 8.0, 9.0]], axis=1)
    found = feature_tests(real, generated)
    np.testing.assert_allclose(found.statistics, [2 / 3, 0.0, 1.0])
    # Of the 20 ways to deal six values, two keep the sets apart.
    np.testing.assert_allclose(found.p_values[1:], [1.0, 0.1])
    assert found.p_value == pytest.approx(0.3)
    assert feature_tests(real, real).p_value == 1.0


def test_feature_tests_find_one_feature_among_many():
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(2, 300, 5, 4))
    assert feature_tests(real, generated).p_value > 0.05
    generated[:, 2, 1] += 0.5
    found = feature_tests(real, generated)
    assert found.p_values.argmin() == 9
    assert found.p_value == 20 * found.p_values[9] < 0.001


def test_energy_by_hand():
    # Twice the mean of 2, 5, 1, 4, minus the means of 0, 1, 1, 0 and 0, 3, 3, 0.
    found = energy_test(np.array([0.0, 1.0]), np.array([2.0, 5.0]))
    assert found.statistic == pytest.approx(2 * 3 - 0.5 - 1.5)
    # Of the three ways to pair four values, no other has the pairs as far apart.
    assert found.p_value == pytest.approx(1 / 3, abs=0.05)


def test_mmd_by_hand():
    # Distances other than 0 are all 3, their median.
    real, generated = np.zeros((2, 9)), np.ones((2, 9))
    found = mmd_test(real, generated)
    assert found.statistic == pytest.approx(2 - 2 * np.exp(-0.5))
    assert found.p_value == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize(("mean", "deviation"), [(1.0, 1.0), (0.0, 2.0), (-0.5, 0.5)])
def test_normal_distributions_against_quadrature(mean, deviation):
    real, generated = even(500), even(500, mean, deviation)
    # The energy distance on the line is twice Cramér's, the Wasserstein distance is of order 1.
    between = lambda x: norm.cdf(x) - norm.cdf(x, mean, deviation)  # noqa: E731
    energy = 2 * quad(lambda x: between(x) ** 2, -15, 15, limit=200)[0]
    wasserstein = quad(lambda x: abs(between(x)), -15, 15, limit=200)[0]
    assert energy_test(real, generated, 1).statistic == pytest.approx(energy, rel=0.01)
    assert sliced_wasserstein_distance(real, generated, 1) == pytest.approx(wasserstein, rel=0.01)
    width = np.median(pdist(np.concatenate([real, generated])[:, None]))

    def kernel(mean, variance):
        total = variance + width**2
        return width / np.sqrt(total) * np.exp(-(mean**2) / (2 * total))

    mmd = kernel(0, 2) + kernel(0, 2 * deviation**2) - 2 * kernel(mean, 1 + deviation**2)
    assert mmd_test(real, generated, 1).statistic == pytest.approx(mmd, rel=0.01)


@pytest.mark.filterwarnings("error")
def test_feature_tests_of_large_sets_of_unequal_size_do_not_warn():
    rng = np.random.default_rng(0)
    found = feature_tests(rng.normal(size=(10_000, 1)), rng.normal(size=(8999, 1)) + 0.1)
    assert 0 < found.p_value < 1e-6


@PERMUTED
def test_p_values_of_one_distribution_are_uniform(test):
    rng = np.random.default_rng(0)
    p = [test(*rng.normal(size=(2, 15, 3)), permutations=99, seed=i).p_value for i in range(400)]
    assert kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 400))


def test_feature_tests_keep_their_level():
    rng = np.random.default_rng(0)
    p = [feature_tests(*rng.normal(size=(2, 15, 5))).p_value for i in range(100)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 100)


@TESTS
def test_a_shift_is_found(test):
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(80, 3)), rng.normal(size=(60, 3)) + 1.0
    assert test(real, generated).p_value <= 1 / 1000


@PERMUTED
def test_a_change_of_dependence_alone_is_found(test):
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(100, 2)), np.repeat(rng.normal(size=(100, 1)), 2, axis=1)
    assert test(real, generated).p_value < 0.01
    assert feature_tests(real, generated).p_value > 0.01


@PERMUTED
def test_invariant_to_rotation_order_and_exchange(test):
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(40, 5)), rng.normal(size=(30, 5)) ** 2
    rotation, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    expected = test(real, generated)
    for sets in (
        (real @ rotation + 2.0, generated @ rotation + 2.0),
        (rng.permutation(real), rng.permutation(generated)),
        (generated, real),
        (real.reshape(40, 5, 1), generated.reshape(30, 5, 1)),
    ):
        found = test(*sets)
        assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)
        assert found.p_value == pytest.approx(expected.p_value, abs=0.05)


@PERMUTED
def test_permutations_are_seeded(test):
    rng = np.random.default_rng(0)
    sets = rng.normal(size=(2, 20, 2))
    p_values = {test(*sets, permutations=49, seed=seed).p_value for seed in (0, 0, 1, 2)}
    assert len(p_values) > 1
    assert test(*sets, seed=3) == test(*sets, seed=3)


def test_energy_has_the_unit_of_the_data_and_mmd_none():
    sets = np.random.default_rng(0).normal(size=(2, 30, 4))
    sets[1] += 1.0
    for test, factor in ((energy_test, 1000.0), (mmd_test, 1.0)):
        found, scaled = test(*sets), test(*(1000 * sets))
        assert scaled.statistic == pytest.approx(factor * found.statistic)
        assert scaled.p_value == found.p_value


@PERMUTED
def test_sets_that_agree_are_at_no_distance(test):
    for x in (np.random.default_rng(0).normal(size=(20, 3)), np.ones((5, 3)), np.zeros((4, 2, 2))):
        found = test(x, x)
        assert 0.0 <= found.statistic < 1e-12
        assert found.p_value == 1.0
    assert np.isfinite(test(np.ones((5, 3)), np.zeros((6, 3))).statistic)


def test_sliced_wasserstein_distance_of_a_shift():
    rng = np.random.default_rng(0)
    line = rng.normal(size=50)
    assert sliced_wasserstein_distance(line, line - 7.0, 3) == pytest.approx(7.0)
    x, shift = rng.normal(size=(50, 3)), np.array([2.0, -1.0, 2.0])
    # In three dimensions a coordinate of a random direction is uniform: E|θ·v| = |v|/2.
    found = sliced_wasserstein_distance(x, x + shift, 4000)
    assert found == pytest.approx(1.5, abs=4 * 3 / np.sqrt(12 * 4000))
    # Unequal numbers of examples, and the shape of an image.
    images = np.repeat(x, 3, axis=0).reshape(150, 3, 1)
    assert sliced_wasserstein_distance(x.reshape(50, 3, 1), images) == pytest.approx(0, abs=1e-12)


def test_sliced_wasserstein_distance_is_symmetric_seeded_and_has_the_unit_of_the_data():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 6)), rng.normal(size=(30, 6)) + 0.5
    value = sliced_wasserstein_distance(x, y)
    assert sliced_wasserstein_distance(y, x) == pytest.approx(value)
    assert sliced_wasserstein_distance(5 * x + 1, 5 * y + 1) == pytest.approx(5 * value)
    assert sliced_wasserstein_distance(rng.permutation(x), y) == pytest.approx(value)
    assert sliced_wasserstein_distance(x, y, seed=1) != value
    assert sliced_wasserstein_distance(x, y, 4000) == pytest.approx(value, rel=0.1)


@pytest.mark.parametrize(
    "function",
    [
        energy_test,
        mmd_test,
        feature_tests,
        standardized_differences,
        sliced_wasserstein_distance,
    ],
)
@pytest.mark.parametrize(
    ("real", "generated", "message"),
    [
        (
            np.zeros((5, 3)),
            np.zeros((5, 4)),
            r"real, generated must have the same shape .*, got \(5, 3\), \(5, 4\)",
        ),
        (np.zeros((5, 3)), np.zeros((5, 3, 1)), "same shape"),
        (np.zeros(5), np.float64(0.0), r"generated must have shape \(n, ...\), got \(\)"),
        (np.zeros((5, 0)), np.zeros((5, 0)), r"real must have shape .* got \(5, 0\)"),
        (np.zeros((5, 3), complex), np.zeros((5, 3)), "real must .*, got dtype complex128"),
        (np.zeros((5, 3)), [[0.0], [0.0, 1.0]], "generated must be one array"),
        (np.zeros((1, 3)), np.zeros((5, 3)), "real must have at least 2 examples, got 1"),
        (
            np.zeros((5, 3)),
            np.full((5, 3), np.nan),
            "generated holds NaN or infinite values",
        ),
    ],
)
def test_errors_name_what_does_not_fit(function, real, generated, message):
    with pytest.raises(ValueError, match=message):
        function(real, generated)


def test_errors_name_arguments_out_of_range():
    x = np.zeros((5, 3))
    for test in (energy_test, mmd_test):
        with pytest.raises(ValueError, match="permutations must be a positive integer, got 0"):
            test(x, x, permutations=0)
    with pytest.raises(ValueError, match="projections must be a positive integer, got 0"):
        sliced_wasserstein_distance(x, x, 0)
    with pytest.raises(ValueError, match=r"levels must be in \[0, 1\], got \(0.5, 50\)"):
        sample_statistics(x, (0.5, 50))
    with pytest.raises(ValueError, match="x must have at least 2 examples, got 1"):
        sample_statistics(x[:1])
