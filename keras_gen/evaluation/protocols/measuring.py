"""Measuring protocols: what can be measured, one figure, its floor, and all figures of a model."""

from __future__ import annotations

import dataclasses
import functools
import os
import time
from collections.abc import Callable, Iterable

from keras_gen.data import Dataset, Spec
from keras_gen.evaluation.features import Features
from keras_gen.evaluation.protocols import (
    images,
    labels,
    latents,
    likelihood,
    modes,
    representation,
    samples,
    sequences,
    texts,
)
from keras_gen.evaluation.protocols.protocol import (
    EVALUATION_BATCH,
    Protocol,
    RealData,
    Result,
    Subject,
)
from keras_gen.models import GenerativeModel
from keras_gen.suggestions import nearest

PROTOCOLS: dict[str, Protocol] = {
    **likelihood.PROTOCOLS,
    **latents.PROTOCOLS,
    **representation.PROTOCOLS,
    **modes.PROTOCOLS,
    **images.PROTOCOLS,
    **samples.PROTOCOLS,
    **sequences.PROTOCOLS,
    **labels.PROTOCOLS,
    **texts.PROTOCOLS,
}


# Of the others, the smaller figure is the better one.
HIGHER_IS_BETTER = (
    "active_units",
    "mig",
    "factor_vae_score",
    "beta_vae_score",
    "dci",
    "sap",
    "linear_probe",
    "knn",
    "modes",
    "high_quality",
    "stacked_modes",
    "class_score",
    "inception_score",
    "precision",
    "recall",
    "density",
    "coverage",
    "label_accuracy",
    "class_density",
    "class_coverage",
    "known_words",
)


def higher_is_better(protocol: str) -> bool:
    """Returns whether the greater of two figures of a protocol is the better one."""
    return protocol.startswith(HIGHER_IS_BETTER)


def check(
    protocols: Iterable[str],
    spec: Spec,
    model: type[GenerativeModel] | None = None,
    features: Features | None = None,
) -> None:
    """Checks that all protocols can be measured.

    Args:
        protocols: names in `PROTOCOLS`.
        spec: of the data.
        model: class of the model, or None to check the data only.
        features: as for `evaluate`.

    Raises:
        ValueError: if a protocol is unknown or cannot be measured on such data, such a model or
            such features.
    """
    if features is not None and features.shape != spec.shape:
        raise ValueError(
            f"features {features.name} are of images of shape {features.shape}, but {spec.name} "
            f"has shape {spec.shape}."
        )
    for name in protocols:
        if problem := _problem(name, spec, model, features):
            raise ValueError(problem)


def applicable(
    protocols: Iterable[str], spec: Spec, model: type[GenerativeModel] | None = None
) -> tuple[str, ...]:
    """Returns those protocols that can be measured on such data and such a model.

    Args:
        protocols: names in `PROTOCOLS`.
        spec: of the data.
        model: class of the model, or None to consider the data only.
    """
    return tuple(name for name in protocols if not _problem(name, spec, model))


def measure(
    protocol: str,
    model: GenerativeModel,
    dataset: Dataset,
    features: Features | None = None,
    inception: str | os.PathLike | None = None,
) -> Result:
    """Returns the result of one protocol, without its floor.

    Args:
        protocol: a name in `PROTOCOLS`.
        model: to measure.
        dataset: to compare its samples with.
        features: as for `evaluate`.
        inception: as for `evaluate`.

    Raises:
        ValueError: before anything is measured, as `check`.
    """
    check([protocol], dataset.spec, type(model), features)
    return _timed(protocol, Subject(model, dataset, features, inception))


