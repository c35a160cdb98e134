"""Latents z: the prior p(z), and the family of distributions q(z|x) that a network parametrizes.

Methods take `parameters`, a tensor whose last axis a network returns, for q(z|x); without them they
are about the prior. Densities are in nats, one value per example.
"""

from __future__ import annotations

from keras_gen import quiet  # noqa: F401  # isort: skip  (before TensorFlow)

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gen import checks
from keras_gen.noise import Noise

LOG_2PI = math.log(2 * math.pi)


@keras.saving.register_keras_serializable("keras_gen.latents")
class Gaussian:
    """z in R^dim with p(z) = N(0, I) and q(z|x) = N(mean, diag exp(log_variance)).

    Parameters are `(..., 2 * dim)`: the mean, then the logarithm of the variance. Source: Kingma &
    Welling 2014, "Auto-Encoding Variational Bayes", section 3 and appendix B.
    """

    def __init__(self, dim: int):
        self.dim = checks.integer("latent_dim", dim)

    @property
    def parameter_size(self) -> int:
        """How many parameters q(z|x) has for each example."""
        return 2 * self.dim

    @property
    def entropy(self) -> float:
        """The (differential) entropy of the prior, in nats."""
        return 0.5 * self.dim * (1.0 + LOG_2PI)

    def units(self, steps: int = 7) -> list[tuple[int, np.ndarray]]:
        """Returns what can be varied: for each unit its first place in z and the values to set it
        to, `(steps, width)`. Here each dimension is a unit, from -3 to 3."""
        values = np.linspace(-3.0, 3.0, steps, dtype="float32")[:, None]
        return [(place, values) for place in range(self.dim)]

    def sample(self, size: Any, noise: Noise, parameters=None):
        """Returns draws `(*size, dim)`, by the reparametrization z = mean + std * epsilon.

        With parameters of shape `(batch, 2 * dim)`, `size` is `(batch,)` or `(batch, k)` for k
        draws per example.
        """
        epsilon = noise.normal((*size, self.dim))
        if parameters is None:
            return epsilon
        mean, log_variance = self._split(parameters, rank=len(size) + 1)
        return mean + ops.exp(0.5 * log_variance) * epsilon

    def mean(self, parameters):
        """Returns the mean of q(z|x), `(batch, dim)`."""
        return self._split(parameters)[0]

    def log_prob(self, z, parameters=None):
        """Returns log p(z), or log q(z|x) with parameters, in nats: `(...)` for z `(..., dim)`."""
        if parameters is None:
            return -0.5 * ops.sum(ops.square(z) + LOG_2PI, axis=-1)
        mean, log_variance = self._split(parameters, rank=len(z.shape))
        scaled = ops.square(z - mean) * ops.exp(-log_variance)
        return -0.5 * ops.sum(scaled + log_variance + LOG_2PI, axis=-1)

    def kl(self, parameters, per_dimension: bool = False):
        """Returns KL(q(z|x) || p(z)) in nats, `(batch,)`, or `(batch, dim)` per dimension.

        Kingma & Welling 2014, appendix B.
        """
        mean, log_variance = self._split(parameters)
        kl = 0.5 * (ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance)
        return kl if per_dimension else ops.sum(kl, axis=-1)

    def interpolate(self, start, end, steps: int) -> np.ndarray:
        """Returns points on great circles between pairs of z, `(batch, steps, dim)`, both ends
        included.

        Lengths change evenly from one end's to the other's. White 2016, "Sampling Generative
        Networks" (arXiv:1609.04468), section 2.1.

        Args:
            start: `(batch, dim)`.
            end: `(batch, dim)`.
            steps: number of points.
        """
        start, end = np.asarray(start, "float64"), np.asarray(end, "float64")
        lengths = [np.linalg.norm(z, axis=1, keepdims=True) for z in (start, end)]
        smallest = np.finfo("float64").tiny
        units = [
            z / np.maximum(size, smallest) for z, size in zip((start, end), lengths, strict=True)
        ]
        angle = np.arccos(np.clip(np.sum(units[0] * units[1], axis=1), -1.0, 1.0))[:, None, None]
        t = np.linspace(0.0, 1.0, steps)[None, :, None]
        # Where both point the same way (or opposite ways, where no great circle is the shortest), a
        # straight line.
        curved = np.sin(angle) > 1e-6
        safe = np.where(curved, angle, 1.0)
        weights = [
            np.where(curved, np.sin((1 - t) * safe) / np.sin(safe), 1 - t),
            np.where(curved, np.sin(t * safe) / np.sin(safe), t),
        ]
        scale = (1 - t) * lengths[0][:, None] + t * lengths[1][:, None]
        direction = weights[0] * units[0][:, None] + weights[1] * units[1][:, None]
        return (scale * direction).astype("float32")

    def _split(self, parameters, rank: int = 2):
        """Mean and log-variance in float32, with axes added before the last up to `rank`."""
        parameters = ops.cast(parameters, "float32")
        while len(parameters.shape) < rank:
            parameters = ops.expand_dims(parameters, axis=-2)
        return ops.split(parameters, 2, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {"dim": self.dim}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Gaussian:
        return cls(**config)


@keras.saving.register_keras_serializable("keras_gen.latents")
class Uniform:
    """z in [-1, 1]^dim with p(z) uniform and q(z|x) = N(mean, scale^2 I), as InfoGAN's codes.

    Parameters are the mean, `(..., dim)`. Source: Chen et al. 2016, "InfoGAN", section 6, with the
    fixed scale of the authors' code.
    """

    def __init__(self, dim: int, scale: float = 1.0):
        self.dim = checks.integer("latent_dim", dim)
        self.scale = checks.number("scale", scale, above=0)

    @property
    def parameter_size(self) -> int:
        """How many parameters q(z|x) has for each example."""
        return self.dim

    @property
    def entropy(self) -> float:
        """The differential entropy of the prior, dim log 2, in nats."""
        return self.dim * math.log(2.0)

    def units(self, steps: int = 7) -> list[tuple[int, np.ndarray]]:
        """Returns what can be varied, as `Gaussian.units`: each dimension, from -1 to 1."""
        values = np.linspace(-1.0, 1.0, steps, dtype="float32")[:, None]
        return [(place, values) for place in range(self.dim)]

    def sample(self, size: Any, noise: Noise, parameters=None):
        """Returns draws `(*size, dim)`; with parameters `(batch, dim)` from q(z|x)."""
        if parameters is None:
            return 2.0 * noise.uniform((*size, self.dim)) - 1.0
        return self.mean(parameters) + self.scale * noise.normal((*size, self.dim))

    def mean(self, parameters):
        """Returns the mean of q(z|x), `(batch, dim)`."""
        return ops.cast(parameters, "float32")

    def log_prob(self, z, parameters=None):
        """Returns log p(z), or log q(z|x) with parameters, in nats: `(...)` for z `(..., dim)`."""
        if parameters is None:
            inside = ops.all(ops.abs(z) <= 1.0, axis=-1)
            return ops.where(inside, -self.entropy, -math.inf)
        squares = ops.square((z - self.mean(parameters)) / self.scale)
        return -0.5 * ops.sum(squares + LOG_2PI + 2.0 * math.log(self.scale), axis=-1)

    def interpolate(self, start, end, steps: int) -> np.ndarray:
        """Returns points on straight lines between pairs of z, `(batch, steps, dim)`."""
        return straight(start, end, steps)

    def get_config(self) -> dict[str, Any]:
        return {"dim": self.dim, "scale": self.scale}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Uniform:
        return cls(**config)


@keras.saving.register_keras_serializable("keras_gen.latents")
class Categorical:
    """z one-hot among `dim` classes with p(z) uniform; parameters are logits, `(..., dim)`."""

    def __init__(self, dim: int):
        self.dim = checks.integer("the number of classes of a categorical latent", dim, least=2)

    @property
    def parameter_size(self) -> int:
        """How many parameters q(z|x) has for each example."""
        return self.dim

    @property
    def entropy(self) -> float:
        """The entropy of the prior, log(dim), in nats."""
        return math.log(self.dim)

    def units(self, steps: int = 7) -> list[tuple[int, np.ndarray]]:
        """Returns what can be varied, as `Gaussian.units`: one unit, with the classes as values."""
        del steps
        return [(0, np.eye(self.dim, dtype="float32"))]

    def sample(self, size: Any, noise: Noise, parameters=None):
        """Returns one-hot draws, `(*size, dim)`; with parameters `(batch, dim)` by Gumbel's trick
        (the argmax of perturbed logits), through which there is no gradient."""
        if parameters is None:
            index = ops.cast(ops.floor(noise.uniform((*size, 1))[..., 0] * self.dim), "int32")
        else:
            gumbel = -ops.log(-ops.log(noise.uniform((*size, self.dim))))
            index = ops.argmax(ops.cast(parameters, "float32") + gumbel, axis=-1)
        return ops.one_hot(index, self.dim)

    def mean(self, parameters):
        """Returns the probabilities of the classes, `(batch, dim)`."""
        return ops.softmax(ops.cast(parameters, "float32"))

    def log_prob(self, z, parameters=None):
        """Returns log p(z), or log q(z|x) with parameters, in nats: `(...)` for z `(..., dim)`."""
        if parameters is None:
            return ops.sum(z, axis=-1) * -self.entropy
        return ops.sum(z * ops.log_softmax(ops.cast(parameters, "float32")), axis=-1)

    def kl(self, parameters):
        """Returns KL(q(z|x) || p(z)) in nats, `(batch,)`."""
        logits = ops.log_softmax(ops.cast(parameters, "float32"))
        return self.entropy + ops.sum(ops.exp(logits) * logits, axis=-1)

    def interpolate(self, start, end, steps: int) -> np.ndarray:
        """Returns points on straight lines between pairs of z, `(batch, steps, dim)`."""
        return straight(start, end, steps)

    def get_config(self) -> dict[str, Any]:
        return {"dim": self.dim}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Categorical:
        return cls(**config)


@keras.saving.register_keras_serializable("keras_gen.latents")
class Product:
    """Independent latents: z and parameters are those of the parts, concatenated in order."""

    def __init__(self, parts: Sequence[Gaussian | Uniform | Categorical]):
        if not parts:
            raise ValueError("a product of latents needs at least one part, got none.")
        self.parts = list(parts)

    @property
    def dim(self) -> int:
        """Dimension of z, all parts together."""
        return sum(part.dim for part in self.parts)

    @property
    def parameter_size(self) -> int:
        """How many parameters q(z|x) has for each example."""
        return sum(part.parameter_size for part in self.parts)

    @property
    def entropy(self) -> float:
        """The sum of the parts' entropies, in nats."""
        return sum(part.entropy for part in self.parts)

    def units(self, steps: int = 7) -> list[tuple[int, np.ndarray]]:
        """Returns what can be varied, as `Gaussian.units`, of all parts in order."""
        starts = np.cumsum([0, *(part.dim for part in self.parts)])
        return [
            (start + place, values)
            for start, part in zip(starts, self.parts, strict=False)
            for place, values in part.units(steps)
        ]

    def sample(self, size: Any, noise: Noise, parameters=None):
        """Returns draws, `(*size, dim)`."""
        given = self._parameters(parameters)
        draws = [
            part.sample(size, noise.at(i), p)
            for i, (part, p) in enumerate(zip(self.parts, given, strict=True))
        ]
        return ops.concatenate(draws, axis=-1)

    def mean(self, parameters):
        """Returns the means of the parts, `(batch, dim)`."""
        given = self._parameters(parameters)
        means = [part.mean(p) for part, p in zip(self.parts, given, strict=True)]
        return ops.concatenate(means, axis=-1)

    def log_prob(self, z, parameters=None):
        """Returns log p(z), or log q(z|x) with parameters, in nats: `(...)` for z `(..., dim)`."""
        return sum(self.log_probs(z, parameters))

    def log_probs(self, z, parameters=None) -> list:
        """Returns the terms of `log_prob`, one per part."""
        given = self._parameters(parameters)
        values = self._split(z, [part.dim for part in self.parts])
        return [part.log_prob(v, p) for part, v, p in zip(self.parts, values, given, strict=True)]

    def interpolate(self, start, end, steps: int) -> np.ndarray:
        """Returns points between pairs of z, `(batch, steps, dim)`, each part in its own way."""
        sizes = [part.dim for part in self.parts]
        ends = zip(self._split(start, sizes), self._split(end, sizes), strict=True)
        paths = [
            part.interpolate(*pair, steps) for part, pair in zip(self.parts, ends, strict=True)
        ]
        return np.concatenate(paths, axis=-1)

    def join(self, values: Sequence[Any]) -> np.ndarray:
        """Returns values of the parts as one z, `(n, dim)`.

        Args:
            values: one array for each part, `(n, part.dim)`; or class indices `(n,)` for a
                categorical part.

        Raises:
            ValueError: if there is not one array for each part.
        """
        if len(values) != len(self.parts):
            raise ValueError(
                f"expected one array for each of {len(self.parts)} parts, got {len(values)}."
            )
        joined = []
        for part, value in zip(self.parts, values, strict=True):
            value = np.asarray(value)
            if isinstance(part, Categorical) and value.ndim == 1:
                value = np.eye(part.dim)[value]
            joined.append(value.reshape(len(value), part.dim))
        return np.concatenate(joined, axis=1).astype("float32")

    def _parameters(self, parameters) -> list:
        if parameters is None:
            return [None] * len(self.parts)
        return self._split(parameters, [part.parameter_size for part in self.parts])

    @staticmethod
    def _split(tensor, sizes: list[int]) -> list:
        ends = np.cumsum(sizes).tolist()
        # Not by ops.split, which refuses to leave a tensor in one piece.
        return [tensor[..., end - size : end] for end, size in zip(ends, sizes, strict=True)]

    def get_config(self) -> dict[str, Any]:
        return {"parts": [keras.saving.serialize_keras_object(part) for part in self.parts]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Product:
        return cls([keras.saving.deserialize_keras_object(part) for part in config["parts"]])


def straight(start, end, steps: int) -> np.ndarray:
    """Returns points on straight lines between pairs, `(batch, steps, dim)`, both ends included.

    Args:
        start: `(batch, dim)`.
        end: `(batch, dim)`.
        steps: number of points.
    """
    t = np.linspace(0.0, 1.0, steps, dtype="float32")[None, :, None]
    return np.asarray(start)[:, None] * (1.0 - t) + np.asarray(end)[:, None] * t


FAMILIES = {"gaussian": Gaussian, "uniform": Uniform, "categorical": Categorical}


def get(identifier: str | Gaussian | Uniform | Categorical | Product) -> Any:
    """Returns a latent by a description such as "categorical:10,uniform:2", or as it is.

    Raises:
        ValueError: if it is neither a list of FAMILY:DIM nor a latent.
    """
    if isinstance(identifier, (*FAMILIES.values(), Product)):
        return identifier
    if not isinstance(identifier, str):
        raise ValueError(
            "latents must be a description such as 'categorical:10,uniform:2', or an object of "
            f"keras_gen.latents; got {identifier!r}."
        )
    parts = []
    for text in identifier.split(","):
        family, _, dim = text.strip().partition(":")
        if family not in FAMILIES or not dim.isdigit():
            raise ValueError(
                f"Unknown latent {text.strip()!r} in {identifier!r}: write FAMILY:DIM with FAMILY "
                f"among {', '.join(FAMILIES)}, such as categorical:10."
            )
        parts.append(FAMILIES[family](int(dim)))
    return parts[0] if len(parts) == 1 else Product(parts)
