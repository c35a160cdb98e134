"""What is written into the run directory after every epoch.

The order matters: the checkpoint comes last, so that whatever it continues from is on disk.
"""

import math
import time

import keras
import tensorflow as tf

from keras_gen import data
from keras_gen.training.pictures import class_columns, grid, save_png
from keras_gen.training.runs import Run, written_beside

ROWS = 8


class Diverged(RuntimeError):
    """The loss is no longer a number; the message names what to change."""


class StopWhenDiverged(keras.callbacks.Callback):
    """Ends training with `Diverged` after an epoch whose loss is NaN or infinite.

    Nothing of that epoch is kept, so a resumed run starts before it.
    """

    def on_epoch_end(self, epoch, logs=None):
        if not math.isfinite(logs["loss"]):
            rate = float(self.model.optimizer.learning_rate)
            raise Diverged(
                f"the loss became {logs['loss']} in epoch {epoch + 1}: lower --learning-rate "
                f"(now {rate:.2g}), or look for extreme values in the data"
            )


class HistoryFile(keras.callbacks.Callback):
    """history.csv: a row per epoch with its metrics, learning rate and seconds.

    The seconds count from one row to the next, what the other callbacks take included.
    """

    def __init__(self, run: Run, initial_epoch: int):
        super().__init__()
        self.run = run
        self.rows = run.read_history(initial_epoch)

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1} | logs
        row["learning_rate"] = float(self.model.optimizer.learning_rate)
        now = time.perf_counter()
        row["seconds"], self.start = round(now - self.start, 3), now
        self.rows.append(row)
        self.run.write_history(self.rows)


class TensorBoardScalars(keras.callbacks.Callback):
    """The metrics as TensorBoard scalars of the runs `train` and `validation`."""

    def __init__(self, train: tf.summary.SummaryWriter, validation: tf.summary.SummaryWriter):
        super().__init__()
        self.train, self.validation = train, validation

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            writer = self.validation if name.startswith("val_") else self.train
            with writer.as_default(step=epoch + 1):
                tf.summary.scalar(name.removeprefix("val_"), value)
        with self.train.as_default(step=epoch + 1):
            tf.summary.scalar("learning_rate", self.model.optimizer.learning_rate)
        self.train.flush()
        self.validation.flush()


class SamplePictures(keras.callbacks.Callback):
    """samples/epoch-NNNN.png and a TensorBoard image: what the same noise becomes over time."""

    def __init__(self, run: Run, spec: data.Spec, seed: int, writer: tf.summary.SummaryWriter):
        super().__init__()
        self.run, self.seed, self.writer = run, seed, writer
        self.spec = spec

    def on_epoch_end(self, epoch, logs=None):
        columns = class_columns(self.model, self.spec) or ROWS
        picture = grid(self.model.sample(ROWS * columns, seed=self.seed), columns)
        save_png(picture, self.run.samples / f"epoch-{epoch + 1:04d}.png")
        with self.writer.as_default(step=epoch + 1):
            tf.summary.image("samples", picture[None])


class Checkpoints(keras.callbacks.Callback):
    """checkpoints/epoch-NNNN.keras: the whole model with its optimizer; the last two are kept."""

    def __init__(self, run: Run):
        super().__init__()
        self.run = run

    def on_epoch_end(self, epoch, logs=None):
        with written_beside(self.run.checkpoint(epoch + 1)) as beside:
            self.model.save(beside)
        self.run.drop_old_checkpoints()
