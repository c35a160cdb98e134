"""Feature networks, in whose features images are compared.

Each has a name, a hash and a known accuracy. Distances in the features of different networks are
not comparable: name the network with every figure. None of the networks that come with the package
is the network of published FID figures.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
from keras import ops
from scipy.special import softmax

from keras_gen.data import Spec
from keras_gen.data.pipeline import as_array
from keras_gen.engine import serving
from keras_gen.engine.backends import backend
from keras_gen.evaluation.arrays import checked
from keras_gen.files import read_json, sha256
from keras_gen.quiet import LazyTensorFlow

tf = LazyTensorFlow("the FID network")

WEIGHTS = Path(__file__).with_name("weights")
COMMAND = "keras-gen features DATA --out F.keras"
STAND_INS = {"cifar10": "cifar10_jpeg"}
CHANNELS = (1, 3)  # of images that Inception accepts


@dataclass(frozen=True, eq=False)
class Features:
    """A trained classifier, as a function from images to features.

    Attributes:
        name: of the network and the data it was trained on, for example `lenet-mnist`.
        hash: SHA-256 of the weights file.
        accuracy: share of the data's test examples that it classifies correctly.
        network: images `(batch, *shape)` to `{"features": (batch, d), "logits": (batch, classes)}`.
    """

    name: str
    hash: str
    accuracy: float
    network: keras.Model = field(repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image, (height, width, channels)."""
        return self.network.input_shape[1:]

    def __call__(self, x: np.ndarray, batch_size: int = 500) -> np.ndarray:
        """Returns the features of images, `(n, d)`, float64.

        Args:
            x: images in [0, 1], `(n, *shape)`.
            batch_size: number of images at a time. It does not affect the result.

        Raises:
            ValueError: if `x` has another shape or is not finite.
        """
        return self._outputs(x, "features", batch_size)

    def probabilities(self, x: np.ndarray, batch_size: int = 500) -> np.ndarray:
        """Returns the probabilities, `(n, classes)`, float64. Arguments as for a call."""
        return softmax(self.logits(x, batch_size), axis=1)

    def logits(self, x: np.ndarray, batch_size: int = 500) -> np.ndarray:
        """Returns the logits, `(n, classes)`, float64. Arguments as for a call."""
        return self._outputs(x, "logits", batch_size)

    def classify(self, x: np.ndarray, batch_size: int = 500) -> np.ndarray:
        """Returns the index of the most probable class, `(n,)`. Arguments as for a call."""
        return self.logits(x, batch_size).argmax(axis=1)

    def _outputs(self, x: np.ndarray, output: str, batch_size: int) -> np.ndarray:
        shape = f"(n, {', '.join(map(str, self.shape))})"
        (x,) = checked(shape, dtype="float32", owner=self.name, x=x)
        batches = (x[i : i + batch_size] for i in range(0, len(x), batch_size))
        parts = [as_array(self._graph(batch)[output]) for batch in batches]
        return np.concatenate(parts).astype("float64")

    @functools.cached_property
    def _graph(self):
        image = serving.Input("x", (None, *self.shape), "float32")
        return backend.compiled(lambda x: self.network(x, training=False), [image], self.network)


