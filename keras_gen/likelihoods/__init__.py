"""Likelihoods p(x|z): the distribution of the data given the decoder's outputs.

For data of shape `(batch, *shape)` a decoder outputs `parameters` of shape
`(batch, *shape[:-1], channels * parameters_per_value)`. `log_prob` sums over all values of an
example and returns one value per example, in nats. All arithmetic is in float32, whatever the
precision of the networks.
"""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.likelihoods.base import Likelihood, check_range
from keras_gen.likelihoods.distributions import (
    LOSSES,
    NAMES,
    Bernoulli,
    Categorical,
    DiscretizedLogistic,
    Gaussian,
    LogisticMixture,
    get,
)
from keras_gen.likelihoods.masked import Masked

__all__ = [
    "LOSSES",
    "NAMES",
    "Bernoulli",
    "Categorical",
    "DiscretizedLogistic",
    "Gaussian",
    "Likelihood",
    "LogisticMixture",
    "Masked",
    "check_range",
    "get",
]
