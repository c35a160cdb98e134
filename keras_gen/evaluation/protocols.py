"""Protocols: a name for a measurement with every choice pinned.

A figure without its protocol means little: sample counts, splits and preprocessing move it. Each
function here takes a `Subject`, a model and a data set; what it computes with is arrays in, numbers
out. Where samples are compared with data, real data takes their place once: its figure is the
floor, the best that can be hoped for.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_gen.data import Dataset, Spec
from keras_gen.evaluation import factors, quality
from keras_gen.evaluation.codes import code_error
from keras_gen.evaluation.distances import frechet_distance, kernel_distance
from keras_gen.evaluation.features import (
    Features,
    fits_inception,
    has_features,
    inception_features,
    load_features,
)
from keras_gen.evaluation.labels import is_classifiable, label_accuracy, train_classifier
from keras_gen.evaluation.latent import active_units
from keras_gen.evaluation.memorization import Memorization, check_memorization
from keras_gen.evaluation.modes import ModeCoverage, class_coverage, mode_coverage
from keras_gen.evaluation.music import polyphony, repetitions, scale_consistency, tone_span
from keras_gen.evaluation.sequences import (
    SequenceScore,
    discriminative_score,
    predictive_score,
)
from keras_gen.evaluation.statistics import sliced_wasserstein_distance
from keras_gen.latents import Categorical
from keras_gen.models import GenerativeModel

SEED = 0
DRAWS = 3
EVALUATION_BATCH = 500
MODE_SAMPLES = 2500
IMAGES = 10_000
FEW_IMAGES = 1000
QUALITY_IMAGES = 5000
CODES = 10_000
STACKED_SAMPLES = 26_000
STACKED_MODES = 1000
SEQUENCES = 10_000
REFITS = 10
PIECES = 1000
LABELLED_SAMPLES = 1000
COPIES_SAMPLES = 1000
QUALITY = ("precision", "recall", "density", "coverage")


@dataclass(frozen=True)
class Result:
    """A measured value.

    Attributes:
        value: the figure.
        unit: what it counts.
        n: number of examples it was measured on.
        error: its deviation: the standard error over those examples, where it is a mean of them;
            the standard deviation of one draw, of one refit, where it is the mean of several.
        hash: the SHA-256 of the feature network, where it was measured in features.
        floor: what real data in place of the samples gives, where that makes sense.
        seconds: how long it took, the floor included.
    """

    value: float
    unit: str
    n: int
    error: float | None = None
    hash: str | None = None
    floor: float | None = None
    seconds: float | None = field(default=None, compare=False)


class Subject:
    """What is measured, and what several protocols need of it, made once.

    Args:
        model: a model, or real data in its place.
        dataset: that its samples should be like.
        features: what takes the place of the lenet features that come with the package.
        inception: path of the FID network's own weights, if there are any.
    """

    def __init__(
        self,
        model: Any,
        dataset: Dataset,
        features: Features | None = None,
        inception: str | os.PathLike | None = None,
    ):
        self.model = model
        self.dataset = dataset
        self.lenet = features
        self.inception = inception
        self.network = functools.cache(self._network)
        self.real_features = functools.cache(self._real_features)
        self.features = functools.cache(self._features)
        self.quality = functools.cache(self._quality)

    def sample(self, n: int, draw: int = 0) -> np.ndarray:
        """The samples of a draw, `(n, *shape)`."""
        return self.model.sample(n, seed=SEED + draw)

    @functools.cached_property
    def test(self) -> dict[str, np.ndarray]:
        """All test examples and their labels."""
        return self.dataset.arrays("test")

    @functools.cached_property
    def codes(self) -> np.ndarray:
        """The mean of q(z|x) of the test examples, `(n, latent_dim)`; of Q(c|x), `(n, codes.dim)`,
        for a model that infers codes."""
        if not hasattr(self.model, "encode"):
            return self.model.infer_codes(self.test["x"])
        label = self.test["label"] if self.model.uses_labels else None
        return self.model.encode(self.test["x"], label)

    @functools.cached_property
    def coded(self) -> tuple[np.ndarray, np.ndarray]:
        """Codes and known factors of the first 10,000 test examples."""
        return self.codes[:CODES], self.test["label"][:CODES]

    @functools.cached_property
    def dci(self) -> factors.DCI:
        """Of `coded`."""
        return factors.dci(*self.coded, seed=SEED)

    @functools.cached_property
    def mode_coverage(self) -> ModeCoverage:
        """Of 2,500 samples."""
        spec = self.dataset.spec
        return mode_coverage(self.sample(MODE_SAMPLES), spec.modes, spec.sigma)

    @functools.cached_property
    def stacked_coverage(self) -> tuple[int, float]:
        """The modes found among 26,000 stacked digits, and KL(those found || uniform) in nats."""
        features = load_features("lenet", "mnist")
        x = self.sample(STACKED_SAMPLES)
        hundreds, tens, ones = (features.classify(x[..., i : i + 1]) for i in range(3))
        return class_coverage(100 * hundreds + 10 * tens + ones, STACKED_MODES)

    @functools.cached_property
    def memorization(self) -> Memorization:
        """Of 1,000 samples."""
        flat = (
            x.reshape(len(x), -1)
            for x in (
                self.sample(COPIES_SAMPLES),
                self.dataset.arrays("train")["x"],
                self.test["x"],
            )
        )
        return check_memorization(*flat, seed=SEED)

    def _network(self, name: str) -> Features:
        """The feature network of that name for the data."""
        if name == "inception":
            return inception_features(self.inception)
        if self.lenet is not None:
            return self.lenet
        return load_features(name, self.dataset.spec.name)

    def _real_features(self, name: str) -> np.ndarray:
        """Of all test images."""
        return self.network(name)(self.test["x"])

    def _features(self, name: str, draw: int = 0) -> np.ndarray:
        """Of as many samples as there are test images, at most 10,000."""
        return self.network(name)(self.sample(min(IMAGES, self.dataset.size("test")), draw))

    def _quality(self, name: str) -> dict[str, float]:
        """Precision, recall, density and coverage in features."""
        both = self.real_features(name), self.features(name)
        sets = [features[:QUALITY_IMAGES] for features in both]
        precision, recall = quality.precision_recall(*sets)
        density, coverage = quality.density_coverage(*sets)
        values = precision, recall, density, coverage
        return dict(zip(QUALITY, values, strict=True))


class RealData:
    """Stands where a protocol asks a model for samples.

    Args:
        dataset: whose examples are given.
        part: "train" or "test".
    """

    def __init__(self, dataset: Dataset, part: str):
        self._arrays = dataset.arrays(part)

    def sample(self, n: int, seed: int, label: np.ndarray | None = None) -> np.ndarray:
        """Examples at random: each at most once, so maybe less than n; those of given classes may
        come several times."""
        x, rng = self._arrays["x"], np.random.RandomState(seed)
        if label is None:
            return x[rng.permutation(len(x))[:n]]
        places = {each: np.flatnonzero(self._arrays["label"] == each) for each in set(label)}
        return x[[rng.choice(places[each]) for each in label]]


# ---- measurements ------------------------------------------------------------------------------


def nll_iw(num_samples: int) -> Callable[[Subject], Result]:
    """Minus log p(x) by importance weighting with `num_samples`, on all test examples, in nats."""

    def measure(subject: Subject) -> Result:
        model, test = subject.model, subject.test
        label = test["label"] if model.uses_labels else None
        nll = -model.log_likelihood(test["x"], num_samples, seed=SEED, label=label)
        return _mean(nll.astype("float64"), "nats")

    return measure


def measure_active_units(subject: Subject) -> Result:
    """Latents whose posterior mean varies over the test examples by more than 0.01."""
    codes = subject.codes
    return Result(active_units(codes), f"of {codes.shape[1]} latents", len(codes))


def of_factors(score: Callable[[Subject], float], unit: str = "of 1") -> Callable[..., Result]:
    """A score of `Subject.codes` and known factors, of the first 10,000 test examples."""
    return lambda subject: Result(float(score(subject)), unit, len(subject.coded[0]))


def _mig_b(subject: Subject) -> float:
    """Variant (b): draws from q(z|x)."""
    x, known = subject.test["x"][:CODES], subject.coded[1]
    batches = (x[i : i + EVALUATION_BATCH] for i in range(0, len(x), EVALUATION_BATCH))
    posteriors = np.concatenate([subject.model.posterior(batch) for batch in batches])
    means, log_variances = np.split(posteriors.astype("float64"), 2, axis=1)
    return factors.mutual_information_gap_samples(means, log_variances, known, seed=SEED)


def measure_code_error(subject: Subject) -> Result:
    """Test examples whose class the first code, a categorical one, does not tell; see `code_error`.

    The map from codes to classes is the best for the test examples, as in the paper.
    """
    model, test = subject.model, subject.test
    if not isinstance(model.codes.parts[0], Categorical):
        raise ValueError("code_error is of a categorical code: let it be the first of `codes`.")
    classes = model.codes.parts[0].dim
    codes = model.infer_codes(test["x"])[:, :classes].argmax(axis=1)
    return _share(code_error(codes, test["label"]), len(codes))


def measure_modes(subject: Subject) -> Result:
    """Modes near which at least one of 2,500 samples lies."""
    of = len(subject.dataset.spec.modes)
    return Result(subject.mode_coverage.modes, f"of {of} modes", MODE_SAMPLES)


def measure_high_quality(subject: Subject) -> Result:
    """The share of 2,500 samples within 3 sigma of a mode."""
    return _share(subject.mode_coverage.high_quality, MODE_SAMPLES)


def measure_reverse_kl(subject: Subject) -> Result:
    """KL(modes nearest to 2,500 samples || uniform)."""
    return Result(subject.mode_coverage.reverse_kl, "nats", MODE_SAMPLES)


def frechet(network: str) -> Callable[[Subject], Result]:
    """Fréchet distance in features from 10,000 samples to all test images: the mean of three draws.

    As many samples as there are test images where those are fewer. Of use between models of one
    data set; not comparable with published figures, which are of another network.
    """

    def measure(subject: Subject) -> Result:
        real = subject.real_features(network)
        draws = [frechet_distance(real, subject.features(network, i)) for i in range(DRAWS)]
        return _of_draws(draws, subject, network)

    return measure


def measure_fid_lenet_1k(subject: Subject) -> Result:
    """As fid_lenet_10k, but of 1,000 samples, one draw: quick, and larger by its bias."""
    network = subject.network("lenet")
    generated = network(subject.sample(min(FEW_IMAGES, subject.dataset.size("test"))))
    distance = frechet_distance(subject.real_features("lenet"), generated)
    return Result(distance, f"in {network.name}", len(generated), hash=network.hash)


def kernel(network: str) -> Callable[[Subject], Result]:
    """Kernel distance (KID, unbiased) on the samples of `frechet`: the mean of three draws."""

    def measure(subject: Subject) -> Result:
        real = subject.real_features(network)
        draws = [kernel_distance(real, subject.features(network, i)) for i in range(DRAWS)]
        return _of_draws(draws, subject, network)

    return measure


def score_classes(network: str) -> Callable[[Subject], Result]:
    """The Inception Score by the network's classes, on the samples of `frechet`; ten splits."""

    def measure(subject: Subject) -> Result:
        x = subject.sample(min(IMAGES, subject.dataset.size("test")))
        features = subject.network(network)
        mean, deviation = quality.inception_score(features.logits(x), splits=10)
        return Result(mean, f"in {features.name}", len(x), deviation, features.hash)

    return measure


