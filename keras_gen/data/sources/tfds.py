"""TensorFlow Datasets: a prepared copy if there is one, else a download."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from keras_gen.data import storage
from keras_gen.data.checks import check_memory, image_pair
from keras_gen.data.dataset import Dataset
from keras_gen.data.sources.arrays import from_arrays
from keras_gen.data.sources.text import from_documents
from keras_gen.data.specs import DataError, Spec
from keras_gen.quiet import LazyTensorFlow
from keras_gen.suggestions import nearest

tf = LazyTensorFlow("a set of TensorFlow Datasets")

SPECS = {
    "mnist": Spec("mnist", "image", (28, 28, 1), (0.0, 1.0), num_classes=10),
    "fashion_mnist": Spec("fashion_mnist", "image", (28, 28, 1), (0.0, 1.0), num_classes=10),
    "cifar10": Spec("cifar10", "image", (32, 32, 3), (0.0, 1.0), num_classes=10),
    "svhn_cropped": Spec("svhn_cropped", "image", (32, 32, 3), (0.0, 1.0), num_classes=10),
    "celeb_a": Spec("celeb_a", "image", (218, 178, 3), (0.0, 1.0)),
}
# A small file on the host of each set. If it cannot be reached, no download will succeed.
DOWNLOADS = {
    "mnist": "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz",
    "fashion_mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
    "t10k-labels-idx1-ubyte.gz",
    "cifar10": "https://www.cs.toronto.edu/~kriz/cifar.html",
    "svhn_cropped": "http://ufldl.stanford.edu/housenumbers/",
    "tiny_shakespeare": "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/"
    "tinyshakespeare/input.txt",
}
ANY_DOWNLOAD = "https://storage.googleapis.com/tfds-data/dataset_info/mnist/3.0.1/dataset_info.json"
CONNECT_SECONDS = 4
BATCH = 1000


def spec(name: str, image_size: int | tuple[int, int] | None = None) -> Spec:
    """Returns the description of one of the sets in `SPECS`, with images resized to this size."""
    known = SPECS[name]
    if image_size is None:
        return known
    return dataclasses.replace(known, shape=(*image_pair(image_size), known.shape[-1]))


def load_tfds(
    name: str,
    data_dir: str | os.PathLike | None = None,
    *,
    image_size: int | tuple[int, int] | None = None,
    max_examples: int | None = None,
    unit: str | None = None,
    length: int | None = None,
    stride: int | None = None,
) -> Dataset:
    """Loads a set of TensorFlow Datasets with one image, one float vector or one text per example.

    A prepared copy is read without network access. The splits are the set's train and test, or
    train and validation if there is no test. If there is only train, a fixed tenth of it is the
    test part. The texts of a split are joined by line breaks and cut into windows.

    Args:
        name: name of the set in TensorFlow Datasets: `name[/config][:version]`.
        data_dir: folder of prepared sets; by default `$TFDS_DATA_DIR`, or the default of TensorFlow
            Datasets, `~/tensorflow_datasets`.
        image_size: resize images to cover this height and width, and crop at the centre.
        max_examples: maximum number of examples of each split.
        unit: for text, as in `load_text`.
        length: for text, as in `load_text`.
        stride: for text, as in `load_text`.

    Raises:
        DataError: if the set is unknown, neither prepared nor can be downloaded, of a kind that is
            not supported, or too large for the memory.
    """
    folder = Path(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets")
    builder = _builder(name, folder.expanduser())
    example, label = _features(name, builder.info)
    splits = [split for split in ("train", "test", "validation") if split in builder.info.splits]
    if "train" not in splits:
        raise DataError(f"{name} has no split 'train', only {', '.join(builder.info.splits)}.")

    feature = builder.info.features[example]
    shape = feature.shape
    holds = {0: "text", 1: "vectors", 3: "images"}[len(shape)]
    if image_size is not None:
        if holds != "images":
            raise DataError(f"{name}: image_size is for images, but this set holds {holds}.")
        shape = (*image_pair(image_size), shape[-1])
    if None in shape:
        fix = "give image_size=" if holds == "images" else "only vectors of one size are supported"
        raise DataError(f"{name}: examples vary in size (shape {shape}): {fix}.")
    if max_examples is not None and max_examples < 1:
        raise DataError(f"max_examples must be at least 1, got {max_examples}.")
    limit = "" if max_examples is None else f"[:{max_examples}]"
    cuts = {"unit": unit, "length": length, "stride": stride}
    cuts = {option: value for option, value in cuts.items() if value is not None}
    if holds == "text":
        documents = [
            b"\n".join(_read(builder, split + limit, example, None, None)["x"])
            for split in splits[:2]
        ]
        train, test = [*documents, None][:2]
        return from_documents(name, name, train, test, **cuts)
    if cuts:
        raise DataError(f"{name}: {next(iter(cuts))} is for text, but this set holds {holds}.")
    counts = [
        min(builder.info.splits[split].num_examples, max_examples or sys.maxsize)
        for split in splits[:2]
    ]
    fix = "take fewer with max_examples="
    if holds != "images":
        check_memory(name, sum(counts), shape, feature.np_dtype, fix)
    arrays = {}
    for split, called, count in zip(splits, ("train", "test"), counts, strict=False):
        x = None
        if holds == "images":
            x = storage.empty(name, (count, *shape), feature.np_dtype, fix)
        part = _read(builder, split + limit, example, label, image_size, x)
        arrays |= {f"{key}_{called}": array for key, array in part.items()}
    classes = getattr(builder.info.features[label], "num_classes", None) if label else None
    kind = "image" if len(shape) == 3 else "vector"
    return from_arrays(name, name, arrays, kind, num_classes=classes)


def _tensorflow_datasets():
    tf.version  # raises an error that says what is missing  # noqa: B018
    import tensorflow_datasets

    return tensorflow_datasets


def _builder(name: str, folder: Path):
    """Returns the builder of a set, which is prepared first if it is not."""
    tfds = _tensorflow_datasets()

    match = re.fullmatch(r"(\w+)(?:/([^:]+))?(?::([\w.*]+))?", name)
    if not match:
        raise DataError(
            f"{name!r} is not the name of a TensorFlow data set: expected NAME[/CONFIG][:VERSION]."
        )
    base, config, version = match.groups()
    prepared = _prepared(folder / base, config, version)
    if prepared:
        return tfds.builder_from_directory(prepared)

    known = tfds.list_builders(with_community_datasets=False)
    if base not in known:
        raise DataError(
            f"{name!r} is not prepared in {folder}, and TensorFlow Datasets has no such set."
            f"{nearest(base, known, cutoff=0.7)}"
        )
    failure = f"{name} is not prepared in {folder} and cannot be downloaded"
    advice = (
        "give the folder of a prepared copy as --data-dir (data_dir=), or use data that needs no "
        "download: digits or shapes."
    )
    try:
        request = urllib.request.Request(DOWNLOADS.get(base, ANY_DOWNLOAD), method="HEAD")
        urllib.request.urlopen(request, timeout=CONNECT_SECONDS).close()
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"{failure} ({request.host}: {reason}): {advice}") from error
    try:
        builder = tfds.builder(name, data_dir=folder)
        builder.download_and_prepare()
    # Each set has its own code, which raises errors of many types.
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise DataError(f"{failure} ({type(error).__name__}: {reason}): {advice}") from error
    return builder


def _prepared(folder: Path, config: str | None, version: str | None) -> Path | None:
    """Returns the folder of the newest prepared version of a set, or None."""
    pattern = version or "*"
    found = list(folder.glob(f"{config or '.'}/{pattern}/dataset_info.json"))
    if not found and config is None:
        found = list(folder.glob(f"*/{pattern}/dataset_info.json"))
        configs = sorted({path.parent.parent.name for path in found})
        if len(configs) > 1:
            raise DataError(
                f"several configurations of {folder.name} are prepared in {folder.parent}: choose "
                f"{' or '.join(f'tfds:{folder.name}/{each}' for each in configs)}."
            )

    def number(path: Path) -> list[int]:
        return [int(part) for part in re.findall(r"\d+", path.parent.name)]

    return max(found, key=number).parent if found else None


def _features(name: str, info) -> tuple[str, str | None]:
    """Returns the names of the feature to model and of the class label, None if there is none."""
    tfds = _tensorflow_datasets()

    features = dict(info.features.items()) if hasattr(info.features, "items") else {}

    def is_example(key) -> bool:
        feature = features.get(key) if isinstance(key, str) else None
        if isinstance(feature, tfds.features.Image):
            return feature.np_dtype == np.uint8
        return (
            isinstance(feature, tfds.features.Tensor)
            and len(feature.shape) == 1
            and np.issubdtype(feature.np_dtype, np.floating)
        )

    def is_label(key) -> bool:
        feature = features.get(key) if isinstance(key, str) else None
        return (
            isinstance(feature, tfds.features.Tensor)
            and feature.shape == ()
            and np.issubdtype(feature.np_dtype, np.integer)
        )

    supervised = info.supervised_keys or (None, None)
    examples = [supervised[0]] if is_example(supervised[0]) else list(filter(is_example, features))
    if not examples:
        examples = [k for k, each in features.items() if isinstance(each, tfds.features.Text)]
    if len(examples) != 1:
        kinds = ", ".join(f"{key}: {type(each).__name__}" for key, each in features.items())
        raise DataError(
            f"{name} has the features {kinds or info.features}: only sets with exactly one uint8 "
            "image, one float vector or one text are supported."
        )
    return examples[0], next(filter(is_label, (supervised[1], "label")), None)


def _read(builder, split, example, label, image_size, into=None) -> dict[str, Any]:
    """Returns all examples of a split, those with a known size written to `into`."""
    tfds = _tensorflow_datasets()

    names = {"x": example} | ({"y": label} if label else {})
    decoders = None
    if set(builder.info.features) != set(names.values()):
        decoders = tfds.decode.PartialDecoding(dict.fromkeys(names.values(), True))
    dataset = builder.as_dataset(split=split, decoders=decoders)

    def select(features):
        x = features[example]
        if image_size is not None:
            x = _resize(x, image_pair(image_size))
        return {"x": x} | ({"y": features[label]} if label else {})

    dataset = dataset.map(select, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH)
    parts: dict[str, list] = {key: [] for key in names}
    count = 0
    for batch in tfds.as_numpy(dataset):
        if into is not None:
            x = batch.pop("x")
            into[count : count + len(x)] = x
            count += len(x)
        for key, values in batch.items():
            parts[key].append(values)
    found = {key: np.concatenate(values) for key, values in parts.items() if values}
    return found if into is None else {"x": into} | found


def _resize(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Returns a uint8 image, scaled to cover `size` and cropped at the centre."""
    shape = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.reduce_max(tf.constant(size, tf.float32) / shape)
    covering = tf.maximum(tf.cast(tf.round(shape * scale), tf.int32), size)
    image = tf.image.resize(image, covering, antialias=True)
    top, left = tf.unstack((covering - size) // 2)
    image = image[top : top + size[0], left : left + size[1]]
    image = tf.ensure_shape(image, (*size, image.shape[-1]))
    return tf.cast(tf.round(tf.clip_by_value(image, 0.0, 255.0)), tf.uint8)
