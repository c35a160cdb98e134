"""Fitting a preset under a strategy, into a run directory."""

import dataclasses
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_gen import data, models
from keras_gen.models.players import adam
from keras_gen.presets import Preset
from keras_gen.training import callbacks
from keras_gen.training.config import Config
from keras_gen.training.pictures import drawable
from keras_gen.training.runs import Run, check_free, write_json, written_beside
from keras_gen.training.schedules import schedule
from keras_gen.training.strategies import strategy

CHECKED = 1000  # training examples that the model looks at before it starts

# How many training examples the networks' start is adapted to.
ADAPT_EXAMPLES = 10_000

log = logging.getLogger("keras_gen")


@dataclass
class Job:
    """A run made ready: data loaded, model built or restored. `prepare` makes it."""

    config: Config
    dataset: data.Dataset
    train: data.Batches
    validation: data.Batches
    model: models.GenerativeModel
    initial_epoch: int = 0

    def as_json(self) -> dict[str, Any]:
        """What config.json holds: the config, the data's description and the size of the work."""
        return self.config.as_json() | {
            "spec": dataclasses.asdict(self.dataset.spec),
            "parameters": self.model.count_params(),
            "training_examples": self.dataset.size("train"),
            "test_examples": self.dataset.size("test"),
            "steps_per_epoch": len(self.train),
            "steps": len(self.train) * self.config.preset.epochs,
            "replicas": self.model.distribute_strategy.num_replicas_in_sync,
        }

    def fit(self, run: Run, verbose: int | str = "auto") -> keras.callbacks.History:
        """Train into the run directory up to the preset's last epoch, and finish the run.

        Args:
            run: the run directory, with the job's config.
            verbose: as in `keras.Model.fit`.

        Raises:
            Diverged: the loss is no longer a number.
        """
        epochs = self.config.preset.epochs
        run.make_folders()
        writers = [
            tf.summary.create_file_writer(str(run.tensorboard / name))
            for name in ("train", "validation")
        ]
        diverged = callbacks.StopWhenDiverged(run.read_history(self.initial_epoch))
        written = [
            diverged,
            callbacks.HistoryFile(run, self.initial_epoch),
            callbacks.TensorBoardScalars(*writers),
        ]
        if drawable(self.dataset.spec) or self.dataset.spec.kind == "text":
            spec, seed = self.dataset.spec, self.config.seed
            written.append(callbacks.Samples(run, spec, seed, writers[1]))
        written.append(callbacks.Checkpoints(run, diverged))
        history = self.model.fit(
            self.train,
            validation_data=self.validation,
            epochs=epochs,
            initial_epoch=self.initial_epoch,
            callbacks=written,
            verbose=verbose,
        )
        for writer in writers:
            writer.close()
        finish(run, epochs)
        return history


