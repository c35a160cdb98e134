"""Protocols of representations: what simple classifiers find in a model's latents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from keras_gen import representation
from keras_gen.evaluation.protocols.protocol import SEED, Protocol, Result, Subject, share

SHARES = {"1pct": 0.01, "10pct": 0.1, "all": 1.0}
PROBES = {"linear_probe": representation.linear_probe, "knn": representation.knn_accuracy}


def probe(classifier: Callable[..., float], fraction: float) -> Callable[[Subject], Result]:
    """Returns a measure of a classifier's accuracy on all test examples' latents.

    It learns from the latents of a share of the training examples, in each class's proportion.
    """

    def measure(subject: Subject) -> Result:
        z, label = subject.shared(_train)
        chosen = representation.few_labels(label, fraction, SEED)
        test = subject.latents, subject.test["label"]
        return share(classifier(z[chosen], label[chosen], *test), len(subject.latents))

    return measure


def _train(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    train = subject.dataset.arrays("train")
    return representation.latents(subject.model, train["x"], train["label"]), train["label"]


PROTOCOLS = {
    f"{name}_{share_name}": Protocol(
        probe(classifier, fraction),
        fits=lambda spec: bool(spec.num_classes),
        needed="class labels",
        methods=("encode", "represent", "infer_codes"),
    )
    for name, classifier in PROBES.items()
    for share_name, fraction in SHARES.items()
}
