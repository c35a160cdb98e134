"""Measures how fast `fit` trains, compared with a plain Keras model of the same networks.

    python benchmarks/throughput.py [--rounds 5] [--examples 25600] [--pythae PYTHON]

Both sides train the same networks with Adam on the same examples, in batches of 128, with default
settings: `compile(optimizer="adam")` and `fit`. The plain side has Keras's own layers and the
`train_step` of Keras's documentation, for the VAE and for the GAN. Rounds are interleaved, so that
a change in the machine's speed affects both sides. The ratio is of the total time of all rounds:
some epochs end with a wait for tf.data's autotuner, which a median would count or not by chance.
The first epoch of each side, which includes tracing and compilation, is not counted.

With the Python of an environment that has pythae (pip install pythae torch), its VAE with the same
network is trained too, in a process of its own that waits meanwhile.

The column "of peak" is the rate of multiplications in the forward and backward passes, as a share
of the machine's float32 matrix product rate, measured in the same run. Memory is the greatest
use of the process so far, with the networks of the rows above.
"""

import argparse
import math
import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from keras_gen import data, models

# isort: split
# Keras after keras_gen, which imports TensorFlow without its messages.
import keras
import numpy as np
import tensorflow as tf
from keras import ops

BATCH = 128


class PlainVAE(keras.Model):
    """The VAE of Keras's documentation."""

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


class PlainGAN(keras.Model):
    """The GAN of Keras's documentation."""

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.seed_generator = keras.random.SeedGenerator(0)
        self.d_tracker = keras.metrics.Mean(name="d_loss")
        self.g_tracker = keras.metrics.Mean(name="g_loss")

    def compile(self, optimizer):
        super().compile()
        self.d_optimizer = keras.optimizers.get(optimizer)
        self.g_optimizer = keras.optimizers.get(optimizer)
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

    @property
    def metrics(self):
        return [self.d_tracker, self.g_tracker]

    def latents(self, batch):
        size = self.generator.inputs[0].shape[-1]
        return keras.random.normal((batch, size), seed=self.seed_generator)

    def judges(self):
        """The networks that the discriminator's optimizer moves."""
        return [self.discriminator]

    def judged(self, images, z):
        """The logits of images, of which the first are generated from z, and a further loss."""
        return self.discriminator(images, training=True), 0.0

    def train_step(self, x):
        batch = ops.shape(x)[0]
        z = self.latents(batch)
        both = ops.concatenate([self.generator(z, training=True), x], axis=0)
        labels = ops.concatenate([ops.ones((batch, 1)), ops.zeros((batch, 1))], axis=0)
        with tf.GradientTape() as tape:
            logits, further = self.judged(both, z)
            d_loss = self.loss_fn(labels, logits) + further
        weights = [w for network in self.judges() for w in network.trainable_weights]
        gradients = tape.gradient(d_loss, weights)
        self.d_optimizer.apply_gradients(zip(gradients, weights, strict=True))
        z = self.latents(batch)
        with tf.GradientTape() as tape:
            logits, further = self.judged(self.generator(z, training=True), z)
            g_loss = self.loss_fn(ops.zeros((batch, 1)), logits) + further
        weights = self.generator.trainable_weights
        gradients = tape.gradient(g_loss, weights)
        self.g_optimizer.apply_gradients(zip(gradients, weights, strict=True))
        self.d_tracker.update_state(d_loss)
        self.g_tracker.update_state(g_loss)
        return {"d_loss": self.d_tracker.result(), "g_loss": self.g_tracker.result()}


