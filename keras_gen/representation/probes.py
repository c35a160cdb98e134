"""How much a representation tells: simple classifiers on it, and reconstruction from it.

Arrays in, numbers out: the same functions measure latents, principal components and raw pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_gen import checks
from keras_gen.models import GenerativeModel

NEIGHBOURS = 5
MOST_STEPS = 1000  # of the logistic regression's optimizer


def few_labels(label: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    """Returns the places of a share of the examples, each class in its proportion, sorted.

    Args:
        label: class indices, `(n,)`.
        share: in (0, 1]; 1 takes all.
        seed: of the choice.

    Raises:
        ValueError: if the share would leave a class without an example.
    """
    checks.number("share", share, least=0)
    places, classes = np.arange(len(label)), np.unique(label)
    if share == 1:
        return places
    if not 0 < share < 1 or share * len(label) < len(classes):
        raise ValueError(
            f"share must be in (0, 1] and give at least one of {len(label)} examples to each of "
            f"{len(classes)} classes; got {share}."
        )
    chosen, _ = train_test_split(
        places, train_size=share, stratify=label, random_state=checks.seed(seed)
    )
    return np.sort(chosen)


def linear_probe(
    train: np.ndarray, train_label: np.ndarray, test: np.ndarray, test_label: np.ndarray
) -> float:
    """Returns the test accuracy of a logistic regression, in [0, 1].

    Features are standardized. Source: Alain & Bengio 2016, "Understanding intermediate layers using
    linear classifier probes".

    Args:
        train: features of the labelled examples, `(n, ...)`.
        train_label: their class indices, `(n,)`.
        test: features of other examples, `(m, ...)`.
        test_label: their class indices, `(m,)`.
    """
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=MOST_STEPS))
    return _accuracy(classifier, train, train_label, test, test_label)


def knn_accuracy(
    train: np.ndarray, train_label: np.ndarray, test: np.ndarray, test_label: np.ndarray
) -> float:
    """Returns the test accuracy of the 5 nearest neighbours' majority, in [0, 1].

    Arguments as for `linear_probe`. Features are not rescaled: distances are the representation's.
    """
    neighbours = min(NEIGHBOURS, len(train))
    classifier = KNeighborsClassifier(neighbours, algorithm="brute")
    return _accuracy(classifier, train, train_label, test, test_label)


def reconstruction_error(model: GenerativeModel, x, label=None) -> float:
    """Returns the mean squared error per value of a model's reconstructions.

    Args:
        model: with a method `reconstruct`.
        x: examples, `(n, *data_shape)`.
        label: class indices `(n,)`, of a conditional model; other models ignore them.

    Raises:
        ValueError: if the model does not reconstruct.
    """
    if not hasattr(model, "reconstruct"):
        raise ValueError(f"{type(model).__name__} has no method reconstruct.")
    given = [label] if model.conditional else []
    return float(np.mean(np.square(np.float64(x) - model.reconstruct(x, *given))))


def pca_errors(train: np.ndarray, test: np.ndarray, dimensions: Sequence[int]) -> np.ndarray:
    """Returns the mean squared error per value of PCA's reconstructions, for each dimension.

    It is the least of all linear reconstructions of the training examples.

    Args:
        train: examples that the components are fitted to, `(n, ...)`.
        test: examples that are reconstructed, `(m, ...)`.
        dimensions: numbers of components, at most the examples and the values of an example.
    """
    train, test = _flat(train), _flat(test)
    pca = PCA(max(dimensions), random_state=0).fit(train)
    z, centred = pca.transform(test), test - pca.mean_
    # Components are orthonormal: each takes its square from the error.
    left = np.sum(np.square(centred)) - np.concatenate([[0], np.cumsum(np.sum(z**2, axis=0))])
    return left[list(dimensions)] / test.size


def _accuracy(classifier, train, train_label, test, test_label) -> float:
    classifier.fit(_flat(train), train_label)
    return float(classifier.score(_flat(test), test_label))


def _flat(x: np.ndarray) -> np.ndarray:
    return np.reshape(x, (len(x), -1)).astype("float64")
