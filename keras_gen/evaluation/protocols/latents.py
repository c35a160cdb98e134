"""Protocols of latents: how many are active, and what they tell about factors and classes."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from keras_gen.evaluation.metrics import factors
from keras_gen.evaluation.metrics.labels import code_error
from keras_gen.evaluation.metrics.latents import active_units
from keras_gen.evaluation.protocols.protocol import (
    EVALUATION_BATCH,
    SEED,
    Protocol,
    Result,
    Subject,
    share,
)
from keras_gen.latents import Categorical

EXAMPLES = 10_000


def measure_active_units(subject: Subject) -> Result:
    """Returns the number of latents whose posterior mean has a variance above 0.01 over the test
    examples."""
    latents = subject.latents
    return Result(active_units(latents), f"of {latents.shape[1]} latents", len(latents))


def measure_code_error(subject: Subject) -> Result:
    """Returns the error of the first code, a categorical one, as a classifier of test examples.

    The map from the code's values to classes is the best for the test examples, as in the paper.

    Raises:
        ValueError: if the model's first code is not categorical.
    """
    model, test = subject.model, subject.test
    if not isinstance(model.codes.parts[0], Categorical):
        raise ValueError("code_error needs a model whose first code is Categorical.")
    classes = model.codes.parts[0].dim
    codes = model.infer_codes(test["x"])[:, :classes].argmax(axis=1)
    return share(code_error(codes, test["label"]), len(codes))


def of_factors(score: Callable[..., float], seeded: bool = True) -> Callable[[Subject], Result]:
    """Returns a measure of a score(latents, factors) of the first 10,000 test examples."""
    options = {"seed": SEED} if seeded else {}

    def measure(subject: Subject) -> Result:
        latents, known = _examples(subject)
        return Result(float(score(latents, known, **options)), "of 1", len(latents))

    return measure


def measure_mig_b(subject: Subject) -> Result:
    """Returns the mutual information gap, variant (b): of samples of q(z|x)."""
    x, known = subject.test["x"][:EXAMPLES], subject.test["label"][:EXAMPLES]
    batches = (x[i : i + EVALUATION_BATCH] for i in range(0, len(x), EVALUATION_BATCH))
    posteriors = np.concatenate([subject.model.posterior(batch) for batch in batches])
    means, log_variances = np.split(posteriors.astype("float64"), 2, axis=1)
    gap = factors.mutual_information_gap_samples(means, log_variances, known, seed=SEED)
    return Result(gap, "of 1", len(x))


def measure_dci(which: str) -> Callable[[Subject], Result]:
    """Returns a measure of disentanglement, completeness or informativeness; see `DCI`."""
    return lambda subject: Result(
        getattr(subject.shared(_dci), which), "of 1", len(_examples(subject)[0])
    )


def _examples(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    return subject.latents[:EXAMPLES], subject.test["label"][:EXAMPLES]


def _dci(subject: Subject) -> factors.DCI:
    return factors.dci(*_examples(subject), seed=SEED)


_factors = functools.partial(
    Protocol,
    fits=lambda spec: spec.factors is not None,
    needed="known factors, as shapes has",
    methods=("encode", "infer_codes"),
)

PROTOCOLS = {
    "active_units": Protocol(measure_active_units, methods=("encode",)),
    "mig_a": _factors(of_factors(factors.mutual_information_gap, seeded=False)),
    "mig_b": _factors(measure_mig_b, methods=("posterior",)),
    "factor_vae_score": _factors(of_factors(factors.factor_vae_score)),
    "beta_vae_score": _factors(of_factors(factors.beta_vae_score)),
    "dci_disentanglement": _factors(measure_dci("disentanglement")),
    "dci_completeness": _factors(measure_dci("completeness")),
    "dci_informativeness": _factors(measure_dci("informativeness")),
    "sap": _factors(of_factors(factors.separated_attribute_predictability)),
    "code_error": Protocol(
        measure_code_error,
        fits=lambda spec: bool(spec.num_classes),
        needed="class labels",
        methods=("infer_codes",),
    ),
}
