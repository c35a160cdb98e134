"""How pixels are coded given a decoder's outputs: probabilities from integers alone."""

from __future__ import annotations

import numpy as np

from keras_gen import likelihoods
from keras_gen.compression import entropy, tables
from keras_gen.compression.integer import BITS

CDF_BITS = 24  # of a component's cumulative probabilities
WEIGHT_BITS = 16  # of a mixture's weights
SCALE_BITS = 10  # of an inverse scale
EDGE_BITS = 16  # of the edges between levels
LEAST_LOG, MOST_LOG = -7, 7  # of a scale
CHUNK = 128  # pixels


class Binary:
    """Pixels that are 0 or 1, of a Bernoulli's logits `(n,)`, in units of 2^-BITS.

    Attributes:
        levels: how many values a pixel can have.
        width: how many numbers the decoder returns for each.
    """

    levels, width = 2, 1

    def model(self, outputs: np.ndarray):
        """Returns a model of constriction, and its parameters for each pixel.

        Args:
            outputs: of the decoder, `(pixels, width)`, integers in float64.
        """
        places = tables.rounded(outputs[:, 0], BITS - tables.SIGMOID_BITS)
        return entropy.model.Bernoulli(perfect=False), _sigmoid(places) * 2.0**-CDF_BITS


class Levels:
    """Pixels of several levels, of discretized logistic distributions or their mixtures.

    Args:
        likelihood: a `DiscretizedLogistic` or `LogisticMixture`.
    """

    def __init__(self, likelihood: likelihoods.DiscretizedLogistic):
        self.levels = likelihood.levels
        self.width = likelihood.parameters_per_value
        self.components = getattr(likelihood, "components", 1)
        cells = self.levels - 1
        # (2 i + 1) / cells - 1, the upper edge of each level but the last.
        numerators = (2 * np.arange(cells) + 1 - cells) * 2 ** (EDGE_BITS + 1) + cells
        self._edges = np.floor_divide(numerators, 2 * cells).astype("float64")

    def model(self, outputs: np.ndarray):
        """Returns a model of constriction, and its parameters for each pixel, as `Binary.model`."""
        k = self.components
        weights = _weights(outputs[:, :k]) if self.width == 3 * k else np.ones((len(outputs), 1))
        pairs = outputs[:, self.width - 2 * k :].reshape(-1, k, 2)
        mean = pairs[..., 0] * 2 ** (EDGE_BITS - BITS)
        inverse = tables.exp(-pairs[..., 1], BITS, -MOST_LOG, -LEAST_LOG, SCALE_BITS)
        found = np.empty((len(outputs), self.levels))
        # Few at a time, so that the intermediate results stay in the processor's cache.
        for start in range(0, len(outputs), CHUNK):
            part = slice(start, start + CHUNK)
            found[part] = self._probabilities(weights[part], mean[part], inverse[part])
        return entropy.model.Categorical(perfect=False), found

    def _probabilities(self, weights, mean, inverse) -> np.ndarray:
        """Returns weights of all levels, `(pixels, levels)`, integers in float64."""
        total = np.zeros((len(mean), self.levels + 1))
        shift = EDGE_BITS + SCALE_BITS - tables.SIGMOID_BITS
        for i in range(self.components):
            arguments = (self._edges - mean[:, i, None]) * inverse[:, i, None]
            total[:, 1:-1] += weights[:, i, None] * _sigmoid(tables.rounded(arguments, shift))
        total[:, -1] = weights.sum(axis=1) * 2.0**CDF_BITS
        return np.diff(total)


def coder_of(likelihood: likelihoods.Likelihood) -> Binary | Levels:
    """Returns how the pixels of a likelihood are coded.

    Raises:
        ValueError: if it is not discrete, or of another kind.
    """
    if isinstance(likelihood, likelihoods.Bernoulli):
        return Binary()
    if isinstance(likelihood, likelihoods.DiscretizedLogistic):
        return Levels(likelihood)
    raise ValueError(
        f"pixels of the likelihood {type(likelihood).__name__} cannot be coded: use a model with "
        "Bernoulli, DiscretizedLogistic or LogisticMixture."
    )


def _sigmoid(places: np.ndarray) -> np.ndarray:
    limit = tables.SIGMOID_LIMIT << tables.SIGMOID_BITS
    indices = np.clip(places, -limit, limit).astype("int32") + limit
    return tables.sigmoid(CDF_BITS)[indices]


def _weights(logits: np.ndarray) -> np.ndarray:
    """Returns the weights of a mixture, positive integers in float64, `(pixels, components)`."""
    below = logits - logits.max(axis=1, keepdims=True)
    return np.maximum(tables.exp(below, BITS, -10, 0, WEIGHT_BITS), 1.0)
