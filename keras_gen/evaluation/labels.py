"""Whether a classifier of real examples sees in generated ones the label that was asked for.

Source: the "GAN-test" of Shmelkov, Schmid & Alahari 2018, "How good is my GAN?" (arXiv:1807.09499),
section 3. It rewards examples that are easy to tell, and does not punish that they are all alike.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from keras_gen.data import Dataset, Spec
from keras_gen.evaluation.features import SMALLEST, TRAINING_BATCH, Features, train_lenet

STEPS = 600


def label_accuracy(classifier: Features, x: np.ndarray, label: np.ndarray) -> float:
    """The share of examples in which a classifier sees their label.

    Args:
        classifier: of `train_classifier`, or another.
        x: examples, `(n, *classifier.shape)`.
        label: class indices, `(n,)`.

    Raises:
        ValueError: if shapes do not fit, there are no examples or a value is not finite.
    """
    label = np.asarray(label)
    if label.shape != np.shape(x)[:1]:
        raise ValueError(f"label must be ({len(x)},), one for each example; got {label.shape}.")
    return float(np.mean(classifier.classify(x) == label))


def train_classifier(dataset: Dataset, epochs: int | None = None, seed: int = 0) -> Features:
    """A `lenet` trained on the real training examples; its accuracy is of the test examples.

    Args:
        dataset: images, or spectrograms, with class labels.
        epochs: passes over the training set; by default as many as make 600 steps of 128 examples.
        seed: of the initial weights and the order of the examples.

    Raises:
        ValueError: before training, unless `is_classifiable(dataset.spec)`.
    """
    spec = dataset.spec
    if not is_classifiable(spec):
        raise ValueError(
            f"a classifier is trained on labelled images or spectrograms of at least {SMALLEST}x"
            f"{SMALLEST}; {spec.name} holds {spec.kind}s of shape {spec.shape}"
            f"{'' if spec.num_classes else ', without labels'}."
        )
    if spec.kind == "audio":
        # A spectrogram is an image to lenet.
        images = dataclasses.replace(spec, kind="image")
        dataset = Dataset(images, dataset.arrays("train"), dataset.arrays("test"))
    epochs = epochs or math.ceil(STEPS * TRAINING_BATCH / dataset.size("train"))
    classifier = Features(f"lenet-{spec.name}", "", math.nan, train_lenet(dataset, epochs, seed))
    test = dataset.arrays("test")
    accuracy = label_accuracy(classifier, test["x"], test["label"])
    return dataclasses.replace(classifier, accuracy=accuracy)


def is_classifiable(spec: Spec) -> bool:
    """Whether data is images or spectrograms, of at least 8x8, with class labels."""
    return bool(spec.num_classes) and spec.is_picture and min(spec.shape[:2]) >= SMALLEST
