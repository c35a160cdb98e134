"""Feature networks: what images are compared by. Each has a name, a hash and a known accuracy.

Distances in one network's features say nothing about those in another's, and none of these is the
network of published FID figures: name the network with every figure.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from keras import layers
from scipy.special import softmax

from keras_gen import __version__
from keras_gen.data import Dataset, Spec
from keras_gen.networks import common
from keras_gen.zoo import sha256

WEIGHTS = Path(__file__).with_name("weights")
COMMAND = "keras-gen features DATA --out F.keras"
SMALLEST = 8
CHANNELS = (1, 3)  # of images that Inception takes
DIMENSION = 128
TRAINING_BATCH = 128
TRAINING_STEPS = 3000
LEARNING_RATE = 2e-3


@dataclass(frozen=True, eq=False)
class Features:
    """A trained classifier as a map from images to features.

    Attributes:
        name: of the network and the data it was trained on, `lenet-mnist`.
        hash: SHA-256 of the weights file.
        accuracy: share of the data's test examples that it classifies rightly.
        network: images `(batch, *shape)` to `{"features": (batch, d), "logits": (batch, classes)}`.
    """

    name: str
    hash: str
    accuracy: float
    network: keras.Model = field(repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image, (height, width, channels)."""
        return self.network.input_shape[1:]

    def __call__(self, x: np.ndarray, batch_size: int = 500) -> np.ndarray:
        """The features of images, `(n, d)`, float64.

        Args:
            x: images in [0, 1], `(n, *shape)`.
            batch_size: how many at a time; the result does not depend on it.

        Raises:
            ValueError: if x has another shape or values that are not finite.
        """
        return self._outputs(x, "features", batch_size)

    def probabilities(self, x: np.ndarray, batch_size: int = 500) -> np.ndarray:
        """The probability of each class, `(n, classes)`, float64; otherwise as calling this."""
        return softmax(self.logits(x, batch_size), axis=1)

    def logits(self, x: np.ndarray, batch_size: int = 500) -> np.ndarray:
        """Before the softmax, `(n, classes)`, float64; otherwise as calling this."""
        return self._outputs(x, "logits", batch_size)

    def classify(self, x: np.ndarray, batch_size: int = 500) -> np.ndarray:
        """The index of the most probable class, `(n,)`; otherwise as calling this."""
        return self.logits(x, batch_size).argmax(axis=1)

    def _outputs(self, x: np.ndarray, output: str, batch_size: int) -> np.ndarray:
        x = np.asarray(x, "float32")
        if x.ndim != 4 or not self._takes(x.shape[1:]) or len(x) == 0:
            wanted = ", ".join(map(str, self.shape))
            raise ValueError(f"{self.name} takes images (n, {wanted}); got {x.shape}.")
        if not np.isfinite(x).all():
            raise ValueError(f"{self.name}: x holds values that are not finite.")
        batches = (x[i : i + batch_size] for i in range(0, len(x), batch_size))
        parts = [self._graph(batch)[output].numpy() for batch in batches]
        return np.concatenate(parts).astype("float64")

    def _takes(self, shape: tuple[int, ...]) -> bool:
        return shape == self.shape

    @functools.cached_property
    def _graph(self):
        return tf.function(
            lambda x: self.network(x, training=False),
            input_signature=[tf.TensorSpec((None, *self.shape))],
        )


