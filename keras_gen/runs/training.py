"""Training a preset into a run directory, and resuming it."""

import contextlib
import dataclasses
import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from keras_gen import checks, data, evaluation, files, models, presets, quiet
from keras_gen.engine.backends import backend
from keras_gen.engine.optimizers import adam
from keras_gen.presets import Preset
from keras_gen.runs import callbacks, strategies
from keras_gen.runs.config import Config, override
from keras_gen.runs.run import Run, check_free, next_path
from keras_gen.runs.schedules import schedule
from keras_gen.runs.trained import load_data

CHECKED = 1000  # training examples whose shape and range are checked before training
ADAPT_EXAMPLES = 10_000  # training examples that the untrained networks are adapted to

log = logging.getLogger("keras_gen")


@dataclass
class Job:
    """A run that is ready to train: data loaded, model built or restored, by `prepare`.

    Attributes:
        config: all that the run depends on.
        dataset, train, validation: the data.
        model: the model, compiled.
        initial_epoch: number of epochs that are done.
        history: their rows of history.csv.
    """

    config: Config
    dataset: data.Dataset
    train: data.Batches
    validation: data.Batches
    model: models.GenerativeModel
    initial_epoch: int = 0
    history: list[dict[str, str]] = field(default_factory=list)

    @property
    def workers(self) -> int:
        """The number of processes that share each batch."""
        several = self.config.strategy == "multiworker"
        return len(strategies.cluster()[0]) if several else 1

    def as_json(self) -> dict[str, Any]:
        """Returns the content of config.json: config, description of the data, size of the work."""
        return self.config.as_json() | {
            "spec": dataclasses.asdict(self.dataset.spec),
            "parameters": self.model.count_params(),
            "training_examples": self.dataset.size("train"),
            "test_examples": self.dataset.size("test"),
            "data_fingerprint": self.dataset.fingerprint(),
            "steps_per_epoch": steps_per_epoch(self.config.preset, self.train),
            "steps": steps_per_epoch(self.config.preset, self.train) * self.config.preset.epochs,
            "replicas": backend.replicas(self.model),
            "workers": self.workers,
            "device": backend.device(),
        }

    def check_protocols(self, settings: Iterable[str] = ()) -> None:
        """Checks that the preset's protocols can be measured, before hours of training.

        Args:
            settings: names of the settings that were replaced. If the data was, and the protocols
                were not, those that are not for the new data are left out, with a warning.

        Raises:
            ValueError: if a protocol is unknown, or not for such data or such a model.
        """
        preset, spec, cls = self.config.preset, self.dataset.spec, type(self.model)
        kept = preset.protocols
        if "data" in settings and "protocols" not in settings:
            kept = evaluation.applicable(kept, spec, cls)
        if dropped := [name for name in preset.protocols if name not in kept]:
            log.warning("%s left out: not for %s", ", ".join(dropped), spec.name)
            preset = dataclasses.replace(preset, protocols=kept)
            self.config = dataclasses.replace(self.config, preset=preset)
        evaluation.check(kept, spec, cls)

    def fit(
        self,
        run: Run | None,
        verbose: int | str = "auto",
        interrupted: Callable[[], bool] = lambda: False,
        further: Iterable[keras.callbacks.Callback] = (),
    ) -> keras.callbacks.History:
        """Trains into the run directory up to the preset's last epoch, and finishes the run.

        Args:
            run: the run directory, with the job's config; None in a worker that is not the first,
                which writes nothing.
            verbose: as in `keras.Model.fit`.
            interrupted: asked after each execution of steps whether to end with
                KeyboardInterrupt, once there is a checkpoint.
            further: callbacks, which come after the run's own.

        Raises:
            Diverged: if a metric is no longer a number, or the discriminator has won.
            InUse: if another process trains it.
        """
        if run is None:
            return self._fit([callbacks.StopWhenDiverged(self.history), *further], verbose)
        with files.locked(run.lock_file):
            files.drop_partial(run.path)
            run.make_folders()
            every = self.config.preset.save_every
            diverged = callbacks.StopWhenDiverged(self.history)
            written = [
                diverged,
                callbacks.HistoryFile(run, self.history),
                *callbacks.tensorboard(run),
                callbacks.Samples(run, self.dataset.spec, self.config.seed, every),
                callbacks.Checkpoints(run, diverged, every),
                callbacks.Interrupted(run, interrupted),
            ]
            history = self._fit([*written, *further], verbose)
            finish(run, self.config.preset.epochs)
            return history

    def _fit(self, further: list[keras.callbacks.Callback], verbose) -> keras.callbacks.History:
        start = int(self.model.epoch_start.numpy())
        middle = start < int(self.model.step.numpy())
        if middle:
            further = [callbacks.MiddleOfEpoch(start), *further]
        with warnings.catch_warnings():
            if middle:  # Keras expects a whole epoch
                warnings.filterwarnings("ignore", "Your input ran out of data")
            return self.model.fit(
                self.train,
                validation_data=self.validation,
                epochs=self.config.preset.epochs,
                initial_epoch=self.initial_epoch,
                callbacks=further,
                verbose=verbose,
            )


