"""Measures how fast PyTorch, Keras on JAX and keras_gen on JAX train the same networks.

    python benchmarks/gpu.py [--examples 51200] [--seconds 6] [--only keras_gen] [--small]

Two networks, in batches of 128: the VAE 784-512-16-512-784, and a DCGAN for 32x32 colour images,
width 64, three stages. PyTorch trains them with a plain loop on data that is on the device, eagerly
and compiled. Keras trains the VAE with the documented `train_step` of its JAX guide, by `fit` with
1 and 32 steps per execution. keras_gen trains both by `fit` with default settings.

Each row is trained for an epoch, which compiles it and is not counted, and then for about
`--seconds`. It needs jax, torch, keras and keras_gen, not TensorFlow; without torch its rows are
left out. `--small` takes a second or so for each, to show that the script works.
"""

from __future__ import annotations

import argparse
import functools
import math
import os
import time
from collections.abc import Callable, Iterator

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # PyTorch is on the device too

import jax
import keras
import numpy as np
from keras import layers, ops

from keras_gen import data, models

try:
    import torch
    from torch import nn
except ImportError:
    torch = None

BATCH, LATENT, WIDTH = 128, 16, 64
PIXELS = data.Spec("pixels", "vector", (784,), (0.0, 1.0))
COLOURS = data.Spec("colours", "image", (32, 32, 3), (-1.0, 1.0))


