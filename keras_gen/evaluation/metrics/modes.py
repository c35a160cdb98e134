"""How many modes of the data the samples reach, and how evenly.

Sources: Srivastava et al. 2017, "VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational
Learning" (https://arxiv.org/abs/1705.07761); Lin et al. 2018, "PacGAN: The power of two samples in
generative adversarial networks" (https://arxiv.org/abs/1712.04086).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import entropy

from keras_gen.evaluation.arrays import checked


@dataclass(frozen=True)
class ModeCoverage:
    """The result of `mode_coverage`.

    Attributes:
        modes: number of modes with at least one high-quality sample.
        high_quality: share of samples within 3 sigma of a mode, between 0 and 1. For an isotropic
            Gaussian in the plane it is 1 - exp(-9/2) = 0.989.
        reverse_kl: KL(nearest modes of the samples || uniform), in nats, from 0 to log(number of
            modes). It counts all samples; PacGAN's published code counts only high-quality ones. A
            perfect sampler has about (number of modes - 1) / (2 * number of samples).
    """

    modes: int
    high_quality: float
    reverse_kl: float


def mode_coverage(x: np.ndarray, modes: np.ndarray, sigma: float) -> ModeCoverage:
    """Returns how many modes of a mixture the samples reach, how closely and how evenly.

    Args:
        x: samples, `(n, dimension)`.
        modes: centres of equally probable modes, `(number of modes, dimension)`.
        sigma: standard deviation of every mode in every direction. A sample is of high quality if
            it is at most 3 sigma from its nearest mode.

    Raises:
        ValueError: if shapes do not match, there are no samples or no modes, a value is not finite,
            or sigma is not positive.
    """
    x, modes = checked("(n, dimension)", x=x, modes=modes)
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, got {sigma}.")
    distance = cdist(x, modes)
    nearest, good = distance.argmin(axis=1), distance.min(axis=1) <= 3 * sigma
    counts = np.bincount(nearest, minlength=len(modes))
    return ModeCoverage(len(np.unique(nearest[good])), float(good.mean()), _kl_to_uniform(counts))


def class_coverage(classes: np.ndarray, num_classes: int) -> tuple[int, float]:
    """Returns how many classes occur, and KL(their frequencies || uniform) in nats.

    For a perfect sampler of equally probable classes the divergence is about
    (num_classes - 1) / (2 * n): 0.019 for the 1000 modes of stacked MNIST and 26,000 samples.

    Args:
        classes: a classifier's predictions for the samples, `(n,)` integers in
            0..num_classes - 1.
        num_classes: number of classes.

    Raises:
        ValueError: if there are no samples, or a class is not an integer in range.
    """
    (classes,) = checked("(n,)", dtype="int64", classes=classes)
    if not 0 <= classes.min() <= classes.max() < num_classes:
        raise ValueError(
            f"classes must be in 0..{num_classes - 1}, got {classes.min()} to {classes.max()}."
        )
    counts = np.bincount(classes, minlength=num_classes)
    return int(np.count_nonzero(counts)), _kl_to_uniform(counts)


def _kl_to_uniform(counts: np.ndarray) -> float:
    return float(entropy(counts, np.ones(len(counts))))