def prepare(config: Config, run: Run | None = None) -> Job:
    """Loads the data and builds the model, or restores it from the newest checkpoint of `run`.

    Raises:
        ValueError: if data is missing, or something in the config does not fit.
        PermissionError: if nothing can be written in the run directory.
        InUse: if another process trains the run.
    """
    if run and strategies.is_chief(config.strategy):
        files.check_writable(run.path)
        files.check_unlocked(run.lock_file)
    if config.backend != keras.backend.backend():
        raise ValueError(
            f"the run is for the backend {config.backend}, and this is {keras.backend.backend()}: "
            f"give keras-gen --backend {config.backend}, or set KERAS_BACKEND before Python starts"
        )
    scope = strategies.strategy(config.strategy)  # before TensorFlow computes anything
    dataset = load_data(config.preset, config.data_dir)
    before = run and run.content.get("data_fingerprint")  # older runs have none
    if before and before != dataset.fingerprint():
        raise ValueError(
            f"the data of {run.path} has changed since it began: it had "
            f"{run.content['training_examples']} training examples, and {config.preset.data} has "
            f"{dataset.size('train')}, or other values. Restore it, or start a new run"
        )
    return build(config, dataset, run, scope)


def build(config: Config, dataset: data.Dataset, run: Run | None = None, scope: Any = None) -> Job:
    """Builds the model for data that is loaded, or restores it, as `prepare`; `scope` is the
    config's strategy, if there is one already."""
    preset = config.preset
    scope = scope or strategies.strategy(config.strategy)
    replicas = scope.num_replicas_in_sync
    if preset.batch_size % replicas:
        raise ValueError(
            f"batch_size {preset.batch_size} cannot be divided among {replicas} replicas"
        )
    packing = checks.integer("packing", preset.model.get("packing", 1))
    if preset.batch_size % (replicas * packing):
        raise ValueError(
            f"batch_size {preset.batch_size} cannot be divided into packs of {packing} on each of "
            f"{replicas} replica(s)"
        )
    if dataset.size("train") < preset.batch_size * preset.accumulate:
        times = f" times accumulate {preset.accumulate}" if preset.accumulate > 1 else ""
        raise ValueError(
            f"batch_size {preset.batch_size}{times} is more than the {dataset.size('train')} "
            f"training examples of {preset.data}"
        )
    # Only whole batches, so that one compiled step serves all. Of the test examples a smaller last
    # batch too, unless a replica might get none of it.
    cls = models.get(preset.class_name)
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
            history = run.read_history(restored[1])
            return Job(config, dataset, train, validation, *restored, history)
        quiet.set_random_seed(config.seed)
        options = {"num_examples": dataset.size("train")} if cls.uses_index else {}
        options |= preset.network | preset.model
        with policy(config.dtype):
            model = cls.for_data(dataset.spec, seed=config.seed, **options)
        # A model that learns something for each example adapts to each.
        limit = None if cls.uses_index else ADAPT_EXAMPLES
        model.adapt(dataset.arrays("train", limit=limit)["x"])
        steps = preset.epochs * steps_per_epoch(preset, train)
        model.compile(optimizer(preset, model, steps), accumulate=preset.accumulate)
    examples = dataset.arrays("train", limit=CHECKED)
    model.check_examples(examples["x"], examples.get("label"))
    return Job(config, dataset, train, validation, model)


