"""How far two sets of examples lie apart, as distributions of their features."""

from __future__ import annotations

import numpy as np

BLOCK = 1000


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """The squared Fréchet distance between the Gaussians that fit two sets, 0 where they agree.

    |m₁ - m₂|² + tr(S₁ + S₂ - 2 (S₁S₂)^½) with means m and unbiased covariances S. It is biased
    upwards in small samples: say n with it. Heusel et al. 2017, "GANs Trained by a Two Time-Scale
    Update Rule Converge to a Local Nash Equilibrium", equation 6.

    Args:
        real: features, `(examples, d)`.
        generated: features, `(other examples, d)`. The distance is the same with both exchanged.

    Raises:
        ValueError: if shapes do not fit, a set has less than two examples or a value is not finite.
    """
    real, generated = checked(real, generated)
    means = real.mean(axis=0), generated.mean(axis=0)
    # S = RᵀR with a triangular R: tr (S₁S₂)^½ is then the sum of the singular values of R₁R₂ᵀ. No
    # root of a matrix is taken, so covariances without full rank are no special case.
    roots = [
        np.linalg.qr(x - mean, mode="r") / np.sqrt(len(x) - 1)
        for x, mean in zip((real, generated), means, strict=True)
    ]
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    spread = sum(np.sum(root**2) for root in roots)
    distance = np.sum((means[0] - means[1]) ** 2) + spread - 2.0 * shared
    return float(max(0.0, distance))


def kernel_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """The kernel distance (KID): squared maximum mean discrepancy with the kernel (x·y/d + 1)³.

    The unbiased estimate on all examples: around 0, and at times below it, for sets of one law.
    Bińkowski et al. 2018, "Demystifying MMD GANs", section 4.

    Args:
        real: features, `(examples, d)`.
        generated: features, `(other examples, d)`. The distance is the same with both exchanged.

    Raises:
        ValueError: as `frechet_distance`.
    """
    real, generated = checked(real, generated)
    within = sum(
        (_kernel_sum(x, x) - np.sum(_kernel(np.sum(x * x, axis=1), x.shape[1])))
        / (len(x) * (len(x) - 1))
        for x in (real, generated)
    )
    return float(within - 2.0 * _kernel_sum(real, generated) / (len(real) * len(generated)))


def _kernel(products: np.ndarray, d: int) -> np.ndarray:
    return (products / d + 1.0) ** 3


def _kernel_sum(x: np.ndarray, y: np.ndarray) -> float:
    """The kernel summed over all pairs; the matrix of all pairs at once would fill the memory."""
    blocks = (x[i : i + BLOCK] @ y.T for i in range(0, len(x), BLOCK))
    return sum(_kernel(block, x.shape[1]).sum() for block in blocks)


def checked(real: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as float64."""
    sets = {"real": np.asarray(real, "float64"), "generated": np.asarray(generated, "float64")}
    shapes = [x.shape for x in sets.values()]
    if any(len(shape) != 2 for shape in shapes) or shapes[0][1] != shapes[1][1]:
        raise ValueError(
            "real and generated must be features (examples, d) with the same d; got "
            f"{shapes[0]} and {shapes[1]}."
        )
    for name, x in sets.items():
        if len(x) < 2:
            raise ValueError(f"{name} must have at least 2 examples, got {len(x)}.")
        if not np.isfinite(x).all():
            raise ValueError(f"{name} holds values that are not finite.")
    return sets["real"], sets["generated"]
