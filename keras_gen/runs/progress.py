"""Progress of training in a few lines, for notebooks and logs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras

from keras_gen import checks


class PrintEpochs(keras.callbacks.Callback):
    """Prints metrics after some of the epochs, evenly spaced; the last epoch is one of them.

    ```python
    vae.fit(x, epochs=50, verbose=0, callbacks=[PrintEpochs(["elbo", "kl"])])
    ```

    Args:
        metrics: names of the metrics to print; those that are missing are left out.
        lines: how many lines to print at most.
    """

    def __init__(self, metrics: Sequence[str] = ("loss",), lines: int = 5):
        super().__init__()
        self.names = tuple(metrics)
        self.lines = checks.integer("lines", lines)

    def on_epoch_end(self, epoch, logs=None):
        epochs = self.params["epochs"]
        if (epochs - epoch - 1) % math.ceil(epochs / self.lines):
            return
        logs = logs or {}
        shown = ", ".join(f"{name} {logs[name]:.4g}" for name in self.names if name in logs)
        print(f"epoch {epoch + 1:{len(str(epochs))}d} of {epochs}: {shown}", flush=True)
