"""Protocols: a name for a measurement with every choice pinned.

A figure without its protocol means little: sample counts, splits and preprocessing move it. Each
function here takes a model and a data set; what it computes with is arrays in, numbers out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from keras_gen.data import Dataset, Spec
from keras_gen.evaluation.codes import code_error
from keras_gen.evaluation.disentanglement import mutual_information_gap
from keras_gen.evaluation.distances import frechet_distance
from keras_gen.evaluation.features import Features, has_features, load_features
from keras_gen.evaluation.labels import is_classifiable, label_accuracy, train_classifier
from keras_gen.evaluation.latent import active_units
from keras_gen.evaluation.modes import ModeCoverage, class_coverage, mode_coverage
from keras_gen.evaluation.music import polyphony, repetitions, scale_consistency, tone_span
from keras_gen.evaluation.sequences import (
    SequenceScore,
    discriminative_score,
    predictive_score,
)
from keras_gen.latents import Categorical
from keras_gen.models import GenerativeModel

SEED = 0
EVALUATION_BATCH = 500
MODE_SAMPLES = 2500
FID_SAMPLES = 10_000
STACKED_SAMPLES = 26_000
STACKED_MODES = 1000
SEQUENCES = 10_000
REFITS = 10
PIECES = 1000
LABELLED_SAMPLES = 1000


@dataclass(frozen=True)
class Result:
    """A measured value.

    Attributes:
        value: the figure.
        unit: what it counts.
        n: number of examples it was measured on.
        error: its standard error over those examples, where it is a mean of them; where it is a
            mean of refits, their standard deviation.
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


def measure_code_error(model: GenerativeModel, dataset: Dataset) -> Result:
    """Test examples whose class the first code, a categorical one, does not tell; see `code_error`.

    The map from codes to classes is the best for the test examples, as in the paper.
    """
    test = dataset.arrays("test")
    if not isinstance(model.codes.parts[0], Categorical):
        raise ValueError("code_error is of a categorical code: let it be the first of `codes`.")
    classes = model.codes.parts[0].dim
    codes = model.infer_codes(test["x"])[:, :classes].argmax(axis=1)
    return _share(code_error(codes, test["label"]), len(codes))


def measure_modes(model: GenerativeModel, dataset: Dataset) -> Result:
    """Modes near which at least one of 2,500 samples lies."""
    modes = _mode_coverage(model, dataset).modes
    return Result(modes, f"of {len(dataset.spec.modes)} modes", MODE_SAMPLES)


def measure_high_quality(model: GenerativeModel, dataset: Dataset) -> Result:
    """The share of 2,500 samples within 3 sigma of a mode."""
    return _share(_mode_coverage(model, dataset).high_quality, MODE_SAMPLES)


def measure_reverse_kl(model: GenerativeModel, dataset: Dataset) -> Result:
    """KL(modes nearest to 2,500 samples || uniform)."""
    return Result(_mode_coverage(model, dataset).reverse_kl, "nats", MODE_SAMPLES)


def measure_fid_lenet(model: GenerativeModel, dataset: Dataset) -> Result:
    """Fréchet distance in lenet features from 10,000 samples to all test images.

    As many samples as there are test images where those are fewer. Of use between models of one
    data set; not comparable with published figures, which are of another network.
    """
    count = min(FID_SAMPLES, dataset.size("test"))
    return _fid_lenet(model.sample(count, seed=SEED), dataset)


def real_fid_lenet_10k(dataset: Dataset) -> Result:
    """The floor of fid_lenet_10k: training images, at random, in place of the samples.

    Args:
        dataset: one that fid_lenet_10k can measure.

    Raises:
        ValueError: if there are no features for the data.
    """
    check(["fid_lenet_10k"], dataset.spec)
    images = dataset.arrays("train")["x"]
    count = min(FID_SAMPLES, dataset.size("test"), len(images))
    chosen = np.random.RandomState(SEED).permutation(len(images))[:count]
    return _fid_lenet(images[chosen], dataset)


def measure_stacked_modes(model: GenerativeModel, dataset: Dataset) -> Result:
    """Of the 1000 triples of digits, how many lenet-mnist sees in 26,000 samples' channels."""
    found, _ = _stacked_coverage(model)
    return Result(found, f"of {STACKED_MODES} modes", STACKED_SAMPLES)


def measure_stacked_kl(model: GenerativeModel, dataset: Dataset) -> Result:
    """KL(triples of digits that lenet-mnist sees in 26,000 samples' channels || uniform)."""
    _, kl = _stacked_coverage(model)
    return Result(kl, "nats", STACKED_SAMPLES)