class Inception(Features):
    """An Inception network: images of any size, of 1 or 3 channels. `network` takes colours."""

    shape = ("height", "width", "1 or 3")

    def _takes(self, shape: tuple[int, ...]) -> bool:
        return shape[-1] in CHANNELS

    @functools.cached_property
    def _graph(self):
        of_colours = tf.function(lambda x: self.network(x), reduce_retracing=True)
        return lambda x: of_colours(np.repeat(x, 3 // x.shape[-1], axis=-1))


# ---- trained ones ------------------------------------------------------------------------------


def shipped(name: str = "lenet") -> dict[str, dict]:
    """The cards of the features that come with the package: name of the data -> card."""
    cards = (json.loads(path.read_text()) for path in sorted(WEIGHTS.glob(f"{name}-*.json")))
    return {card["data"]: card for card in cards}


def has_features(spec: Spec) -> bool:
    """Whether lenet features for such images come with the package."""
    card = shipped().get(spec.name)
    return card is not None and tuple(card["shape"]) == spec.shape


@functools.cache
def load_features(name: str = "lenet", data: str = "mnist") -> Features:
    """Features that come with the package.

    Args:
        name: of the network; there is `"lenet"`.
        data: name of the data set whose real labels it was trained on, `"mnist"` or `"digits"`.

    Raises:
        ValueError: if there are none of this name, or the file is not the one that was released.
    """
    if data not in shipped(name):
        known = ", ".join(path.stem for path in sorted(WEIGHTS.glob("*.json")))
        raise ValueError(
            f"No features {name}-{data} come with the package, only {known}. Others are trained by "
            f"`{COMMAND}` and loaded by read_features."
        )
    return read_features(WEIGHTS / f"{name}-{data}.keras")


def read_features(path: str | os.PathLike) -> Features:
    """Features from a file of `keras-gen features`.

    Args:
        path: of the `.keras` file; its card is the `.json` file beside it.

    Raises:
        FileNotFoundError: if there is no such file, or no card.
        ValueError: if the file is not the one that the card describes.
    """
    path = Path(path)
    for file in (path, path.with_suffix(".json")):
        if not file.is_file():
            raise FileNotFoundError(f"{file} does not exist: `{COMMAND}` makes it")
    card = json.loads(path.with_suffix(".json").read_text())
    # Before Keras reads it: a damaged file would be an obscure error, or wrong figures.
    if sha256(path) != card["sha256"]:
        raise ValueError(
            f"{path} is not the file that its card describes: its SHA-256 is {sha256(path)}, not "
            f"{card['sha256']}. Restore it, or make both again by `{card['command'] or COMMAND}`."
        )
    network = keras.saving.load_model(path, compile=False)
    return Features(card["name"], card["sha256"], card["accuracy"], network)


# ---- Inception ---------------------------------------------------------------------------------


def inception_features(weights: str | os.PathLike | None = None) -> Inception:
    """Inception v3's last pooled layer, `(n, 2048)`, and its logits.

    Args:
        weights: path of the network of published scores, the frozen graph
            `classify_image_graph_def.pb` of 2015 (Heusel et al. 2017 and Salimans et al. 2016 name
            it). By default Keras's ImageNet weights, downloaded: scores in other weights are NOT
            comparable with published ones, and the name says so.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not that graph.
        OSError: if Keras's weights cannot be downloaded.
    """
    if weights is None:
        return _imagenet()
    path = Path(weights)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: it should be the FID network's graph")
    return Inception("inception-fid", sha256(path), math.nan, _frozen(path))


def fits_inception(spec: Spec) -> bool:
    """Whether data is images of 1 or 3 channels."""
    return spec.kind == "image" and spec.shape[-1] in CHANNELS


@functools.cache
def _imagenet() -> Inception:
    try:
        network = keras.applications.InceptionV3(classifier_activation=None)
    except Exception as error:  # whatever a download can fail with
        raise OSError(
            "Keras's ImageNet weights of Inception cannot be had "
            f"({str(error).partition(chr(10))[0]}): give the path of the FID network's graph as "
            "`inception`, or measure in lenet features."
        ) from error
    outputs = {"features": network.get_layer("avg_pool").output, "logits": network.output}
    network = keras.Model(network.input, outputs)
    size = network.input_shape[1:3]

    def outputs_of(x):  # which was trained on pixels in [-1, 1]
        return network(2.0 * tf.image.resize(x, size) - 1.0, training=False)

    digest = hashlib.sha256(b"".join(w.tobytes() for w in network.get_weights())).hexdigest()
    return Inception("inception-imagenet (no published FID)", digest, math.nan, outputs_of)


def _frozen(path: Path):
    """The FID network's graph as a function of colours in [0, 1]; it resizes them itself."""
    definition = tf.compat.v1.GraphDef()
    try:
        definition.ParseFromString(path.read_bytes())

        def outputs_of(x):
            pooled, product = tf.import_graph_def(
                definition, {"ExpandDims:0": 255.0 * x}, ["pool_3:0", "softmax/logits/MatMul"]
            )
            features = tf.squeeze(pooled, [1, 2])
            # The graph's own logits are of one image; as in the published code, without the bias.
            return {"features": features, "logits": features @ product.inputs[1]}

        whole = tf.compat.v1.wrap_function(outputs_of, [tf.TensorSpec((None, None, None, 3))])
        # Without what is of one image.
        return whole.prune(whole.inputs, whole.structured_outputs)
    except (DecodeError, ValueError, KeyError) as error:
        raise ValueError(
            f"{path} is not the FID network's graph: {str(error).partition(chr(10))[0]}"
        ) from error


# ---- training ----------------------------------------------------------------------------------


def lenet(shape: tuple[int, int, int], num_classes: int, seed: int | None = None) -> keras.Model:
    """A small convolutional classifier after LeCun et al. 1998, section II; see `Features.network`.

    Args:
        shape: (height, width, channels), at least 8x8.
        num_classes: number of classes.
        seed: of the initial weights.
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


def train_lenet(
    dataset: Dataset, epochs: int | None = None, seed: int = 0, verbose: int | str = 0
) -> keras.Model:
    """A `lenet` trained on a data set's real labels. On one machine, same seed, same network.

    Args:
        dataset: images with class labels.
        epochs: passes over the training set; by default as many as make 3,000 steps of 128 images.
        seed: of the initial weights and the order of the examples.
        verbose: as for `keras.Model.fit`.

    Raises:
        ValueError: before training, if the data is not images of at least 8x8 with class labels.
    """
    spec = dataset.spec
    if spec.kind != "image" or min(spec.shape[:2]) < SMALLEST:
        raise ValueError(
            f"lenet takes images of at least {SMALLEST}x{SMALLEST}; {spec.name} holds {spec.kind}s "
            f"of shape {spec.shape}."
        )
    if spec.num_classes is None:
        raise ValueError(f"lenet learns from class labels, and {spec.name} has none.")
    batches = dataset.batches("train", TRAINING_BATCH, seed=seed)
    epochs = epochs or math.ceil(TRAINING_STEPS / len(batches))
    network = lenet(spec.shape, spec.num_classes, seed)
    # Of the same layers; what is saved, the network itself, has no optimizer.
    classifier = keras.Model(network.input, network.output["logits"])
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * len(batches))
    classifier.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # slower to compile than what it saves
    )
    pairs = batches.dataset.map(lambda batch: (batch["x"], batch["label"]))
    classifier.fit(
        pairs.apply(tf.data.experimental.assert_cardinality(len(batches))),
        epochs=epochs,
        verbose=verbose,
        shuffle=False,  # that is done
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: batches.seek(epoch))
        ],
    )
    return network


def save_lenet(
    network: keras.Model, dataset: Dataset, path: str | os.PathLike, command: str | None = None
) -> Features:
    """Writes a trained `lenet` and, beside it, a card with its accuracy on the test examples.

    Args:
        network: of `train_lenet`.
        dataset: that it was trained on.
        path: of the `.keras` file to write; the card is the `.json` file beside it.
        command: the command line that made it, for the card.

    Returns:
        The features, read back from the files.

    Raises:
        ValueError: if the path does not end in .keras.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"{path} must end in .keras")
    name = f"lenet-{dataset.spec.name}"
    test = dataset.arrays("test")
    right = Features(name, "", 0.0, network).classify(test["x"]) == test["label"]
    card = path.with_suffix(".json")
    # Neither file is ever seen half written. If only the first is new, the hash tells.
    beside = [file.with_name(f".partial-{file.name}") for file in (path, card)]
    try:
        network.save(beside[0])
        content = {
            "name": name,
            "data": dataset.spec.name,
            "shape": dataset.spec.shape,
            "dimension": DIMENSION,
            "accuracy": float(right.mean()),
            "test_examples": len(right),
            "sha256": sha256(beside[0]),
            "command": command,
            "versions": {
                "keras_gen": __version__,
                "keras": keras.__version__,
                "tensorflow": tf.__version__,
                "python": platform.python_version(),
            },
        }
        beside[1].write_text(json.dumps(content, indent=2) + "\n")
        os.replace(beside[0], path)
        os.replace(beside[1], card)
    finally:
        for file in beside:
            file.unlink(missing_ok=True)
    return read_features(path)
