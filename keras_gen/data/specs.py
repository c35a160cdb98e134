"""What a model has to know about a data set, and the error for data that is not as it must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


class DataError(ValueError):
    """The data is missing or not as it must be: the message says what, where and what to do."""


@dataclass(frozen=True)
class Spec:
    """The description of a data set's examples.

    Attributes:
        name: of the data set.
        kind: `"image"`, `"vector"`, `"sequence"`, `"text"` or `"audio"`.
        shape: of one example; images are (height, width, channels), sequences (length, channels),
            text (length, 1), audio (frames, mels, 1) or (samples, 1).
        value_range: least and greatest value. For images always (0, 1), for other kinds as
            measured on the training examples, or known bounds. Text holds indices from 0 on.
        num_classes: number of classes where the label is a class index, a scalar.
        factors: name of each ground-truth factor -> its number of values, where the label has the
            shape (len(factors),) and holds the index of each factor's value.
        modes: centres of the equally probable modes, each of the shape of an example, where they
            are known and the label is the index of the mode.
        sigma: standard deviation of every mode in every direction, where there are `modes`.
        vocabulary: for text, the character that each index stands for.
        channels: names of the last axis of an example, where they are known.
        scaling: for each channel the two values, in the data's own units, that 0 and 1 stand for,
            where the examples were scaled; `unscaled` goes back.
        mask_value: a step of a sequence all of whose channels have this value is padding. None:
            there is no padding.
        audio: for audio, what it takes to turn an example back into sound, plain numbers and
            strings; see `waveform`.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    value_range: tuple[float, float]
    num_classes: int | None = None
    factors: dict[str, int] | None = None
    modes: tuple[tuple[float, ...], ...] | None = None
    sigma: float | None = None
    vocabulary: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    scaling: tuple[tuple[float, float], ...] | None = None
    mask_value: float | None = None
    audio: dict[str, Any] | None = None

    def __post_init__(self):
        # JSON turns tuples into lists: a spec that was read must equal the one that was written.
        for name in ("shape", "value_range", "modes", "vocabulary", "channels", "scaling"):
            object.__setattr__(self, name, _as_tuple(getattr(self, name)))

    @property
    def is_picture(self) -> bool:
        """Whether examples are images, or spectrograms: pictures of sounds."""
        return self.kind == "image" or (self.kind == "audio" and len(self.shape) == 3)

    @property
    def is_piano_roll(self) -> bool:
        """Whether examples are sequences whose channels are named by successive MIDI numbers."""
        names = self.channels or ("",)
        if self.kind != "sequence" or not names[0].isdecimal():
            return False
        successive = tuple(str(int(names[0]) + i) for i in range(len(names)))
        return names == successive and int(names[-1]) < 128

    def unscaled(self, x) -> np.ndarray:
        """Data of the scale that models see in its own units.

        Args:
            x: `(..., channels)`.

        Returns:
            float64 of the same shape.

        Raises:
            DataError: if the data has no `scaling`, or not so many channels.
        """
        if self.scaling is None:
            raise DataError(f"{self.name} has no scaling to undo: spec.scaling is None")
        x = np.asarray(x, np.float64)
        if x.shape[-1:] != (len(self.scaling),):
            raise DataError(
                f"{self.name} has {len(self.scaling)} channels, the last axis, but x has the shape "
                f"{x.shape}"
            )
        low, high = np.transpose(self.scaling)
        return low + x * (high - low)


def _as_tuple(value):
    return tuple(map(_as_tuple, value)) if isinstance(value, (list, tuple)) else value