def score_sequences(
    score: Callable[..., SequenceScore], unit: str, units: int | None = None
) -> Callable[[GenerativeModel, Dataset], Result]:
    """A score of 10 refits with `units`, on as many samples as training examples, up to 10,000.

    As in the paper, those that the model learned from are the real ones. The scores are of data in
    [0, 1]; other data is brought there, all channels alike, by the least and greatest of these.
    """

    def measure(model: GenerativeModel, dataset: Dataset) -> Result:
        real = dataset.arrays("train", limit=SEQUENCES)["x"]
        generated = model.sample(len(real), seed=SEED)
        low, high = min(0.0, real.min()), max(1.0, real.max())
        scaled = ((x - low) / (high - low) for x in (real, generated))
        found = score(*scaled, units=units, refits=REFITS, seed=SEED)
        return Result(found.mean, unit, len(real), found.std)

    return measure


def measure_music(
    statistic: Callable[[np.ndarray], np.ndarray], unit: str
) -> Callable[[GenerativeModel, Dataset], Result]:
    """The mean of a statistic over 1,000 samples."""

    def measure(model: GenerativeModel, dataset: Dataset) -> Result:
        values = statistic(model.sample(PIECES, seed=SEED))
        error = values.std(ddof=1) / np.sqrt(len(values))
        return Result(float(values.mean()), unit, len(values), float(error))

    return measure


def real_sequences(protocol: str, dataset: Dataset) -> Result:
    """What a protocol finds where test examples, at random, take the place of the samples.

    For the scores it is the floor, of no more than there are test examples; for the statistics of
    music it is what samples should come near to.

    Args:
        protocol: one of sequences: a discriminative or predictive score, or a statistic of music.
        dataset: one that it can measure.

    Raises:
        ValueError: if the protocol is of no sequences, or cannot measure the data.
    """
    check([protocol], dataset.spec)
    if NEEDS.get(protocol) not in (SEQUENCE, PIANO_ROLLS):
        raise ValueError(f"Protocol {protocol} is not of sequences.")
    return PROTOCOLS[protocol](_TestExamples(dataset), dataset)


class _TestExamples:
    """Stands where a protocol asks a model for samples."""

    def __init__(self, dataset: Dataset):
        self._x = dataset.arrays("test")["x"]

    def sample(self, n: int, seed: int) -> np.ndarray:
        return self._x[np.random.RandomState(seed).permutation(len(self._x))[:n]]


def measure_label_accuracy(model: GenerativeModel, dataset: Dataset) -> Result:
    """The share of 1,000 samples, of the classes in turn, that a lenet of the data takes for it."""
    label = np.arange(LABELLED_SAMPLES) % dataset.spec.num_classes
    x = model.sample(LABELLED_SAMPLES, seed=SEED, label=label)
    return _share(label_accuracy(_classifier(dataset), x, label), LABELLED_SAMPLES)


def measure_real_label_accuracy(model: GenerativeModel, dataset: Dataset) -> Result:
    """The share of all test examples that the lenet of label_accuracy_1k takes for their class."""
    return _share(_classifier(dataset).accuracy, dataset.size("test"))


PROTOCOLS: dict[str, Callable[[GenerativeModel, Dataset], Result]] = {
    "nll_iw100": nll_iw(100),
    "nll_iw5000": nll_iw(5000),
    "active_units": measure_active_units,
    "mig_a": measure_mig,
    "code_error": measure_code_error,
    "modes_2500": measure_modes,
    "high_quality_2500": measure_high_quality,
    "reverse_kl_2500": measure_reverse_kl,
    "fid_lenet_10k": measure_fid_lenet,
    "stacked_modes_26k": measure_stacked_modes,
    "stacked_kl_26k": measure_stacked_kl,
    "discriminative_score_10": score_sequences(discriminative_score, "of 0.5"),
    "discriminative_score_32_10": score_sequences(discriminative_score, "of 0.5", units=32),
    "predictive_score_10": score_sequences(predictive_score, "mean absolute error"),
    "predictive_score_32_10": score_sequences(predictive_score, "mean absolute error", units=32),
    "polyphony": measure_music(polyphony, "of 1"),
    "scale_consistency": measure_music(scale_consistency, "of 1"),
    "repetitions": measure_music(repetitions, "of 1"),
    "tone_span": measure_music(tone_span, "half-tones"),
    "label_accuracy_1k": measure_label_accuracy,
    "real_label_accuracy": measure_real_label_accuracy,
}


def _is_piano_roll(spec: Spec) -> bool:
    """Whether the channels are named by successive MIDI numbers."""
    names = spec.channels or ("",)
    if spec.kind != "sequence" or not names[0].isdecimal():
        return False
    return names == tuple(str(int(names[0]) + i) for i in range(len(names)))


CLASSES = (lambda spec: bool(spec.num_classes), "class labels")
FACTORS = (lambda spec: spec.factors is not None, "known factors, as shapes has")
MODES = (lambda spec: None not in (spec.modes, spec.sigma), "known modes, as ring and grid have")
FEATURES = (has_features, "lenet features for its images, as digits and mnist have")
SEQUENCE = (
    lambda spec: spec.kind == "sequence" and spec.shape[0] > 1,
    "sequences of at least 2 steps",
)
PIANO_ROLLS = (_is_piano_roll, "piano-rolls, channels named by successive MIDI numbers")
CLASSIFIABLE = (is_classifiable, "class labels, of images or spectrograms of at least 8x8")
STACKED = (lambda spec: spec.name == "stacked_mnist", "MNIST digits as channels: stacked_mnist")

