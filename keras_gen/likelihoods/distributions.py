"""The distributions of single values, and likelihoods by name."""

from __future__ import annotations

import functools
import math

import keras
import numpy as np
from keras import ops

from keras_gen.checks import integer, number
from keras_gen.latents import LOG_2PI
from keras_gen.likelihoods.base import Likelihood


@keras.saving.register_keras_serializable("keras_gen")
class Bernoulli(Likelihood):
    """Bernoulli distribution: x in {0, 1} with p(x = 1) = sigmoid(logit).

    The parameter is the logit. By convention grey values in [0, 1] are accepted too, as the
    cross-entropy x log p + (1 - x) log(1 - p); this is not a likelihood.

    Args:
        binarize: whether each grey value is the probability of a bit, which is drawn anew each time
            the example is used: the stochastic binarization of Burda et al. 2016.

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
        # log sigmoid(l) = l - softplus(l) and log sigmoid(-l) = -softplus(l), finite for every l.
        return x * logits - ops.softplus(logits)

    def mean(self, parameters):
        return ops.sigmoid(self._split(parameters)[..., 0])

    def quantile(self, u, parameters):
        return ops.cast(u > 1.0 - self.mean(parameters), "float32")

    def parameters_of(self, mean):
        # Clipped, because a value that is constant in these data may vary in others.
        mean = np.clip(mean, 1e-3, 1 - 1e-3)
        return np.log(mean / (1 - mean))

    def get_config(self):
        return {"binarize": self.binarize}


@keras.saving.register_keras_serializable("keras_gen")
class Gaussian(Likelihood):
    """Gaussian distribution: independent values x ~ N(mean, scale^2).

    Args:
        scale: the standard deviation, a positive number; or `"learned"`, for which the decoder
            outputs the mean and the log of the scale of each value (Kingma & Welling 2014, appendix
            C.2). With `scale=1`, -log p is half the squared error, up to a constant.
    """

    # The likelihood is unbounded where data repeat exactly, such as a black margin: a learned scale
    # would shrink to 0. e^-7 is a quarter of a step of 8-bit data.
    MIN_LOG_SCALE = -7.0

    def __init__(self, scale: float | str = 1.0):
        self.scale = (
            scale if scale == "learned" else number('scale (if not "learned")', scale, above=0)
        )
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
    """Categorical distribution: x in {0, ..., num_classes - 1} with softmax probabilities.

    The parameters are the logits.

    Args:
        num_classes: number of classes.
        value_range: None if the data are class indices; `(low, high)` if they are `num_classes`
            evenly spaced levels, such as `num_classes=256, value_range=(0, 1)` for 8-bit pixels
            (van den Oord et al. 2016, "Pixel Recurrent Neural Networks", section 2.2).
    """

    discrete = True

    def __init__(self, num_classes: int, value_range: tuple[float, float] | None = None):
        self.num_classes = self.parameters_per_value = integer("num_classes", num_classes, 2)
        self.levels = value_range and tuple(value_range)
        self.value_range = self.levels or (0, num_classes - 1)

    def value_log_prob(self, x, parameters):
        low, high = self.value_range
        index = ops.round((x - low) / (high - low) * (self.num_classes - 1))
        one_hot = ops.one_hot(ops.cast(index, "int32"), self.num_classes)
        return ops.sum(one_hot * ops.log_softmax(parameters, axis=-1), axis=-1)

    def mean(self, parameters):
        """Returns the expected level; for class indices the most probable class."""
        logits = self._split(parameters)
        if self.levels is None:
            return ops.cast(ops.argmax(logits, axis=-1), "float32")
        levels = ops.linspace(*self.levels, self.num_classes)
        return ops.sum(ops.softmax(logits, axis=-1) * levels, axis=-1)

    def quantile(self, u, parameters):
        below = ops.cumsum(ops.softmax(self._split(parameters), axis=-1), axis=-1)
        # Without the last sum, which rounding may leave below 1.
        index = ops.sum(ops.cast(below[..., :-1] < u[..., None], "float32"), axis=-1)
        low, high = self.value_range
        return low + index * (high - low) / (self.num_classes - 1)

    def get_config(self):
        return {"num_classes": self.num_classes, "value_range": self.levels}


@keras.saving.register_keras_serializable("keras_gen")
class DiscretizedLogistic(Likelihood):
    """Discretized logistic distribution: a level's probability is the logistic mass of its cell.

    The levels are evenly spaced. The first and the last cell include the tails, so that the
    probabilities sum to one. The parameters are the mean of the logistic distribution and the log
    of its scale, in units of half the value range.

    Args:
        levels: number of levels; 256 for 8-bit data.
        value_range: least and greatest value, `(low, high)`.

    Source: Kingma et al. 2016, "Improving Variational Inference with Inverse Autoregressive Flow",
    appendix; Salimans et al. 2017, "PixelCNN++", section 2.1.
    """

    parameters_per_value = 2
    discrete = True
    MIN_LOG_SCALE = -7.0

    def __init__(self, levels: int = 256, value_range: tuple[float, float] = (0.0, 1.0)):
        self.levels = integer("levels", levels, 2)
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
        # log(sigmoid(u) - sigmoid(l)) = log sigmoid(u) + log sigmoid(-l) + log(1 - e^(l - u)). It
        # has no difference of nearly equal numbers, so it is finite arbitrarily far in the tails.
        log_upper = ops.where(last, 0.0, -ops.softplus(-upper))
        log_lower = ops.where(first, 0.0, -ops.softplus(lower))
        inside = ops.log(-ops.expm1(-2.0 * half_cell * inverse_scale))
        return log_upper + log_lower + ops.where(ops.logical_or(first, last), 0.0, inside)

    def mean(self, parameters):
        """Returns the mean of the logistic distribution, clipped to the value range."""
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
class LogisticMixture(DiscretizedLogistic):
    """Mixture of discretized logistic distributions for each value.

    It can hold mass at both ends of the range and between them at once, as pixels of drawings do.
    The parameters are the logits of the components' weights, then mean and log scale of each.

    Args:
        levels: number of levels; 256 for 8-bit data.
        components: how many distributions are mixed.
        value_range: least and greatest value, `(low, high)`.

    Source: Salimans et al. 2017, "PixelCNN++", section 2.1.
    """

    def __init__(
        self,
        levels: int = 256,
        components: int = 3,
        value_range: tuple[float, float] = (0.0, 1.0),
    ):
        super().__init__(levels, value_range)
        self.components = integer("components", components)
        self.parameters_per_value = 3 * self.components

    def mixed(self, parameters):
        """Returns log weights `(..., components)`, and means and log scales
        `(..., components, 2)`."""
        k = self.components
        pairs = ops.reshape(parameters[..., k:], (*ops.shape(parameters)[:-1], k, 2))
        return ops.log_softmax(parameters[..., :k]), pairs

    def value_log_prob(self, x, parameters):
        weights, pairs = self.mixed(parameters)
        return ops.logsumexp(weights + super().value_log_prob(x[..., None], pairs), axis=-1)

    def mean(self, parameters):
        """Returns the mean of the components' means, each clipped to the value range."""
        low, high = self.value_range
        weights, pairs = self.mixed(self._split(parameters))
        mean = ops.sum(ops.exp(weights) * ops.clip(pairs[..., 0], -1.0, 1.0), axis=-1)
        return low + (mean + 1.0) / 2.0 * (high - low)

    def quantile(self, u, parameters):
        weights, pairs = self.mixed(self._split(parameters))
        scale = ops.exp(ops.maximum(pairs[..., 1], self.MIN_LOG_SCALE))
        cells = self.levels - 1

        def below(index):
            """The probability of the levels up to an index but the last."""
            edge = (2.0 * index + 1.0) / cells - 1.0
            terms = ops.exp(weights) * ops.sigmoid((edge[..., None] - pairs[..., 0]) / scale)
            return ops.sum(terms, axis=-1)

        # The least index whose probability is not below u, by bisection.
        least, most = ops.zeros_like(u), ops.full_like(u, float(cells))
        for _ in range(math.ceil(math.log2(self.levels))):
            middle = ops.floor((least + most) / 2.0)
            enough = ops.logical_or(below(middle) >= u, middle >= cells)
            least, most = ops.where(enough, least, middle + 1.0), ops.where(enough, middle, most)
        low, high = self.value_range
        return low + most * (high - low) / cells

    def parameters_of(self, mean):
        """Returns parameters of evenly spread components, of which the nearest weighs most."""
        low, high = self.value_range
        centres = np.linspace(-1.0, 1.0, self.components)
        mean = (mean - low) / (high - low) * 2.0 - 1.0
        logits = -2.0 * np.abs(mean[..., None] - centres)
        pairs = np.stack([centres, np.full_like(centres, -2.0)], axis=-1).ravel()
        spread = np.broadcast_to(pairs, (*mean.shape, len(pairs)))
        parameters = np.concatenate([logits, spread], axis=-1)
        return parameters.reshape(self.parameter_shape(mean.shape))

    def get_config(self):
        return super().get_config() | {"components": self.components}


NAMES = {
    "bernoulli": Bernoulli,
    "binarized_bernoulli": functools.partial(Bernoulli, binarize=True),
    "gaussian": Gaussian,
    "learned_gaussian": functools.partial(Gaussian, scale="learned"),
    "categorical": functools.partial(Categorical, num_classes=256, value_range=(0.0, 1.0)),
    "discretized_logistic": DiscretizedLogistic,
    "logistic_mixture": LogisticMixture,
}

# The argument for the number in a name such as "discretized_logistic:17".
LEVELS = {
    "categorical": "num_classes",
    "discretized_logistic": "levels",
    "logistic_mixture": "levels",
}

# The likelihood for a Keras loss: to minimize the loss is to maximize the likelihood.
LOSSES = {
    "mse": Gaussian,
    "mean_squared_error": Gaussian,
    "binary_crossentropy": Bernoulli,
}


def get(identifier: str | Likelihood) -> Likelihood:
    """Returns a likelihood by its name, one of `NAMES`; an object is returned unchanged.

    A name in `LEVELS` may be followed by a number of levels other than 256:
    `"discretized_logistic:17"`.

    Raises:
        ValueError: if the name is unknown.
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
