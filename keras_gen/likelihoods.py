"""What p(x|z) is: the law of the data given what the decoder puts out.

A decoder produces `parameters` of shape `(batch, *shape[:-1], channels * parameters_per_value)` for
data of shape `(batch, *shape)`. `log_prob` sums over the event: one value per example, in nats.
All arithmetic is in float32, whatever the precision of the networks.
"""

from __future__ import annotations

from keras_gen import quiet  # noqa: F401  # isort: skip  (before TensorFlow)

import functools
import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_gen.latents import LOG_2PI
from keras_gen.noise import Noise


def check_range(
    x: np.ndarray, value_range: tuple[float, float], name: str, but: str, remedy: str
) -> None:
    """Raises ValueError if an array holds values out of a range, or none that are numbers.

    Args:
        x: any shape.
        value_range: (low, high), both allowed.
        name: what the message calls x.
        but: the message's words for who wants the range.
        remedy: what else than scaling x can be done.
    """
    low, high = value_range
    x = np.asarray(x)
    least, most = (float(x.min()), float(x.max())) if x.size else (low, high)
    if x.size and not (math.isfinite(least) and math.isfinite(most)):
        raise ValueError(f"{name} holds NaN or infinite values.")
    if least < low or most > high:
        pixels = least >= 0 and 64 < most <= 255 and high == 1 and np.all(x == np.round(x))
        scale = " (pixels of 0 to 255: divide by 255)" if pixels else ""
        raise ValueError(
            f"{name} has values from {least:g} to {most:g}, but {but} [{low:g}, {high:g}]. "
            f"Scale {name}{scale}, {remedy}."
        )


