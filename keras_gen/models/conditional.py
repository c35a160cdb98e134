"""What conditional models, of x given its label, share."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from keras_gen import checks
from keras_gen.engine import serving
from keras_gen.engine.backends import backend


def num_classes(packing: int = 1, **networks: keras.Model) -> int:
    """Returns the number of classes of the one-hot label that networks take as a second input.

    Args:
        packing: how many labels, side by side, a network called `discriminator` takes.
        **networks: by name.

    Raises:
        ValueError: if a network takes no label, or the numbers of classes differ.
    """
    counts = {}
    for name, network in networks.items():
        if len(network.inputs) != 2:
            raise ValueError(
                f"{name} must take two inputs, the second a one-hot label (batch, num_classes); "
                f"it takes {len(network.inputs)} input(s)."
            )
        counts[name] = network.inputs[1].shape[-1]
    wanted, *_ = counts.values()
    for name, found in counts.items():
        times = packing if name == "discriminator" else 1
        if found != times * wanted:
            packed = f" (the discriminator {packing} times as many)" * (packing > 1)
            raise ValueError(
                f"networks must take labels of the same number of classes{packed}, not {counts}."
            )
    return wanted


class Conditional:
    """What a conditional model adds to the unconditional one, before which it stands as a base.

    The model's `__init__` sets `num_classes`.
    """

    conditional = True
    num_classes: int

    def sample(
        self, n: int, seed: int | None = None, label=None, batch_size: int = 512
    ) -> np.ndarray:
        """Returns `n` samples, `(n, *data_shape)`, of given classes.

        Args:
            n: number of samples.
            seed: the same seed gives the same samples; None draws a seed.
            label: class indices `(n,)`; by default the classes 0, 1, 2, ... in turn.
            batch_size: how many are decoded at a time.

        Raises:
            ValueError: if a number is not a valid integer, there are not `n` labels, or there is no
                such class.
        """
        checks.integer("n", n)
        label = np.asarray(self._in_turn(np.arange(n)) if label is None else label)
        self.check_labels(np.empty((n, 0)), label, "n")
        return super().sample(n, seed, label, batch_size)

    def check_examples(self, x: np.ndarray, label=None, name: str = "x") -> None:
        """Raises ValueError if the model cannot learn from these examples and labels."""
        super().check_examples(x, label, name)
        self.check_labels(x, label, name)

    def check_labels(self, x: np.ndarray, label, name: str) -> None:
        """Raises ValueError unless there is one class index for each example."""
        label = None if label is None else np.asarray(label)
        if label is not None and label.dtype.kind not in "biu":
            raise ValueError(
                f"labels must be class indices, whole numbers; got dtype {label.dtype}."
            )
        if label is None or label.shape != x.shape[:1]:
            found = "no labels" if label is None else f"labels of shape {label.shape}"
            raise ValueError(
                f"{type(self).__name__} needs one class index per example, fit(x, labels) or "
                f'{{"x": x, "label": labels}}; got {found} for {name}.'
            )
        if label.size and not 0 <= label.min() <= label.max() < self.num_classes:
            raise ValueError(
                f"labels must be in 0..{self.num_classes - 1}, as the networks' second input has "
                f"{self.num_classes} classes; got labels from {label.min()} to {label.max()}."
            )

    def signatures(self):
        """Returns the functions of a SavedModel. `sample(n, seed)` takes the classes in turn,
        `sample_labelled(label, seed)` takes given ones; the others also take `label`, `(batch,)`.
        """
        signatures = {
            name: (self._checking_labels(function), inputs)
            for name, (function, inputs) in super().signatures().items()
        }
        function, _ = signatures["sample"]

        def sample(n, seed):
            return function(n, seed, self._in_turn(ops.arange(n)))

        def sample_labelled(label, seed):
            return function(ops.shape(label)[0], seed, label)

        return signatures | {
            "sample": (sample, serving.inputs("n", "seed")),
            "sample_labelled": (sample_labelled, serving.inputs("label", "seed")),
        }

    def one_hot(self, label):
        """Returns class indices `(batch,)` as one-hot vectors, `(batch, num_classes)`.

        Raises:
            ValueError: if there are no labels.
        """
        if label is None:
            raise ValueError(f"{type(self).__name__} needs `label`, (batch,) class indices.")
        return ops.one_hot(ops.cast(label, "int32"), self.num_classes)

    def _checking_labels(self, function):
        """The function, whose last argument is `label`, with a check of the labels in its graph."""

        def checking(*inputs):
            *_, label = inputs
            known = (label >= 0) & (label < self.num_classes)
            message = f"label must be in 0..{self.num_classes - 1}, got"
            label = backend.asserted(label, known, message)
            return function(*inputs[:-1], label)

        return checking

    def _in_turn(self, places):
        """The class of the sample at each place, every class as often as any other."""
        return places % self.num_classes