class Inception(Features):
    """An Inception network, for images of any size. `network` is a function of 3 channels."""

    shape = ("height", "width", "1 or 3")

    @functools.cached_property
    def _graph(self):
        return lambda x: self.network(np.repeat(x, 3 // x.shape[-1], axis=-1))


# ---- files -------------------------------------------------------------------------------------


def shipped(name: str = "lenet") -> dict[str, dict]:
    """Returns the cards of the features in the package: name of the data -> card.

    Features of `cifar10_jpeg`, the images of CIFAR-10 stored as JPEG, are those of `cifar10` too.
    """
    cards = (json.loads(path.read_text()) for path in sorted(WEIGHTS.glob(f"{name}-*.json")))
    found = {card["data"]: card for card in cards}
    return found | {of: found[like] for of, like in STAND_INS.items() if like in found}


def has_features(spec: Spec, name: str = "lenet") -> bool:
    """Returns whether the package has features of a network for such images."""
    card = shipped(name).get(spec.name)
    return card is not None and tuple(card["shape"]) == spec.shape


@functools.cache
def load_features(name: str = "lenet", data: str = "mnist") -> Features:
    """Returns features that come with the package.

    Args:
        name: of the network, `"lenet"` or `"vgg"`.
        data: name of the data set whose labels it was trained on: `"mnist"` or `"digits"` (lenet),
            `"cifar10_jpeg"` (vgg).

    Raises:
        ValueError: if there are no such features, or the file is not the released one.
    """
    cards = shipped(name)
    if data not in cards:
        known = ", ".join(path.stem for path in sorted(WEIGHTS.glob("*.json")))
        raise ValueError(
            f"No features {name}-{data} in the package, which has {known}. Train others by "
            f"`{COMMAND}` and load them by read_features."
        )
    return read_features(WEIGHTS / f"{name}-{cards[data]['data']}.keras")


def read_features(path: str | os.PathLike) -> Features:
    """Returns features from a file of `keras-gen features`.

    Args:
        path: of the `.keras` file. Its card is the `.json` file beside it.

    Raises:
        FileNotFoundError: if the file or its card does not exist.
        ValueError: if the card is damaged or does not describe the file.
    """
    path = Path(path)
    for file in (path, path.with_suffix(".json")):
        if not file.is_file():
            raise FileNotFoundError(f"{file} does not exist: `{COMMAND}` makes it")
    entries = ("name", "sha256", "accuracy", "command")
    name, digest, accuracy, command = map(
        read_json(path.with_suffix(".json"), entries).get, entries
    )
    # Checked before Keras reads it: a damaged file gives an obscure error, or wrong figures.
    if sha256(path) != digest:
        raise ValueError(
            f"{path} is not the file that its card describes: its SHA-256 is {sha256(path)}, not "
            f"{digest}. Restore it, or make both again by `{command or COMMAND}`."
        )
    return Features(name, digest, accuracy, keras.saving.load_model(path, compile=False))


# ---- Inception ---------------------------------------------------------------------------------


def inception_features(weights: str | os.PathLike | None = None) -> Inception:
    """Returns Inception v3: the features `(n, 2048)` of its last pooled layer, and its logits.

    Args:
        weights: path of the network of published scores, the frozen graph
            `classify_image_graph_def.pb` of 2015 (named in Heusel et al. 2017 and Salimans et al.
            2016). By default Keras's ImageNet weights, downloaded. Scores with these are NOT
            comparable with published ones, and the network's name says so.

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
    """Returns whether the data is images of 1 or 3 channels."""
    return spec.kind == "image" and spec.shape[-1] in CHANNELS


@functools.cache
def _imagenet() -> Inception:
    try:
        network = keras.applications.InceptionV3(classifier_activation=None)
    except Exception as error:  # a download can fail with any exception
        raise OSError(
            "cannot download Keras's ImageNet weights of Inception "
            f"({str(error).partition(chr(10))[0]}): give the path of the FID network's graph as "
            "`inception`, or choose protocols of lenet features."
        ) from error
    outputs = {"features": network.get_layer("avg_pool").output, "logits": network.output}
    network = keras.Model(network.input, outputs)
    size = network.input_shape[1:3]

    def outputs_of(x):  # the network was trained on pixels in [-1, 1]
        return network(2.0 * ops.image.resize(x, size) - 1.0, training=False)

    digest = hashlib.sha256(b"".join(w.tobytes() for w in network.get_weights())).hexdigest()
    colours = serving.Input("x", (None, None, None, 3), "float32")
    of_colours = backend.compiled(outputs_of, [colours], network)
    return Inception("inception-imagenet (no published FID)", digest, math.nan, of_colours)


def _frozen(path: Path):
    """The FID network's graph as a function of colours in [0, 1]. The graph resizes images."""
    definition = tf.compat.v1.GraphDef()
    from google.protobuf.message import DecodeError  # TensorFlow brings it

    try:
        definition.ParseFromString(path.read_bytes())

        def outputs_of(x):
            pooled, product = tf.import_graph_def(
                definition, {"ExpandDims:0": 255.0 * x}, ["pool_3:0", "softmax/logits/MatMul"]
            )
            features = tf.squeeze(pooled, [1, 2])
            # The graph's own logits accept one image. As in the published code, without the bias.
            return {"features": features, "logits": features @ product.inputs[1]}

        whole = tf.compat.v1.wrap_function(outputs_of, [tf.TensorSpec((None, None, None, 3))])
        # Removes the operations that accept one image only.
        pruned = whole.prune(whole.inputs, whole.structured_outputs)
        return lambda x: pruned(tf.constant(x))
    except (DecodeError, ValueError, KeyError) as error:
        raise ValueError(
            f"{path} is not the FID network's graph: {str(error).partition(chr(10))[0]}"
        ) from error
