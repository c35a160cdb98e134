"""Classifiers that are trained on real labels, for features and for `label_accuracy`."""

from __future__ import annotations

import dataclasses
import math
import os
from pathlib import Path

import keras
from keras import layers

from keras_gen import augmentation, quiet
from keras_gen.data import Batches, Dataset, Spec
from keras_gen.data.pipeline import HostBatches
from keras_gen.evaluation.features import Features, read_features
from keras_gen.evaluation.metrics.labels import label_accuracy
from keras_gen.files import sha256, write_json, written_beside
from keras_gen.networks import common
from keras_gen.noise import Noise
from keras_gen.versions import versions

SMALLEST = 8
DIMENSION = 128
BATCH = 128
LEARNING_RATE = 2e-3
FEATURE_STEPS = {"lenet": 3000, "vgg": 30_000}
WEIGHT_DECAY = {"lenet": None, "vgg": 0.05}
CLASSIFIER_STEPS = 600


def lenet(shape: tuple[int, int, int], num_classes: int, seed: int | None = None) -> keras.Model:
    """Returns a small convolutional classifier after LeCun et al. 1998, section II.

    Args:
        shape: (height, width, channels), at least 8x8.
        num_classes: number of classes.
        seed: of the initial weights.

    Returns:
        A network as `Features.network`.
    """
    initializer = common.initializers(seed)
    h = x = keras.Input(shape, name="x")
    for filters, size in ((16, 5), (32, 5), (64, 3)):
        h = layers.Conv2D(
            filters, size, padding="same", activation="relu", kernel_initializer=initializer()
        )(h)
        h = layers.MaxPooling2D()(h)
    h = layers.Flatten()(h)
    features = layers.Dense(DIMENSION, activation="relu", kernel_initializer=initializer())(h)
    logits = layers.Dense(num_classes, kernel_initializer=initializer())(features)
    return keras.Model(x, {"features": features, "logits": logits}, name="lenet")


def vgg(shape: tuple[int, int, int], num_classes: int, seed: int | None = None) -> keras.Model:
    """Returns a classifier of colour photographs after Simonyan & Zisserman 2015, section 2.1.

    It has three stages of two 3x3 convolutions, with batch normalization, and the mean over all
    positions in place of the paper's large dense layers. Arguments and result as for `lenet`. In
    training, images are flipped and shifted at random.
    """
    initializer = common.initializers(seed, keras.initializers.HeNormal)
    x = keras.Input(shape, name="x")
    h = FlipAndShift(seed or 0)(x)
    for filters in (32, 64, DIMENSION):
        for _ in range(2):
            h = layers.Conv2D(
                filters, 3, padding="same", use_bias=False, kernel_initializer=initializer()
            )(h)
            h = layers.Activation("relu")(common.BatchNormalization()(h))
        h = layers.MaxPooling2D()(h)
    h = layers.GlobalAveragePooling2D()(h)
    features = layers.Dense(DIMENSION, activation="relu", kernel_initializer=initializer())(h)
    logits = layers.Dense(num_classes, kernel_initializer=initializer())(features)
    return keras.Model(x, {"features": features, "logits": logits}, name="vgg")


@keras.saving.register_keras_serializable("keras_gen")
class FlipAndShift(layers.Layer):
    """Flips images and shifts them by up to an eighth of their size, at random, in training only.

    Args:
        seed: of the noise, which also depends on how many batches the layer has seen.
    """

    def __init__(self, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.step = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="step"
        )

    def call(self, x, training: bool = False):
        if not training:
            return x
        noise = Noise(self.seed).at("flip_and_shift", self.step)
        self.step.assign(self.step + 1)
        return augmentation.augment(x, ["flip", "translation"], noise)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        return super().get_config() | {"seed": self.seed}


NETWORKS = {"lenet": lenet, "vgg": vgg}


