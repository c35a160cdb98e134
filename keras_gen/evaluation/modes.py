"""How many modes of the data a model's samples reach, and how evenly.

Sources: Srivastava et al. 2017, "VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational
Learning" (https://arxiv.org/abs/1705.07761); Lin et al. 2018, "PacGAN: The power of two samples in
generative adversarial networks" (https://arxiv.org/abs/1712.04086).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ModeCoverage:
    """What `mode_coverage` finds.

    Attributes:
        modes: number of modes with at least one sample of high quality.
        high_quality: share of the samples within 3 sigma of a mode, between 0 and 1. Of an
            isotropic Gaussian in the plane, 1 - exp(-9/2) = 0.989 lies there.
        reverse_kl: KL(nearest modes of the samples || uniform), in nats, from 0 to log(number of
            modes). It counts every sample, those far from all modes too; PacGAN's published code
            counts those of high quality. A perfect sampler has about (number of modes - 1) / (2 *
            number of samples).
    """

    modes: int
    high_quality: float
    reverse_kl: float


def mode_coverage(x: np.ndarray, modes: np.ndarray, sigma: float) -> ModeCoverage:
    """Which of a mixture's modes samples reach, and how near.

    Args:
        x: samples, `(n, dimension)`.
        modes: centres of the modes, `(number of modes, dimension)`; they are equally probable.
        sigma: standard deviation of every mode in every direction. A sample at 3 sigma from its
            nearest mode, or nearer, is of high quality.

    Raises:
        ValueError: if shapes do not fit, there are no samples or no modes, a sample is not finite,
            or sigma is not positive.
    """
    x, modes = np.asarray(x, "float64"), np.asarray(modes, "float64")
    if x.ndim != 2 or modes.ndim != 2 or x.shape[1] != modes.shape[1] or not x.size * modes.size:
        raise ValueError(
            "samples (n, dimension) and modes (k, dimension) must be of one dimension and at least "
            f"one; got {x.shape} and {modes.shape}."
        )
    if not np.isfinite(x).all():
        raise ValueError(f"{int((~np.isfinite(x)).any(axis=1).sum())} samples are not finite.")
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, got {sigma}.")
    distance = np.linalg.norm(x[:, None] - modes, axis=-1)
    nearest, good = distance.argmin(axis=1), distance.min(axis=1) <= 3 * sigma
    counts = np.bincount(nearest, minlength=len(modes))
    return ModeCoverage(len(np.unique(nearest[good])), float(good.mean()), _kl_to_uniform(counts))


def class_coverage(classes: np.ndarray, num_classes: int) -> tuple[int, float]:
    """How many classes occur among samples, and KL(their frequencies || uniform) in nats.

    As for `ModeCoverage`, a perfect sampler of equally probable classes still has a divergence of
    about (num_classes - 1) / (2 * n): 0.019 for the 1000 modes of stacked MNIST and 26,000 samples.

    Args:
        classes: what a classifier sees in each sample, `(n,)` integers from 0 to num_classes - 1.
        num_classes: number of classes.

    Raises:
        ValueError: if there are no classes, or one is not a whole number in range.
    """
    classes = np.asarray(classes)
    if classes.ndim != 1 or not classes.size or classes.dtype.kind not in "iu":
        raise ValueError(
            f"classes must be at least one integer, (n,); got {classes.dtype} of shape "
            f"{classes.shape}."
        )
    if not 0 <= classes.min() <= classes.max() < num_classes:
        raise ValueError(
            f"classes must be in 0..{num_classes - 1}; they are from {classes.min()} to "
            f"{classes.max()}."
        )
    counts = np.bincount(classes.astype("int64"), minlength=num_classes)
    return int(np.count_nonzero(counts)), _kl_to_uniform(counts)


def _kl_to_uniform(counts: np.ndarray) -> float:
    """KL(frequencies || uniform) in nats, where 0 log 0 = 0."""
    p = counts[counts > 0] / counts.sum()
    return float(np.sum(p * np.log(p * len(counts))))
