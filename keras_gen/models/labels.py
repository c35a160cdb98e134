"""Class labels as a condition: what the conditional models share."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops


def num_classes(**networks: keras.Model) -> int:
    """The number of classes that networks take as a second, one-hot input.

    Raises:
        ValueError: if one of them takes none, or not as many as the other.
    """
    counts = {}
    for name, network in networks.items():
        if len(network.inputs) != 2:
            raise ValueError(
                f"{name} must take two inputs, the second a one-hot label (batch, num_classes); "
                f"it takes {len(network.inputs)}."
            )
        counts[name] = network.inputs[1].shape[-1]
    if len(set(counts.values())) > 1:
        raise ValueError(f"networks must take labels of the same number of classes, not {counts}.")
    return next(iter(counts.values()))


def check(model: str, x: np.ndarray, label, classes: int, name: str) -> None:
    """Raises ValueError unless there is one class index for each example."""
    label = None if label is None else np.asarray(label)
    if label is None or label.shape != x.shape[:1]:
        found = "none" if label is None else f"an array of shape {label.shape}"
        raise ValueError(
            f'{model} needs one class index per example, fit(x, labels) or {{"x": x, "label": '
            f"labels}}; with {name} came {found}."
        )
    if label.size and not 0 <= label.min() <= label.max() < classes:
        raise ValueError(
            f"labels must be in 0..{classes - 1}, as the networks' second input has {classes} "
            f"classes; they are from {label.min()} to {label.max()}."
        )


def one_hot(model: str, label, classes: int):
    """Class indices `(batch,)` as `(batch, classes)`.

    Raises:
        ValueError: if there are none.
    """
    if label is None:
        raise ValueError(f"{model} needs `label`, (batch,) class indices.")
    return ops.one_hot(ops.cast(label, "int32"), classes)