class Likelihood:
    """Base class of the likelihoods.

    Attributes:
        parameters_per_value: how many numbers the decoder produces for each value of the data.
        discrete: whether `log_prob` is the logarithm of a probability (not of a density), so that
            bits per dimension mean something.
        value_range: the values that the data may have, `(low, high)`.
    """

    parameters_per_value = 1
    discrete = False
    value_range: tuple[float, float] = (-math.inf, math.inf)

    def log_prob(self, x, parameters):
        """log p(x|z) in nats: x `(batch, *shape)` gives `(batch,)`."""
        return sum_event(self.value_log_prob(ops.cast(x, "float32"), self._split(parameters)))

    def value_log_prob(self, x, parameters):
        """log p of each value; `parameters` are `(*x.shape, parameters_per_value)`."""
        raise NotImplementedError

    def mean(self, parameters):
        """E[x|z], `(batch, *shape)`: what a model shows as its sample or reconstruction."""
        raise NotImplementedError

    def quantile(self, u, parameters):
        """The values at which the laws' distribution functions reach u, `(batch, *shape)`.

        With u uniform on (0, 1) these are draws of x given z, from noise that is an input.

        Args:
            u: `(batch, *shape)` in (0, 1).
            parameters: as for `log_prob`.
        """
        raise NotImplementedError

    def parameters_of(self, mean: np.ndarray) -> np.ndarray | None:
        """Parameters whose mean is about `mean`, to start a decoder from; None if there are none.

        Args:
            mean: of shape `shape`; the result is of shape `parameter_shape(shape)`.
        """
        return None

    def observe(self, x, noise: Noise):
        """The observation that a training example stands for; the example itself, as a rule."""
        del noise
        return ops.cast(x, "float32")

    def validate(self, x: np.ndarray, name: str = "x") -> None:
        """Raises ValueError if an array holds values that this likelihood cannot explain."""
        check_range(
            x,
            self.value_range,
            name,
            but=f"likelihood {type(self).__name__} explains values in",
            remedy="or choose another `likelihood`",
        )

    def parameter_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that a decoder must produce for data of `shape` (both without the batch)."""
        return (*shape[:-1], shape[-1] * self.parameters_per_value)

    def _split(self, parameters):
        parameters = ops.cast(parameters, "float32")
        k = self.parameters_per_value
        *leading, last = ops.shape(parameters)
        return ops.reshape(parameters, (*leading, last // k, k))

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Likelihood:
        return cls(**config)


@keras.saving.register_keras_serializable("keras_gen")
class Bernoulli(Likelihood):
    """x in {0, 1} with p(x = 1) = sigmoid(logit); the parameter is the logit.

    Gray values in [0, 1] are taken as they are, x log p + (1 - x) log(1 - p), as is the custom;
    this is not a likelihood. With `binarize=True` each gray value is the probability of a bit that
    is drawn anew whenever the example is seen (the stochastic binarization of Burda et al. 2016).

    Source: Kingma & Welling 2014, appendix C.1.
    """

    value_range = (0.0, 1.0)

    def __init__(self, binarize: bool = False):
        self.binarize = binarize
        self.discrete = binarize

    def observe(self, x, noise):
        x = ops.cast(x, "float32")
        return ops.cast(noise.uniform(ops.shape(x)) < x, "float32") if self.binarize else x

    def value_log_prob(self, x, parameters):
        logits = parameters[..., 0]
        # log sigmoid(l) = l - softplus(l) and log sigmoid(-l) = -softplus(l), for any size of l.
        return x * logits - ops.softplus(logits)

    def mean(self, parameters):
        return ops.sigmoid(self._split(parameters)[..., 0])

    def quantile(self, u, parameters):
        return ops.cast(u > 1.0 - self.mean(parameters), "float32")

    def parameters_of(self, mean):
        # Clipped, as a value that never varies in a sample may well vary elsewhere.
        mean = np.clip(mean, 1e-3, 1 - 1e-3)
        return np.log(mean / (1 - mean))

    def get_config(self):
        return {"binarize": self.binarize}


@keras.saving.register_keras_serializable("keras_gen")
class Gaussian(Likelihood):
    """x ~ N(mean, scale^2), independent values.

    Args:
        scale: the standard deviation, a positive number; or `"learned"`: the decoder puts out the
            mean and the log of the scale of each value (Kingma & Welling 2014, appendix C.2). A
            squared error is the case `scale=1`, up to a constant.
    """

    # A learned scale could shrink without end on data that repeats exactly (a black margin):
    # the likelihood is unbounded there. e^-7 is a quarter of a step of 8-bit data.
    MIN_LOG_SCALE = -7.0

    def __init__(self, scale: float | str = 1.0):
        if scale != "learned" and not (isinstance(scale, (int, float)) and scale > 0):
            raise ValueError(f'scale must be a positive number or "learned", got {scale!r}.')
        self.scale = scale
        self.parameters_per_value = 2 if scale == "learned" else 1

    def value_log_prob(self, x, parameters):
        if self.scale == "learned":
            log_scale = ops.maximum(parameters[..., 1], self.MIN_LOG_SCALE)
        else:
            log_scale = math.log(self.scale)
        standardized = (x - parameters[..., 0]) * ops.exp(-ops.cast(log_scale, "float32"))
        return -0.5 * (ops.square(standardized) + LOG_2PI) - log_scale

    def mean(self, parameters):
        return self._split(parameters)[..., 0]

    def quantile(self, u, parameters):
        parameters = self._split(parameters)
        scale = self.scale
        if scale == "learned":
            scale = ops.exp(ops.maximum(parameters[..., 1], self.MIN_LOG_SCALE))
        return parameters[..., 0] + scale * math.sqrt(2.0) * ops.erfinv(2.0 * u - 1.0)

    def parameters_of(self, mean):
        parameters = [mean, np.zeros_like(mean)] if self.scale == "learned" else [mean]
        return np.stack(parameters, axis=-1).reshape(self.parameter_shape(mean.shape))

    def get_config(self):
        return {"scale": self.scale}


@keras.saving.register_keras_serializable("keras_gen")
class Categorical(Likelihood):
    """x in {0, ..., num_classes - 1} with softmax probabilities; the parameters are the logits.

    Args:
        num_classes: number of classes.
        value_range: None, if the data holds class indices; `(low, high)` if it holds that many
            evenly spaced levels, such as `num_classes=256, value_range=(0, 1)` for 8-bit pixels
            (van den Oord et al. 2016, "Pixel Recurrent Neural Networks", section 2.2).
    """

    discrete = True

    def __init__(self, num_classes: int, value_range: tuple[float, float] | None = None):
        if num_classes < 2:
            raise ValueError(f"num_classes must be at least 2, got {num_classes}.")
        self.num_classes = self.parameters_per_value = num_classes
        self.levels = value_range and tuple(value_range)
        self.value_range = self.levels or (0, num_classes - 1)

    def value_log_prob(self, x, parameters):
        low, high = self.value_range
        index = ops.round((x - low) / (high - low) * (self.num_classes - 1))
        one_hot = ops.one_hot(ops.cast(index, "int32"), self.num_classes)
        return ops.sum(one_hot * ops.log_softmax(parameters, axis=-1), axis=-1)

    def mean(self, parameters):
        """The expected level; for class indices, which have no mean, the likeliest class."""
        logits = self._split(parameters)
        if self.levels is None:
            return ops.cast(ops.argmax(logits, axis=-1), "float32")
        levels = ops.linspace(*self.levels, self.num_classes)
        return ops.sum(ops.softmax(logits, axis=-1) * levels, axis=-1)

    def quantile(self, u, parameters):
        below = ops.cumsum(ops.softmax(self._split(parameters), axis=-1), axis=-1)
        # Not the last, whose sum need not be quite 1.
        index = ops.sum(ops.cast(below[..., :-1] < u[..., None], "float32"), axis=-1)
        low, high = self.value_range
        return low + index * (high - low) / (self.num_classes - 1)

    def get_config(self):
        return {"num_classes": self.num_classes, "value_range": self.levels}


@keras.saving.register_keras_serializable("keras_gen")
class DiscretizedLogistic(Likelihood):
    """Evenly spaced levels, each with the mass that a logistic law gives to its cell.

    The first and the last level take the tails, so that probabilities sum to one. The parameters
    are the law's mean and the log of its scale, in units of half the value range.

    Args:
        levels: number of levels; 256 for 8-bit data.
        value_range: the least and the greatest value, `(low, high)`.

    Source: Kingma et al. 2016, "Improving Variational Inference with Inverse Autoregressive Flow",
    appendix; Salimans et al. 2017, "PixelCNN++", section 2.1.
    """

    parameters_per_value = 2
    discrete = True
    MIN_LOG_SCALE = -7.0

    def __init__(self, levels: int = 256, value_range: tuple[float, float] = (0.0, 1.0)):
        if levels < 2:
            raise ValueError(f"levels must be at least 2, got {levels}.")
        self.levels = levels
        self.value_range = tuple(value_range)

    def value_log_prob(self, x, parameters):
        low, high = self.value_range
        mean = parameters[..., 0]
        inverse_scale = ops.exp(-ops.maximum(parameters[..., 1], self.MIN_LOG_SCALE))
        x = (x - low) / (high - low) * 2.0 - 1.0
        half_cell = 1.0 / (self.levels - 1)
        upper = inverse_scale * (x - mean + half_cell)
        lower = inverse_scale * (x - mean - half_cell)
        first = x < -1.0 + half_cell
        last = x > 1.0 - half_cell
        # log(sigmoid(u) - sigmoid(l)) = log sigmoid(u) + log sigmoid(-l) + log(1 - e^(l - u)): no
        # difference of nearly equal numbers, so it is finite arbitrarily far out in the tails.
        log_upper = ops.where(last, 0.0, -ops.softplus(-upper))
        log_lower = ops.where(first, 0.0, -ops.softplus(lower))
        inside = ops.log(-ops.expm1(-2.0 * half_cell * inverse_scale))
        return log_upper + log_lower + ops.where(ops.logical_or(first, last), 0.0, inside)

    def mean(self, parameters):
        """The law's location, clipped to the value range."""
        low, high = self.value_range
        mean = ops.clip(self._split(parameters)[..., 0], -1.0, 1.0)
        return low + (mean + 1.0) / 2.0 * (high - low)

    def quantile(self, u, parameters):
        parameters = self._split(parameters)
        scale = ops.exp(ops.maximum(parameters[..., 1], self.MIN_LOG_SCALE))
        x = parameters[..., 0] + scale * (ops.log(u) - ops.log1p(-u))
        low, high = self.value_range
        cells = self.levels - 1
        index = ops.clip(ops.round((x + 1.0) / 2.0 * cells), 0.0, float(cells))
        return low + index * (high - low) / cells

    def parameters_of(self, mean):
        low, high = self.value_range
        parameters = [(mean - low) / (high - low) * 2.0 - 1.0, np.full_like(mean, -1.0)]
        return np.stack(parameters, axis=-1).reshape(self.parameter_shape(mean.shape))

    def get_config(self):
        return {"levels": self.levels, "value_range": self.value_range}


