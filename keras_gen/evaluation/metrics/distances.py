"""Distances between two sets of examples, as distributions of features."""

from __future__ import annotations

import numpy as np
from scipy.stats import wasserstein_distance
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.utils import gen_batches

from keras_gen import checks
from keras_gen.evaluation.arrays import checked, vectors

BLOCK = 1000


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Returns the squared Fréchet distance between the Gaussians fitted to two sets (FID).

    |m₁ - m₂|² + tr(S₁ + S₂ - 2 (S₁S₂)^½) with means m and unbiased covariances S. Small samples
    bias it upwards: report n with it. Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update
    Rule Converge to a Local Nash Equilibrium", equation 6.

    Args:
        real: features, `(n, d)`.
        generated: features, `(m, d)`. Exchanging the sets does not change the distance.

    Raises:
        ValueError: if shapes do not match, a set has fewer than 2 examples or a value is not
            finite.
    """
    real, generated = checked("(n, d)", least=2, real=real, generated=generated)
    means = real.mean(axis=0), generated.mean(axis=0)
    # With S = RᵀR for a triangular R, tr (S₁S₂)^½ is the sum of the singular values of R₁R₂ᵀ. This
    # takes no root of a matrix and so also holds for covariances without full rank.
    roots = [
        np.linalg.qr(x - mean, mode="r") / np.sqrt(len(x) - 1)
        for x, mean in zip((real, generated), means, strict=True)
    ]
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    spread = sum(np.sum(root**2) for root in roots)
    distance = np.sum((means[0] - means[1]) ** 2) + spread - 2.0 * shared
    return float(max(0.0, distance))


def kernel_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Returns the kernel distance (KID), the squared MMD with the kernel (x·y/d + 1)³.

    The estimate is unbiased and uses all examples: it is about 0, and may be negative, for two
    samples of one distribution. Bińkowski et al. 2018, "Demystifying MMD GANs", section 4.

    Args:
        real: features, `(n, d)`.
        generated: features, `(m, d)`. Exchanging the sets does not change the distance.

    Raises:
        ValueError: as `frechet_distance`.
    """
    real, generated = checked("(n, d)", least=2, real=real, generated=generated)
    within = sum(
        (_kernel_sum(x, x) - np.sum((np.sum(x * x, axis=1) / x.shape[1] + 1.0) ** 3))
        / (len(x) * (len(x) - 1))
        for x in (real, generated)
    )
    return float(within - 2.0 * _kernel_sum(real, generated) / (len(real) * len(generated)))


def sliced_wasserstein_distance(
    real: np.ndarray, generated: np.ndarray, projections: int = 128, seed: int = 0
) -> float:
    """Returns the mean Wasserstein-1 distance between projections on random directions.

    It has the unit of the data. For sets that differ by a translation v it is E|θ·v| over
    directions θ: |v| for one feature, about |v| (2 / πd)^½ for many features d. Bonneel et al.
    2015, "Sliced and Radon Wasserstein Barycenters of Measures".

    Args:
        real: examples, `(n, ...)`.
        generated: examples of the same shape, `(m, ...)`. Exchanging the sets does not change the
            distance.
        projections: number of directions, uniform on the sphere.
        seed: of the directions.

    Raises:
        ValueError: as `frechet_distance`, or if `projections` is less than 1.
    """
    checks.integer("projections", projections)
    real, generated = vectors(real=real, generated=generated)
    directions = np.random.default_rng(seed).normal(size=(real.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    pairs = zip((real @ directions).T, (generated @ directions).T, strict=True)
    return float(np.mean([wasserstein_distance(x, y) for x, y in pairs]))


def _kernel_sum(x: np.ndarray, y: np.ndarray) -> float:
    """The kernel summed over all pairs, in blocks: all pairs at once would fill the memory."""
    blocks = gen_batches(len(x), BLOCK)
    return sum(polynomial_kernel(x[block], y, degree=3, coef0=1).sum() for block in blocks)
