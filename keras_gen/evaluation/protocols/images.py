"""Protocols of images in the features of a network: lenet, vgg or Inception."""

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
# Data that each network of the package has features for.
FITTING = {"lenet": "digits and mnist have", "vgg": "cifar10 and cifar10_jpeg have"}


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


def quick_distance(network: str) -> Callable[[Subject], Result]:
    """Returns a measure of the Fréchet distance of one draw of 1,000 samples, larger by its bias.

    It takes as many samples as there are test images if those are fewer.
    """

    def measure(subject: Subject) -> Result:
        features = subject.shared(_network, network)
        generated = features(subject.sample(min(FEW_IMAGES, subject.dataset.size("test"))))
        value = frechet_distance(subject.shared(_real, network), generated)
        return Result(value, f"in {features.name}", len(generated), hash=features.hash)

    return measure


def score_classes(network: str) -> Callable[[Subject], Result]:
    """Returns a measure of the Inception Score by a network's classes, with ten splits.

    It takes 10,000 samples, or as many as there are test images if those are fewer.
    """

    def measure(subject: Subject) -> Result:
        x, features = subject.images(), subject.shared(_network, network)
        mean, deviation = inception_score(features.logits(x), splits=10)
        return Result(mean, f"in {features.name}", len(x), deviation, features.hash)

    return measure


def measure_quality(which: str, network: str) -> Callable[[Subject], Result]:
    """Returns a measure of precision or recall (k = 3), density or coverage (k = 5) in features.

    It compares at most 5,000 samples with as many test images.
    """

    def measure(subject: Subject) -> Result:
        features, values = subject.shared(_network, network), subject.shared(_quality, network)
        n = min(QUALITY_IMAGES, len(subject.shared(_generated, network, 0)))
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


def _quality(subject: Subject, network: str) -> dict[str, float]:
    both = subject.shared(_real, network), subject.shared(_generated, network, 0)
    sets = [features[:QUALITY_IMAGES] for features in both]
    return dict(zip(QUALITY, precision_recall(*sets) + density_coverage(*sets), strict=True))


def _of(network: str) -> dict[str, Protocol]:
    """Returns the protocols in the features of a network that comes with the package."""
    protocol = functools.partial(
        Protocol,
        fits=functools.partial(has_features, name=network),
        needed=f"{network} features for its images, as {FITTING[network]}",
        floor="train",
        own_features=True,
    )
    return {
        f"fid_{network}_10k": protocol(distance(frechet_distance, network)),
        f"fid_{network}_1k": protocol(quick_distance(network)),
        f"kid_{network}_10k": protocol(distance(kernel_distance, network)),
        f"class_score_{network}_10k": protocol(score_classes(network)),
        **{f"{which}_{network}_5k": protocol(measure_quality(which, network)) for which in QUALITY},
    }


_inception = functools.partial(
    Protocol, fits=fits_inception, needed="images of 1 or 3 channels", floor="train"
)

PROTOCOLS = {
    **_of("lenet"),
    **_of("vgg"),
    "fid_inception_10k": _inception(distance(frechet_distance, "inception")),
    "kid_inception_10k": _inception(distance(kernel_distance, "inception")),
    "inception_score_10k": _inception(score_classes("inception")),
}
