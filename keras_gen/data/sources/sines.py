"""Sine waves, generated.

Source: Yoon et al. 2019 (TimeGAN, NeurIPS 2019), section 5 and the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from keras_gen.data.checks import check_counts, check_memory, random_state
from keras_gen.data.dataset import Dataset
from keras_gen.data.specs import DataError, Spec


def spec(length: int = 24, channels: int = 5) -> Spec:
    """Returns the description of sine waves with this number of steps and channels."""
    check_counts("sines", length=length, channels=channels)
    scaling = ((-1.0, 1.0),) * channels
    return Spec("sines", "sequence", (length, channels), (0.0, 1.0), scaling=scaling)


def load_sines(
    *,
    size: int = 10_000,
    test_size: int = 2_000,
    length: int = 24,
    channels: int = 5,
    frequency: tuple[float, float] = (0.0, 0.1),
    phase: tuple[float, float] = (0.0, 0.1),
    seed: int = 0,
) -> Dataset:
    """Draws sine waves sin(f t + φ), t = 0, 1, ..., scaled from [-1, 1] to [0, 1].

    f and φ are independent and uniform for each example and channel. The default ranges come from
    the TimeGAN authors' code; the paper's text has f from (0, 1) and φ from (-π, π).

    Args:
        size: number of training examples.
        test_size: number of test examples.
        length: number of steps.
        channels: number of waves in an example.
        frequency: least and greatest f, in radians per step.
        phase: least and greatest φ, in radians.
        seed: seed of the draws. The test examples do not depend on `size`.
    """
    check_counts("sines", size=size, test_size=test_size)
    described = spec(length, channels)
    _check_interval("frequency", frequency)
    _check_interval("phase", phase)
    check_memory("sines", size + test_size, described.shape, np.float64, "give a smaller size=")
    random = random_state(seed)
    steps = np.arange(length)[:, None]

    def draw(count: int) -> dict[str, np.ndarray]:
        f = random.uniform(*frequency, (count, 1, channels))
        phi = random.uniform(*phase, (count, 1, channels))
        return {"x": ((np.sin(f * steps + phi) + 1) / 2).astype(np.float32)}

    test = draw(test_size)
    return Dataset(described, train=draw(size), test=test)


def _check_interval(option: str, interval: Sequence[float]) -> None:
    """Raises a DataError unless the interval is two finite numbers in order."""
    try:
        low, high = interval
        ordered = -math.inf < low <= high < math.inf
    except (TypeError, ValueError):
        ordered = False
    if not ordered:
        raise DataError(f"{option} of sines must be (least, greatest), got {interval!r}.")
