"""Measures what mixed precision gains, and that the ELBO stays.

    python benchmarks/precision.py [--epochs 20] [--seeds 3]

VAEs learn scikit-learn's digits, 28x28 pixels, in float32 and in mixed_bfloat16, one after the
other for each seed. The speed is of `fit` without its first epoch; the ELBO is of the test
examples, in nats, the mean over the seeds and half their range.
"""

import argparse
import time

from keras_gen import data, models

# isort: split
# Keras after keras_gen, which imports TensorFlow without its messages.
import keras
import numpy as np

NETWORKS = {"MLP VAE 784-512-16": {"network": "dense", "hidden": (512,)}, "conv VAE": {}}
DTYPES = ("float32", "mixed_bfloat16")
SPEC = data.Spec("images", "image", (28, 28, 1), (0.0, 1.0))


def digits(split: str) -> np.ndarray:
    """The digits, each pixel as 3x3 and a border of two."""
    x = data.load("digits").arrays(split)["x"]
    return np.pad(x.repeat(3, axis=1).repeat(3, axis=2), [(0, 0), (2, 2), (2, 2), (0, 0)])


def trained(options: dict, dtype: str, seed: int, epochs: int) -> tuple[float, float]:
    """Examples per second, and the ELBO of the test examples."""
    keras.config.set_dtype_policy(dtype)
    vae = models.VAE.for_data(SPEC, latent_dim=16, seed=seed, **options)
    vae.compile("adam")
    x = digits("train")
    vae.fit(x, batch_size=128, verbose=0)
    start = time.perf_counter()
    vae.fit(x, batch_size=128, epochs=epochs, verbose=0)
    rate = epochs * len(x) / (time.perf_counter() - start)
    return rate, vae.evaluate(digits("test"), return_dict=True, verbose=0)["elbo"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    for name, options in NETWORKS.items():
        found = {dtype: [] for dtype in DTYPES}
        for seed in range(arguments.seeds):
            for dtype in DTYPES:
                found[dtype].append(trained(options, dtype, seed, arguments.epochs))
        for dtype, results in found.items():
            rates, elbos = zip(*results, strict=True)
            half = (max(elbos) - min(elbos)) / 2
            print(f"{name:20} {dtype:15} {np.median(rates):8,.0f}/s  ELBO {np.mean(elbos):.2f} "
                  f"± {half:.2f} nats", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