class PlainInfoGAN(PlainGAN):
    """The GAN of Keras's documentation, with a network that tells the codes of what is generated.

    A category of ten and two uniform codes, as in the InfoGAN paper.
    """

    def __init__(self, generator, discriminator, recognition):
        super().__init__(generator, discriminator)
        self.recognition = recognition

    def latents(self, batch):
        category = keras.random.randint((batch,), 0, 10, seed=self.seed_generator)
        size = self.generator.inputs[0].shape[-1] - 12
        noise = keras.random.normal((batch, size), seed=self.seed_generator)
        uniform = keras.random.uniform((batch, 2), -1.0, 1.0, seed=self.seed_generator)
        return ops.concatenate([noise, ops.one_hot(category, 10), uniform], axis=1)

    def judges(self):
        return [self.discriminator, self.recognition]

    def judged(self, images, z):
        logits, features = self.discriminator(images, training=True)
        parameters = self.recognition(features[: ops.shape(z)[0]], training=True)
        category = keras.losses.categorical_crossentropy(
            z[:, -12:-2], parameters[:, :10], from_logits=True
        )
        uniform = ops.square(parameters[:, 10:12] - z[:, -2:])
        return logits, ops.mean(category) + ops.mean(uniform)


def stock(network: keras.Model) -> keras.Model:
    """Returns a copy of a network with Keras's own layers."""

    def layer(ours):
        kind = getattr(keras.layers, type(ours).__name__, type(ours))
        return kind.from_config(ours.get_config())

    twin = keras.models.clone_model(network, clone_function=layer)
    twin.set_weights(network.get_weights())
    return twin


def vae(spec: data.Spec, **options):
    """Returns our VAE, the plain one on the same networks, and the operations per example."""
    ours = models.VAE.for_data(spec, latent_dim=16, seed=0, **options)
    # A backward pass multiplies twice as much as a forward pass.
    operations = 3 * (multiplications(ours.encoder) + multiplications(ours.decoder))
    return ours, PlainVAE(stock(ours.encoder), stock(ours.decoder)), operations


def dcgan(spec: data.Spec):
    """Returns our DGAN, the plain GAN on the same networks, and the operations per example."""
    ours = models.DGAN.for_data(spec, normalization=None, seed=0)
    # Generator: forward, and backward to weights and activations. Discriminator: forward and
    # backward for real and for generated images, and backward to the images for the generator.
    g, d = multiplications(ours.generator), multiplications(ours.discriminator)
    return ours, PlainGAN(stock(ours.generator), stock(ours.discriminator)), 3 * g + 6 * d + 2 * d


def infogan(spec: data.Spec):
    """Returns our InfoGAN, the plain one on the same networks, and the operations per example."""
    codes = {"latent_dim": 62, "codes": "categorical:10,uniform:2"}
    ours = models.InfoGAN.for_data(
        spec, network="conv", generator_normalization=None, seed=0, **codes
    )
    networks = ours.generator, ours.discriminator, ours.recognition
    g, d = (multiplications(each) for each in networks[:2])
    return ours, PlainInfoGAN(*map(stock, networks)), 3 * g + 6 * d + 2 * d


def crgan(spec: data.Spec):
    """Returns our CRGAN, the plain GAN on the same networks, and the operations per example."""
    ours = models.CRGAN.for_data(spec, hidden=(24, 24), seed=0)
    # The plain GAN takes the logits only, not the features.
    discriminator = keras.Model(ours.discriminator.input, ours.discriminator.outputs[0])
    g, d = multiplications(ours.generator), multiplications(ours.discriminator)
    return ours, PlainGAN(stock(ours.generator), stock(discriminator)), 3 * g + 6 * d + 2 * d


IMAGES = data.Spec("images", "image", (28, 28, 1), (0.0, 1.0))
SEQUENCES = data.Spec("sequences", "sequence", (24, 6), (0.0, 1.0))

# Name -> what makes the models, and the description of their data.
BENCHMARKS = {
    "MLP VAE 784-512-16": (lambda spec: vae(spec, network="dense", hidden=(512,)), IMAGES),
    "conv VAE": (lambda spec: vae(spec, network="conv"), IMAGES),
    "DCGAN": (dcgan, IMAGES),
    "InfoGAN": (infogan, IMAGES),
    "CRGAN 24-24": (crgan, SEQUENCES),
}