def measure_quality(which: str, network: str = "lenet") -> Callable[[Subject], Result]:
    """Improved precision or recall (k = 3), density or coverage (k = 5) in features: 5,000 samples
    against as many test images, at most."""
    return lambda subject: Result(
        subject.quality(network)[which],
        f"in {subject.network(network).name}",
        min(QUALITY_IMAGES, len(subject.features(network))),
        hash=subject.network(network).hash,
    )


def measure_sliced_wasserstein(subject: Subject) -> Result:
    """Sliced Wasserstein distance of the data itself: 10,000 samples and all test examples."""
    x = subject.sample(min(IMAGES, subject.dataset.size("test")))
    real, generated = (each.reshape(len(each), -1) for each in (subject.test["x"], x))
    return Result(sliced_wasserstein_distance(real, generated, seed=SEED), "of the data", len(x))


def measure_nearer_to_training(subject: Subject) -> Result:
    """The share of 1,000 samples nearer to training than to test examples: 1/2 if all is well."""
    return _share(subject.memorization.nearer_to_training, COPIES_SAMPLES)


def measure_copies(subject: Subject) -> Result:
    """The share of 1,000 samples that are as good as equal to a training example."""
    return _share(subject.memorization.copies, COPIES_SAMPLES)


def measure_stacked_modes(subject: Subject) -> Result:
    """Of the 1000 triples of digits, how many lenet-mnist sees in 26,000 samples' channels."""
    return Result(subject.stacked_coverage[0], f"of {STACKED_MODES} modes", STACKED_SAMPLES)


