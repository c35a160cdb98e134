"""Protocols that compare samples with the data themselves: statistics, tests and copies."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from keras_gen.evaluation.metrics.distances import sliced_wasserstein_distance
from keras_gen.evaluation.metrics.memorization import Memorization, check_memorization
from keras_gen.evaluation.metrics.statistics import (
    SampleStatistics,
    TwoSampleTest,
    energy_test,
    feature_tests,
    mmd_test,
    standardized_differences,
)
from keras_gen.evaluation.protocols.protocol import (
    SEED,
    Protocol,
    Result,
    Subject,
    share,
)

TEST_EXAMPLES = 500
COPIES_SAMPLES = 1000
LEVEL = 0.05


def measure_sliced_wasserstein(subject: Subject) -> Result:
    """Returns the sliced Wasserstein distance of 10,000 samples to all test examples."""
    x = subject.images()
    distance = sliced_wasserstein_distance(subject.test["x"], x, seed=SEED)
    return Result(distance, "of the data", len(x))


def measure_difference(statistic: str, unit: str) -> Callable[[Subject], Result]:
    """Returns a measure of the mean absolute difference of a statistic over all features.

    It compares 10,000 samples with all test examples; see `standardized_differences`. For quantiles
    (5, 25, 50, 75 and 95 %) the mean is over the levels too.

    Args:
        statistic: "mean", "variance" or "quantiles".
        unit: of the figure.
    """

    def measure(subject: Subject) -> Result:
        differences = getattr(subject.shared(_differences), statistic)
        return Result(float(np.abs(differences).mean()), unit, len(subject.images()))

    return measure


def measure_ks_rejected(subject: Subject) -> Result:
    """Returns the share of features whose distribution differs at the level of 5 %.

    It is the two-sample Kolmogorov-Smirnov test of 10,000 samples and all test examples. If they
    have one distribution, at most 0.05 is expected. Dependent features are rejected together, so
    that single figures vary around it.
    """
    x = subject.images()
    p_values = feature_tests(_stored(subject, subject.test["x"]), _stored(subject, x)).p_values
    return Result(float(np.mean(p_values <= LEVEL)), "of 1", len(x))


def p_value(test: Callable[..., TwoSampleTest]) -> Callable[[Subject], Result]:
    """Returns a measure of a test's p-value for 500 samples and 500 random test examples.

    It takes 999 permutations, so the smallest p-value is 0.001. If both sets have one distribution,
    as for the floor, the p-value is uniform between 0 and 1.
    """

    def measure(subject: Subject) -> Result:
        x = subject.test["x"]
        n = min(TEST_EXAMPLES, len(x))
        real = x[np.random.RandomState(SEED).permutation(len(x))[:n]]
        found = test(_stored(subject, real), _stored(subject, subject.sample(n)), seed=SEED)
        return Result(found.p_value, "p-value", n)

    return measure


def measure_nearer_to_training(subject: Subject) -> Result:
    """Returns the share of 1,000 samples nearer to training than to test examples; 1/2 is ideal."""
    return share(subject.shared(_memorization).nearer_to_training, COPIES_SAMPLES)


def measure_copies(subject: Subject) -> Result:
    """Returns the share of 1,000 samples that almost equal a training example."""
    return share(subject.shared(_memorization).copies, COPIES_SAMPLES)


def _stored(subject: Subject, x: np.ndarray) -> np.ndarray:
    """Examples as files store them: pixels of 8 bits, other values as they are.

    Real pixels are multiples of 1/255, and a network's are not. A test on unrounded pixels would
    find this difference alone: a background of 1e-6 is always above one of 0.
    """
    return np.round(np.float64(x) * 255) / 255 if subject.dataset.spec.kind == "image" else x


def _differences(subject: Subject) -> SampleStatistics:
    real, generated = (_stored(subject, x) for x in (subject.test["x"], subject.images()))
    return standardized_differences(real, generated)


def _memorization(subject: Subject) -> Memorization:
    training = subject.dataset.arrays("train")["x"]
    return check_memorization(
        subject.sample(COPIES_SAMPLES), training, subject.test["x"], seed=SEED
    )


_statistics = functools.partial(
    Protocol,
    fits=lambda spec: spec.kind != "text",
    needed="measured values, not text",
    floor="train",
)

PROTOCOLS = {
    "sliced_wasserstein_10k": Protocol(measure_sliced_wasserstein, floor="train"),
    "mean_difference_10k": _statistics(measure_difference("mean", "standard deviations")),
    "variance_difference_10k": _statistics(measure_difference("variance", "of 1")),
    "quantile_difference_10k": _statistics(measure_difference("quantiles", "standard deviations")),
    "ks_rejected_10k": _statistics(measure_ks_rejected),
    "energy_test_500": _statistics(p_value(energy_test)),
    "mmd_test_500": _statistics(p_value(mmd_test)),
    "nearer_to_training_1k": Protocol(measure_nearer_to_training),
    "copies_1k": Protocol(measure_copies),
}
