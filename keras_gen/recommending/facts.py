"""What is looked at of a data set."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from keras_gen.data import Dataset

LOOKED_AT = 500  # training examples
BYTE = 255


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a data set is, as the rules ask it.

    Attributes:
        kind: as of `keras_gen.data.Spec`.
        shape: of one example.
        examples: for training.
        classes: number of classes, or 0 without labels.
        factors: whether its factors of variation are known.
        value_range: least and greatest value that there can be; infinite if there is no limit.
        values: "binary", "bytes" (multiples of 1/255 of the range), "levels" (a few others) or
            "real".
        levels: number of distinct values, if it is not "real".
    """

    kind: str
    shape: tuple[int, ...]
    examples: int
    classes: int
    factors: bool
    value_range: tuple[float, float]
    values: str
    levels: int | None

    @property
    def bounded(self) -> bool:
        """Whether there is a least and a greatest value."""
        return all(map(math.isfinite, self.value_range))

    @property
    def side(self) -> int:
        """The longer side of an image; 0 of other data."""
        return max(self.shape[:2]) if self.kind == "image" else 0

    @property
    def channels(self) -> int:
        """Of an image or a sequence."""
        return self.shape[-1]

    def __str__(self) -> str:
        size = "x".join(map(str, self.shape))
        values = {"binary": "black and white", "bytes": "8 bits", "levels": f"{self.levels} levels",
                  "real": "real values"}[self.values]  # fmt: skip
        bounds = "" if self.bounded else ", of no fixed range"
        labels = f", {self.classes} classes" if self.classes else ", no labels"
        named = {"text": "windows of text", "audio": "recordings"}.get(self.kind, f"{self.kind}s")
        return f"{self.examples:,} {named} of {size}, {values}{bounds}{labels}"


def facts_of(dataset: Dataset) -> Facts:
    """Returns what the rules ask of a data set."""
    spec = dataset.spec
    x = dataset.arrays("train", limit=LOOKED_AT)["x"]
    low, high = spec.value_range
    bounded = math.isfinite(low) and math.isfinite(high)
    found = np.unique(x)
    values, levels = "real", None
    if bounded and high > low and spec.kind != "text":
        cells = (found - low) / (high - low)
        if len(found) <= 2 and np.isin(cells, (0, 1)).all():
            values, levels = "binary", 2
        elif np.allclose(cells * BYTE, np.rint(cells * BYTE), atol=1e-3):
            values, levels = "bytes", BYTE + 1
        elif len(found) <= BYTE and (count := _even(cells)):
            values, levels = "levels", count
    elif spec.kind == "text":
        values, levels = "levels", int(high) + 1
    return Facts(
        spec.kind,
        tuple(spec.shape),
        dataset.size("train"),
        spec.num_classes or 0,
        bool(spec.factors),
        (low, high),
        values,
        levels,
    )


def _even(cells: np.ndarray) -> int | None:
    """The number of evenly spaced levels in [0, 1] that hold all values, or None."""
    steps = np.rint(1 / np.diff(cells).min())
    return int(steps) + 1 if np.allclose(cells * steps, np.rint(cells * steps), atol=1e-3) else None
