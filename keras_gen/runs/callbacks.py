"""What a run does after an epoch: it stops if diverged, and writes history and checkpoint.

The order matters: the checkpoint comes last, so that whatever it continues from is on disk.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras

from keras_gen import data, files, plotting
from keras_gen.quiet import LazyTensorFlow
from keras_gen.runs import samples
from keras_gen.runs.run import Run

tf = LazyTensorFlow("TensorBoard")


class Diverged(RuntimeError):
    """Training has failed for good; the message says what to change."""


class StopWhenDiverged(keras.callbacks.Callback):
    """Raises `Diverged` after an epoch that shows that training has failed for good.

    Nothing of that epoch is kept, so the newest checkpoint is from before it. The criteria are

    - a metric that is NaN or infinite;
    - a discriminator that has won: a `discriminator_accuracy` above 0.999 in each of the last
      epochs, at least `WON_EPOCHS` and `WON_STEPS` training steps. Its gradient then teaches the
      generator almost nothing.
    """

    WON_ACCURACY = 0.999
    WON_EPOCHS = 3
    WON_STEPS = 1000

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()):
        """Args:
        rows: of the history so far, so that a resumed run stops when an uninterrupted one would.
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
                f"the discriminator has won: its accuracy was over {self.WON_ACCURACY:.1%} for "
                f"{self.won_epochs} epochs. Give it a penalty (--set r1=1), lower its learning "
                "rate, or use --set loss=relativistic"
            )


class Interrupted(keras.callbacks.Callback):
    """Raises KeyboardInterrupt after a step, if that was asked for, with a checkpoint of it.

    Args:
        run: where the checkpoint is written.
        asked: returns whether training is to end.
    """

    def __init__(self, run: Run, asked: Callable[[], bool]):
        super().__init__()
        self.run, self.asked = run, asked

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        done = int(self.model.step.numpy()) - int(self.model.epoch_start.numpy())
        # An epoch whose steps are all done ends as any other.
        if done < self.params["steps"] and self.asked():
            with files.written_beside(self.run.checkpoint(self.epoch, part=True)) as beside:
                self.model.save(beside)
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if self.asked():  # during the validation; the epoch has its checkpoint
            raise KeyboardInterrupt


class MiddleOfEpoch(keras.callbacks.Callback):
    """Goes on in the middle of an epoch, where the model's checkpoint was written.

    Args:
        start: the step at which the epoch began.
    """

    def __init__(self, start: int):
        super().__init__()
        self.start = start

    def on_train_begin(self, logs=None):
        self.model.epoch_start.assign(self.start)


class HistoryFile(keras.callbacks.Callback):
    """Writes history.csv: a row per epoch with its metrics, learning rate and seconds.

    The seconds count from one row to the next, including what other callbacks take.
    """

    def __init__(self, run: Run, rows: Iterable[Mapping[str, Any]]):
        """Args:
        run: whose file it is.
        rows: of the history so far.
        """
        super().__init__()
        self.run, self.rows = run, list(rows)

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1} | logs
        row["learning_rate"] = float(self.model.optimizer.learning_rate)
        now = time.perf_counter()
        row["seconds"], self.start = round(now - self.start, 3), now
        self.rows.append(row)
        self.run.write_history(self.rows)


def tensorboard(run: Run) -> list[keras.callbacks.Callback]:
    """Returns Keras's callback for TensorBoard's events; none on backends other than TensorFlow,
    which it would import beside them."""
    if keras.backend.backend() != "tensorflow":
        return []
    return [keras.callbacks.TensorBoard(str(run.tensorboard), write_graph=False)]


class OnSaves(keras.callbacks.Callback):
    """Base of what is written after every so many epochs, and after the last.

    Args:
        run: where to write.
        every: number of epochs.
    """

    def __init__(self, run: Run, every: int = 1):
        super().__init__()
        self.run, self.every = run, every

    def on_epoch_end(self, epoch, logs=None):
        done = epoch + 1
        if done % self.every == 0 or done == self.params["epochs"]:
            self.save(done)

    def save(self, done: int) -> None:
        """Writes what belongs to the run after `done` epochs."""
        raise NotImplementedError


class Samples(OnSaves):
    """Writes samples/epoch-NNNN.png, or .txt of text.

    All epochs' samples have the same noise. Data that cannot be drawn gets none. On TensorFlow,
    pictures are TensorBoard images too.
    """

    def __init__(self, run: Run, spec: data.Spec, seed: int, every: int = 1):
        super().__init__(run, every)
        self.spec, self.seed = spec, seed

    def on_train_begin(self, logs=None):
        self.writer = None
        if keras.backend.backend() == "tensorflow":
            self.writer = tf.summary.create_file_writer(str(self.run.tensorboard / "samples"))

    def save(self, done: int) -> None:
        path = self.run.samples / f"epoch-{done:04d}"
        labels = plotting.class_labels(self.model, self.spec)
        x = self.model.sample(plotting.sheet_size(self.spec, labels), seed=self.seed)
        if self.spec.kind == "text":
            samples.write_samples(x, self.spec, path.with_suffix(".txt"))
        elif plotting.drawable(self.spec):
            figure = plotting.draw_samples(x, self.spec, column_labels=labels)
            plotting.save(figure, path.with_suffix(".png"))
            if self.writer:
                self._log(path.with_suffix(".png"), done)

    def _log(self, picture, step: int) -> None:
        with self.writer.as_default(step=step):
            pixels = tf.io.decode_png(picture.read_bytes(), channels=3)
            tf.summary.image("samples", pixels[None])

    def on_train_end(self, logs=None):
        if self.writer:
            self.writer.close()


class Checkpoints(OnSaves):
    """Writes checkpoints/epoch-NNNN.keras, the whole model with its optimizer.

    The last two are kept, and the last from before the discriminator began to win.
    """

    def __init__(self, run: Run, diverged: StopWhenDiverged, every: int = 1):
        super().__init__(run, every)
        self.diverged = diverged

    def save(self, done: int) -> None:
        with files.written_beside(self.run.checkpoint(done)) as beside:
            self.model.save(beside)
        self.run.drop_old_checkpoints(keep=done - self.diverged.won_epochs)
