"""Quality of generated examples, and coverage of the data, as separate numbers."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.utils import gen_batches

from keras_gen import checks
from keras_gen.evaluation.arrays import checked

BLOCK = 1000


def inception_score(logits: np.ndarray, splits: int = 1) -> tuple[float, float]:
    """Returns the mean and standard deviation over splits of exp(E KL(p(y|x) || p(y))).

    The score is 1 if a classifier predicts the same for all examples, and the number of classes if
    it is certain of each and predicts all equally often. Salimans et al. 2016, "Improved Techniques
    for Training GANs", section 4. Scores of other classifiers than the ImageNet Inception of
    published scores are not comparable with them.

    Args:
        logits: of a classifier, before the softmax, `(n, classes)`.
        splits: number of parts, in the given order and as equally large as possible, that are
            scored separately. More parts have fewer examples each, and a lower score.

    Returns:
        The mean and the population standard deviation (divided by `splits`) over the parts.

    Raises:
        ValueError: if `logits` has another shape or is not finite, or `splits` is not in 1..n.
    """
    (logits,) = checked("(n, classes)", logits=logits)
    checks.integer("splits", splits, most=len(logits))
    scores = []
    for part in np.array_split(logits, splits):
        p = softmax(part, axis=1)
        # Subnormal numbers: their mean could round to 0 where they are positive.
        p[p < np.finfo("float64").tiny] = 0.0
        scores.append(np.exp(np.mean(entropy(p, p.mean(axis=0, keepdims=True), axis=1))))
    return float(np.mean(scores)), float(np.std(scores))


def precision_recall(real: np.ndarray, generated: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Returns improved precision and recall, each between 0 and 1.

    The manifold of a set is the union of balls around its examples, whose radius is the distance to
    the k-th nearest other example of the set. Precision is the share of generated examples on the
    real manifold, recall the share of real examples on the generated one. Both depend on the number
    of examples. Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing
    Generative Models", section 2.

    Args:
        real: features, `(n, d)`.
        generated: features, `(m, d)`. Exchanging the sets exchanges the two numbers.
        k: the neighbour that determines the radius. An example at exactly that distance is inside.

    Returns:
        Precision and recall.

    Raises:
        ValueError: if shapes do not match, a value is not finite, or a set has fewer than k + 1
            examples.
    """
    real, generated = _checked(k, real, generated)
    real_radii, generated_radii = _radii(real, k), _radii(generated, k)
    precise, recalled = np.zeros(len(generated), bool), 0
    for block in gen_batches(len(real), BLOCK):
        distances = cdist(real[block], generated)
        precise |= (distances <= real_radii[block, None]).any(axis=0)
        recalled += np.count_nonzero((distances <= generated_radii).any(axis=1))
    return float(precise.mean()), float(recalled / len(real))


def density_coverage(real: np.ndarray, generated: np.ndarray, k: int = 5) -> tuple[float, float]:
    """Returns density and coverage, which outliers affect less than precision and recall.

    Density is the mean number of real balls that contain a generated example, divided by k. Its
    expectation is 1 for samples of one distribution, and it can exceed 1. Coverage, between 0 and
    1, is the share of real balls that contain a generated example. Its expectation is 1 - 2^-k for
    large samples of one distribution and equal size. Naeem et al. 2020, "Reliable Fidelity and
    Diversity Metrics for Generative Models", section 3.

    Args:
        real: features, `(n, d)`.
        generated: features, `(m, d)`.
        k: as in `precision_recall`. The authors' code excludes an example at exactly the radius.
            Here it is inside, so that a copy of a value that the data repeat counts as real.

    Returns:
        Density and coverage.

    Raises:
        ValueError: as `precision_recall`.
    """
    real, generated = _checked(k, real, generated)
    radii, inside, covered = _radii(real, k), 0, 0
    for block in gen_batches(len(real), BLOCK):
        hits = cdist(real[block], generated) <= radii[block, None]
        inside += np.count_nonzero(hits)
        covered += np.count_nonzero(hits.any(axis=1))
    return float(inside / (k * len(generated))), float(covered / len(real))


def _radii(x: np.ndarray, k: int) -> np.ndarray:
    """The distance of each example to its k-th nearest other example."""
    # cdist takes differences, not products: equal examples are at distance exactly 0.
    blocks = (cdist(x[block], x) for block in gen_batches(len(x), BLOCK))
    # Copied, because a view of one column would keep the block in memory.
    return np.concatenate([np.partition(block, k, axis=1)[:, k].copy() for block in blocks])


def _checked(k: int, real: np.ndarray, generated: np.ndarray) -> list[np.ndarray]:
    """Both sets as float64, each large enough to have a k-th neighbour."""
    checks.integer("k", k)
    sets = checked("(n, d)", real=real, generated=generated)
    if k >= min(map(len, sets)):
        raise ValueError(
            f"k must be less than the number of examples of both sets, got {k} for {len(real)} "
            f"real and {len(generated)} generated."
        )
    return sets
