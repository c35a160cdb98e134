"""The interface of likelihoods, and the check of the data's range."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from keras_gen.noise import Noise


def check_range(
    x: np.ndarray, value_range: tuple[float, float], name: str, but: str, remedy: str
) -> None:
    """Raises a ValueError if an array holds values outside a range, NaN or infinity.

    Args:
        x: array of any shape.
        value_range: (low, high), both included.
        name: name of x in the message.
        but: phrase of the message before the range, which says what needs it.
        remedy: phrase of the message with an alternative to scaling x.
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
        discrete: whether `log_prob` is the logarithm of a probability and not of a density. Bits
            per dimension are defined only for probabilities.
        value_range: least and greatest value of the data, `(low, high)`.
    """

    parameters_per_value = 1
    discrete = False
    value_range: tuple[float, float] = (-math.inf, math.inf)

    def log_prob(self, x, parameters, known=None):
        """Returns log p(x|z) of x `(batch, *shape)` in nats, `(batch,)`.

        With `known`, true or false for each value, it is that of the known values alone.
        """
        values = self.value_log_prob(ops.cast(x, "float32"), self._split(parameters))
        return sum_event(values if known is None else ops.where(known, values, 0.0))

    def value_log_prob(self, x, parameters):
        """Returns log p of each value of x, for `parameters` `(*x.shape, parameters_per_value)`."""
        raise NotImplementedError

    def mean(self, parameters):
        """Returns E[x|z], `(batch, *shape)`, which models use as samples and reconstructions."""
        raise NotImplementedError

    def quantile(self, u, parameters):
        """Returns the quantiles of p(x|z) at u, `(batch, *shape)`.

        With u uniform on (0, 1) these are draws of x given z.

        Args:
            u: `(batch, *shape)` in (0, 1).
            parameters: as for `log_prob`.
        """
        raise NotImplementedError

    def parameters_of(self, mean: np.ndarray) -> np.ndarray | None:
        """Returns parameters of about this mean, to initialize a decoder; None if unsupported.

        Args:
            mean: array of shape `shape`.

        Returns:
            Array of shape `parameter_shape(shape)`.
        """
        return None

    def observe(self, x, noise: Noise):
        """Returns the observation for a training example: usually the example itself."""
        del noise
        return ops.cast(x, "float32")

    def validate(self, x: np.ndarray, name: str = "x") -> None:
        """Raises a ValueError if x holds values outside `value_range`, or NaN."""
        check_range(
            x,
            self.value_range,
            name,
            but=f"likelihood {type(self).__name__} needs values in",
            remedy="or choose another `likelihood`",
        )

    def parameter_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Returns the shape of a decoder's output for data of `shape`, both without the batch."""
        return (*shape[:-1], shape[-1] * self.parameters_per_value)

    def _split(self, parameters):
        """Returns parameters as `(batch, *shape, parameters_per_value)`, float32."""
        parameters = ops.cast(parameters, "float32")
        k = self.parameters_per_value
        *leading, last = ops.shape(parameters)
        return ops.reshape(parameters, (*leading, last // k, k))

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Likelihood:
        return cls(**config)


def sum_event(values):
    """Returns the sum over all axes but the first: `(batch, ...)` to `(batch,)`."""
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))