# Protocol -> what the data must have, as a test and in words; those left out measure any data.
NEEDS: dict[str, tuple[Callable[[Spec], bool], str]] = {
    "mig_a": FACTORS,
    "code_error": CLASSES,
    "modes_2500": MODES,
    "high_quality_2500": MODES,
    "reverse_kl_2500": MODES,
    "fid_lenet_10k": FEATURES,
    "stacked_modes_26k": STACKED,
    "stacked_kl_26k": STACKED,
    "discriminative_score_10": SEQUENCE,
    "discriminative_score_32_10": SEQUENCE,
    "predictive_score_10": SEQUENCE,
    "predictive_score_32_10": SEQUENCE,
    "polyphony": PIANO_ROLLS,
    "scale_consistency": PIANO_ROLLS,
    "repetitions": PIANO_ROLLS,
    "tone_span": PIANO_ROLLS,
    "label_accuracy_1k": CLASSIFIABLE,
    "real_label_accuracy": CLASSIFIABLE,
}


# Protocol -> the method that the model must have; all models have `sample`.
METHODS = {
    "nll_iw100": "log_likelihood",
    "nll_iw5000": "log_likelihood",
    "active_units": "encode",
    "mig_a": "encode",
    "code_error": "infer_codes",
}

# Protocols that ask the model for samples of given classes.
LABELLED = ("label_accuracy_1k",)


def check(protocols: Iterable[str], spec: Spec, model: type[GenerativeModel] | None = None) -> None:
    """Raises ValueError unless all protocols can be measured on such data, of such a model."""
    for name in protocols:
        if problem := _problem(name, spec, model):
            raise ValueError(f"Protocol {name} {problem}. Choose other `protocols`.")


def applicable(
    protocols: Iterable[str], spec: Spec, model: type[GenerativeModel] | None = None
) -> tuple[str, ...]:
    """Those protocols that `check` finds no fault with."""
    return tuple(name for name in protocols if not _problem(name, spec, model))


def _problem(name: str, spec: Spec, model: type[GenerativeModel] | None) -> str | None:
    """Why a protocol cannot be measured on such data, of such a model; None if it can."""
    if name not in PROTOCOLS:
        return f"is unknown; known are {', '.join(PROTOCOLS)}"
    fits, needed = NEEDS.get(name, (lambda spec: True, ""))
    if not fits(spec):
        return f"needs data with {needed}; {spec.name} has none"
    method = METHODS.get(name, "sample")
    if model is not None and not hasattr(model, method):
        return f"needs a model with the method {method}, which {model.__name__} does not have"
    if model is not None and name in LABELLED and not model.uses_labels:
        return f"needs a model that takes class labels, as {model.__name__} does not"
    return None


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
    check(protocols, dataset.spec, type(model))
    batches = dataset.batches("test", EVALUATION_BATCH, shuffle=False)
    metrics = model.evaluate(batches, return_dict=True, verbose=0)
    n = dataset.size("test")
    results = {
        name: Result(float(value), model.metric_unit(name), n) for name, value in metrics.items()
    }
    return results | {name: PROTOCOLS[name](model, dataset) for name in protocols}


def _codes(model: GenerativeModel, arrays: dict[str, np.ndarray]) -> np.ndarray:
    return model.encode(arrays["x"], arrays["label"] if model.uses_labels else None)


def _share(value: float, n: int) -> Result:
    """A share of n examples, with its standard error."""
    return Result(value, "of 1", n, float(np.sqrt(value * (1 - value) / (n - 1))))


# The last data set's: both protocols of labels ask for it.
@functools.lru_cache(maxsize=1)
def _classifier(dataset: Dataset) -> Features:
    return train_classifier(dataset, seed=SEED)


def _mode_coverage(model: GenerativeModel, dataset: Dataset) -> ModeCoverage:
    x = model.sample(MODE_SAMPLES, seed=SEED)
    return mode_coverage(x, dataset.spec.modes, dataset.spec.sigma)


def _fid_lenet(images: np.ndarray, dataset: Dataset) -> Result:
    features = load_features("lenet", dataset.spec.name)
    test = dataset.arrays("test")["x"]
    distance = frechet_distance(features(test), features(images))
    return Result(distance, f"in {features.name}", len(images))


def _stacked_coverage(model: GenerativeModel) -> tuple[int, float]:
    features = load_features("lenet", "mnist")
    x = model.sample(STACKED_SAMPLES, seed=SEED)
    hundreds, tens, ones = (features.classify(x[..., i : i + 1]) for i in range(3))
    return class_coverage(100 * hundreds + 10 * tens + ones, STACKED_MODES)
