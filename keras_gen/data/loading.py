"""Finds the source of a name, a path or arrays, and loads it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from keras_gen.data.dataset import Dataset
from keras_gen.data.sources import (
    arrays,
    audio,
    csv_file,
    digits,
    folder,
    mixtures,
    notes,
    shapes,
    sines,
    stacked_mnist,
    text,
    tfds,
)
from keras_gen.data.specs import DataError, Spec
from keras_gen.suggestions import nearest

FIXED = {"digits": digits.SPEC, **mixtures.SPECS, "stacked_mnist": stacked_mnist.SPEC}
DESCRIBED = (*FIXED, "shapes", "sines", *tfds.SPECS)
NAMES = (*DESCRIBED, "stocks")
PREFIXES = {"text": text.load_text, "audio": audio.load_audio, "notes": notes.load_notes}
FORMS = (
    "give a name such as digits or tfds:NAME (help(keras_gen.data.load) has all), text:FILE, "
    "audio:FOLDER, notes:FILE, or the path of a folder of images, a .csv, a .npz or a .npy file"
)


def load(
    source: Any,
    data_dir: str | os.PathLike | None = None,
    validation: float | None = None,
    **options,
) -> Dataset:
    """Loads a data set into memory.

    Args:
        source: one of
            `"digits"` (scikit-learn's 8x8 digits, bundled);
            `"shapes"` (sprites with known factors, generated);
            `"mnist"`, `"fashion_mnist"`, `"cifar10"`, `"svhn_cropped"`, `"celeb_a"` or
            `"tfds:NAME"` (TensorFlow Datasets);
            `"ring"` or `"grid"` (mixtures of Gaussians in the plane, generated);
            `"stacked_mnist"` (three MNIST digits in the colour channels of an image);
            `"sines"` (sine waves, generated);
            `"stocks"` (the rows of `stock_data.csv` in `data_dir`);
            `"text:FILE"` (windows of a text);
            `"audio:FOLDER"` (WAV files as spectrograms or waveforms);
            `"notes:FILE"` or `"notes:FOLDER"` (piano-rolls of music);
            the path of a folder of images, or of a `.csv`, `.npz` or `.npy` file;
            an array `x`, a tuple `(x, label)` or a dictionary `{"x": ..., "label": ...}`.
        data_dir: folder of the prepared sets of TensorFlow Datasets, or of `stock_data.csv`.
        validation: share of the training examples that takes the place of the test examples, for
            choices that must not see those; see `Dataset.validated`.
        **options: options of the source: the keyword arguments of `load_shapes`, `load_tfds`,
            `load_mixture`, `load_stacked_mnist`, `load_sines`, `load_csv`, `load_text`,
            `load_audio`, `load_notes`, `load_folder`, `load_file` or `load_arrays` in
            `keras_gen.data.sources`.

    Raises:
        DataError: if the source is unknown or does not have an option, or if its data is missing or
            invalid.
    """
    loader, arguments, name = _find(source, data_dir)
    _check_options(loader, name, options)
    dataset = loader(*arguments, **options)
    return dataset if validation is None else dataset.validated(validation)


def spec(name: str, **options) -> Spec:
    """Returns the description of a data set that is known by name, without loading it.

    Args:
        name: digits, shapes, mnist, fashion_mnist, cifar10, svhn_cropped, celeb_a, ring, grid,
            stacked_mnist or sines.
        **options: options of `load`; `image_size`, `length` and `channels` change the shape.

    Raises:
        DataError: if there is no such name, or the data set does not have an option.
    """
    if name not in DESCRIBED:
        raise DataError(
            f"{name!r} has no description before it is loaded: call load() and read its .spec."
            f"{nearest(name, DESCRIBED, cutoff=0.7)}"
        )
    loader, _, _ = _find(name, None)
    options.pop("validation", None)  # it changes no shape
    _check_options(loader, name, options)
    if name in FIXED:
        return FIXED[name]
    describe = {"shapes": shapes.spec, "sines": sines.spec}.get(name) or partial(tfds.spec, name)
    sizes = inspect.signature(describe).parameters
    return describe(**{option: value for option, value in options.items() if option in sizes})


def _find(source: Any, data_dir: str | os.PathLike | None) -> tuple[Callable, tuple, str]:
    """Returns the function that loads a source, its arguments and the source's name in errors."""
    if not isinstance(source, (str, os.PathLike)):
        if isinstance(source, (tuple, Mapping)) or hasattr(source, "__array__"):
            return arrays.load_arrays, (source,), "an array"
        raise DataError(f"cannot load data from a {type(source).__name__}: {FORMS}, or arrays.")
    if source == "digits":
        return digits.load_digits, (), source
    if source == "shapes":
        return shapes.load_shapes, (), source
    if source == "sines":
        return sines.load_sines, (), source
    if source == "stocks":
        return csv_file.load_csv, (csv_file.stocks_file(data_dir), source), source
    if source == "stacked_mnist":
        return stacked_mnist.load_stacked_mnist, (data_dir,), source
    if source in mixtures.SPECS:
        return mixtures.load_mixture, (source,), source
    if source in tfds.SPECS or str(source).startswith("tfds:"):
        return tfds.load_tfds, (str(source).removeprefix("tfds:"), data_dir), str(source)
    prefix, colon, rest = str(source).partition(":")
    if colon and prefix in PREFIXES:
        if not rest:
            raise DataError(f"{source!r} has no path after the colon: {FORMS}.")
        return PREFIXES[prefix], (Path(rest).expanduser(),), str(source)
    path = Path(source).expanduser()
    if str(source) and path.is_dir():
        return folder.load_folder, (path,), "a folder of images"
    if path.suffix not in (".csv", ".npz", ".npy"):
        problem = (
            "is not a source of data"
            if path.exists()
            else "is not the name of a data set, and no such path exists"
        )
        close = nearest(str(source), NAMES, cutoff=0.7)
        raise DataError(f"{str(source)!r} {problem}" + (f".{close}" if close else f": {FORMS}."))
    if not path.exists():
        raise DataError(f"no such file: {path}.")
    if path.suffix == ".csv":
        return csv_file.load_csv, (path, path.stem), "a .csv file"
    return arrays.load_file, (path,), f"a {path.suffix} file"


def _check_options(loader: Callable, name: str, options: Mapping[str, Any]) -> None:
    """Raises a DataError if a loader does not have one of the options."""
    parameters = inspect.signature(loader).parameters.values()
    known = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            advice = (
                nearest(option, known, cutoff=0.7) or f" Its options: {', '.join(known) or 'none'}."
            )
            raise DataError(f"{name} has no option {option!r}.{advice}")
