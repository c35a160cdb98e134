"""The likelihood of sequences with padding."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from keras_gen.likelihoods.base import Likelihood
from keras_gen.likelihoods.distributions import get


@keras.saving.register_keras_serializable("keras_gen")
class Masked(Likelihood):
    """Distribution of the steps of a sequence without its padding, whose log p is 0.

    Args:
        likelihood: likelihood of each value, a name or an object.
        mask_value: steps in which every channel has this value are padding.
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
        # Padding becomes a valid value, so that its log p, which is not used, is finite.
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
