"""NumPy arrays, and `.npz` and `.npy` files."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_gen import files
from keras_gen.checks import real_array
from keras_gen.data.checks import data_errors
from keras_gen.data.dataset import Dataset
from keras_gen.data.specs import DataError, Spec
from keras_gen.data.splits import hold_out
from keras_gen.data.storage import Stored

KERAS_NAMES = ("x_train", "y_train", "x_test", "y_test")
LABEL_NAMES = ("label", "y")


def load_arrays(
    source: Any,
    *,
    kind: str | None = None,
    test_fraction: float = 0.1,
    seed: int = 0,
    mask_value: float | None = None,
) -> Dataset:
    """Loads an array `x`, a pair `(x, label)`, or a dictionary with the names of a `.npz` file.

    Args:
        source: the array or arrays.
        kind: `"image"`, `"vector"` or `"sequence"`. By default it follows from the dtype and the
            number of dimensions: uint8 and bool with 3 or 4 and floats with 4 dimensions are
            images, floats with 3 are sequences, and 2 dimensions are vectors.
        test_fraction: share of the examples to hold out, if there are no test examples.
        seed: seed of that choice.
        mask_value: for sequences of different lengths: steps in which every channel has this value
            are padding after the end.

    Raises:
        DataError: naming the array that is invalid.
    """
    if isinstance(source, tuple):
        if len(source) != 2:
            raise DataError(f"a tuple of arrays must be (x, label), got {len(source)} entries.")
        source = dict(zip(("x", "label"), source, strict=True))
    elif not isinstance(source, Mapping):
        source = {"x": source}
    return from_arrays("arrays", "arrays", source, kind, test_fraction, seed, mask_value=mask_value)


def load_file(
    path: Path,
    *,
    kind: str | None = None,
    test_fraction: float = 0.1,
    seed: int = 0,
    mask_value: float | None = None,
) -> Dataset:
    """Loads a `.npy` file, or a `.npz` file with x_train, x_test, y_train, y_test, or x, label (y).

    Args:
        path: path of the file. Pickled objects are never loaded.
        kind: as in `load_arrays`.
        test_fraction: as in `load_arrays`.
        seed: as in `load_arrays`.
        mask_value: as in `load_arrays`.

    Raises:
        DataError: naming the file and the array that is invalid.
    """
    arrays = read_file(path)
    return from_arrays(
        path.stem, str(path), arrays, kind, test_fraction, seed, mask_value=mask_value
    )


def read_file(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of a `.npy` file (one, called x) or of a `.npz` file by name.

    Raises:
        DataError: if the file cannot be read.
    """
    name = ""
    try:
        # NumPy does not close a file that it opened and cannot read.
        with path.open("rb") as opened:
            file = np.load(opened, allow_pickle=False)
            if isinstance(file, np.ndarray):
                return {"x": file}
            files.check_archive(path)
            arrays = {}
            for name in file.files:
                arrays[name] = file[name]
                # NumPy returns bytes for an entry without the header of an array.
                if not isinstance(arrays[name], np.ndarray):
                    raise ValueError("it is not an array")
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        part = f", array {name!r}" if name else ""
        reason = str(error).rstrip(".")
        if "pickled (object)" in reason:
            # NumPy takes any file without a header for pickled objects, and advises to load them.
            reason = "it is not a NumPy file"
        elif "allow_pickle" in reason:
            reason = "it holds Python objects, which are never loaded (allow_pickle=False)"
        raise DataError(f"cannot read {path}{part}: {reason}.") from error
    if len(arrays) == 1:
        return {"x": arrays[name]}
    return arrays


def from_arrays(
    name: str,
    where: str,
    arrays: Mapping[str, np.ndarray],
    kind: str | None = None,
    test_fraction: float = 0.1,
    seed: int = 0,
    num_classes: int | None = None,
    mask_value: float | None = None,
) -> Dataset:
    """Returns a data set of arrays that are named as in a `.npz` file, after checking them.

    Args:
        name: name of the data set.
        where: origin of the arrays in error messages.
        arrays: `x` (`label` or `y`), or `x_train` and optionally `x_test`, `y_train`, `y_test`.
        kind: as in `load_arrays`.
        test_fraction: as in `load_arrays`.
        seed: as in `load_arrays`.
        num_classes: number of classes; by default the greatest label plus one.
        mask_value: as in `load_arrays`.

    Raises:
        DataError: if an array is missing or invalid.
    """
    train, test = _name_splits(where, arrays)
    for split in (train, test or {}):
        for key, (called, array) in split.items():
            if isinstance(array, Stored):  # a source's own images
                continue
            place = f"{where}, array {called!r}"
            with data_errors():
                array = real_array(place, array)
            if key == "label":
                array = _check_labels(array, len(split["x"][1]), split["x"][0], place)
            else:
                kind = kind or _kind(array, place)
                array = _check_examples(array, kind, place)
            split[key] = (called, array)
    called, x = train["x"]
    if test and test["x"][1].shape[1:] != x.shape[1:]:
        raise DataError(
            f"{where}: {test['x'][0]!r} has examples of shape {test['x'][1].shape[1:]}, "
            f"{called!r} of {x.shape[1:]}."
        )
    train = {key: array for key, (_, array) in train.items()}
    test = {key: array for key, (_, array) in test.items()} if test else None
    if test is None:
        train, test = hold_out(train, test_fraction, seed, where)
    if "label" in train and num_classes is None:
        num_classes = 1 + int(max(split["label"].max() for split in (train, test)))
    shape, x = train["x"].shape[1:], train["x"]
    if mask_value is not None:
        x = _without_padding(x, kind, mask_value, where)
    value_range = (0.0, 1.0) if kind == "image" else (float(x.min()), float(x.max()))
    spec = Spec(name, kind, shape, value_range, num_classes, mask_value=mask_value)
    return Dataset(spec, train, test)


