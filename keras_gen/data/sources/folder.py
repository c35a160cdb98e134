"""Folders of images."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from keras_gen.data import storage
from keras_gen.data.checks import image_pair
from keras_gen.data.dataset import Dataset
from keras_gen.data.sources.arrays import from_arrays
from keras_gen.data.sources.listing import class_files, entries
from keras_gen.data.specs import DataError

GREY_MODES = ("1", "L", "LA")
DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
ORIENTATION_TAG = 0x0112


def load_folder(
    path: Path,
    *,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    test_fraction: float = 0.1,
    seed: int = 0,
) -> Dataset:
    """Loads a folder of images in any format that Pillow reads; animations give the first frame.

    The folder holds images, or one subfolder of images per class. The order of the subfolders'
    names gives the labels. Or it holds the folders `train` and `test` of either form. Names that
    start with a dot are ignored; all other files must be images.

    Args:
        path: path of the folder.
        image_size: resize images to cover this height and width, and crop at the centre. Needed if
            the images differ in size.
        channels: 1 for grey or 3 for colour; by default 3 if any image has colour.
        test_fraction: share of the images to hold out, if there is no `test`.
        seed: seed of that choice.

    Raises:
        DataError: naming the file or folder that is invalid.
    """
    if channels not in (None, 1, 3):
        raise DataError(f"channels must be 1 or 3, got {channels!r}.")
    size = image_pair(image_size) if image_size is not None else None
    folders, _ = entries(path)
    names = {folder.name for folder in folders}
    if names & {"train", "test"}:
        extra = sorted(names - {"train", "test"})
        missing = sorted({"train", "test"} - names)
        if extra or missing:
            wrong = f"also {extra[0]!r}" if extra else f"no {missing[0]!r}"
            raise DataError(
                f"{path} must hold 'train' and 'test' and nothing else, but has {wrong}."
            )
        splits = {name: class_files(path / name, "images") for name in ("train", "test")}
        if splits["train"][1] != splits["test"][1]:
            raise DataError(
                f"{path}: the class folders of 'train' and 'test' differ: {splits['train'][1]} "
                f"and {splits['test'][1]}."
            )
    else:
        splits = {"train": class_files(path, "images")}

    files = [file for listed, _ in splits.values() for file, _ in listed]
    headers = [_header(file) for file in files]
    if channels is None:
        channels = 1 if all(mode in GREY_MODES for mode, _ in headers) else 3
    if size is None:
        size = headers[0][1]
        for file, (_, other) in zip(files, headers, strict=True):
            if other != size:
                raise DataError(
                    f"images differ in size: {file} is {other[0]}x{other[1]} (height x width), "
                    f"{files[0]} is {size[0]}x{size[1]}; give image_size= to resize and crop them."
                )
    arrays = {}
    for split, (listed, classes) in splits.items():
        shape = (len(listed), *size, channels)
        x = storage.empty(str(path), shape, np.uint8, "give a smaller image_size=")
        with ThreadPoolExecutor() as pool:
            images = pool.map(lambda item: _read(item[0], size, channels), listed)
            for i, image in enumerate(images):
                x[i] = image
        arrays[f"x_{split}"] = x
        if classes:
            arrays[f"y_{split}"] = np.array([label for _, label in listed], np.int32)
    return from_arrays(
        path.resolve().name,
        str(path),
        arrays,
        "image",
        test_fraction,
        seed,
        num_classes=len(classes) or None,
    )


def _header(file: Path) -> tuple[str, tuple[int, int]]:
    """Returns Pillow's mode of an image and its upright (height, width)."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            mode, (width, height) = image.mode, image.size
            turned = image.getexif().get(ORIENTATION_TAG, 1) in (5, 6, 7, 8)
    # Pillow raises errors of many types for a broken file.
    except Exception as error:
        raise _unreadable(file, error) from error
    if mode in DEEP_MODES:
        raise DataError(f"{file} has more than 8 bits per channel (mode {mode}): convert it to 8.")
    return mode, (width, height) if turned else (height, width)


def _read(file: Path, size: tuple[int, int], channels: int) -> np.ndarray:
    """Returns an image (height, width, channels), resized to cover `size` and cropped."""
    from PIL import Image, ImageOps

    height, width = size
    try:
        with Image.open(file) as image:
            image = ImageOps.exif_transpose(image).convert("L" if channels == 1 else "RGB")
    except Exception as error:
        raise _unreadable(file, error) from error
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(image).reshape(height, width, channels)


def _unreadable(file: Path, error: Exception) -> DataError:
    """Returns the error to raise for one of Pillow's."""
    from PIL import UnidentifiedImageError

    why = "in no format that Pillow knows" if isinstance(error, UnidentifiedImageError) else error
    return DataError(f"{file} is not a readable image ({why}): repair it or remove it.")
