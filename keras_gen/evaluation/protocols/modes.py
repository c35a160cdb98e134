"""Protocols of modes: of mixtures in the plane, and of stacked MNIST's 1000 triples of digits."""

from __future__ import annotations

import functools
from collections.abc import Callable

from keras_gen.evaluation.features import load_features
from keras_gen.evaluation.metrics.modes import ModeCoverage, class_coverage, mode_coverage
from keras_gen.evaluation.protocols.protocol import Protocol, Result, Subject, share

MODE_SAMPLES = 2500
STACKED_SAMPLES = 26_000
STACKED_MODES = 1000


def measure_modes(subject: Subject) -> Result:
    """Returns the number of modes with at least one of 2,500 samples within 3 sigma."""
    of = len(subject.dataset.spec.modes)
    return Result(subject.shared(_coverage).modes, f"of {of} modes", MODE_SAMPLES)


def measure_high_quality(subject: Subject) -> Result:
    """Returns the share of 2,500 samples within 3 sigma of a mode."""
    return share(subject.shared(_coverage).high_quality, MODE_SAMPLES)


def measure_reverse_kl(subject: Subject) -> Result:
    """Returns KL(nearest modes of 2,500 samples || uniform)."""
    return Result(subject.shared(_coverage).reverse_kl, "nats", MODE_SAMPLES)


def measure_stacked(place: int, unit: str) -> Callable[[Subject], Result]:
    """Returns a measure of 26,000 stacked digits, which lenet-mnist classifies channel by channel.

    Args:
        place: 0 for the number of the 1000 triples of digits that occur, 1 for KL(their
            frequencies || uniform) in nats.
        unit: of the figure.
    """
    return lambda subject: Result(subject.shared(_stacked_coverage)[place], unit, STACKED_SAMPLES)


def _coverage(subject: Subject) -> ModeCoverage:
    spec = subject.dataset.spec
    return mode_coverage(subject.sample(MODE_SAMPLES), spec.modes, spec.sigma)


def _stacked_coverage(subject: Subject) -> tuple[int, float]:
    lenet = load_features("lenet", "mnist")
    x = subject.sample(STACKED_SAMPLES)
    hundreds, tens, ones = (lenet.classify(x[..., i : i + 1]) for i in range(3))
    return class_coverage(100 * hundreds + 10 * tens + ones, STACKED_MODES)


_modes = functools.partial(
    Protocol,
    fits=lambda spec: None not in (spec.modes, spec.sigma),
    needed="known modes, as ring and grid have",
    floor="test",
)
_stacked = functools.partial(
    Protocol,
    fits=lambda spec: spec.name == "stacked_mnist",
    needed="MNIST digits as channels: stacked_mnist",
    floor="train",
)

PROTOCOLS = {
    "modes_2500": _modes(measure_modes),
    "high_quality_2500": _modes(measure_high_quality),
    "reverse_kl_2500": _modes(measure_reverse_kl),
    "stacked_modes_26k": _stacked(measure_stacked(0, f"of {STACKED_MODES} modes")),
    "stacked_kl_26k": _stacked(measure_stacked(1, "nats")),
}