@keras.saving.register_keras_serializable("keras_gen")
class Masked(Likelihood):
    """The law of the steps of a sequence that are no padding; padding is explained for nothing.

    Args:
        likelihood: the law of each value, a name or an object.
        mask_value: a step all of whose channels have this value is padding.
    """

    def __init__(self, likelihood: str | Likelihood, mask_value: float):
        self.likelihood = get(likelihood)
        self.mask_value = mask_value
        self.parameters_per_value = self.likelihood.parameters_per_value
        self.value_range = self.likelihood.value_range

    def _padding(self, x):
        return ops.all(ops.equal(x, self.mask_value), axis=-1, keepdims=True)

    def value_log_prob(self, x, parameters):
        padding = self._padding(x)
        # A value that every law can explain, so that what is not counted is a number.
        x = ops.where(padding, float(np.clip(0.0, *self.value_range)), x)
        return ops.where(padding, 0.0, self.likelihood.value_log_prob(x, parameters))

    def mean(self, parameters):
        return self.likelihood.mean(parameters)

    def quantile(self, u, parameters):
        return self.likelihood.quantile(u, parameters)

    def observe(self, x, noise):
        return ops.where(self._padding(x), self.mask_value, self.likelihood.observe(x, noise))

    def validate(self, x, name="x"):
        padding = np.all(np.equal(x, self.mask_value), axis=-1)
        self.likelihood.validate(x[~padding], name)

    def get_config(self):
        likelihood = keras.saving.serialize_keras_object(self.likelihood)
        return {"likelihood": likelihood, "mask_value": self.mask_value}

    @classmethod
    def from_config(cls, config):
        likelihood = keras.saving.deserialize_keras_object(config["likelihood"])
        return cls(likelihood, config["mask_value"])


