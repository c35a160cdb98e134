"""The description of a data set, and the error for data that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


class DataError(ValueError):
    """Data that is missing or invalid. The message says what is wrong, where, and what to do."""


@dataclass(frozen=True)
class Spec:
    """Description of a data set's examples.

    Attributes:
        name: name of the data set.
        kind: `"image"`, `"vector"`, `"sequence"`, `"text"` or `"audio"`.
        shape: shape of one example; images are (height, width, channels), sequences (length,
            channels), text (length, 1), audio (frames, mels, 1) or (samples, 1).
        value_range: least and greatest value: (0, 1) for images, known bounds or the range of the
            training examples for other kinds. Text has indices from 0 on.
        num_classes: number of classes, if the label is a class index, a scalar.
        factors: number of values of each ground-truth factor by name, if the label holds the index
            of each factor's value, `(len(factors),)`.
        modes: centres of the equally probable modes, each of the shape of an example, if they are
            known and the label is the index of the mode.
        sigma: standard deviation of every mode in every direction, if there are `modes`.
        vocabulary: for text, the character of each index.
        channels: names of the entries of the last axis, if they are known.
        scaling: for scaled examples, the two values of each channel in the data's own units that
            were mapped to 0 and 1; `unscaled` inverts the scaling.
        mask_value: steps of a sequence in which every channel has this value are padding. None:
            there is no padding.
        audio: for audio, the parameters that turn an example back into sound, plain numbers and
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
        # JSON turns tuples into lists. A spec that was read must equal the one that was written.
        for name in ("shape", "value_range", "modes", "vocabulary", "channels", "scaling"):
            object.__setattr__(self, name, _as_tuple(getattr(self, name)))

    @property
    def is_picture(self) -> bool:
        """Whether examples are images or spectrograms."""
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
        """Returns scaled data in its own units.

        Args:
            x: `(..., channels)`.

        Returns:
            float64 of the same shape.

        Raises:
            DataError: if the data set has no `scaling` or another number of channels.
        """
        if self.scaling is None:
            raise DataError(f"{self.name} has no scaling to invert: spec.scaling is None.")
        x = np.asarray(x, np.float64)
        if x.shape[-1:] != (len(self.scaling),):
            raise DataError(
                f"{self.name} has {len(self.scaling)} channels, which must be the last axis of x; "
                f"got x of shape {x.shape}."
            )
        low, high = np.transpose(self.scaling)
        return low + x * (high - low)


def _as_tuple(value):
    return tuple(map(_as_tuple, value)) if isinstance(value, (list, tuple)) else value
