"""A callback that measures protocols while a model trains."""

from __future__ import annotations

from collections.abc import Iterable

import keras

from keras_gen import checks
from keras_gen.data import Dataset
from keras_gen.evaluation.protocols import check, measure


class ProtocolMonitor(keras.callbacks.Callback):
    """Measures protocols every few epochs and adds them to the epoch's logs.

    ```python
    model.fit(x, epochs=50, callbacks=[
        ProtocolMonitor(dataset, ["fid_lenet_1k"], every=5),
        keras.callbacks.ModelCheckpoint(
            "best.keras", monitor="fid_lenet_1k", mode="min", save_best_only=True
        ),
    ])
    ```

    The history, and callbacks after it in the list, see the figures under the protocols' names. The
    first measurement is after the first epoch. Epochs between two measurements repeat the last.

    Args:
        dataset: of the kind that the model is trained on.
        protocols: names in `PROTOCOLS`. Choose cheap ones.
        every: number of epochs from one measurement to the next.

    Raises:
        ValueError: if `every` is less than 1, or, when training begins, if a protocol cannot be
            measured on such data or such a model.
    """

    def __init__(self, dataset: Dataset, protocols: Iterable[str], every: int = 1):
        super().__init__()
        self.dataset = dataset
        self.protocols = tuple(protocols)
        self.every = checks.integer("every", every)
        self.last: dict[str, float] = {}

    def on_train_begin(self, logs=None):
        check(self.protocols, self.dataset.spec, type(self.model))
        self.last = {}

    def on_epoch_end(self, epoch, logs=None):
        if not self.last or (epoch + 1) % self.every == 0:
            for name in self.protocols:
                self.last[name] = measure(name, self.model, self.dataset).value
        if logs is not None:
            logs.update(self.last)
