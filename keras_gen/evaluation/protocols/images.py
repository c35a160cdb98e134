"""Protocols of images in the features of a network: lenet, or Inception."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from keras_gen.evaluation.features import (
    Features,
    fits_inception,
    has_features,
    inception_features,
    load_features,
)
from keras_gen.evaluation.metrics.distances import frechet_distance, kernel_distance
from keras_gen.evaluation.metrics.quality import (
    density_coverage,
    inception_score,
    precision_recall,
)
from keras_gen.evaluation.protocols.protocol import Protocol, Result, Subject

DRAWS = 3
FEW_IMAGES = 1000
QUALITY_IMAGES = 5000
QUALITY = ("precision", "recall", "density", "coverage")


def distance(
    function: Callable[[np.ndarray, np.ndarray], float], network: str
) -> Callable[[Subject], Result]:
    """Returns a measure of a distance in features between samples and all test images.

    It takes 10,000 samples, or as many as there are test images if those are fewer, and is the mean
    of three draws. It compares models of one data set. It is not comparable with published figures,
    which use another network.
    """

    def measure(subject: Subject) -> Result:
        real, features = subject.shared(_real, network), subject.shared(_network, network)
        generated = [subject.shared(_generated, network, draw) for draw in range(DRAWS)]
        draws = [function(real, each) for each in generated]
        return Result(
            float(np.mean(draws)),
            f"in {features.name}",
            len(generated[0]),
            float(np.std(draws, ddof=1)),
            features.hash,
        )

    return measure


def measure_fid_lenet_1k(subject: Subject) -> Result:
    """Returns the Fréchet distance of one draw of 1,000 samples: quick, and larger by its bias."""
    features = subject.shared(_network, "lenet")
    generated = features(subject.sample(min(FEW_IMAGES, subject.dataset.size("test"))))
    value = frechet_distance(subject.shared(_real, "lenet"), generated)
    return Result(value, f"in {features.name}", len(generated), hash=features.hash)


def score_classes(network: str) -> Callable[[Subject], Result]:
    """Returns a measure of the Inception Score by a network's classes, with ten splits.

    It takes 10,000 samples, or as many as there are test images if those are fewer.
    """

    def measure(subject: Subject) -> Result:
        x, features = subject.images(), subject.shared(_network, network)
        mean, deviation = inception_score(features.logits(x), splits=10)
        return Result(mean, f"in {features.name}", len(x), deviation, features.hash)

    return measure


def measure_quality(which: str) -> Callable[[Subject], Result]:
    """Returns a measure of precision or recall (k = 3), density or coverage (k = 5) in features.

    It compares at most 5,000 samples with as many test images.
    """

    def measure(subject: Subject) -> Result:
        features, values = subject.shared(_network, "lenet"), subject.shared(_quality)
        n = min(QUALITY_IMAGES, len(subject.shared(_generated, "lenet", 0)))
        return Result(values[which], f"in {features.name}", n, hash=features.hash)

    return measure


def _network(subject: Subject, name: str) -> Features:
    if name == "inception":
        return inception_features(subject.inception)
    if subject.own_features is not None:
        return subject.own_features
    return load_features(name, subject.dataset.spec.name)


def _real(subject: Subject, network: str) -> np.ndarray:
    return subject.shared(_network, network)(subject.test["x"])


def _generated(subject: Subject, network: str, draw: int) -> np.ndarray:
    return subject.shared(_network, network)(subject.images(draw))


def _quality(subject: Subject) -> dict[str, float]:
    both = subject.shared(_real, "lenet"), subject.shared(_generated, "lenet", 0)
    sets = [features[:QUALITY_IMAGES] for features in both]
    return dict(zip(QUALITY, precision_recall(*sets) + density_coverage(*sets), strict=True))


_lenet = functools.partial(
    Protocol,
    fits=has_features,
    needed="lenet features for its images, as digits and mnist have",
    floor="train",
    own_features=True,
)
_inception = functools.partial(
    Protocol, fits=fits_inception, needed="images of 1 or 3 channels", floor="train"
)

PROTOCOLS = {
    "fid_lenet_10k": _lenet(distance(frechet_distance, "lenet")),
    "fid_lenet_1k": _lenet(measure_fid_lenet_1k),
    "kid_lenet_10k": _lenet(distance(kernel_distance, "lenet")),
    "class_score_lenet_10k": _lenet(score_classes("lenet")),
    **{f"{which}_lenet_5k": _lenet(measure_quality(which)) for which in QUALITY},
    "fid_inception_10k": _inception(distance(frechet_distance, "inception")),
    "kid_inception_10k": _inception(distance(kernel_distance, "inception")),
    "inception_score_10k": _inception(score_classes("inception")),
}