def rate(epoch: Callable[[int], None], examples: int, seconds: float) -> float:
    """Returns examples per second of a function that trains for some epochs and waits for them."""
    epoch(1)
    start = time.perf_counter()
    epoch(1)
    count = max(1, min(200, math.ceil(seconds / (time.perf_counter() - start))))
    start = time.perf_counter()
    epoch(count)
    return count * (examples // BATCH * BATCH) / (time.perf_counter() - start)


# ---- keras_gen and Keras on JAX ------------------------------------------------------------------


def keras_gen_rows(pixels: np.ndarray, colours: np.ndarray, width: int) -> Iterator[tuple]:
    """Yields network, who trains it and the function that does, for keras_gen."""

    def fits(model, x):
        model.compile()
        batches = data.Batches({"x": x}, BATCH, drop_remainder=True)

        def epoch(count):
            model.fit(batches, epochs=count, verbose=0)
            jax.block_until_ready([v.value for v in model.variables])

        return epoch

    vae = models.VAE.for_data(PIXELS, latent_dim=LATENT, hidden=(512,), seed=0)
    yield "VAE", "keras_gen, float32", fits(vae, pixels)
    for dtype in ("float32", "mixed_bfloat16"):
        keras.config.set_dtype_policy(dtype)
        gan = models.DGAN.for_data(COLOURS, latent_dim=100, width=width, depth=3, seed=0)
        keras.config.set_dtype_policy("float32")
        yield "DCGAN", f"keras_gen, {dtype}", fits(gan, colours)


class PlainVAE(keras.Model):
    """The VAE with the `train_step` of Keras's guide to custom training steps with JAX."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential(
            [keras.Input((784,)), layers.Dense(512, "relu"), layers.Dense(2 * LATENT)]
        )
        self.decoder = keras.Sequential(
            [keras.Input((LATENT,)), layers.Dense(512, "relu"), layers.Dense(784)]
        )
        self.seeds = keras.random.SeedGenerator(0)
        self.tracker = keras.metrics.Mean(name="loss")
        self.built = True

    def call(self, x):
        mean, log_variance = ops.split(self.encoder(x), 2, axis=1)
        epsilon = keras.random.normal(ops.shape(mean), seed=self.seeds)
        kl = 0.5 * (ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance)
        logits = self.decoder(mean + ops.exp(0.5 * log_variance) * epsilon)
        negative = ops.softplus(logits) - logits * x
        return ops.mean(ops.sum(negative, axis=1) + ops.sum(kl, axis=1))

    def train_step(self, state, x):
        trainable, other, slots, metrics = state
        x = x[0] if isinstance(x, tuple) else x
        loss_of = jax.value_and_grad(lambda *v: self.stateless_call(*v, x), has_aux=True)
        (loss, other), gradients = loss_of(trainable, other)
        trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
        metrics = self.tracker.stateless_update_state(metrics, loss)
        logs = {"loss": self.tracker.stateless_result(metrics)}
        return logs, (trainable, other, slots, metrics)

    @property
    def metrics(self):
        return [self.tracker]


def keras_rows(pixels: np.ndarray) -> Iterator[tuple]:
    """Yields rows, as `keras_gen_rows`, for Keras's own `fit` on JAX."""
    x = pixels[: len(pixels) // BATCH * BATCH]
    for steps in (1, 32):
        model = PlainVAE()
        model.compile(keras.optimizers.Adam(1e-3), steps_per_execution=steps)
        epoch = functools.partial(_fit, model, x)
        yield "VAE", f"Keras on JAX, {steps} steps per execution", epoch


def _fit(model: keras.Model, x: np.ndarray, count: int) -> None:
    model.fit(x, batch_size=BATCH, epochs=count, verbose=0)


# ---- PyTorch -------------------------------------------------------------------------------------


def torch_rows(pixels: np.ndarray, colours: np.ndarray, width: int) -> Iterator[tuple]:
    """Yields rows, as `keras_gen_rows`, for plain loops of PyTorch on data on the device."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True

    def loop(step, x):
        x = torch.as_tensor(x, device=device)

        def epoch(count):
            for _ in range(count):
                order = torch.randperm(len(x), device=device)
                for rows in order[: len(x) // BATCH * BATCH].split(BATCH):
                    step(x[rows])
            if device.type == "cuda":
                torch.cuda.synchronize()

        return epoch

    yield "VAE", "PyTorch, eager", loop(torch_vae(device), pixels)
    if device.type == "cuda":  # on a CPU it needs a C++ compiler
        yield "VAE", "PyTorch, torch.compile", loop(torch.compile(torch_vae(device)), pixels)
    yield "DCGAN", "PyTorch, eager, tf32", loop(torch_dcgan(device, width), colours)
    autocast = torch.autocast(device.type, torch.bfloat16)
    step = torch_dcgan(device, width, autocast)
    yield "DCGAN", "PyTorch, eager, bf16 autocast", loop(step, colours)


def torch_vae(device) -> Callable:
    """Returns the training step of the VAE in PyTorch."""
    encoder = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 2 * LATENT)).to(device)
    decoder = nn.Sequential(nn.Linear(LATENT, 512), nn.ReLU(), nn.Linear(512, 784)).to(device)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3)

    def step(x):
        mean, log_variance = encoder(x).chunk(2, 1)
        logits = decoder(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean))
        negative = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum()
        loss = (negative + kl) / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def torch_dcgan(device, width: int, autocast=None) -> Callable:
    """Returns the training step of the DCGAN in PyTorch, with one pass of the generator."""

    def up(inputs, outputs, last=False):
        layer = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=last)
        return (layer, nn.Tanh()) if last else (layer, nn.BatchNorm2d(outputs), nn.ReLU())

    def down(inputs, outputs, first=False):
        norm = () if first else (nn.BatchNorm2d(outputs),)
        return (nn.Conv2d(inputs, outputs, 4, 2, 1, bias=first), *norm, nn.LeakyReLU(0.2))

    generator = nn.Sequential(
        nn.Linear(100, 16 * 4 * width, bias=False),
        nn.Unflatten(1, (4 * width, 4, 4)),
        nn.BatchNorm2d(4 * width),
        nn.ReLU(),
        *up(4 * width, 2 * width),
        *up(2 * width, width),
        *up(width, 3, last=True),
    ).to(device)
    discriminator = nn.Sequential(
        *down(3, width, first=True),
        *down(width, 2 * width),
        *down(2 * width, 4 * width),
        nn.Flatten(),
        nn.Linear(16 * 4 * width, 1),
    ).to(device)
    optimizers = [
        torch.optim.Adam(each.parameters(), 2e-4, (0.5, 0.999))
        for each in (generator, discriminator)
    ]
    softplus = nn.functional.softplus

    def step(x):
        x = x.permute(0, 3, 1, 2)
        with autocast or torch.autocast(device.type, enabled=False):
            fake = generator(torch.randn(len(x), 100, device=device))
            loss = (softplus(-discriminator(x)) + softplus(discriminator(fake.detach()))).mean()
        optimizers[1].zero_grad()
        loss.backward()
        optimizers[1].step()
        with autocast or torch.autocast(device.type, enabled=False):
            loss = softplus(-discriminator(fake)).mean()
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=51_200, help="per epoch")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each row")
    parser.add_argument("--width", type=int, default=WIDTH, help="of the DCGAN")
    parser.add_argument("--only", choices=("keras_gen", "keras", "torch"), help="rows of one")
    parser.add_argument("--small", action="store_true", help="a second or so for each row")
    arguments = parser.parse_args()
    if arguments.small:
        arguments.examples, arguments.seconds, arguments.width = 512, 0.1, 8

    rng = np.random.default_rng(0)
    pixels = (rng.uniform(size=(arguments.examples, 784)) < 0.2).astype("float32")
    colours = rng.uniform(-1, 1, (arguments.examples, 32, 32, 3)).astype("float32")
    device = jax.devices()[0].device_kind
    versions = f"jax {jax.__version__}, keras {keras.__version__}"
    print(f"{device}, {versions}{(torch and f', torch {torch.__version__}') or ''}; examples/s")
    rows = {
        "keras_gen": keras_gen_rows(pixels, colours, arguments.width),
        "keras": keras_rows(pixels),
    }
    if torch:
        rows["torch"] = torch_rows(pixels, colours, arguments.width)
    for source in rows.values() if arguments.only is None else [rows[arguments.only]]:
        for network, who, epoch in source:
            found = rate(epoch, arguments.examples, arguments.seconds)
            print(f"{network:6} {who:40} {found:12,.0f}", flush=True)


if __name__ == "__main__":
    main()