def measure_stacked_kl(subject: Subject) -> Result:
    """KL(triples of digits that lenet-mnist sees in 26,000 samples' channels || uniform)."""
    return Result(subject.stacked_coverage[1], "nats", STACKED_SAMPLES)


def score_sequences(
    score: Callable[..., SequenceScore], unit: str, units: int | None = None
) -> Callable[[Subject], Result]:
    """A score of 10 refits with `units`, on as many samples as training examples, up to 10,000.

    As in the paper, those that the model learned from are the real ones. The scores are of data in
    [0, 1]; other data is brought there, all channels alike, by the least and greatest of these.
    """

    def measure(subject: Subject) -> Result:
        real = subject.dataset.arrays("train", limit=SEQUENCES)["x"]
        generated = subject.sample(len(real))
        if len(generated) < len(real):  # test examples are fewer, and windows are in order of time
            real = real[np.random.RandomState(SEED).permutation(len(real))[: len(generated)]]
        low, high = min(0.0, real.min()), max(1.0, real.max())
        scaled = ((x - low) / (high - low) for x in (real, generated))
        found = score(*scaled, units=units, refits=REFITS, seed=SEED)
        return Result(found.mean, unit, len(real), found.std)

    return measure


def measure_music(
    statistic: Callable[[np.ndarray], np.ndarray], unit: str = "of 1"
) -> Callable[[Subject], Result]:
    """The mean of a statistic over 1,000 samples."""
    return lambda subject: _mean(statistic(subject.sample(PIECES)), unit)


