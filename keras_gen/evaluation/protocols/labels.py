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


def measure_variety(which: int) -> Callable[[Subject], Result]:
    """Returns a measure of density (0) or coverage (1) within classes, k = 5, and their mean.

    For each test example, at most 5,000, there is a sample of its class. The features are those of
    the classifier that `label_accuracy_1k` trains.
    """

    def measure(subject: Subject) -> Result:
        values, n = subject.shared(_variety)
        return Result(float(values[:, which].mean()), "of k" if which == 0 else "of 1", n)

    return measure


def _variety(subject: Subject) -> tuple[np.ndarray, int]:
    """Density and coverage of each class, `(classes, 2)`, and the number of samples."""
    x, label = (subject.test[name][:VARIETY_EXAMPLES] for name in ("x", "label"))
    made = subject.model.sample(len(x), seed=SEED, label=label)
    real, made = (_classifier(subject.dataset)(each) for each in (x, made))
    each = [density_coverage(real[label == c], made[label == c]) for c in np.unique(label)]
    return np.array(each), len(x)


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
    "class_density_5k": _labelled(measure_variety(0), floor="train"),
    "class_coverage_5k": _labelled(measure_variety(1), floor="train"),
}
