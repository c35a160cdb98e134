"""Do two samples follow one law: statistics of each feature, and tests of all features together.

Examples of any shape are taken as vectors of features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist, squareform
from scipy.stats import ks_2samp, wasserstein_distance

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class SampleStatistics:
    """Statistics of every feature, or differences of them, in the unit of the data.

    Attributes:
        mean: `(features,)`.
        variance: unbiased, in the square of the unit, `(features,)`.
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
    """What `feature_tests` finds.

    Attributes:
        statistics: the largest difference of the two empirical distribution functions for each
            feature, from 0 to 1, `(features,)`.
        p_values: of each feature by itself, `(features,)`.
        p_value: of all features together: the smallest p-value, corrected for their number after
            Bonferroni (for the smallest, Holm's correction is the same). Below 0.05 at a chance of
            at most 0.05 if both sets are of one law, however the features depend on each other.
    """

    statistics: np.ndarray
    p_values: np.ndarray
    p_value: float


@dataclass(frozen=True)
class TwoSampleTest:
    """What a test of two samples finds.

    Attributes:
        statistic: how far the samples lie apart.
        p_value: share of the permutations, with the given order among them, in which they lie as
            far apart or farther: at least 1 / (permutations + 1).
    """

    # It is no collection of tests, whatever its name tells pytest.
    __test__ = False

    statistic: float
    p_value: float


def sample_statistics(x: np.ndarray, levels: Sequence[float] = QUANTILES) -> SampleStatistics:
    """Mean, variance and quantiles of every feature.

    `sample_statistics(generated) - sample_statistics(real)` are the differences.

    Args:
        x: examples, `(n, ...)`.
        levels: of the quantiles, from 0 to 1; between two examples they are interpolated.

    Raises:
        ValueError: if there are less than two examples, a value is not finite or a level is not
            from 0 to 1.
    """
    if not all(0 <= level <= 1 for level in levels):
        raise ValueError(f"levels must be from 0 to 1, got {tuple(levels)}.")
    (x,) = features_of(x=x)
    return SampleStatistics(
        x.mean(axis=0), x.var(axis=0, ddof=1), np.quantile(x, np.asarray(levels), axis=0)
    )


def feature_tests(real: np.ndarray, generated: np.ndarray) -> FeatureTests:
    """The Kolmogorov-Smirnov test of two samples for every feature, and for all together.

    It sees each feature's own distribution, and not how features depend on each other.

    Args:
        real: examples, `(n, ...)`.
        generated: examples of the same shape, `(m, ...)`.

    Raises:
        ValueError: if shapes do not fit, a set has less than two examples or a value is not finite.
    """
    real, generated = features_of(real=real, generated=generated)
    found = [ks_2samp(x, y) for x, y in zip(real.T, generated.T, strict=True)]
    p_values = np.array([each.pvalue for each in found])
    p_value = min(1.0, len(found) * p_values.min())
    return FeatureTests(np.array([each.statistic for each in found]), p_values, float(p_value))


def energy_test(
    real: np.ndarray, generated: np.ndarray, permutations: int = 999, seed: int = 0
) -> TwoSampleTest:
    """The energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'| and its permutation test.

    The means are over all pairs, those of an example with itself among them: never negative, 0 for
    equal sets, in the unit of the data. Székely and Rizzo 2013, "Energy statistics: A class of
    statistics based on distances".

    Args:
        real: examples, `(n, ...)`.
        generated: examples of the same shape, `(m, ...)`. The memory taken grows with (n + m)².
        permutations: number of times the examples are dealt anew to the two sets.
        seed: of the permutations.

    Raises:
        ValueError: if shapes do not fit, a set has less than two examples, a value is not finite or
            there are no permutations.
    """
    return _permutation_test(_nearness, real, generated, permutations, seed)


