"""Images in files: what is compressed, and where decompressed images go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_gen import files

MODES = {1: "L", 3: "RGB"}  # Pillow's, by the number of channels


def read_images(path: str | os.PathLike, shape: Sequence[int]) -> np.ndarray:
    """Returns the images of a file or folder.

    Args:
        path: an `.npy` file; an `.npz` file with an array `x`, or only one; or a folder of images,
            which are taken in the order of their names.
        shape: (height, width, channels) that the images of a folder must have.

    Raises:
        ValueError: if there are no images, or an image of a folder has another size.
        OSError: if a file cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path, shape)
    if path.suffix not in (".npy", ".npz"):
        raise ValueError(f"{path} must be an .npy or .npz file, or a folder of images.")
    loaded = np.load(path, allow_pickle=False)
    if path.suffix == ".npy":
        return loaded
    names = ["x"] if "x" in loaded.files else loaded.files
    if len(names) != 1:
        raise ValueError(f"{path} must have an array x, or only one array; it has "
                         f"{', '.join(names) or 'none'}.")  # fmt: skip
    return loaded[names[0]]


def write_images(x: np.ndarray, path: str | os.PathLike) -> None:
    """Writes images to an `.npy` or `.npz` file, or as numbered `.png` files into a new folder.

    Args:
        x: from `decompress`.
        path: where; without the suffix of an array file, it is a folder.

    Raises:
        ValueError: if the images cannot be PNG files.
        OSError: if the path cannot be written, or is a folder with something in it.
    """
    path = Path(path)
    if path.suffix in (".npy", ".npz"):
        with files.written_beside(path) as beside, open(beside, "wb") as file:
            np.save(file, x) if path.suffix == ".npy" else np.savez_compressed(file, x=x)
        return
    from PIL import Image

    if x.dtype == np.float32 or x.ndim not in (3, 4) or (x.ndim == 4 and x.shape[3] not in MODES):
        raise ValueError(
            f"arrays of {x.dtype} and shape {x.shape[1:]} are not images of 8 bits: name an .npy "
            "or .npz file."
        )
    if not files.is_free(path):
        raise FileExistsError(f"{path} exists: choose another destination")
    pixels = x * np.uint8(255) if x.dtype == bool else x
    with files.folder_written_beside(path) as beside:
        for i, image in enumerate(pixels.squeeze(3) if x.shape[3:] == (1,) else pixels):
            Image.fromarray(image).save(beside / f"{i:06d}.png")


def _read_folder(path: Path, shape: Sequence[int]) -> np.ndarray:
    from PIL import Image

    height, width, channels = shape
    images = []
    for file in sorted(each for each in path.iterdir() if not each.name.startswith(".")):
        with Image.open(file) as image:
            pixels = np.asarray(image.convert(MODES.get(channels, "RGB")))
        if pixels.shape[:2] != (height, width):
            raise ValueError(
                f"{file} has {pixels.shape[0]}x{pixels.shape[1]} pixels (height x width); the "
                f"model is for {height}x{width}."
            )
        images.append(pixels.reshape(height, width, channels))
    if not images:
        raise ValueError(f"{path} has no images.")
    return np.stack(images)