def prepare(config: Config, run: Run | None = None) -> Job:
    """Load the data and build the model, or restore it from the newest checkpoint of `run`.

    Raises:
        ValueError: something in the config does not fit; the message names it.
        FileNotFoundError: data that is not there.
    """
    preset = config.preset
    scope = strategy(config.strategy)
    replicas = scope.num_replicas_in_sync
    if preset.batch_size % replicas:
        raise ValueError(
            f"batch_size {preset.batch_size} cannot be divided among {replicas} replicas"
        )
    packing = preset.model_options.get("packing", 1)
    if type(packing) is not int or packing < 1:
        raise ValueError(f"packing must be a positive whole number, got {packing!r}")
    if preset.batch_size % (replicas * packing):
        raise ValueError(
            f"batch_size {preset.batch_size} cannot be divided into packs of {packing} on each of "
            f"{replicas} replica(s)"
        )
    dataset = data.load(preset.data, config.data_dir, **preset.data_options)
    if dataset.size("train") < preset.batch_size:
        raise ValueError(
            f"batch_size {preset.batch_size} is more than the {dataset.size('train')} training "
            f"examples of {preset.data}"
        )
    # Whole batches only, so that one compiled step serves all; of the test examples a last, smaller
    # batch as well, except where a replica might go without.
    cls = models.get(preset.model)
    train = dataset.batches(
        "train",
        preset.batch_size,
        seed=config.seed,
        drop_remainder=True,
        index=cls.uses_index,
    )
    validation = dataset.batches(
        "test",
        min(preset.batch_size, dataset.size("test") // replicas * replicas),
        shuffle=False,
        drop_remainder=replicas > 1,
    )
    with scope.scope():
        restored = restore(run) if run else None
        if restored:
            run.read_history(restored[1])  # a damaged one is an error here, not in the middle
            return Job(config, dataset, train, validation, *restored)
        keras.utils.set_random_seed(config.seed)
        options = {"num_examples": dataset.size("train")} if cls.uses_index else {}
        options |= preset.model_options
        model = cls.for_data(dataset.spec, seed=config.seed, **options)
        model.adapt(dataset.arrays("train", limit=ADAPT_EXAMPLES)["x"])
        model.compile(optimizer=optimizer(preset, model, preset.epochs * len(train)))
    examples = dataset.arrays("train", limit=CHECKED)
    model.check_examples(examples["x"], examples.get("label"))
    return Job(config, dataset, train, validation, model)


def optimizer(preset: Preset, model: models.GenerativeModel, steps: int):
    """Adam by a preset's schedule over all training steps, for each player by its own moves.

    Raises:
        ValueError: if the preset's rates are not for the model's players.
    """
    rates = preset.learning_rate
    if model.players and not isinstance(rates, dict):
        rates = dict.fromkeys(model.players, rates)
    if isinstance(rates, dict):
        rates = {
            player: schedule(preset.schedule, rate, steps * model.moves(player))
            for player, rate in rates.items()
        }
    else:
        rates = schedule(preset.schedule, rates, steps)
    return adam(rates, model.players, **preset.adam)


def restore(run: Run) -> tuple[models.GenerativeModel, int] | None:
    """The model of a run's newest good checkpoint and its epoch; None where there is none yet.

    Raises:
        ValueError: there are checkpoints, but all are damaged.
    """
    epochs = run.checkpoint_epochs()
    for epoch in epochs:
        try:
            return keras.models.load_model(run.checkpoint(epoch)), epoch
        except Exception as error:  # a damaged file fails in as many ways as there are readers
            reason = str(error).partition("\n")[0]
            log.warning(
                "checkpoint %s is damaged (%s): trying older", run.checkpoint(epoch), reason
            )
    if epochs:
        raise ValueError(f"no checkpoint in {run.checkpoints} can be read: start a new run")
    return None


def finish(run: Run, epochs: int) -> None:
    """Write metrics.json, and last model.keras: the mark of a finished run."""
    rows = run.read_history(epochs)
    last = {key: float(value) for key, value in rows[-1].items() if key != "epoch"}
    write_json(
        run.metrics_file,
        {
            "epochs": epochs,
            "training_seconds": round(sum(float(row["seconds"]) for row in rows), 1),
            "train": {
                key: value
                for key, value in last.items()
                if not key.startswith("val_") and key not in ("seconds", "learning_rate")
            },
            "validation": {
                key.removeprefix("val_"): value
                for key, value in last.items()
                if key.startswith("val_")
            },
        },
    )
    with written_beside(run.model_file) as beside:
        beside.write_bytes(run.checkpoint(epochs).read_bytes())


def train(config: Config, run_dir: str | os.PathLike, verbose: int | str = "auto") -> Run:
    """Train a config into a new run directory.

    Args:
        config: what to train; see `Config`.
        run_dir: the run directory to make.
        verbose: as in `keras.Model.fit`.

    Returns:
        The finished run.

    Raises:
        ValueError: before training starts, if something in the config does not fit.
        FileExistsError: `run_dir` exists and is not an empty directory.
        Diverged: the loss is no longer a number.
    """
    check_free(Path(run_dir))
    job = prepare(config)
    run = Run.create(run_dir, job.as_json())
    job.fit(run, verbose)
    return run


def resume(run_dir: str | os.PathLike, verbose: int | str = "auto") -> Run:
    """Continue an unfinished run where it was interrupted, to the weights it would have had.

    Args:
        run_dir: the run directory; if its run is finished, nothing is done.
        verbose: as in `keras.Model.fit`.

    Returns:
        The finished run.

    Raises:
        FileNotFoundError: there is no run at `run_dir`.
        ValueError: its checkpoints cannot be read.
        Diverged: the loss is no longer a number.
    """
    run = Run.open(run_dir)
    if not run.finished:
        prepare(Config.from_json(run.config), run).fit(run, verbose)
    return run


def load(run_dir: str | os.PathLike) -> tuple[Run, Config, models.GenerativeModel]:
    """A finished run, its config and its trained model.

    Raises:
        FileNotFoundError: there is no run at `run_dir`.
        ValueError: the run is unfinished; the message says how to resume it.
    """
    run = Run.open_finished(run_dir)
    config = Config.from_json(run.config)
    run.model_file.open("rb").close()  # one that may not be read is not damaged
    try:
        model = keras.models.load_model(run.model_file)
    except Exception as error:  # a damaged file fails in as many ways as there are readers
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"{run.model_file} is damaged ({reason}): delete it and run {run.resume_command}, "
            "which makes it again from the last checkpoint"
        ) from error
    return run, config, model
