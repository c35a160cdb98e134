"""Bits-back coding: images under p(x|z) and z under p(z), minus the bits of z under q(z|x).

Townsend, Bird & Barber 2019, "Practical lossless compression with latent variables using bits back
coding" (arXiv:1901.04866). On a stack of bits, images x go in like this:

    pop z with q(z|x);  push x with p(x|z);  push z with p(z),

which adds log q(z|x) - log p(x|z) - log p(z) nats, whose mean is the negative ELBO. Coming out, the
steps are undone in reverse order, so that z's bits return to the stack.
"""

from __future__ import annotations

import hashlib

import numpy as np

from keras_gen import latents
from keras_gen.compression import entropy, tables
from keras_gen.compression.integer import BITS, IntegerNetwork
from keras_gen.compression.pixels import coder_of
from keras_gen.models import VAE, ConditionalVAE, RecurrentVAE

GRID_BITS = 7  # z is a multiple of 2^-GRID_BITS ...
REACH = 8  # ... from -REACH to REACH
STD_BITS = 20  # of a posterior's standard deviation, in units of the grid
LEAST_LOG, MOST_LOG = -7, 1  # of it in units of z
TOGETHER = 16  # images whose z are on the stack at once
INITIAL_BITS = 12  # for each z of the first images: more than a pop takes


class Codec:
    """A VAE as a coder of images.

    Args:
        model: a VAE or its kin, with a Gaussian prior and a discrete likelihood.

    Attributes:
        fingerprint: of all that codes depend on: weights, settings, and the arithmetic at hand.

    Raises:
        ValueError: if the model cannot code images.
    """

    def __init__(self, model: VAE):
        check(model)
        self.shape = tuple(model.data_shape)
        self.value_range = model.likelihood.value_range
        self.pixels = coder_of(model.likelihood)
        self.levels = self.pixels.levels
        self.dim = model.latent.dim
        self._encoder, self._decoder = (
            IntegerNetwork(each) for each in (model.encoder, model.decoder)
        )
        reach = REACH << GRID_BITS
        self._gaussian = entropy.model.QuantizedGaussian(-reach, reach)
        self._prior = entropy.model.QuantizedGaussian(-reach, reach, 0.0, float(1 << GRID_BITS))
        settings = BITS, GRID_BITS, REACH, STD_BITS, TOGETHER, self.shape, self.levels
        parts = str(settings), self._encoder.fingerprint, self._decoder.fingerprint, self._proof()
        self.fingerprint = hashlib.sha256("".join(parts).encode()).hexdigest()

    def encode(self, x: np.ndarray, seed: int = 0) -> np.ndarray:
        """Returns the stack of bits of images, uint32.

        Args:
            x: levels `(n, *shape)`, integers from 0 on.
            seed: of the bits that the stack starts with.
        """
        coder = entropy.stack.AnsCoder(self._first_bits(seed), seal=True)
        for start in range(0, len(x), TOGETHER):
            part = x[start : start + TOGETHER]
            z = coder.decode(self._gaussian, *self._posterior(part))
            coder.encode_reverse(part.astype("int32").ravel(), *self._likelihood(z))
            coder.encode_reverse(z, self._prior)
        return coder.get_compressed()

    def decode(self, stack: np.ndarray, n: int, seed: int = 0) -> np.ndarray | None:
        """Returns the levels of n images, `(n, *shape)`; None if the stack holds something else.

        Args:
            stack: from `encode`.
            n: how many images.
            seed: as for `encode`.
        """
        coder = entropy.stack.AnsCoder(stack)
        parts = []
        for start in reversed(range(0, n, TOGETHER)):
            count = min(TOGETHER, n - start)
            z = coder.decode(self._prior, count * self.dim)
            part = coder.decode(*self._likelihood(z)).reshape(count, *self.shape)
            coder.encode_reverse(z, self._gaussian, *self._posterior(part))
            parts.append(part)
        try:
            first = coder.get_compressed(unseal=True)
        except ValueError:
            return None
        whole = np.array_equal(first, self._first_bits(seed))
        return np.concatenate(parts[::-1]) if whole else None

    def _first_bits(self, seed: int) -> np.ndarray:
        words = TOGETHER * self.dim * INITIAL_BITS // 32
        generator = np.random.Generator(np.random.Philox(seed))
        return generator.integers(2**32, size=words, dtype="uint32")

    def _posterior(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns means and standard deviations of all z, in units of the grid."""
        low, high = self.value_range
        steps = np.arange(self.levels) * (high - low) / (self.levels - 1) + low
        outputs = self._encoder(np.rint(steps * 2**BITS)[x])
        mean, log_variance = np.split(outputs, 2, axis=1)
        std = tables.exp(log_variance, BITS + 1, LEAST_LOG, MOST_LOG, STD_BITS)
        mean = np.clip(mean, -REACH << BITS, REACH << BITS)
        return mean.ravel() * 2.0 ** (GRID_BITS - BITS), std.ravel() * 2.0 ** (GRID_BITS - STD_BITS)

    def _likelihood(self, z: np.ndarray) -> tuple:
        """Returns the model of the pixels given z, and its parameters."""
        fixed = z.reshape(-1, self.dim) * 2.0 ** (BITS - GRID_BITS)
        outputs = self._decoder(fixed)
        return self.pixels.model(outputs.reshape(-1, self.pixels.width))

    def _proof(self) -> str:
        """Returns a hash of codes by these models of constriction: it differs where a machine's
        mathematical library makes other probabilities."""
        coder = entropy.stack.AnsCoder()
        grid = np.arange(-1000, 1000, 7, dtype="int32")
        means, stds = grid / 3.0, 1.0 + np.abs(grid) / 5.0
        coder.encode_reverse(grid, self._gaussian, means, stds)
        coder.encode_reverse(grid, self._prior)
        return hashlib.sha256(coder.get_compressed().tobytes()).hexdigest()


def check(model) -> None:
    """Raises a ValueError if a model cannot code images, whatever its likelihood."""
    if (
        not isinstance(model, VAE)
        or isinstance(model, (ConditionalVAE, RecurrentVAE))
        or type(model).log_prior is not VAE.log_prior
        or not isinstance(model.latent, latents.Gaussian)
    ):
        raise ValueError(
            f"{type(model).__name__} cannot compress: that takes a VAE without labels whose prior "
            "is N(0, I), such as vae_mnist or vae_mnist_8bit."
        )
