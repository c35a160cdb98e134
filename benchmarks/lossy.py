"""Measures compression with loss: size against PSNR and SSIM, beside JPEG and WebP.

    python benchmarks/lossy.py [--mnist mnist.npz] [--cifar FOLDER] [--images 2000] [--out F.png]

JPEG and WebP get all images as one, 100 beside each other, so that their headers are paid once.
SSIM is scikit-image's (`pip install scikit-image`), of each image, with windows of 7x7 pixels.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from skimage.metrics import structural_similarity

import keras_gen as kg
from keras_gen import compression, data, plotting

MODELS = {"mnist": ("vae_mnist", "vae_mnist_8bit"), "cifar10": ("conv_vae_cifar10",)}
QUALITIES = (0.5, 1, 2, 4, 8, 16)
PICTURE_QUALITIES = (1, 3, 5, 10, 20, 40)
ACROSS = 100


def points(x: np.ndarray, models: tuple[str, ...]) -> Iterator[tuple[str, list]]:
    """Yields names of compressors, and for each quality bytes per image, PSNR and SSIM.

    Args:
        x: images, `(n, height, width, channels)`, uint8; n is a multiple of 100.
        models: names of presets.
    """
    for name in models:
        model, found = kg.from_preset(name), []
        for quality in QUALITIES:
            packed = compression.compress(model, x, quality)
            found.append(
                (len(packed) / len(x), *similarity(x, compression.decompress(model, packed)))
            )
        yield name, found
    n, height, width, channels = x.shape
    rows = x.reshape(n // ACROSS, ACROSS, height, width, channels).swapaxes(1, 2)
    whole = rows.reshape(n // ACROSS * height, ACROSS * width, channels).squeeze()
    for name in ("JPEG", "WebP"):
        found = []
        for quality in PICTURE_QUALITIES:
            out = io.BytesIO()
            Image.fromarray(whole).save(out, name, quality=quality)
            with Image.open(out) as image:
                back = np.asarray(image.convert("L" if channels == 1 else "RGB"))
            back = back.reshape(n // ACROSS, height, ACROSS, width, channels).swapaxes(1, 2)
            found.append((len(out.getvalue()) / n, *similarity(x, back.reshape(x.shape))))
        yield name, found


def similarity(x: np.ndarray, back: np.ndarray) -> tuple[float, float]:
    """Returns the mean PSNR in dB and the mean SSIM of images."""
    error = np.mean(np.square(x.astype("float64") - back), axis=(1, 2, 3))
    psnr = np.mean(10 * np.log10(255.0**2 / np.maximum(error, 1e-6)))
    pairs = zip(x, back, strict=True)
    ssim = [structural_similarity(a, b, data_range=255, channel_axis=2) for a, b in pairs]
    return float(psnr), float(np.mean(ssim))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", help="Keras's file of MNIST")
    parser.add_argument("--cifar", help="a folder of CIFAR-10's images")
    parser.add_argument("--images", type=int, default=2000, help="a multiple of 100")
    parser.add_argument("--out", type=Path, default=Path("lossy.png"), help="the figure")
    arguments = parser.parse_args()
    given = {"mnist": arguments.mnist, "cifar10": arguments.cifar}
    sources = {name: source for name, source in given.items() if source}
    figure = Figure((9, 3.4 * len(sources)), dpi=100, layout="constrained")
    panels = figure.subplots(len(sources), 2, squeeze=False)
    for (name, source), axes in zip(sources.items(), panels, strict=True):
        x = data.load(source).arrays("test", limit=arguments.images)["x"]
        for compressor, found in points(np.rint(x * 255).astype("uint8"), MODELS[name]):
            for size, psnr, ssim in found:
                print(f"{name:8} {compressor:18}{size:9.1f} B{psnr:8.2f} dB{ssim:8.3f}", flush=True)
            sizes, *values = zip(*found, strict=True)
            for ax, value in zip(axes, values, strict=True):
                ax.plot(sizes, value, ".-", label=compressor)
        for ax, title in zip(axes, ("PSNR, dB", "SSIM"), strict=True):
            ax.set(xscale="log", xlabel="bytes per image", title=f"{name}: {title}")
            ax.grid(alpha=0.3)
        axes[0].legend(frameon=False, fontsize=8)
    plotting.save(figure, arguments.out)


if __name__ == "__main__":
    main()