def multiplications(network: keras.Model) -> int:
    """Returns the floating point operations of matrix products in a forward pass of one example."""
    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dense):
            total += math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Conv2DTranspose):
            total += math.prod(layer.kernel.shape) * math.prod(layer.input.shape[1:3])
        elif isinstance(layer, keras.layers.Conv2D):
            total += math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
        elif isinstance(layer, keras.layers.RNN):
            kernels = (layer.cell.kernel, layer.cell.recurrent_kernel)
            total += sum(math.prod(each.shape) for each in kernels) * layer.input.shape[1]
    return 2 * total


def matrix_rate(size: int = 2048, repeats: int = 5) -> float:
    """Returns the best rate of several float32 matrix products, in operations per second."""
    a = tf.random.normal((size, size))
    product = tf.function(lambda: tf.reduce_sum(a @ a))
    product()
    best = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        product().numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def examples(spec: data.Spec, count: int) -> np.ndarray:
    """Returns random bits: speed does not depend on the values."""
    rng = np.random.default_rng(0)
    return (rng.uniform(size=(count, *spec.shape)) < 0.2).astype("float32")


def fitters(x: np.ndarray, make, spec: data.Spec) -> tuple[dict[tuple, Callable], int]:
    """Returns functions that train one epoch, by side and form of the data, and the operations."""
    result = {}
    for form in ("arrays", "tf.data"):
        ours, plain, operations = make(spec)
        for side, model in {"plain": plain, "keras_gen": ours}.items():
            model.compile(optimizer="adam")
            if form == "arrays":
                result[side, form] = lambda m=model: m.fit(x, batch_size=BATCH, verbose=0)
                continue
            pipeline = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed=0)
            pipeline = pipeline.batch(BATCH).prefetch(tf.data.AUTOTUNE)
            result[side, form] = lambda m=model, d=pipeline: m.fit(d, verbose=0)
    return result, operations


class Pythae:
    """The VAE of pythae, in a process that trains an epoch when it is told to.

    Args:
        python: of an environment that has pythae.
        count: number of examples.
    """

    def __init__(self, python: str, count: int):
        script = Path(__file__).resolve().parent / "pythae_vae.py"
        self.process = subprocess.Popen(
            [python, str(script), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def epoch(self) -> float:
        """Trains an epoch; returns its seconds."""
        print(file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=25_600, help="per epoch")
    parser.add_argument("--only", choices=BENCHMARKS, help="one network, not all")
    parser.add_argument("--pythae", metavar="PYTHON", help="of an environment that has pythae")
    arguments = parser.parse_args()

    columns = f"{'plain':>9} {'keras_gen':>10} {'ratio':>6} {'of peak':>8} {'memory':>8}"
    print(f"{'network':20} {'data':8} {columns}")
    for name in [arguments.only] if arguments.only else BENCHMARKS:
        make, spec = BENCHMARKS[name]
        x = examples(spec, arguments.examples)
        fits, operations = fitters(x, make, spec)
        seconds = dict.fromkeys(fits, 0.0)
        peaks, others = [], []
        other = arguments.pythae and name.startswith("MLP") and Pythae(arguments.pythae, len(x))
        for round_number in range(arguments.rounds + 1):
            peaks.append(matrix_rate())
            for key, fit in fits.items():
                start = time.perf_counter()
                fit()
                if round_number:
                    seconds[key] += time.perf_counter() - start
            if other:
                others.append(other.epoch())
        count = len(x) * arguments.rounds
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        for form in ("arrays", "tf.data"):
            plain, ours = (count / seconds[side, form] for side in ("plain", "keras_gen"))
            share = operations * ours / max(peaks)
            rates = f"{plain:7.0f}/s {ours:8.0f}/s {ours / plain:5.2f}x"
            print(f"{name:20} {form:8} {rates} {share:8.0%} {memory:6.1f} GB", flush=True)
            if other:
                rate = count / sum(others[1:])
                print(f"{'':20} {'pythae':8} {rate:7.0f}/s {ours:8.0f}/s {ours / rate:5.2f}x")
        if other:
            other.process.kill()
    print(f"matrix product peak: {max(peaks) / 1e9:.0f} GFLOP/s; examples per second of `fit`.")


if __name__ == "__main__":
    main()
