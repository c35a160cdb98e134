"""Measures how the time of training grows, how long a start takes, and how fast samples come.

    python benchmarks/growth.py

Growth: one quantity is varied, all others stay, and a line is fitted to the logarithms: a slope of
1 is growth in proportion. Times of a step are the least of several executions. Starts are
processes of their own.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_gen import data, models, runs

# isort: split
# Keras after keras_gen, which imports TensorFlow without its messages.
import keras
import numpy as np
import tensorflow as tf

START = """
import time
start = time.perf_counter()
import keras_gen as kg
from keras_gen import data, models
imported = time.perf_counter()
x = kg.data.load("digits").arrays("train")["x"][:1280]
vae = kg.models.VAE.for_data(kg.data.load("digits").spec, network="dense", hidden=(512,), seed=0)
vae.compile("adam", jit_compile={xla}, steps_per_execution=1)
built = time.perf_counter()
vae.fit(x[:128], batch_size=128, verbose=0)
print(imported - start, built - imported, time.perf_counter() - built)
"""


def images(count: int, size: int) -> data.Dataset:
    """A data set of random images."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (count, size, size, 1), np.uint8)
    spec = data.Spec("images", "image", (size, size, 1), (0.0, 1.0))
    return data.Dataset(spec, {"x": x}, {"x": x[:8]})


def best(function: Callable[[], object], repeats: int = 3) -> float:
    """The least of the seconds of several calls, after one that is not counted."""
    function()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def epoch(name: str, count: int, size: int, batch: int, latent_dim: int, strategy="single"):
    """The seconds of an epoch of `count` images."""
    dataset = images(count, size)
    with runs.strategy(strategy).scope():
        options = {"network": "conv"} if name == "VAE" else {"width": 16}
        model = models.get(name).for_data(dataset.spec, latent_dim=latent_dim, seed=0, **options)
        model.compile("adam")
    batches = dataset.batches("train", batch)
    return best(lambda: model.fit(batches, verbose=0))


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """The slope of a line through the logarithms."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def growth(name: str) -> None:
    """Prints a row for each quantity."""
    fixed = {"count": 1024, "size": 32, "batch": 128, "latent_dim": 32}
    varied = {
        "batch": [32, 64, 128, 256, 512],
        "size": [16, 32, 64],
        "latent_dim": [8, 32, 128, 512],
        "count": [512, 1024, 2048, 4096],
    }
    for quantity, values in varied.items():
        seconds = []
        for value in values:
            arguments = fixed | {quantity: value}
            steps = arguments["count"] / arguments["batch"]
            taken = epoch(name, **arguments)
            seconds.append(taken if quantity == "count" else taken / steps)
        per = "epoch" if quantity == "count" else "step"
        shown = ", ".join(f"{1e3 * each:.0f}" for each in seconds)
        given = ", ".join(map(str, values))
        power = exponent(values, seconds)
        print(f"| {name} | {quantity} {given} | {shown} ms a {per} | {power:.2f} |", flush=True)
    shares = [epoch(name, **fixed, strategy=each) for each in ("single", "mirrored")]
    shown = ", ".join(f"{1e3 * each / 8:.0f}" for each in shares)
    print(f"| {name} | replicas 1, 2 on one processor | {shown} ms a step | |", flush=True)


def starts() -> None:
    """Prints how long a process takes to its first step."""
    for xla in (True, False):
        found = []
        for _ in range(3):
            command = [sys.executable, "-c", START.format(xla=xla)]
            result = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append([float(each) for each in result.stdout.split()])
        imported, built, first = np.median(found, axis=0)
        print(f"start, XLA {xla}: import {imported:.1f} s, data and model {built:.1f} s, first "
              f"step {first:.1f} s", flush=True)  # fmt: skip


def sampling(count: int = 4096) -> None:
    """Prints samples per second, by Keras and from a SavedModel."""
    for name in ("vae_mnist", "dgan_mnist"):
        model = runs.open(name).model
        seconds = best(lambda model=model: model.sample(count, seed=1))
        with tempfile.TemporaryDirectory() as folder:
            runs.open(name).export(Path(folder, "model"))
            sample = tf.saved_model.load(str(Path(folder, "model"))).signatures["sample"]
            given = {"n": tf.constant(512), "seed": tf.constant(1)}
            served = best(lambda f=sample, g=given: [f(**g) for _ in range(count // 512)])
        print(f"{name}: {count / seconds:,.0f} samples a second by Keras, {count / served:,.0f} "
              "from the SavedModel", flush=True)  # fmt: skip


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    print("| network | varied | time | exponent |\n| --- | --- | --- | --- |")
    for network in ("VAE", "DGAN"):
        growth(network)
    starts()
    sampling()
