"""The position in the data, kept among a model's weights."""

from __future__ import annotations

import keras

from keras_gen import data


def with_position(callbacks, x):
    """Returns the callbacks of `fit` after `Position`, unless Keras has made the list."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    batches = x if isinstance(x, data.Batches) else None
    return [Position(batches), *keras.tree.flatten(callbacks or [])]


class Position(keras.callbacks.Callback):
    """Keeps the position in the data among the model's weights, and the data at that position.

    It is the first callback, and runs before any that saves or restores the model.
    """

    def __init__(self, batches: data.Batches | None):
        super().__init__()
        self.batches = batches

    def on_train_begin(self, logs=None):
        self.model.epoch_start.assign(int(self.model.step.numpy()))

    def on_epoch_begin(self, epoch, logs=None):
        if self.batches is not None:
            start, step = (int(each.numpy()) for each in (self.model.epoch_start, self.model.step))
            self.batches.seek(start, skip=step - start)

    def on_epoch_end(self, epoch, logs=None):
        self.model.epoch_start.assign(int(self.model.step.numpy()))
