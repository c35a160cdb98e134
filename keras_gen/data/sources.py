"""From a name, a path or arrays to a data set."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras_gen.data import arrays, bundled, folder, mixtures, shapes, tfds
from keras_gen.data.checks import image_pair
from keras_gen.data.dataset import Dataset
from keras_gen.data.specs import DataError, Spec

NAMES = ("digits", "shapes", *tfds.KNOWN, *mixtures.KNOWN)
FORMS = (
    f"names are {', '.join(NAMES)} and tfds:NAME; else give the path of a folder of images, a .npz "
    "or a .npy file"
)


def load(source: Any, data_dir: str | os.PathLike | None = None, **options) -> Dataset:
    """Loads a data set into memory.

    Args:
        source: one of
            `"digits"` (scikit-learn's 8x8 digits, bundled);
            `"shapes"` (sprites with known factors, drawn by the program);
            `"mnist"`, `"fashion_mnist"`, `"cifar10"` or `"tfds:NAME"` (TensorFlow Datasets);
            `"ring"` or `"grid"` (mixtures of Gaussians in the plane, drawn by the program);
            `"stacked_mnist"` (three MNIST digits in the colour channels of an image);
            the path of a folder of images, a `.npz` or a `.npy` file;
            an array `x`, a tuple `(x, label)` or a dictionary `{"x": ..., "label": ...}`.
        data_dir: the folder of prepared sets of TensorFlow Datasets.
        **options: what the source takes: see `load_shapes`, `load_tfds`, `load_mixture`,
            `load_stacked_mnist`, `load_folder`, `load_file` and `load_arrays`.

    Raises:
        DataError: if the source is unknown, does not take an option, or its data is missing or not
            as it must be.
    """
    loader, arguments, name = _find(source, data_dir)
    _check_options(loader, name, options)
    return loader(*arguments, **options)


def spec(name: str, **options) -> Spec:
    """The description of a data set that is known by name, without loading it.

    Args:
        name: digits, shapes, mnist, fashion_mnist, cifar10, ring, grid or stacked_mnist.
        **options: as for `load`; `image_size` changes the shape.

    Raises:
        DataError: if there is no such name or it does not take an option.
    """
    if name not in NAMES:
        raise DataError(
            f"no description of {name!r} without loading it{_close(name)}; names are "
            f"{', '.join(NAMES)}"
        )
    loader, _, _ = _find(name, None)
    _check_options(loader, name, options)
    if name == "digits":
        return bundled.DIGITS
    if name == "shapes":
        return shapes.spec(options.get("image_size", 64))
    if name in mixtures.KNOWN:
        return mixtures.KNOWN[name]
    known = tfds.KNOWN[name]
    if options.get("image_size") is None:
        return known
    shape = (*image_pair(options["image_size"]), known.shape[-1])
    return dataclasses.replace(known, shape=shape)


def _find(source: Any, data_dir: str | os.PathLike | None) -> tuple[Callable, tuple, str]:
    """The function that loads a source, its arguments and what errors call the source."""
    if not isinstance(source, (str, os.PathLike)):
        if isinstance(source, (tuple, Mapping)) or hasattr(source, "__array__"):
            return arrays.load_arrays, (source,), "an array"
        raise DataError(f"cannot load data from a {type(source).__name__}: {FORMS}, or arrays")
    if source == "digits":
        return bundled.load_digits, (), "digits"
    if source == "shapes":
        return shapes.load_shapes, (), "shapes"
    if source == "stacked_mnist":
        return mixtures.load_stacked_mnist, (data_dir,), "stacked_mnist"
    if source in mixtures.KNOWN:
        return mixtures.load_mixture, (source,), source
    if source in tfds.KNOWN or str(source).startswith("tfds:"):
        name = str(source).removeprefix("tfds:")
        return tfds.load_tfds, (name, data_dir), str(source)
    path = Path(source).expanduser()
    if path.is_dir():
        return folder.load_folder, (path,), "a folder of images"
    if path.suffix not in (".npz", ".npy"):
        problem = (
            "is neither" if path.exists() else "is no name of a data set and no such path exists"
        )
        raise DataError(f"{str(source)!r} {problem}{_close(str(source))}: {FORMS}")
    if not path.exists():
        raise DataError(f"no such file: {path}")
    return arrays.load_file, (path,), f"a {path.suffix} file"


def _check_options(loader: Callable, name: str, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(loader).parameters.values()
    known = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            raise DataError(
                f"{name} takes no option {option!r}: it takes {', '.join(known) or 'none'}"
            )


def _close(name: str) -> str:
    close = difflib.get_close_matches(name, NAMES, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
