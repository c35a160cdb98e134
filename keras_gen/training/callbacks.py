"""What is written into the run directory after every epoch.

The order matters: the checkpoint comes last, so that whatever it continues from is on disk.
"""

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_gen import data
from keras_gen.training import samples
from keras_gen.training.pictures import class_columns, drawn, save_png
from keras_gen.training.runs import Run, written_beside

ROWS = 8
POINTS = 2_500


class Diverged(RuntimeError):
    """Training leads nowhere any more; the message names what to change."""


class StopWhenDiverged(keras.callbacks.Callback):
    """Ends training with `Diverged` after an epoch that shows that it leads nowhere any more.

    Nothing of that epoch is kept, so the newest checkpoint is from before it. The criteria are

    - a metric that is NaN or infinite;
    - a discriminator that has won: a `discriminator_accuracy` above 0.999 in each of the last
      epochs, at least `WON_EPOCHS` and `WON_STEPS` training steps. It then tells real from
      generated without fail, and what the generator learns from it is next to nothing.
    """

    WON_ACCURACY = 0.999
    WON_EPOCHS = 3
    WON_STEPS = 1000

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()):
        """Args:
        rows: of the history so far, so that a resumed run ends when an uninterrupted one would.
        """
        super().__init__()
        self.won_epochs = 0
        for row in rows:
            won = float(row.get("discriminator_accuracy", 0.0)) > self.WON_ACCURACY
            self.won_epochs = self.won_epochs + 1 if won else 0

    def on_train_begin(self, logs=None):
        before = self.won_epochs * (self.params.get("steps") or 0)
        self.won_since = int(self.model.step.numpy()) - before

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            if not math.isfinite(value):
                game = hasattr(self.model, "discriminator")
                remedy = "give the discriminator a penalty (--set r1=1), " if game else ""
                raise Diverged(
                    f"{name} became {value} in epoch {epoch + 1}: lower --learning-rate, "
                    f"{remedy}or look for extreme values in the data"
                )
        step = int(self.model.step.numpy())
        if logs.get("discriminator_accuracy", 0.0) <= self.WON_ACCURACY:
            self.won_epochs, self.won_since = 0, step
            return
        self.won_epochs += 1
        if self.won_epochs >= self.WON_EPOCHS and step - self.won_since >= self.WON_STEPS:
            raise Diverged(
                f"the discriminator has won: for {self.won_epochs} epochs it has told over "
                f"{self.WON_ACCURACY:.1%} of real from generated examples. Give it a penalty "
                "(--set r1=1), lower its learning rate, or take --set loss=relativistic"
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


class Samples(keras.callbacks.Callback):
    """samples/epoch-NNNN.png and a TensorBoard image, or .txt of text: what the same noise becomes
    over time."""

    def __init__(self, run: Run, spec: data.Spec, seed: int, writer: tf.summary.SummaryWriter):
        super().__init__()
        self.run, self.seed, self.writer = run, seed, writer
        self.spec = spec

    def on_epoch_end(self, epoch, logs=None):
        columns = class_columns(self.model, self.spec) or ROWS
        n = POINTS if self.spec.kind == "vector" else ROWS * columns
        x = self.model.sample(n, seed=self.seed)
        path = self.run.samples / f"epoch-{epoch + 1:04d}"
        if self.spec.kind == "text":
            samples.write(x, self.spec, path.with_suffix(".txt"))
            return
        picture = drawn(x, self.spec, columns)
        save_png(picture, path.with_suffix(".png"))
        with self.writer.as_default(step=epoch + 1):
            tf.summary.image("samples", picture[None])


class Checkpoints(keras.callbacks.Callback):
    """checkpoints/epoch-NNNN.keras: the whole model with its optimizer; the last two are kept, and
    the last from before the discriminator began to win."""

    def __init__(self, run: Run, diverged: StopWhenDiverged):
        super().__init__()
        self.run = run
        self.diverged = diverged

    def on_epoch_end(self, epoch, logs=None):
        with written_beside(self.run.checkpoint(epoch + 1)) as beside:
            self.model.save(beside)
        self.run.drop_old_checkpoints(keep=epoch + 1 - self.diverged.won_epochs)
