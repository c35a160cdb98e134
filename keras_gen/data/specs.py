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
            measured on the training examples, or known bounds.
        num_classes: number of classes where the label is a class index, a scalar.
        factors: name of each ground-truth factor -> its number of values, where the label has the
            shape (len(factors),) and holds the index of each factor's value.
        modes: centres of the equally probable modes, each of the shape of an example, where they
            are known and the label is the index of the mode.
        sigma: standard deviation of every mode in every direction, where there are `modes`.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    value_range: tuple[float, float]
    num_classes: int | None = None
    factors: dict[str, int] | None = None
    modes: tuple[tuple[float, ...], ...] | None = None
    sigma: float | None = None

    def __post_init__(self):
        # JSON turns tuples into lists: a spec that was read must equal the one that was written.
        fields = {"shape": tuple(self.shape), "value_range": tuple(self.value_range)}
        if self.modes is not None:
            fields["modes"] = tuple(tuple(mode) for mode in self.modes)
        for name, value in fields.items():
            object.__setattr__(self, name, value)