def train_features(
    dataset: Dataset,
    epochs: int | None = None,
    seed: int = 0,
    verbose: int | str = 0,
    network: str = "lenet",
) -> keras.Model:
    """Returns a network trained on a data set's labels, the same for a seed on one machine.

    Args:
        dataset: images with class labels.
        epochs: passes over the training set. By default as many as make 3,000 steps of 128 images
            (`lenet`) or 30,000 (`vgg`).
        seed: of the initial weights and the order of the examples.
        verbose: as for `keras.Model.fit`.
        network: `"lenet"`, small and fast; or `"vgg"`, for colour photographs.

    Raises:
        ValueError: before training, if there is no such network, or the data is not images of at
            least 8x8 with class labels.
    """
    spec = dataset.spec
    if network not in NETWORKS:
        raise ValueError(f"network must be one of {', '.join(NETWORKS)}, got {network!r}.")
    if spec.kind != "image" or min(spec.shape[:2]) < SMALLEST:
        raise ValueError(
            f"{network} needs images of at least {SMALLEST}x{SMALLEST}, but {spec.name} has "
            f"{spec.kind}s of shape {spec.shape}."
        )
    if spec.num_classes is None:
        raise ValueError(f"{network} needs class labels, but {spec.name} has none.")
    batches = dataset.batches("train", BATCH, seed=seed)
    epochs = epochs or math.ceil(FEATURE_STEPS[network] / len(batches))
    made = NETWORKS[network](spec.shape, spec.num_classes, seed)
    # A second model of the same layers is compiled, so that the saved one has no optimizer.
    classifier = keras.Model(made.input, made.output["logits"])
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * len(batches))
    classifier.compile(
        optimizer=keras.optimizers.Adam(schedule, weight_decay=WEIGHT_DECAY[network]),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile="auto" if keras.backend.backend() == "jax" else False,  # does not pay
    )
    classifier.fit(
        _pairs(batches),
        epochs=epochs,
        verbose=verbose,
        shuffle=False,  # the batches are shuffled
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: batches.seek(epoch))
        ],
    )
    return made


def _pairs(batches: Batches):
    """Pairs of images and labels, as Keras's `fit` takes them."""
    if keras.backend.backend() != "tensorflow":
        return HostBatches(batches, lambda batch: (batch["x"], batch["label"]))
    pairs = batches.dataset.map(lambda batch: (batch["x"], batch["label"]))
    pairs.cardinality = batches.dataset.cardinality
    return pairs


def save_features(
    network: keras.Model, dataset: Dataset, path: str | os.PathLike, command: str | None = None
) -> Features:
    """Writes a feature network, and beside it a card with its accuracy on the test examples.

    Args:
        network: from `train_features`.
        dataset: that it was trained on.
        path: of the `.keras` file. The card is the `.json` file beside it.
        command: the command line that made it, for the card.

    Returns:
        The features, read from the written files.

    Raises:
        ValueError: if the path does not end in .keras.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"{path} must end in .keras")
    spec, test = dataset.spec, dataset.arrays("test")
    name = f"{network.name}-{spec.name}"
    accuracy = label_accuracy(Features(name, "", 0.0, network), test["x"], test["label"])
    # A kill between the two files leaves an old card, whose hash does not match.
    # Keras imports TensorFlow here, if it is installed.
    with written_beside(path) as beside, quiet.quiet():
        network.save(beside)
    card = {
        "name": name,
        "data": spec.name,
        "shape": spec.shape,
        "dimension": DIMENSION,
        "accuracy": accuracy,
        "test_examples": len(test["x"]),
        "sha256": sha256(path),
        "command": command,
        "versions": versions(),
    }
    write_json(path.with_suffix(".json"), card)
    return read_features(path)


def train_classifier(dataset: Dataset, epochs: int | None = None, seed: int = 0) -> Features:
    """Returns a `lenet` trained on the training examples, with its accuracy on the test examples.

    Args:
        dataset: images, or spectrograms, with class labels.
        epochs: passes over the training set. By default as many as make 600 steps of 128 examples.
        seed: of the initial weights and the order of the examples.

    Raises:
        ValueError: before training, unless `is_classifiable(dataset.spec)`.
    """
    spec = dataset.spec
    if not is_classifiable(spec):
        raise ValueError(
            f"a classifier needs labelled images or spectrograms of at least {SMALLEST}x{SMALLEST},"
            f" but {spec.name} has {spec.kind}s of shape {spec.shape}"
            f"{'' if spec.num_classes else ' without labels'}."
        )
    if spec.kind == "audio":
        # A spectrogram is an image to lenet.
        images = dataclasses.replace(spec, kind="image")
        dataset = Dataset(images, dataset.arrays("train"), dataset.arrays("test"))
    epochs = epochs or math.ceil(CLASSIFIER_STEPS * BATCH / dataset.size("train"))
    network = train_features(dataset, epochs, seed)
    classifier = Features(f"lenet-{spec.name}", "", math.nan, network)
    test = dataset.arrays("test")
    accuracy = label_accuracy(classifier, test["x"], test["label"])
    return dataclasses.replace(classifier, accuracy=accuracy)


def is_classifiable(spec: Spec) -> bool:
    """Returns whether the data is images or spectrograms of at least 8x8, with class labels."""
    return bool(spec.num_classes) and spec.is_picture and min(spec.shape[:2]) >= SMALLEST
