"""Protocols: a name for a measurement with every choice pinned.

A figure without its protocol means little: sample counts, splits and preprocessing move it. Each
function here takes a model and a data set; what it computes with is arrays in, numbers out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from keras_gen.data import Dataset, Spec
from keras_gen.evaluation.disentanglement import mutual_information_gap
from keras_gen.evaluation.latent import active_units
from keras_gen.models import GenerativeModel

SEED = 0
EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Result:
    """A measured value.

    Attributes:
        value: the figure.
        unit: what it counts.
        n: number of examples it was measured on.
        error: its standard error over those examples, where it is a mean.
    """

    value: float
    unit: str
    n: int
    error: float | None = None


def nll_iw(num_samples: int) -> Callable[[GenerativeModel, Dataset], Result]:
    """Minus log p(x) by importance weighting with `num_samples`, on all test examples, in nats."""

    def measure(model: GenerativeModel, dataset: Dataset) -> Result:
        test = dataset.arrays("test")
        label = test["label"] if model.uses_labels else None
        nll = -model.log_likelihood(test["x"], num_samples, seed=SEED, label=label)
        nll = nll.astype("float64")
        error = nll.std(ddof=1) / np.sqrt(len(nll))
        return Result(float(nll.mean()), "nats", len(nll), float(error))

    return measure


def measure_active_units(model: GenerativeModel, dataset: Dataset) -> Result:
    """Latents whose posterior mean varies over the test examples by more than 0.01."""
    codes = _codes(model, dataset.arrays("test"))
    return Result(active_units(codes), f"of {codes.shape[1]} latents", len(codes))


def measure_mig(model: GenerativeModel, dataset: Dataset) -> Result:
    """Variant (a): means of q(z|x), 20-bin histograms, the first 10,000 test examples."""
    test = dataset.arrays("test", limit=10_000)
    codes = _codes(model, test)
    return Result(mutual_information_gap(codes, test["label"]), "of 1", len(codes))


PROTOCOLS: dict[str, Callable[[GenerativeModel, Dataset], Result]] = {
    "nll_iw100": nll_iw(100),
    "nll_iw5000": nll_iw(5000),
    "active_units": measure_active_units,
    "mig_a": measure_mig,
}


def check(protocols: Iterable[str], spec: Spec) -> None:
    """Raises ValueError unless all protocols are known and can be measured on such data."""
    for name in protocols:
        if name not in PROTOCOLS:
            raise ValueError(f"Unknown protocol {name!r}. Known: {', '.join(PROTOCOLS)}.")
        if name == "mig_a" and spec.factors is None:
            raise ValueError(
                f"Protocol mig_a needs data with known factors, such as shapes; {spec.name} has "
                "none. Choose other `protocols`."
            )


def evaluate(
    model: GenerativeModel, dataset: Dataset, protocols: Iterable[str] = ()
) -> dict[str, Result]:
    """Measures a compiled model on the test part of a data set.

    Args:
        model: compiled.
        dataset: of the kind that the model was trained on.
        protocols: names in `PROTOCOLS`, measured besides the model's own metrics.

    Returns:
        Results by metric and protocol name; `elbo` and the like are in nats per example.

    Raises:
        ValueError: before anything is measured, if `check` finds fault.
    """
    protocols = tuple(protocols)
    check(protocols, dataset.spec)
    batches = dataset.batches("test", EVALUATION_BATCH, shuffle=False)
    metrics = model.evaluate(batches, return_dict=True, verbose=0)
    n = dataset.size("test")
    results = {
        name: Result(float(value), "bits" if name == "bits_per_dim" else "nats", n)
        for name, value in metrics.items()
    }
    return results | {name: PROTOCOLS[name](model, dataset) for name in protocols}


def _codes(model: GenerativeModel, arrays: dict[str, np.ndarray]) -> np.ndarray:
    return model.encode(arrays["x"], arrays["label"] if model.uses_labels else None)