def sum_event(values):
    """Sums over all axes but the first: `(batch, ...)` gives `(batch,)`."""
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))


NAMES = {
    "bernoulli": Bernoulli,
    "binarized_bernoulli": functools.partial(Bernoulli, binarize=True),
    "gaussian": Gaussian,
    "learned_gaussian": functools.partial(Gaussian, scale="learned"),
    "categorical": functools.partial(Categorical, num_classes=256, value_range=(0.0, 1.0)),
    "discretized_logistic": DiscretizedLogistic,
}

# Which argument the number of levels is, in a name such as "discretized_logistic:17".
LEVELS = {"categorical": "num_classes", "discretized_logistic": "levels"}

# What a Keras loss means as a likelihood: minimizing it is maximizing that likelihood.
LOSSES = {
    "mse": Gaussian,
    "mean_squared_error": Gaussian,
    "binary_crossentropy": Bernoulli,
}


def get(identifier: str | Likelihood) -> Likelihood:
    """A likelihood by its name, one of `NAMES`, or as it is.

    A name of `LEVELS` may tell how many levels a value has, where it is not 8 bits:
    `"discretized_logistic:17"`.

    Raises:
        ValueError: for a name that is not known.
    """
    if isinstance(identifier, Likelihood):
        return identifier
    name, colon, levels = str(identifier).partition(":")
    if name not in NAMES or (colon and not (name in LEVELS and levels.isdecimal())):
        raise ValueError(
            f"Unknown likelihood {identifier!r}. Known: {', '.join(NAMES)}, "
            f"{' and '.join(LEVELS)} also with a number of levels ({next(iter(LEVELS))}:17); or "
            "pass an object such as keras_gen.likelihoods.Gaussian(scale=0.5)."
        )
    return NAMES[name](**{LEVELS[name]: int(levels)} if colon else {})