def mmd_test(
    real: np.ndarray, generated: np.ndarray, permutations: int = 999, seed: int = 0
) -> TwoSampleTest:
    """The squared maximum mean discrepancy and its permutation test.

    E k(X, X') + E k(Y, Y') - 2 E k(X, Y) over all pairs, the biased estimate: from 0 for equal sets
    to 2. The kernel is exp(-|x - y|² / 2σ²), σ the median distance in both sets together; pairs of
    equal examples do not count for it, as they could be most. Gretton et al. 2012, "A Kernel
    Two-Sample Test", equation 5 and section 8.

    Args:
        real: examples, `(n, ...)`.
        generated: examples of the same shape, `(m, ...)`. The memory taken grows with (n + m)².
        permutations: number of times the examples are dealt anew to the two sets.
        seed: of the permutations.

    Raises:
        ValueError: as `energy_test`.
    """
    return _permutation_test(_gaussian_kernel, real, generated, permutations, seed)


def sliced_wasserstein_distance(
    real: np.ndarray, generated: np.ndarray, projections: int = 128, seed: int = 0
) -> float:
    """The mean Wasserstein distance (of order 1) of the sets' projections on random directions.

    In the unit of the data. For sets that differ by a translation v it is E|θ·v| over directions θ,
    which is |v| for one feature and about |v| (2 / πd)^½ for many, d. Bonneel et al. 2015, "Sliced
    and Radon Wasserstein Barycenters of Measures".

    Args:
        real: examples, `(n, ...)`.
        generated: examples of the same shape, `(m, ...)`. The distance is the same with both
            exchanged.
        projections: number of directions, drawn evenly from the sphere.
        seed: of the directions.

    Raises:
        ValueError: if shapes do not fit, a set has less than two examples, a value is not finite or
            there are no projections.
    """
    if projections < 1:
        raise ValueError(f"projections must be at least 1, got {projections}.")
    real, generated = features_of(real=real, generated=generated)
    directions = np.random.default_rng(seed).normal(size=(real.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    pairs = zip((real @ directions).T, (generated @ directions).T, strict=True)
    return float(np.mean([wasserstein_distance(x, y) for x, y in pairs]))


def _nearness(x: np.ndarray) -> np.ndarray:
    return -squareform(pdist(x))


def _gaussian_kernel(x: np.ndarray) -> np.ndarray:
    squares = pdist(x, "sqeuclidean")
    apart = squares[squares > 0]
    # Where all examples are equal, any bandwidth is as good.
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
    """The test of two sets by how similar all pairs of their examples are."""
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, got {permutations}.")
    real, generated = features_of(real=real, generated=generated)
    similarities = similarity(np.concatenate([real, generated]))
    sizes = [len(real), len(generated)]
    weights = np.tile(np.repeat([1.0 / sizes[0], -1.0 / sizes[1]], sizes), (permutations + 1, 1))
    weights[1:] = np.random.default_rng(seed).permuted(weights[1:], axis=1)
    # Σᵢⱼ wᵢ wⱼ sᵢⱼ is the mean within the one, plus within the other, less twice across.
    values = np.sum((weights @ similarities) * weights, axis=1)
    # Permutations that deal the same sets must not differ from the given ones by rounding.
    tolerance = 1e-12 * np.abs(similarities).max()
    p_value = np.mean(values >= values[0] - tolerance)
    return TwoSampleTest(float(max(0.0, values[0])), float(p_value))


def features_of(**sets: np.ndarray) -> list[np.ndarray]:
    """The named sets as float64, every example a vector of features."""
    arrays = {name: np.asarray(x, "float64") for name, x in sets.items()}
    shapes = [x.shape for x in arrays.values()]
    if not all(shapes) or len({shape[1:] for shape in shapes}) > 1 or 0 in shapes[0][1:]:
        raise ValueError(
            f"{', '.join(sets)} must be examples (n, ...) of one shape; got "
            f"{', '.join(map(str, shapes))}."
        )
    for name, x in arrays.items():
        if len(x) < 2:
            raise ValueError(f"{name} must have at least 2 examples, got {len(x)}.")
        if not np.isfinite(x).all():
            raise ValueError(f"{name} holds values that are not finite.")
    return [x.reshape(len(x), -1) for x in arrays.values()]
