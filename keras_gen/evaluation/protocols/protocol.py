"""What a protocol, its subject and its result are."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import sem

from keras_gen import representation
from keras_gen.data import Dataset, Spec, encode_text
from keras_gen.evaluation.features import Features

SEED = 0
IMAGES = 10_000
EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Result:
    """A measured value.

    Attributes:
        value: the figure.
        unit: of the figure.
        n: number of examples it was measured on.
        error: the standard error over those examples if the figure is a mean over them. If it is
            the mean of several draws or refits, their standard deviation.
        hash: SHA-256 of the feature network, if it was measured in features.
        floor: the figure of real data in place of the samples, if that is defined.
        seconds: time taken, including the floor's.
    """

    value: float
    unit: str
    n: int
    error: float | None = None
    hash: str | None = None
    floor: float | None = None
    seconds: float | None = field(default=None, compare=False)


class Subject:
    """A model and a data set to measure, with what several protocols share.

    Args:
        model: a model, or `RealData` in its place.
        dataset: to compare its samples with.
        features: used in place of the lenet features that come with the package.
        inception: path of the FID network's own weights.
    """

    def __init__(
        self,
        model: Any,
        dataset: Dataset,
        features: Features | None = None,
        inception: str | os.PathLike | None = None,
    ):
        self.model = model
        self.dataset = dataset
        self.own_features = features
        self.inception = inception
        self._shared: dict[tuple, Any] = {}
        self._last: tuple[tuple[int, int] | None, np.ndarray | None] = None, None

    def shared(self, compute: Callable[..., Any], *args) -> Any:
        """Returns `compute(self, *args)`, computed once for all protocols."""
        key = (compute, *args)
        if key not in self._shared:
            self._shared[key] = compute(self, *args)
        return self._shared[key]

    def sample(self, n: int, draw: int = 0) -> np.ndarray:
        """Returns the samples of a draw, `(n, *shape)`. The last ones are kept."""
        if self._last[0] != (n, draw):
            made = self.model.sample(n, seed=SEED + draw)
            if made.ndim == 1:  # text, which is compared with data as its characters' indices
                made = np.stack([encode_text(each, self.dataset.spec.vocabulary) for each in made])
            self._last = (n, draw), made
        return self._last[1]

    def images(self, draw: int = 0) -> np.ndarray:
        """Returns as many samples of a draw as there are test examples, at most 10,000."""
        return self.sample(min(IMAGES, self.dataset.size("test")), draw)

    @property
    def test(self) -> dict[str, np.ndarray]:
        """All test examples and their labels."""
        return self.shared(_test)

    @property
    def latents(self) -> np.ndarray:
        """The test examples' latents, `(n, dim)`: see `keras_gen.representation.latents`."""
        return self.shared(_latents)


class RealData:
    """Real examples in place of a model's samples.

    Args:
        dataset: that the examples are from.
        part: "train" or "test".
    """

    def __init__(self, dataset: Dataset, part: str):
        self._arrays = dataset.arrays(part)
        self._name = f"the {part} part of {dataset.spec.name}"

    def sample(self, n: int, seed: int, label: np.ndarray | None = None) -> np.ndarray:
        """Returns random examples.

        Without labels each example occurs at most once, and there may be fewer than n. With labels
        there is one example for each, and an example may occur several times.

        Raises:
            ValueError: if there is no example of a label.
        """
        x, rng = self._arrays["x"], np.random.RandomState(seed)
        if label is None:
            return x[rng.permutation(len(x))[:n]]
        places = {each: np.flatnonzero(self._arrays["label"] == each) for each in set(label)}
        if missing := [each for each, found in places.items() if not len(found)]:
            raise ValueError(f"{self._name} has no example of class {missing[0]}.")
        return x[[rng.choice(places[each]) for each in label]]


@dataclass(frozen=True)
class Protocol:
    """How a figure is measured, and on what.

    Attributes:
        measure: function of a `Subject`.
        fits: whether it can be measured on data.
        needed: what it needs of the data, in words.
        methods: the model must have one of these.
        conditional: whether the model must be conditional.
        floor: part of the data, "train" or "test", whose examples replace the samples for the
            floor, or None.
        own_features: whether it can be measured in a user's own features, which fit their data.
    """

    measure: Callable[[Subject], Result]
    fits: Callable[[Spec], bool] = lambda spec: True
    needed: str = ""
    methods: tuple[str, ...] = ("sample",)
    conditional: bool = False
    floor: str | None = None
    own_features: bool = False


def mean(values: np.ndarray, unit: str) -> Result:
    """Returns the mean of a value per example, with its standard error."""
    return Result(float(values.mean()), unit, len(values), float(sem(values)))


def share(value: float, n: int) -> Result:
    """Returns a share of n examples, with its standard error."""
    return Result(value, "of 1", n, float(np.sqrt(value * (1 - value) / (n - 1))))


def _test(subject: Subject) -> dict[str, np.ndarray]:
    return subject.dataset.arrays("test")


def _latents(subject: Subject) -> np.ndarray:
    return representation.latents(subject.model, subject.test["x"], subject.test.get("label"))
