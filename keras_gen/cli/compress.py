"""keras-gen compress and keras-gen decompress"""

from __future__ import annotations

import os
from pathlib import Path

from keras_gen import files
from keras_gen.cli.common import WHERE, UsageError, check_out, command, usage_errors


def add(commands) -> None:
    """Adds the parsers of both commands."""
    packed = command(
        commands,
        "compress",
        compress,
        "compress images by a model of such images, without loss or with",
        "  keras-gen compress vae_mnist_8bit digits.npy digits.kgz\n"
        "  keras-gen compress vae_mnist scans/ scans.kgz --binarize\n"
        "  keras-gen compress conv_vae_cifar10 photos/ photos.kgz --quality 4",
    )
    packed.add_argument("where", metavar="MODEL", help=f"a VAE: {WHERE}")
    packed.add_argument(
        "source",
        type=Path,
        metavar="IN",
        help="images: an .npy or .npz file, or a folder of images, of the model's shape",
    )
    packed.add_argument("out", type=Path, metavar="OUT.kgz", help="the file to write")
    packed.add_argument(
        "--binarize",
        action="store_true",
        help="for a model of black and white: make pixels above half of the range white",
    )
    packed.add_argument(
        "--quality",
        type=float,
        metavar="Q",
        help="compress with loss: steps per unit of a latent, 2 is coarse and 16 fine",
    )
    unpacked = command(
        commands,
        "decompress",
        decompress,
        "restore images from a file of keras-gen compress",
        "  keras-gen decompress vae_mnist_8bit digits.kgz digits.npy",
    )
    unpacked.add_argument("where", metavar="MODEL", help=f"the same model: {WHERE}")
    unpacked.add_argument(
        "source", type=Path, metavar="IN.kgz", help="a file of keras-gen compress"
    )
    unpacked.add_argument(
        "out", type=Path, metavar="DEST", help="an .npy or .npz file, or a folder of .png files"
    )


def compress(arguments) -> int:
    """Writes the compressed file."""
    out = arguments.out
    check_out(out, ".kgz")
    with usage_errors():
        from keras_gen import compression, runs

        model = runs.open(arguments.where).model
        x = compression.read_images(arguments.source, model.data_shape)
        if arguments.binarize:
            x = x > (127 if x.dtype == "uint8" else 0.5)
        packed = compression.compress(model, x, arguments.quality)
        with files.written_beside(out) as beside:
            beside.write_bytes(packed)
    bits = 8 * len(packed) / x.size
    print(f"{out}: {len(x)} images, {len(packed):,} bytes, {bits:.3f} bits per value")
    return 0


def decompress(arguments) -> int:
    """Writes the images."""
    if not arguments.out.parent.is_dir() or not os.access(arguments.out.parent, os.W_OK):
        raise UsageError(f"{arguments.out}: {arguments.out.parent} is not a writable directory")
    with usage_errors():
        from keras_gen import compression, runs

        packed = arguments.source.read_bytes()
        x = compression.decompress(runs.open(arguments.where).model, packed)
        compression.write_images(x, arguments.out)
    print(f"{arguments.out}: {len(x)} images")
    return 0