def measure_label_accuracy(subject: Subject) -> Result:
    """The share of 1,000 samples, of the classes in turn, that a lenet of the data takes for it."""
    label = np.arange(LABELLED_SAMPLES) % subject.dataset.spec.num_classes
    x = subject.model.sample(LABELLED_SAMPLES, seed=SEED, label=label)
    return _share(label_accuracy(_classifier(subject.dataset), x, label), LABELLED_SAMPLES)


# ---- protocols ---------------------------------------------------------------------------------


def _is_piano_roll(spec: Spec) -> bool:
    """Whether the channels are named by successive MIDI numbers."""
    names = spec.channels or ("",)
    if spec.kind != "sequence" or not names[0].isdecimal():
        return False
    return names == tuple(str(int(names[0]) + i) for i in range(len(names)))


@dataclass(frozen=True)
class Protocol:
    """How a figure is measured, and of what.

    Attributes:
        measure: what measures it.
        fits: whether it can be measured on data.
        needed: what data must have for that, in words.
        methods: one of which the model must have.
        labelled: whether the model must take class labels.
        floor: the part of the data whose examples can stand for samples, or None.
        own_features: whether features of one's own can stand in for those of the package; they fit
            what data they are of.
    """

    measure: Callable[[Subject], Result]
    fits: Callable[[Spec], bool] = lambda spec: True
    needed: str = ""
    methods: tuple[str, ...] = ("sample",)
    labelled: bool = False
    floor: str | None = None
    own_features: bool = False


_nll = functools.partial(Protocol, methods=("log_likelihood",))
_classes = functools.partial(
    Protocol,
    fits=lambda spec: bool(spec.num_classes),
    needed="class labels",
    methods=("infer_codes",),
)
_factors = functools.partial(
    Protocol,
    fits=lambda spec: spec.factors is not None,
    needed="known factors, as shapes has",
    methods=("encode", "infer_codes"),
)
_modes = functools.partial(
    Protocol,
    fits=lambda spec: None not in (spec.modes, spec.sigma),
    needed="known modes, as ring and grid have",
    floor="test",
)
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
_stacked = functools.partial(
    Protocol,
    fits=lambda spec: spec.name == "stacked_mnist",
    needed="MNIST digits as channels: stacked_mnist",
    floor="train",
)
_sequences = functools.partial(
    Protocol,
    fits=lambda spec: spec.kind == "sequence" and spec.shape[0] > 1,
    needed="sequences of at least 2 steps",
    floor="test",
)
_music = functools.partial(
    Protocol,
    fits=_is_piano_roll,
    needed="piano-rolls, channels named by successive MIDI numbers",
    floor="test",
)
_classifiable = functools.partial(
    Protocol,
    fits=is_classifiable,
    needed="class labels, of images or spectrograms of at least 8x8",
    labelled=True,
    floor="test",
)

