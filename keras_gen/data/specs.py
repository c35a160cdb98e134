"""What a model has to know about a data set, and the error for data that is not as it must be."""

from __future__ import annotations

from dataclasses import dataclass


class DataError(ValueError):
    """The data is missing or not as it must be: the message says what, where and what to do."""


@dataclass(frozen=True)
class Spec:
    """The description of a data set's examples.

    Attributes:
        name: of the data set.
        kind: `"image"`, `"vector"`, `"sequence"`, `"text"` or `"audio"`.
        shape: of one example; images are (height, width, channels), sequences (length, channels).
        value_range: least and greatest value. For images always (0, 1), for other kinds as
            measured on the training examples.
        num_classes: number of classes where the label is a class index, a scalar.
        factors: name of each ground-truth factor -> its number of values, where the label has the
            shape (len(factors),) and holds the index of each factor's value.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    value_range: tuple[float, float]
    num_classes: int | None = None
    factors: dict[str, int] | None = None
