"""Protocols of conditional models: whether a sample has its label, and varies as its class does."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from keras_gen.data import Dataset
from keras_gen.evaluation.classifiers import is_classifiable, train_classifier
from keras_gen.evaluation.features import Features
from keras_gen.evaluation.metrics.labels import label_accuracy
from keras_gen.evaluation.metrics.quality import density_coverage
from keras_gen.evaluation.protocols.protocol import SEED, Protocol, Result, Subject, share

LABELLED_SAMPLES = 1000
VARIETY_EXAMPLES = 5000


def measure_label_accuracy(subject: Subject) -> Result:
    """Returns the share of 1,000 samples, of all classes in turn, that a lenet assigns to their
    class."""
    label = np.arange(LABELLED_SAMPLES) % subject.dataset.spec.num_classes
    x = subject.model.sample(LABELLED_SAMPLES, seed=SEED, label=label)
    return share(label_accuracy(_classifier(subject.dataset), x, label), LABELLED_SAMPLES)


def measure_variety(which: str, unit: str) -> Callable[[Subject], Result]:
    """Returns a measure of density or coverage within classes (k = 5): the mean over classes.

    For each test example, at most 5,000, there is a sample of its class. The features are those of
    the classifier that `label_accuracy_1k` trains.
    """

    def measure(subject: Subject) -> Result:
        n = min(VARIETY_EXAMPLES, subject.dataset.size("test"))
        return Result(subject.shared(_variety)[which], unit, n)

    return measure


def _variety(subject: Subject) -> dict[str, float]:
    x, label = (subject.test[name][:VARIETY_EXAMPLES] for name in ("x", "label"))
    made = subject.model.sample(len(x), seed=SEED, label=label)
    real, made = (_classifier(subject.dataset)(each) for each in (x, made))
    by_class = [density_coverage(real[label == c], made[label == c]) for c in np.unique(label)]
    return dict(zip(("density", "coverage"), np.mean(by_class, axis=0).tolist(), strict=True))


# Of one data set, so that the model and real data are measured by the same classifier.
@functools.lru_cache(maxsize=1)
def _classifier(dataset: Dataset) -> Features:
    return train_classifier(dataset, seed=SEED)


_labelled = functools.partial(
    Protocol,
    fits=is_classifiable,
    needed="class labels, of images or spectrograms of at least 8x8",
    conditional=True,
)

PROTOCOLS = {
    "label_accuracy_1k": _labelled(measure_label_accuracy, floor="test"),
    # Test examples in place of samples would be compared with themselves.
    "class_density_5k": _labelled(measure_variety("density", "of k"), floor="train"),
    "class_coverage_5k": _labelled(measure_variety("coverage", "of 1"), floor="train"),
}
