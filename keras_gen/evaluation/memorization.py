"""Whether generated examples are copies of the training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import pairwise_distances_argmin

from keras_gen.evaluation.statistics import features_of

COPY = 0.1


@dataclass(frozen=True)
class Memorization:
    """What `memorization` finds.

    Attributes:
        nearer_to_training: share of the generated examples whose nearest training example is nearer
            than their nearest test example, out of as many of each; one at the same distance of
            both counts half. Fresh examples have 1/2, be they of the data's law or not; memorized
            ones have more. Over draws of the three sets it scatters more than the (1/4n)^½ of n
            independent examples, as all are held against the same training and test examples.
        copies: share of the generated examples within the threshold of a training example, out of
            all of these.
        threshold: the distance up to which an example counts as a copy, in the unit of the data.
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
    """How near generated examples come to the training data, in the light of unseen test data.

    Of the training and the test set, the larger is cut to the smaller's size at random for the
    share nearer to training: else the larger would win by its density. Distances are Euclidean
    between examples, or features of them, as given.

    Source: Platzer and Reutterer 2021, "Holdout-Based Empirical Assessment of Mixed-Type Synthetic
    Data" (the share); the question and its comparison with test data are those of Meehan et al.
    2020, "A Non-Parametric Test to Detect Data-Copying in Generative Models".

    Args:
        generated: examples, `(n, ...)`.
        training: what the model has seen, examples of the same shape, `(m, ...)`.
        test: what it has not seen, of the same law, `(k, ...)`.
        threshold: the distance up to which an example counts as a copy; by default a tenth of the
            test examples' median distance to their nearest training example. In d dimensions about
            1 - 2^(-0.1^d) of fresh examples are as near by chance: 7 % on the line, 0.7 % in the
            plane, none to speak of beyond. Where most test examples occur in training, only exact
            copies count.
        seed: of the cut.

    Raises:
        ValueError: if shapes do not fit, a set has less than two examples, a value is not finite or
            the threshold is negative.
    """
    if threshold is not None and not threshold >= 0:
        raise ValueError(f"threshold must not be negative, got {threshold}.")
    generated, training, test = features_of(generated=generated, training=training, test=test)
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
    """The distance of each example to the nearest of others."""
    # The search is by products, fast and rounded; by differences, a copy is at distance 0.
    return np.linalg.norm(x - others[pairwise_distances_argmin(x, others)], axis=1)
