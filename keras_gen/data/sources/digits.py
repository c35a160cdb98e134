"""scikit-learn's handwritten digits, which come with that package."""

from __future__ import annotations

import numpy as np

from keras_gen.data.dataset import Dataset
from keras_gen.data.specs import Spec
from keras_gen.data.splits import hold_out

SPEC = Spec("digits", "image", (8, 8, 1), (0.0, 1.0), num_classes=10)


def load_digits() -> Dataset:
    """Loads scikit-learn's 1,797 digits of 8x8 pixels (UCI optdigits), 17 grey levels in [0, 1].

    A fifth (359) are the test examples: those at the first indices of
    `numpy.random.RandomState(0).permutation(1797)`, in their original order.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = (digits.images / 16.0).astype(np.float32)[..., None]
    label = digits.target.astype(np.int32)
    train, test = hold_out({"x": x, "label": label}, 0.2, 0, "digits")
    return Dataset(SPEC, train, test)
