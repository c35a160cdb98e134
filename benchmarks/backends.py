"""Measures how fast `fit` trains on each backend of Keras and at each precision.

    python benchmarks/backends.py [--seconds 5] [--python torch=.venv-torch/bin/python]

Each row is examples per second of one network with default settings, in batches of 128, without
the first epoch, which compiles. Every network is trained on one backend after the other, in a
process each, so that they share the machine's state; `--python` names the interpreter of a backend
that another environment has.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import time

BATCH = 128
BACKENDS = ("tensorflow", "jax", "torch")
DTYPES = ("float32", "mixed_bfloat16")
NETWORKS = ("MLP VAE 784-512-16", "conv VAE", "DCGAN", "InfoGAN", "CRGAN 24-24")


def made(name: str):
    """Returns the model of a network, and the shape of its examples."""
    from keras_gen import data, models

    images = data.Spec("images", "image", (28, 28, 1), (0.0, 1.0))
    sequences = data.Spec("sequences", "sequence", (24, 6), (0.0, 1.0))
    vae = {"latent_dim": 16, "seed": 0}
    makers = {
        NETWORKS[0]: lambda: models.VAE.for_data(images, network="dense", hidden=(512,), **vae),
        NETWORKS[1]: lambda: models.VAE.for_data(images, network="conv", **vae),
        NETWORKS[2]: lambda: models.DGAN.for_data(images, normalization=None, seed=0),
        NETWORKS[3]: lambda: models.InfoGAN.for_data(images, seed=0),
        NETWORKS[4]: lambda: models.CRGAN.for_data(sequences, hidden=(24, 24), seed=0),
    }
    return makers[name](), (sequences if name == NETWORKS[4] else images).shape


def measure(name: str, dtype: str, examples: int, seconds: float) -> float:
    """Returns examples per second of `fit` in this process."""
    from keras_gen import data

    # isort: split
    import keras
    import numpy as np

    keras.config.set_dtype_policy(dtype)
    model, shape = made(name)
    model.compile(optimizer="adam")
    x = (np.random.default_rng(0).uniform(size=(examples, *shape)) < 0.2).astype("float32")
    batches = data.Batches({"x": x}, BATCH, drop_remainder=True)
    model.fit(batches, verbose=0)
    start = time.perf_counter()
    model.fit(batches, verbose=0)
    epochs = min(50, math.ceil(seconds / (time.perf_counter() - start)))
    start = time.perf_counter()
    model.fit(batches, epochs=epochs, verbose=0)
    return epochs * len(batches) * BATCH / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=6400, help="per epoch")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each figure")
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--only", choices=NETWORKS, help="one network, not all")
    parser.add_argument("--python", action="append", default=[], metavar="BACKEND=PATH")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(measure(*arguments.measure, arguments.examples, arguments.seconds))
        return
    pythons = dict(each.split("=", 1) for each in arguments.python)
    print(f"{'network':20} {'dtype':15}" + "".join(f"{each:>12}" for each in arguments.backends))
    for name in [arguments.only] if arguments.only else NETWORKS:
        for dtype in DTYPES:
            row = f"{name:20} {dtype:15}"
            for backend in arguments.backends:
                command = [pythons.get(backend, sys.executable), __file__, "--measure", name, dtype]
                command += ["--examples", str(arguments.examples)]
                command += ["--seconds", str(arguments.seconds)]
                environment = os.environ | {"KERAS_BACKEND": backend}
                found = subprocess.run(command, env=environment, capture_output=True, text=True)
                if found.returncode:
                    sys.exit(found.stderr)
                row += f"{float(found.stdout.split()[-1]):12,.0f}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
