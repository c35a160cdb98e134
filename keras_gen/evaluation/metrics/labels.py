"""How well examples or inferred classes agree with their labels."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix

from keras_gen.evaluation.arrays import check_same_length, checked


def code_error(codes: np.ndarray, labels: np.ndarray) -> float:
    """Returns the error of a categorical code as a classifier, from 0 to 1.

    Each value of the code stands for one class, by the one-to-one map with the fewest errors. Chen
    et al. 2016, "InfoGAN", section 7.2.

    Args:
        codes: index of each example's code, `(n,)`.
        labels: index of each example's class, `(n,)`.

    Raises:
        ValueError: if the two are not integers of shape `(n,)`, or n is 0.
    """
    (codes,) = checked("(n,)", dtype="int64", codes=codes)
    (labels,) = checked("(n,)", dtype="int64", labels=labels)
    check_same_length(codes=codes, labels=labels)
    counts = contingency_matrix(labels, codes)
    matched = counts[linear_sum_assignment(counts, maximize=True)].sum()
    return float(1.0 - matched / len(codes))


def label_accuracy(classifier, x: np.ndarray, label: np.ndarray) -> float:
    """Returns the share of examples that a classifier assigns to their label.

    With a classifier of real examples, generated examples and the labels they were generated for,
    this is the "GAN-test" of Shmelkov, Schmid & Alahari 2018, "How good is my GAN?"
    (arXiv:1807.09499), section 3. It rewards examples that are easy to classify, and does not
    penalize examples that are all alike.

    Args:
        classifier: `Features`, from `train_classifier` for example.
        x: examples, `(n, *classifier.shape)`.
        label: class indices, `(n,)`.

    Raises:
        ValueError: if shapes do not match, there are no examples or a value is not finite.
    """
    (label,) = checked("(n,)", dtype="int64", label=label)
    found = classifier.classify(x)
    check_same_length(x=np.asarray(x), label=label)
    return float(np.mean(found == label))