def floor(
    protocol: str,
    dataset: Dataset,
    features: Features | None = None,
    inception: str | os.PathLike | None = None,
) -> Result | None:
    """Returns the result of a protocol with random real examples in place of the samples.

    They are training examples if the protocol compares with test examples, and test examples if it
    compares with training examples, at most as many as there are. The result is None for a protocol
    that has no samples.

    Args:
        protocol: a name in `PROTOCOLS`.
        dataset: that the examples are from.
        features: as for `evaluate`.
        inception: as for `evaluate`.

    Raises:
        ValueError: as `check`.
    """
    check([protocol], dataset.spec, features=features)
    part = PROTOCOLS[protocol].floor
    if part is None:
        return None
    return _timed(protocol, Subject(RealData(dataset, part), dataset, features, inception))


def evaluate(
    model: GenerativeModel,
    dataset: Dataset,
    protocols: Iterable[str] = (),
    features: Features | None = None,
    inception: str | os.PathLike | None = None,
    on_result: Callable[[str, Result], None] = lambda name, result: None,
) -> dict[str, Result]:
    """Returns a model's metrics on the test part of a data set, and protocols with their floors.

    Args:
        model: compiled.
        dataset: of the kind that the model was trained on.
        protocols: names in `PROTOCOLS`.
        features: from `read_features`, for the protocols of lenet. By default those that come with
            the package for the data.
        inception: path of the FID network's own weights, for the protocols of Inception; see
            `inception_features`.
        on_result: called with each name and result as soon as it is known.

    Returns:
        Results by name of metric and protocol. `elbo` and the like are in nats per example. For a
        VAE, `kl` is the rate and -`reconstruction` the distortion of Alemi et al. 2018, "Fixing a
        Broken ELBO", section 3.

    Raises:
        ValueError: before anything is measured, as `check`.
    """
    protocols = tuple(protocols)
    check(protocols, dataset.spec, type(model), features)
    batches, start = dataset.batches("test", EVALUATION_BATCH, shuffle=False), time.perf_counter()
    metrics = model.evaluate(batches, return_dict=True, verbose=0)
    n, seconds = dataset.size("test"), time.perf_counter() - start
    results = {}

    def found(name: str, result: Result) -> None:
        results[name] = result
        on_result(name, result)

    for name, value in metrics.items():
        found(name, Result(float(value), model.metric_unit(name), n, seconds=seconds))
    parts = {PROTOCOLS[name].floor for name in protocols} - {None}
    of = functools.partial(Subject, dataset=dataset, features=features, inception=inception)
    subject, real = of(model), {part: of(RealData(dataset, part)) for part in parts}
    for name in protocols:
        result = _timed(name, subject)
        if part := PROTOCOLS[name].floor:
            best = _timed(name, real[part])
            seconds = result.seconds + best.seconds
            result = dataclasses.replace(result, floor=best.value, seconds=seconds)
        found(name, result)
    return results


def _problem(
    name: str, spec: Spec, model: type[GenerativeModel] | None, features: Features | None = None
) -> str | None:
    """Why a protocol cannot be measured on such data, such a model; None if it can."""
    if name not in PROTOCOLS:
        fitting = [each for each, protocol in PROTOCOLS.items() if protocol.fits(spec)]
        return (
            f"Protocol {name!r} is unknown.{nearest(name, fitting, cutoff=0.3)} See "
            "docs/evaluation.md or `keras-gen evaluate --help`."
        )
    protocol = PROTOCOLS[name]
    if not protocol.fits(spec) and not (protocol.own_features and features is not None):
        return f"Protocol {name} needs data with {protocol.needed}; {spec.name} has none."
    if model is not None and not any(hasattr(model, method) for method in protocol.methods):
        needed = " or ".join(protocol.methods)
        return f"Protocol {name} needs a model with the method {needed}; {model.__name__} has none."
    if model is not None and protocol.conditional and not model.conditional:
        return f"Protocol {name} needs a conditional model; {model.__name__} is not conditional."
    return None


def _timed(protocol: str, subject: Subject) -> Result:
    start = time.perf_counter()
    result = PROTOCOLS[protocol].measure(subject)
    return dataclasses.replace(result, seconds=time.perf_counter() - start)
