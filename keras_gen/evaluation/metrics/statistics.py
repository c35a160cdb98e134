"""Per-feature statistics, and tests of whether two samples have the same distribution.

An example of any shape is a vector of features.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist, squareform
from scipy.stats import ks_2samp

from keras_gen import checks
from keras_gen.evaluation.arrays import vectors

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class SampleStatistics:
    """Statistics of each feature, or differences of statistics.

    Attributes:
        mean: `(features,)`.
        variance: unbiased, `(features,)`.
        quantiles: `(levels, features)`.
    """

    mean: np.ndarray
    variance: np.ndarray
    quantiles: np.ndarray

    def __sub__(self, other: SampleStatistics) -> SampleStatistics:
        return SampleStatistics(
            self.mean - other.mean,
            self.variance - other.variance,
            self.quantiles - other.quantiles,
        )


@dataclass(frozen=True, eq=False)
class FeatureTests:
    """The result of `feature_tests`.

    Attributes:
        statistics: largest difference of the two empirical distribution functions of each feature,
            from 0 to 1, `(features,)`.
        p_values: of each feature, `(features,)`.
        p_value: of all features together: the smallest p-value, multiplied by their number
            (Bonferroni). If both samples have the same distribution, it is below 0.05 with a
            probability of at most 0.05, whatever the dependence between features.
    """

    statistics: np.ndarray
    p_values: np.ndarray
    p_value: float


@dataclass(frozen=True)
class TwoSampleTest:
    """The result of a permutation test of two samples.

    Attributes:
        statistic: distance of the samples.
        p_value: share of permutations, the given order included, whose distance is as large or
            larger: at least 1 / (permutations + 1).
    """

    # pytest would collect the class because of its name.
    __test__ = False

    statistic: float
    p_value: float


def sample_statistics(x: np.ndarray, levels: Sequence[float] = QUANTILES) -> SampleStatistics:
    """Returns the mean, variance and quantiles of each feature, in the unit of the data.

    `sample_statistics(generated) - sample_statistics(real)` are the differences.

    Args:
        x: examples, `(n, ...)`.
        levels: of the quantiles, from 0 to 1, interpolated between examples.

    Raises:
        ValueError: if there are fewer than 2 examples, a value is not finite or a level is not in
            [0, 1].
    """
    if not all(0 <= level <= 1 for level in levels):
        raise ValueError(f"levels must be in [0, 1], got {tuple(levels)}.")
    (x,) = vectors(x=x)
    quantiles = np.quantile(x, np.asarray(levels), axis=0)
    return SampleStatistics(x.mean(axis=0), x.var(axis=0, ddof=1), quantiles)


def standardized_differences(
    real: np.ndarray, generated: np.ndarray, levels: Sequence[float] = QUANTILES
) -> SampleStatistics:
    """Returns the differences generated - real of each feature's statistics, without a unit.

    Differences of means and quantiles are divided by σ, the feature's standard deviation in an
    equal mixture of both sets: σ² = (v₁ + v₂) / 2 + (m₁ - m₂)² / 4 for means m and variances v. The
    difference of means is thus in [-2, 2]. Differences of variances are divided by v₁ + v₂ and are
    in [-1, 1]. A feature that is constant and equal in both sets has differences of 0.

    Args:
        real: examples, `(n, ...)`.
        generated: examples of the same shape, `(m, ...)`.
        levels: of the quantiles, from 0 to 1.

    Raises:
        ValueError: as `sample_statistics`, or if shapes do not match.
    """
    real, generated = vectors(real=real, generated=generated)
    first, second = sample_statistics(real, levels), sample_statistics(generated, levels)
    difference, variances = second - first, first.variance + second.variance
    deviation = np.sqrt(variances / 2 + difference.mean**2 / 4)
    return SampleStatistics(
        _ratio(difference.mean, deviation),
        _ratio(difference.variance, variances),
        _ratio(difference.quantiles, deviation),
    )


def feature_tests(real: np.ndarray, generated: np.ndarray) -> FeatureTests:
    """Returns the two-sample Kolmogorov-Smirnov tests of each feature, and of all together.

    They compare each feature's own distribution, not the dependence between features.

    Args:
        real: examples, `(n, ...)`.
        generated: examples of the same shape, `(m, ...)`.

    Raises:
        ValueError: if shapes do not match, a set has fewer than 2 examples or a value is not
            finite.
    """
    real, generated = vectors(real=real, generated=generated)
    with warnings.catch_warnings():
        # For large sets of unequal size SciPy falls back on the asymptotic p-value, a good one.
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful")
        found = [ks_2samp(x, y) for x, y in zip(real.T, generated.T, strict=True)]
    p_values = np.array([each.pvalue for each in found])
    p_value = min(1.0, len(found) * p_values.min())
    return FeatureTests(np.array([each.statistic for each in found]), p_values, float(p_value))


def energy_test(
    real: np.ndarray, generated: np.ndarray, permutations: int = 999, seed: int = 0
) -> TwoSampleTest:
    """Returns the energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'| and its permutation test.

    The means are over all pairs, including those of an example with itself. The distance is never
    negative, 0 for equal sets, and in the unit of the data. Székely and Rizzo 2013, "Energy
    statistics: A class of statistics based on distances".

    Args:
        real: examples, `(n, ...)`.
        generated: examples of the same shape, `(m, ...)`. Memory grows with (n + m)².
        permutations: number of random assignments of the examples to the two sets.
        seed: of the permutations.

    Raises:
        ValueError: if shapes do not match, a set has fewer than 2 examples, a value is not finite
            or `permutations` is less than 1.
    """
    return _permutation_test(_nearness, real, generated, permutations, seed)


def mmd_test(
    real: np.ndarray, generated: np.ndarray, permutations: int = 999, seed: int = 0
) -> TwoSampleTest:
    """Returns the squared maximum mean discrepancy and its permutation test.

    E k(X, X') + E k(Y, Y') - 2 E k(X, Y) over all pairs, the biased estimate, from 0 for equal sets
    to 2. The kernel is exp(-|x - y|² / 2σ²), where σ is the median distance between examples of
    both sets. Pairs of equal examples do not count for the median, because they may be the
    majority. Gretton et al. 2012, "A Kernel Two-Sample Test", equation 5 and section 8.

    Args:
        real: examples, `(n, ...)`.
        generated: examples of the same shape, `(m, ...)`. Memory grows with (n + m)².
        permutations: number of random assignments of the examples to the two sets.
        seed: of the permutations.

    Raises:
        ValueError: as `energy_test`.
    """
    return _permutation_test(_gaussian_kernel, real, generated, permutations, seed)


def _nearness(x: np.ndarray) -> np.ndarray:
    return -squareform(pdist(x))


def _gaussian_kernel(x: np.ndarray) -> np.ndarray:
    # Not scikit-learn's rbf_kernel: its distances come from products, so that equal examples are
    # not at distance 0, and the median needs the distances too.
    squares = pdist(x, "sqeuclidean")
    apart = squares[squares > 0]
    # If all examples are equal, the bandwidth has no effect.
    width = np.median(np.sqrt(apart)) if apart.size else 1.0
    kernel = squareform(np.exp(-squares / (2.0 * width**2)))
    np.fill_diagonal(kernel, 1.0)
    return kernel


def _permutation_test(
    similarity: Callable[[np.ndarray], np.ndarray],
    real: np.ndarray,
    generated: np.ndarray,
    permutations: int,
    seed: int,
) -> TwoSampleTest:
    """The test of two sets by the similarities of all pairs of their examples."""
    checks.integer("permutations", permutations)
    real, generated = vectors(real=real, generated=generated)
    similarities = similarity(np.concatenate([real, generated]))
    sizes = [len(real), len(generated)]
    weights = np.tile(np.repeat([1.0 / sizes[0], -1.0 / sizes[1]], sizes), (permutations + 1, 1))
    weights[1:] = np.random.default_rng(seed).permuted(weights[1:], axis=1)
    # Σᵢⱼ wᵢ wⱼ sᵢⱼ is the mean within one set, plus within the other, minus twice the mean across.
    values = np.sum((weights @ similarities) * weights, axis=1)
    # Permutations that give the same two sets must not differ from them by rounding.
    tolerance = 1e-12 * np.abs(similarities).max()
    p_value = np.mean(values >= values[0] - tolerance)
    return TwoSampleTest(float(max(0.0, values[0])), float(p_value))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, and 0 where whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
