"""How fast `fit` trains here, against a plain Keras model with the same networks.

    python benchmarks/throughput.py [--rounds 5] [--images 25600]

Both sides train the same networks with Adam on the same images at batch 128, with whatever
settings a user gets without asking: `compile(optimizer="adam")` and `fit`. The plain side is the
`train_step` that Keras's documentation teaches. Rounds are interleaved, so that a machine whose
speed drifts slows both; the ratio is taken round by round, and its median is printed. The first
epoch of each, with tracing and compilation, is not counted.

The last column is the share of the machine's float32 matrix product rate, measured in the same run,
that the multiplications of forward and backward pass amount to.
"""

import argparse
import math
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gen import data, models

BATCH = 128
NETWORKS = {
    "MLP VAE 784-512-16": {"network": "dense", "hidden": (512,)},
    "conv VAE": {"network": "conv"},
}


class PlainVAE(keras.Model):
    """A VAE as Keras's documentation writes it."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.seed_generator = keras.random.SeedGenerator(0)
        self.trackers = [keras.metrics.Mean(name=n) for n in ("loss", "reconstruction", "kl")]

    @property
    def metrics(self):
        return self.trackers

    def train_step(self, x):
        with tf.GradientTape() as tape:
            mean, log_variance = ops.split(self.encoder(x, training=True), 2, axis=-1)
            epsilon = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
            z = mean + ops.exp(0.5 * log_variance) * epsilon
            pixels = ops.sigmoid(self.decoder(z, training=True))
            reconstruction = ops.mean(
                ops.sum(keras.losses.binary_crossentropy(x, pixels), axis=(1, 2))
            )
            kl = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
            kl = ops.mean(ops.sum(kl, axis=1))
            loss = reconstruction + kl
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for tracker, value in zip(self.trackers, (loss, reconstruction, kl), strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}


def multiplications(network: keras.Model) -> int:
    """Floating point operations of the matrix products of one example's forward pass."""
    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dense):
            total += math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Conv2DTranspose):
            total += math.prod(layer.kernel.shape) * math.prod(layer.input.shape[1:3])
        elif isinstance(layer, keras.layers.Conv2D):
            total += math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
    return 2 * total


def matrix_rate(size: int = 2048, repeats: int = 5) -> float:
    """The best float32 matrix product rate of a few, in operations per second."""
    a = tf.random.normal((size, size))
    product = tf.function(lambda: tf.reduce_sum(a @ a))
    product()
    best = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        product().numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def images(count: int) -> np.ndarray:
    """Random binary images of MNIST's size: speed does not depend on what they show."""
    rng = np.random.default_rng(0)
    return (rng.uniform(size=(count, 28, 28, 1)) < 0.2).astype("float32")


def fitters(x: np.ndarray, options: dict) -> dict[str, tuple]:
    """A function that trains one epoch, for each side and each form of the data."""
    spec = data.Spec("images", "image", x.shape[1:], (0.0, 1.0))

    def dataset():
        pipeline = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed=0)
        return pipeline.batch(BATCH).prefetch(tf.data.AUTOTUNE)

    def ours():
        model = models.VAE.for_data(spec, latent_dim=16, seed=0, **options)
        model.compile(optimizer="adam")
        return model

    def plain():
        model = PlainVAE(ours().encoder, ours().decoder)
        model.compile(optimizer="adam")
        return model

    result = {}
    for side, make in {"plain": plain, "keras_gen": ours}.items():
        model, other = make(), make()
        from_dataset = dataset()
        result[side, "arrays"] = lambda m=model: m.fit(x, batch_size=BATCH, verbose=0)
        result[side, "tf.data"] = lambda m=other, d=from_dataset: m.fit(d, verbose=0)
    return result, multiplications(model.encoder) + multiplications(model.decoder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=25_600, help="images per epoch")
    arguments = parser.parse_args()

    print(f"{'network':20} {'data':8} {'plain':>9} {'keras_gen':>10} {'ratio':>6} {'of peak':>8}")
    for name, options in NETWORKS.items():
        x = images(arguments.images)
        fits, operations = fitters(x, options)
        rates = {key: [] for key in fits}
        peaks = []
        for round_number in range(arguments.rounds + 1):
            peaks.append(matrix_rate())
            for key, fit in fits.items():
                start = time.perf_counter()
                fit()
                if round_number:
                    rates[key].append(len(x) / (time.perf_counter() - start))
        for form in ("arrays", "tf.data"):
            plain, ours = rates["plain", form], rates["keras_gen", form]
            ratio = statistics.median(o / p for o, p in zip(ours, plain, strict=True))
            # A backward pass multiplies twice as much as a forward pass.
            share = 3 * operations * statistics.median(ours) / max(peaks)
            rates_text = f"{statistics.median(plain):7.0f}/s {statistics.median(ours):8.0f}/s"
            print(f"{name:20} {form:8} {rates_text} {ratio:5.2f}x {share:8.0%}")
    print(f"matrix product peak: {max(peaks) / 1e9:.0f} GFLOP/s; images per second of `fit`.")


if __name__ == "__main__":
    main()
