"""Measures lossless compression of test images: models beside general compressors.

    python benchmarks/lossless.py [--mnist mnist.npz] [--images 10000] [--colour FOLDER]

Bits per value of real files, with headers and initial bits, and seconds each way. Every file is
read back and compared. Binary images are those whose pixels are above 127; general compressors get
them as packed bits. Formats of pictures hold all images in one, 100 beside each other. Zstandard
and JPEG XL are there if the packages zstandard and pillow-jxl-plugin are.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import io
import lzma
import time
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

import keras_gen as kg
from keras_gen import compression, data

try:
    import zstandard
except ImportError:
    zstandard = None
try:
    import pillow_jxl  # noqa: F401  (it registers the format)

    JPEG_XL = [("JPEG XL", "JXL", {"lossless": True, "effort": 9})]
except ImportError:
    JPEG_XL = []

MODELS = {
    "binary": ("vae_mnist", "conv_vae_mnist"),
    "8 bits": ("vae_mnist_8bit",),
    "colour": ("conv_vae_cifar10",),
}
ACROSS = 100


def general(x: np.ndarray) -> Iterator[tuple[str, Callable, Callable]]:
    """Yields names of general compressors, and functions from bytes to bytes and back."""
    yield "gzip -9", gzip.compress, gzip.decompress
    yield "bz2 -9", bz2.compress, bz2.decompress
    yield "xz -9e", lambda b: lzma.compress(b, preset=9 | lzma.PRESET_EXTREME), lzma.decompress
    if zstandard:
        pack, unpack = zstandard.ZstdCompressor(level=19), zstandard.ZstdDecompressor()
        yield "zstd -19", pack.compress, unpack.decompress


def pictures(x: np.ndarray) -> Iterator[tuple[str, Callable, Callable]]:
    """Yields names of picture formats, and functions from one image to bytes and back."""
    for name, kind, options in (
        ("PNG", "PNG", {"optimize": True}),
        ("WebP", "WEBP", {"lossless": True, "quality": 100}),
        *JPEG_XL,
    ):

        def write(image, kind=kind, options=options):
            out = io.BytesIO()
            Image.fromarray(image).save(out, kind, **options)
            return out.getvalue()

        def read(content):
            with Image.open(io.BytesIO(content)) as image:
                return np.asarray(image.convert("RGB" if x.shape[-1] == 3 else "L"))

        yield name, write, read


def mosaic(x: np.ndarray) -> np.ndarray:
    """Returns all images as one, uint8."""
    n, height, width, channels = x.shape
    rows = x.reshape(n // ACROSS, ACROSS, height, width, channels).swapaxes(1, 2)
    image = rows.reshape(n // ACROSS * height, ACROSS * width, channels)
    image = image[..., 0] if channels == 1 else image
    return image * np.uint8(255) if x.dtype == bool else image


def levels(source: str, limit: int) -> np.ndarray:
    """Returns test images, uint8."""
    return np.rint(data.load(source).arrays("test", limit=limit)["x"] * 255).astype("uint8")


def measured(name: str, content, back: Callable, forth: Callable, values: int) -> str:
    """Returns the line of a compressor, once its file has been read back."""
    start = time.perf_counter()
    packed = forth(content)
    middle = time.perf_counter()
    restored = back(packed)
    end = time.perf_counter()
    assert np.array_equal(restored, content), f"{name} is not lossless"
    times = f"{middle - start:8.1f} s {end - middle:8.1f} s"
    return f"  {name:18}{8 * len(packed) / values:8.3f}{times}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", default="mnist.npz", help="Keras's file of MNIST")
    parser.add_argument("--images", type=int, default=10_000, help="a multiple of 100")
    parser.add_argument("--colour", help="a folder of CIFAR-10, with test/ in it")
    arguments = parser.parse_args()
    gray = levels(arguments.mnist, arguments.images)
    sets = {"binary": gray > 127, "8 bits": gray}
    if arguments.colour:
        sets["colour"] = levels(arguments.colour, arguments.images)
    for kind, x in sets.items():
        print(f"{kind}: bits per value, seconds to compress and to restore", flush=True)
        content = (np.packbits(x) if kind == "binary" else x).tobytes()
        for name, forth, back in general(x):
            print(measured(name, content, back, forth, x.size), flush=True)
        for name, forth, back in pictures(x):
            print(measured(name, mosaic(x), back, forth, x.size), flush=True)
        for name in MODELS[kind]:
            model = kg.from_preset(name)

            def forth(x, model=model):
                return compression.compress(model, x)

            def back(packed, model=model):
                return compression.decompress(model, packed)

            print(measured(name, x, back, forth, x.size), flush=True)


if __name__ == "__main__":
    main()
