"""Measures lossless compression of MNIST's test images: models beside general compressors.

    python benchmarks/lossless.py [--mnist mnist.npz] [--images 10000]

Bits per pixel of real files, with headers and initial bits, and seconds each way. Every file is
read back and compared. Binary images are those whose pixels are above 127; general compressors get
them as packed bits. PNG, WebP and GIF hold all images in one, 100 beside each other.
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

MODELS = {"binary": ("vae_mnist", "conv_vae_mnist"), "8 bits": ("vae_mnist_8bit",)}
ACROSS = 100


def general(x: np.ndarray) -> Iterator[tuple[str, Callable, Callable]]:
    """Yields names of general compressors, and functions from bytes to bytes and back."""
    yield "gzip -9", gzip.compress, gzip.decompress
    yield "bz2 -9", bz2.compress, bz2.decompress
    yield "xz -9e", lambda b: lzma.compress(b, preset=9 | lzma.PRESET_EXTREME), lzma.decompress
    try:
        from compression import zstd  # Python 3.14

        yield "zstd -19", lambda b: zstd.compress(b, 19), zstd.decompress
    except ImportError:
        pass


def pictures(x: np.ndarray) -> Iterator[tuple[str, Callable, Callable]]:
    """Yields names of picture formats, and functions from one image to bytes and back."""
    for name, options in (
        ("PNG", {"optimize": True}),
        ("WebP", {"lossless": True, "quality": 100}),
    ):

        def write(image, name=name, options=options):
            out = io.BytesIO()
            Image.fromarray(image).save(out, name, **options)
            return out.getvalue()

        def read(content):
            with Image.open(io.BytesIO(content)) as image:
                return np.asarray(image.convert("L"))

        yield name, write, read


def mosaic(x: np.ndarray) -> np.ndarray:
    """Returns all images as one, uint8."""
    n, height, width = x.shape[:3]
    rows = x.reshape(n // ACROSS, ACROSS, height, width).swapaxes(1, 2)
    image = rows.reshape(n // ACROSS * height, ACROSS * width)
    return image * np.uint8(255) if x.dtype == bool else image


def measured(name: str, content, back: Callable, forth: Callable, pixels: int) -> str:
    """Returns the line of a compressor, once its file has been read back."""
    start = time.perf_counter()
    packed = forth(content)
    middle = time.perf_counter()
    restored = back(packed)
    end = time.perf_counter()
    assert np.array_equal(restored, content), f"{name} is not lossless"
    times = f"{middle - start:8.1f} s {end - middle:8.1f} s"
    return f"  {name:18}{8 * len(packed) / pixels:8.3f}{times}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", default="mnist.npz", help="Keras's file of MNIST")
    parser.add_argument("--images", type=int, default=10_000, help="a multiple of 100")
    arguments = parser.parse_args()
    gray = data.load(arguments.mnist).arrays("test", limit=arguments.images)["x"]
    gray = np.rint(gray * 255).astype("uint8")
    for kind, x in (("binary", gray > 127), ("8 bits", gray)):
        print(f"{kind}: bits per pixel, seconds to compress and to restore", flush=True)
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
