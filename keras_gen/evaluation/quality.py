"""How good generated examples are, and how much of the data they cover, as numbers apart."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import log_softmax, softmax

from keras_gen.evaluation.distances import BLOCK, checked


def inception_score(logits: np.ndarray, splits: int = 1) -> tuple[float, float]:
    """The mean and the standard deviation over splits of exp(E KL(p(y|x) || p(y))).

    From 1, where a classifier sees the same in all examples, to the number of classes, where it is
    sure of each and sees all equally often. Salimans et al. 2016, "Improved Techniques for Training
    GANs", section 4. With a classifier other than the ImageNet Inception of published scores, it
    does not compare with them.

    Args:
        logits: a classifier's, before the softmax, `(examples, classes)`.
        splits: number of parts, as equally large as can be and in the order given, each scored by
            itself. More parts mean fewer examples in each, and a lower score.

    Returns:
        The mean and the population standard deviation (divided by `splits`) over the parts.

    Raises:
        ValueError: if the shape does not fit, there are more splits than examples or none, or a
            logit is not finite.
    """
    logits = np.asarray(logits, "float64")
    if logits.ndim != 2 or not logits.size:
        raise ValueError(f"logits must be (examples, classes), n > 0; got {logits.shape}.")
    if not 1 <= splits <= len(logits):
        raise ValueError(f"splits must be in 1..{len(logits)}, the examples; got {splits}.")
    if not np.isfinite(logits).all():
        raise ValueError("logits hold values that are not finite.")
    scores = []
    for part in np.array_split(logits, splits):
        p, log_p = softmax(part, axis=1), log_softmax(part, axis=1)
        # A class of probability 0 in all examples (its exponential underflows) adds 0 log 0 = 0.
        marginal = np.maximum(p.mean(axis=0), np.finfo("float64").tiny)
        scores.append(np.exp(np.mean(np.sum(p * (log_p - np.log(marginal)), axis=1))))
    return float(np.mean(scores)), float(np.std(scores))


def precision_recall(real: np.ndarray, generated: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Improved precision and recall, each between 0 and 1.

    The manifold of a set is the union of the balls around its examples, each reaching to the k-th
    nearest other example of the set. Precision is the share of the generated examples on the
    manifold of the real ones, recall the share of the real on that of the generated; both depend on
    the number of examples. Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for
    Assessing Generative Models", section 2.

    Args:
        real: features, `(examples, d)`.
        generated: features, `(other examples, d)`. Exchanged with `real`, the two numbers are.
        k: the neighbour at whose distance a ball ends; an example at that distance is inside.

    Returns:
        Precision and recall.

    Raises:
        ValueError: if shapes do not fit, a value is not finite, or a set has not more than k
            examples.
    """
    real, generated = _more_than(k, real, generated)
    real_radii, generated_radii = _radii(real, k), _radii(generated, k)
    precise, recalled = np.zeros(len(generated), bool), 0
    for i in range(0, len(real), BLOCK):
        distances = cdist(real[i : i + BLOCK], generated)
        precise |= (distances <= real_radii[i : i + BLOCK, None]).any(axis=0)
        recalled += np.count_nonzero((distances <= generated_radii).any(axis=1))
    return float(precise.mean()), float(recalled / len(real))


def density_coverage(real: np.ndarray, generated: np.ndarray, k: int = 5) -> tuple[float, float]:
    """Density and coverage: what `precision_recall` measures, less sensitive to outliers.

    Density is the number of real balls a generated example is in, in units of k: it is expected to
    be 1 for sets of one law and can be more. Coverage, between 0 and 1, is the share of the real
    balls that hold a generated example; 1 - 2^-k is expected of large sets of one law and one
    size. Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models",
    section 3.

    Args:
        real: features, `(examples, d)`.
        generated: features, `(other examples, d)`.
        k: as in `precision_recall`. The authors' code leaves an example at the very distance out;
            here it is inside, so that a copy of a value the data hold often counts as real.

    Returns:
        Density and coverage.

    Raises:
        ValueError: as `precision_recall`.
    """
    real, generated = _more_than(k, real, generated)
    radii, inside, covered = _radii(real, k), 0, 0
    for i in range(0, len(real), BLOCK):
        hits = cdist(real[i : i + BLOCK], generated) <= radii[i : i + BLOCK, None]
        inside += np.count_nonzero(hits)
        covered += np.count_nonzero(hits.any(axis=1))
    return float(inside / (k * len(generated))), float(covered / len(real))


def _radii(x: np.ndarray, k: int) -> np.ndarray:
    """The distance of each example to its k-th neighbour in the set beside itself."""
    # Differences and not products: equal examples are at distance 0 exactly, and ties stay ties.
    blocks = (cdist(x[i : i + BLOCK], x) for i in range(0, len(x), BLOCK))
    # Copied, as a column of a block would keep the block.
    return np.concatenate([np.partition(block, k, axis=1)[:, k].copy() for block in blocks])


def _more_than(k: int, real: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as float64, each large enough for a k-th neighbour."""
    real, generated = checked(real, generated)
    if not 1 <= k < min(len(real), len(generated)):
        raise ValueError(
            f"k must be at least 1 and less than the examples of both sets; got {k} for "
            f"{len(real)} real and {len(generated)} generated."
        )
    return real, generated