def _without_padding(x: np.ndarray, kind: str, mask_value: float, where: str) -> np.ndarray:
    """Returns the steps of sequences that are not padding, (steps, channels)."""
    if kind != "sequence":
        raise DataError(f"{where}: mask_value is for sequences, but this is {kind} data.")
    padding = np.all(x == mask_value, axis=-1)
    if padding.all():
        raise DataError(f"{where}: every step is padding with mask_value={mask_value}.")
    if (padding[:, :-1] & ~padding[:, 1:]).any():
        example, step = np.argwhere(padding[:, :-1] & ~padding[:, 1:])[0]
        raise DataError(
            f"{where}: padding belongs after the end, but example {example} has padding at step "
            f"{step} and data after it, with mask_value={mask_value}."
        )
    return x[~padding]


Named = dict[str, tuple[str, np.ndarray]]


def _name_splits(where: str, arrays: Mapping[str, np.ndarray]) -> tuple[Named, Named | None]:
    """Returns training and test arrays as "x" and "label", each with its original name."""
    names = set(arrays)
    if "x_train" in names and names <= set(KERAS_NAMES):
        splits = [("x_train", "y_train"), ("x_test", "y_test")]
        if ("y_test" in names and "x_test" not in names) or (
            "x_test" in names and ("y_train" in names) != ("y_test" in names)
        ):
            raise DataError(
                f"{where}: training and test examples must both have labels, or neither; there "
                f"are only {', '.join(arrays)}."
            )
    elif "x" in names and len(names - {"x"}) <= 1 and names - {"x"} <= set(LABEL_NAMES):
        splits = [("x", next(iter(names - {"x"}), ""))]
    else:
        raise DataError(
            f"{where} has the arrays {', '.join(arrays) or '(none)'}; expected x_train, x_test "
            "(with y_train, y_test), or x (with label or y), or a single array."
        )
    train, *rest = (
        {
            key: (called, arrays[called])
            for key, called in zip(("x", "label"), split, strict=True)
            if called in names
        }
        for split in splits
    )
    return train, rest[0] if rest and rest[0] else None


def _kind(x: np.ndarray, place: str) -> str:
    """Returns the kind of data of an array for which none is given."""
    pixels, floats = x.dtype in (np.uint8, np.bool_), np.issubdtype(x.dtype, np.floating)
    if (pixels and x.ndim in (3, 4)) or (floats and x.ndim == 4):
        return "image"
    if floats and x.ndim == 3:
        return "sequence"
    if x.ndim == 2:
        return "vector"
    raise DataError(
        f"{place}: {x.dtype} of shape {x.shape} is not a known kind of data; images are uint8, or "
        "floats in [0, 1], of shape (examples, height, width, channels), vectors (examples, size), "
        "sequences floats (examples, length, channels)."
    )


def _check_examples(x: np.ndarray, kind: str, place: str) -> np.ndarray:
    """Returns the examples in the shape of their kind."""
    dimensions = {"image": (3, 4), "vector": (2,), "sequence": (3,)}
    if kind not in dimensions:
        raise DataError(f"kind of an array must be one of {', '.join(dimensions)}, got {kind!r}.")
    if x.ndim not in dimensions[kind]:
        wanted = " or ".join(map(str, dimensions[kind]))
        raise DataError(f"{place}: {kind} data needs {wanted} dimensions, got shape {x.shape}.")
    if x.size == 0:
        raise DataError(f"{place} is empty: its shape is {x.shape}.")
    if x.dtype.kind not in "bui":
        finite = np.isfinite(x)
        if not finite.all():
            index = tuple(int(i) for i in np.argwhere(~finite)[0])
            raise DataError(f"{place} holds {x[index]} at {index}: all values must be finite.")
    if kind == "image":
        if x.ndim == 3:
            x = x[..., None]
        if x.dtype not in (np.uint8, np.bool_):
            low, high = x.min(), x.max()
            if low < 0 or high > 1:
                raise DataError(
                    f"{place}: {x.dtype} images must lie in [0, 1], these lie in [{low}, {high}]; "
                    "scale them, or give pixels from 0 to 255 as uint8."
                )
    # TensorFlow accepts only the native byte order.
    return np.ascontiguousarray(x, dtype=x.dtype.newbyteorder("="))


def _check_labels(label: np.ndarray, examples: int, x_name: str, place: str) -> np.ndarray:
    """Returns class indices as (examples,)."""
    if label.ndim == 2 and label.shape[1] == 1:
        label = label[:, 0]
    if label.ndim != 1 or label.dtype.kind not in "bui":
        raise DataError(
            f"{place}: labels must be integers of shape (examples,), got {label.dtype} of shape "
            f"{label.shape}."
        )
    if len(label) != examples:
        raise DataError(f"{place}: {len(label)} labels for {examples} examples in {x_name!r}.")
    if examples and not 0 <= int(label.min()) <= int(label.max()) < 2**31:
        raise DataError(f"{place}: labels must be class indices from 0 on, got {label.min()}.")
    return label.astype(np.int32)