PROTOCOLS: dict[str, Protocol] = {
    "nll_iw100": _nll(nll_iw(100)),
    "nll_iw5000": _nll(nll_iw(5000)),
    "active_units": Protocol(measure_active_units, methods=("encode",)),
    "mig_a": _factors(of_factors(lambda subject: factors.mutual_information_gap(*subject.coded))),
    "mig_b": _factors(of_factors(_mig_b), methods=("posterior",)),
    "factor_vae_score": _factors(
        of_factors(lambda subject: factors.factor_vae_score(*subject.coded, seed=SEED))
    ),
    "beta_vae_score": _factors(
        of_factors(lambda subject: factors.beta_vae_score(*subject.coded, seed=SEED))
    ),
    "dci_disentanglement": _factors(of_factors(lambda subject: subject.dci.disentanglement)),
    "dci_completeness": _factors(of_factors(lambda subject: subject.dci.completeness)),
    "dci_informativeness": _factors(of_factors(lambda subject: subject.dci.informativeness)),
    "sap": _factors(
        of_factors(
            lambda subject: factors.separated_attribute_predictability(*subject.coded, seed=SEED)
        )
    ),
    "code_error": _classes(measure_code_error),
    "modes_2500": _modes(measure_modes),
    "high_quality_2500": _modes(measure_high_quality),
    "reverse_kl_2500": _modes(measure_reverse_kl),
    "fid_lenet_10k": _lenet(frechet("lenet")),
    "fid_lenet_1k": _lenet(measure_fid_lenet_1k),
    "kid_lenet_10k": _lenet(kernel("lenet")),
    "class_score_lenet_10k": _lenet(score_classes("lenet")),
    "precision_lenet_5k": _lenet(measure_quality("precision")),
    "recall_lenet_5k": _lenet(measure_quality("recall")),
    "density_lenet_5k": _lenet(measure_quality("density")),
    "coverage_lenet_5k": _lenet(measure_quality("coverage")),
    "fid_inception_10k": _inception(frechet("inception")),
    "kid_inception_10k": _inception(kernel("inception")),
    "inception_score_10k": _inception(score_classes("inception")),
    "sliced_wasserstein_10k": Protocol(measure_sliced_wasserstein, floor="train"),
    "nearer_to_training_1k": Protocol(measure_nearer_to_training),
    "copies_1k": Protocol(measure_copies),
    "stacked_modes_26k": _stacked(measure_stacked_modes),
    "stacked_kl_26k": _stacked(measure_stacked_kl),
    "discriminative_score_10": _sequences(score_sequences(discriminative_score, "of 0.5")),
    "discriminative_score_32_10": _sequences(
        score_sequences(discriminative_score, "of 0.5", units=32)
    ),
    "predictive_score_10": _sequences(score_sequences(predictive_score, "mean absolute error")),
    "predictive_score_32_10": _sequences(
        score_sequences(predictive_score, "mean absolute error", units=32)
    ),
    "polyphony": _music(measure_music(polyphony)),
    "scale_consistency": _music(measure_music(scale_consistency)),
    "repetitions": _music(measure_music(repetitions)),
    "tone_span": _music(measure_music(tone_span, "half-tones")),
    "label_accuracy_1k": _classifiable(measure_label_accuracy),
}


def check(
    protocols: Iterable[str],
    spec: Spec,
    model: type[GenerativeModel] | None = None,
    features: Features | None = None,
) -> None:
    """Raises ValueError unless all protocols can be measured on such data, of such a model, in such
    features."""
    if features is not None and features.shape != spec.shape:
        raise ValueError(
            f"features {features.name} are of images {features.shape}; {spec.name} is {spec.shape}."
        )
    for name in protocols:
        if problem := _problem(name, spec, model, features):
            raise ValueError(f"Protocol {name} {problem}. Choose other `protocols`.")


