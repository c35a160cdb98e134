"""What sliders need of a model: that it makes pictures, and of which range."""

from __future__ import annotations

import numpy as np

from keras_gen.models import GenerativeModel

CHANNELS = (1, 3)
DRAWS = 8


def check_pictures(model: GenerativeModel) -> None:
    """Raises a ValueError unless the model generates images or spectrograms."""
    shape = tuple(model.data_shape)
    if len(shape) != 3 or shape[2] not in CHANNELS:
        raise ValueError(
            f"explore shows images of 1 or 3 channels; {type(model).__name__} generates data of "
            f"shape {shape}."
        )


def value_range(model: GenerativeModel) -> tuple[float, float]:
    """Returns the values that are drawn black and white: the ends of the data's range, or where
    the model knows none, the least and the greatest of what it generates."""
    low, high = getattr(model, "likelihood", model).value_range or (-np.inf, np.inf)
    if not np.isfinite([low, high]).all():
        drawn = model.sample(DRAWS, seed=0)
        low, high = drawn.min(), drawn.max()
    return float(low), max(float(high), float(low) + 1e-6)
