"""The protocol of conditional models: whether a sample has the label it was generated for."""

from __future__ import annotations

import functools

import numpy as np

from keras_gen.data import Dataset
from keras_gen.evaluation.classifiers import is_classifiable, train_classifier
from keras_gen.evaluation.features import Features
from keras_gen.evaluation.metrics.labels import label_accuracy
from keras_gen.evaluation.protocols.protocol import SEED, Protocol, Result, Subject, share

LABELLED_SAMPLES = 1000


def measure_label_accuracy(subject: Subject) -> Result:
    """Returns the share of 1,000 samples, of all classes in turn, that a lenet assigns to their
    class."""
    label = np.arange(LABELLED_SAMPLES) % subject.dataset.spec.num_classes
    x = subject.model.sample(LABELLED_SAMPLES, seed=SEED, label=label)
    return share(label_accuracy(_classifier(subject.dataset), x, label), LABELLED_SAMPLES)


# Of one data set, so that the model and real data are measured by the same classifier.
@functools.lru_cache(maxsize=1)
def _classifier(dataset: Dataset) -> Features:
    return train_classifier(dataset, seed=SEED)


PROTOCOLS = {
    "label_accuracy_1k": Protocol(
        measure_label_accuracy,
        fits=is_classifiable,
        needed="class labels, of images or spectrograms of at least 8x8",
        conditional=True,
        floor="test",
    ),
}