def applicable(
    protocols: Iterable[str], spec: Spec, model: type[GenerativeModel] | None = None
) -> tuple[str, ...]:
    """Those protocols that `check` finds no fault with."""
    return tuple(name for name in protocols if not _problem(name, spec, model))


def _problem(
    name: str, spec: Spec, model: type[GenerativeModel] | None, features: Features | None = None
) -> str | None:
    """Why a protocol cannot be measured on such data, of such a model; None if it can."""
    if name not in PROTOCOLS:
        return f"is unknown; known are {', '.join(PROTOCOLS)}"
    protocol = PROTOCOLS[name]
    fits = protocol.fits(spec) or (protocol.own_features and features is not None)
    if not fits:
        return f"needs data with {protocol.needed}; {spec.name} has none"
    if model is not None and not any(hasattr(model, name) for name in protocol.methods):
        needed = " or ".join(protocol.methods)
        return f"needs a model with the method {needed}, which {model.__name__} does not have"
    if model is not None and protocol.labelled and not model.uses_labels:
        return f"needs a model that takes class labels, as {model.__name__} does not"
    return None


def measure(
    protocol: str,
    model: GenerativeModel,
    dataset: Dataset,
    features: Features | None = None,
    inception: str | os.PathLike | None = None,
) -> Result:
    """What a protocol finds, without its floor.

    Args:
        protocol: a name in `PROTOCOLS`.
        model: to be measured.
        dataset: that its samples should be like.
        features: as for `evaluate`.
        inception: as for `evaluate`.

    Raises:
        ValueError: before anything is measured, if `check` finds fault.
    """
    check([protocol], dataset.spec, type(model), features)
    return _timed(protocol, Subject(model, dataset, features, inception))


def floor(
    protocol: str,
    dataset: Dataset,
    features: Features | None = None,
    inception: str | os.PathLike | None = None,
) -> Result | None:
    """What a protocol finds where real examples, at random, take the place of the samples.

    Training examples where samples are compared with test examples, and test examples where they
    are compared with training examples: then no more than there are. None for a protocol that is
    not about samples.

    Raises:
        ValueError: if the protocol cannot be measured on the data.
    """
    check([protocol], dataset.spec, features=features)
    part = PROTOCOLS[protocol].floor
    real = part and Subject(RealData(dataset, part), dataset, features, inception)
    return part and _timed(protocol, real)


def evaluate(
    model: GenerativeModel,
    dataset: Dataset,
    protocols: Iterable[str] = (),
    features: Features | None = None,
    inception: str | os.PathLike | None = None,
    on_result: Callable[[str, Result], None] = lambda name, result: None,
) -> dict[str, Result]:
    """Measures a compiled model on the test part of a data set, beside real data.

    Args:
        model: compiled.
        dataset: of the kind that the model was trained on.
        protocols: names in `PROTOCOLS`, measured besides the model's own metrics.
        features: of `read_features`, for the protocols of lenet; by default those that come with
            the package for the data, if there are any.
        inception: path of the FID network's own weights, for the protocols of inception; see
            `inception_features`.
        on_result: called with each name and result as soon as it is known.

    Returns:
        Results by metric and protocol name; `elbo` and the like are in nats per example. Of a VAE
        `kl` is the rate and minus `reconstruction` the distortion of Alemi et al. 2018, "Fixing a
        Broken ELBO", section 3.

    Raises:
        ValueError: before anything is measured, if `check` finds fault.
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


def _timed(protocol: str, subject: Subject) -> Result:
    start = time.perf_counter()
    result = PROTOCOLS[protocol].measure(subject)
    return dataclasses.replace(result, seconds=time.perf_counter() - start)


def _mean(values: np.ndarray, unit: str) -> Result:
    """The mean of a value for each example, with its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return Result(float(values.mean()), unit, len(values), float(error))


def _share(value: float, n: int) -> Result:
    """A share of n examples, with its standard error."""
    return Result(value, "of 1", n, float(np.sqrt(value * (1 - value) / (n - 1))))


def _of_draws(values: list[float], subject: Subject, network: str) -> Result:
    n = len(subject.features(network))
    features = subject.network(network)
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    return Result(mean, f"in {features.name}", n, deviation, features.hash)


# The last data set's: model and real data are judged by the same one.
@functools.lru_cache(maxsize=1)
def _classifier(dataset: Dataset) -> Features:
    return train_classifier(dataset, seed=SEED)
