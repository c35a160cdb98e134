"""Whether generated examples are copies of the training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import pairwise_distances_argmin

from keras_gen.evaluation.arrays import vectors

COPY = 0.1


@dataclass(frozen=True)
class Memorization:
    """The result of `check_memorization`.

    Attributes:
        nearer_to_training: share of generated examples whose nearest training example is nearer
            than their nearest test example, with equally many of each. Equal distances count half.
            Its expectation is 1/2 for new examples, whether or not they follow the distribution of
            the data, and higher for memorized ones. Over draws of the three sets it varies more
            than the (1/4n)^½ of n independent examples, because all share the same training and
            test examples.
        copies: share of generated examples within `threshold` of any training example.
        threshold: distance up to which an example counts as a copy, in the unit of the data.
    """

    nearer_to_training: float
    copies: float
    threshold: float


def check_memorization(
    generated: np.ndarray,
    training: np.ndarray,
    test: np.ndarray,
    threshold: float | None = None,
    seed: int = 0,
) -> Memorization:
    """Returns how near generated examples are to training data, compared with unseen test data.

    For `nearer_to_training` the larger of the training and the test set is cut to the size of the
    smaller at random, since a denser set has nearer neighbours. Distances are Euclidean, between
    examples or features of them, as given.

    Source: Platzer and Reutterer 2021, "Holdout-Based Empirical Assessment of Mixed-Type Synthetic
    Data" (the share). Comparing with test data follows Meehan et al. 2020, "A Non-Parametric Test
    to Detect Data-Copying in Generative Models".

    Args:
        generated: examples, `(n, ...)`.
        training: examples that the model was trained on, `(m, ...)`.
        test: unseen examples of the same distribution, `(k, ...)`.
        threshold: distance up to which an example counts as a copy. By default a tenth of the
            median distance from a test example to its nearest training example. In d dimensions
            about 1 - 2^(-0.1^d) of new examples are that near by chance: 7 % for d = 1, 0.7 % for
            d = 2, and negligibly few beyond. If most test examples occur in the training set, only
            exact copies count.
        seed: of the cut.

    Raises:
        ValueError: if shapes do not match, a set has fewer than 2 examples, a value is not finite
            or the threshold is negative.
    """
    if threshold is not None and not threshold >= 0:
        raise ValueError(f"threshold must not be negative, got {threshold}.")
    generated, training, test = vectors(generated=generated, training=training, test=test)
    if threshold is None:
        threshold = COPY * np.median(_nearest(test, training))
    copies = np.mean(_nearest(generated, training) <= threshold)
    rng, size = np.random.default_rng(seed), min(len(training), len(test))
    to_training, to_test = (
        _nearest(generated, x[rng.choice(len(x), size, replace=False)]) for x in (training, test)
    )
    nearer = np.mean(to_training < to_test) + np.mean(to_training == to_test) / 2
    return Memorization(float(nearer), float(copies), float(threshold))


def _nearest(x: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The distance of each example to the nearest of `others`."""
    # The search uses products, which are fast and round. The difference puts a copy at exactly 0.
    return np.linalg.norm(x - others[pairwise_distances_argmin(x, others)], axis=1)