def steps_per_epoch(preset: Preset, train: data.Batches) -> int:
    """Returns the number of training steps in an epoch, each of whole batches."""
    return len(train) // preset.accumulate


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    """Makes a dtype policy that of the layers that are made meanwhile."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def optimizer(preset: Preset, model: models.GenerativeModel, steps: int):
    """Returns Adam with a preset's schedule over all of its steps, for each player.

    Raises:
        ValueError: if the preset's rates are not for the model's players.
    """
    rates = preset.learning_rate
    if model.players and not isinstance(rates, dict):
        rates = dict.fromkeys(model.players, rates)
    if isinstance(rates, dict):
        rates = {
            player: schedule(preset.schedule, rate, steps * model.steps_of(player))
            for player, rate in rates.items()
        }
    else:
        rates = schedule(preset.schedule, rates, steps)
    return adam(rates, model.players, **preset.adam)


def restore(run: Run) -> tuple[models.GenerativeModel, int] | None:
    """Returns the model of a run's newest good checkpoint and its epoch; None if there is none.

    Raises:
        ValueError: if there are checkpoints, but all are damaged.
    """
    found = [(epoch, part) for part in (True, False) for epoch in run.checkpoint_epochs(part)]
    for epoch, part in sorted(found, reverse=True):
        path = run.checkpoint(epoch, part)
        try:
            files.check_archive(path)
            return keras.models.load_model(path), epoch
        except Exception as error:  # a damaged file fails in as many ways as there are readers
            reason = str(error).partition("\n")[0]
            log.warning("checkpoint %s is damaged (%s): trying older", path, reason)
    if found:
        raise ValueError(f"no checkpoint in {run.checkpoints} can be read: start a new run")
    return None


def finish(run: Run, epochs: int) -> None:
    """Writes metrics.json, and last model.keras: the mark of a finished run."""
    rows = run.read_history(epochs)
    last = {key: float(value) for key, value in rows[-1].items() if key != "epoch"}
    files.write_json(
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
    with files.written_beside(run.model_file) as beside:
        beside.write_bytes(run.checkpoint(epochs).read_bytes())


def train(
    preset: str | Preset | Config,
    run_dir: str | os.PathLike | None = None,
    seed: int = 0,
    data_dir: str | os.PathLike | None = None,
    strategy: str = "auto",
    verbose: int | str = "auto",
    dtype: str = "float32",
    **settings: Any,
) -> Run | None:
    """Trains a preset into a new run directory.

    ```python
    run = keras_gen.runs.train("vae_digits", epochs=3, latent_dim=4)
    ```

    Args:
        preset: a name, a preset, or a whole `Config`, with which only `run_dir` and `verbose` may
            be given.
        run_dir: the directory to make; by default the next free runs/PRESET-NNN.
        seed: of the initial weights, the noise and the order of the data.
        data_dir: where prepared data sets are.
        strategy: "auto", "single", "mirrored", "multiworker" or "tpu".
        verbose: as in `keras.Model.fit`.
        dtype: "float32", "mixed_bfloat16" or "mixed_float16".
        **settings: replace settings of the preset, as in `override`. With other data, protocols of
            the preset that are not for it are left out.

    Returns:
        The finished run; None in a worker that is not the first.

    Raises:
        ValueError: before training starts, if something in the config does not fit.
        FileExistsError: if `run_dir` exists and is not an empty directory.
        Diverged: if a metric is no longer a number, or the discriminator has won.
    """
    if isinstance(preset, Config):
        if settings or (seed, data_dir, strategy, dtype) != (0, None, "auto", "float32"):
            raise ValueError(
                "a Config has all settings: change it with dataclasses.replace, or give a preset."
            )
        config = preset
    else:
        preset = presets.get(preset) if isinstance(preset, str) else preset
        place = None if data_dir is None else str(data_dir)
        settled = override(preset, settings)
        config = Config(settled, checks.seed(seed), place, strategy, dtype=dtype)
    path = next_path(config.preset.name) if run_dir is None else Path(run_dir)
    chief = strategies.is_chief(config.strategy)
    if chief:
        check_free(path)
    job = prepare(config)
    job.check_protocols(settings)
    run = Run.create(path, job.as_json()) if chief else None
    job.fit(run, verbose)
    return run


def resume(run_dir: str | os.PathLike, verbose: int | str = "auto") -> Run:
    """Continues an interrupted run to the weights that it would have had without interruption.

    Args:
        run_dir: the run directory. If its run is finished, nothing is done.
        verbose: as in `keras.Model.fit`.

    Returns:
        The finished run.

    Raises:
        FileNotFoundError: if `run_dir` is not a run directory.
        PermissionError: if nothing can be written in it.
        ValueError: if none of its checkpoints can be read.
        Diverged: if a metric is no longer a number, or the discriminator has won.
    """
    run = Run(run_dir)
    if not run.finished:
        job = prepare(run.config, run)
        job.fit(run if strategies.is_chief(run.config.strategy) else None, verbose)
    return run
