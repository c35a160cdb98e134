"""From a name, a path or arrays to a data set."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras_gen.data import (
    arrays,
    audio,
    bundled,
    folder,
    mixtures,
    notes,
    sequences,
    shapes,
    text,
    tfds,
)
from keras_gen.data.checks import image_pair
from keras_gen.data.dataset import Dataset
from keras_gen.data.specs import DataError, Spec

DESCRIBED = ("digits", "shapes", *tfds.KNOWN, *mixtures.KNOWN, "sines")
NAMES = (*DESCRIBED, "stocks")
PREFIXES = {"text": text.load_text, "audio": audio.load_audio, "notes": notes.load_notes}
FORMS = (
    f"names are {', '.join(NAMES)} and tfds:NAME; else give text:FILE, audio:FOLDER, notes:FILE, "
    "or the path of a folder of images, a .csv, a .npz or a .npy file"
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
            `"sines"` (sine waves, drawn by the program);
            `"stocks"` (the rows of `stock_data.csv` in `data_dir`);
            `"text:FILE"` (windows of a text);
            `"audio:FOLDER"` (WAV files as spectrograms or waveforms);
            `"notes:FILE"` (piano-rolls of pieces of music);
            the path of a folder of images, a `.csv`, a `.npz` or a `.npy` file;
            an array `x`, a tuple `(x, label)` or a dictionary `{"x": ..., "label": ...}`.
        data_dir: the folder of prepared sets of TensorFlow Datasets, or of `stock_data.csv`.
        **options: what the source takes: see `load_shapes`, `load_tfds`, `load_mixture`,
            `load_stacked_mnist`, `load_sines`, `load_csv`, `load_text`, `load_audio`, `load_notes`,
            `load_folder`, `load_file` and `load_arrays`.

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
        name: digits, shapes, mnist, fashion_mnist, cifar10, svhn_cropped, celeb_a, ring, grid,
            stacked_mnist or sines.
        **options: as for `load`; `image_size`, `length` and `channels` change the shape.

    Raises:
        DataError: if there is no such name or it does not take an option.
    """
    if name not in DESCRIBED:
        raise DataError(
            f"no description of {name!r} without loading it{_close(name, DESCRIBED)}; names are "
            f"{', '.join(DESCRIBED)}"
        )
    loader, _, _ = _find(name, None)
    _check_options(loader, name, options)
    if name == "digits":
        return bundled.DIGITS
    if name == "shapes":
        return shapes.spec(options.get("image_size", 64))
    if name == "sines":
        sizes = ("length", "channels")
        return sequences.sines_spec(**{k: v for k, v in options.items() if k in sizes})
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
    if source == "sines":
        return sequences.load_sines, (), "sines"
    if source == "stocks":
        return sequences.load_csv, (sequences.stocks_file(data_dir), "stocks"), "stocks"
    if source == "stacked_mnist":
        return mixtures.load_stacked_mnist, (data_dir,), "stacked_mnist"
    if source in mixtures.KNOWN:
        return mixtures.load_mixture, (source,), source
    if source in tfds.KNOWN or str(source).startswith("tfds:"):
        name = str(source).removeprefix("tfds:")
        return tfds.load_tfds, (name, data_dir), str(source)
    prefix, colon, rest = str(source).partition(":")
    if colon and prefix in PREFIXES:
        if not rest:
            raise DataError(f"{source!r} has no path: {FORMS}")
        return PREFIXES[prefix], (Path(rest).expanduser(),), str(source)
    path = Path(source).expanduser()
    if str(source) and path.is_dir():
        return folder.load_folder, (path,), "a folder of images"
    if path.suffix not in (".csv", ".npz", ".npy"):
        problem = (
            "is no data" if path.exists() else "is no name of a data set and no such path exists"
        )
        raise DataError(f"{str(source)!r} {problem}{_close(str(source))}: {FORMS}")
    if not path.exists():
        raise DataError(f"no such file: {path}")
    if path.suffix == ".csv":
        return sequences.load_csv, (path, path.stem), "a .csv file"
    return arrays.load_file, (path,), f"a {path.suffix} file"


def _check_options(loader: Callable, name: str, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(loader).parameters.values()
    known = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            raise DataError(
                f"{name} takes no option {option!r}: it takes {', '.join(known) or 'none'}"
            )


def _close(name: str, names: tuple[str, ...] = NAMES) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
