"""A run directory: where its files are, and how they are found and read.

Every file is written beside its place and renamed into it, so a kill at any instant leaves only
complete files. `model.keras` is written last: a run that has it is finished.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import os
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from keras_gen import data, evaluation, files, models
from keras_gen.runs.config import Config
from keras_gen.runs.trained import TrainedModel, load_model

CHECKPOINTS_KEPT = 2
PART = "-part"  # of the name of a checkpoint in the middle of an epoch


class Run(TrainedModel):
    """A training run: a directory with its configuration, checkpoints, history and model.

    Args:
        path: the run directory.

    Raises:
        FileNotFoundError: if `path` is not a run directory.
        ValueError: if its config.json is damaged.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.name = self.path.resolve().name
        self.origin = f"the run {self.path}"
        self.config_file = self.path / "config.json"
        self.history_file = self.path / "history.csv"
        self.metrics_file = self.path / "metrics.json"
        self.checkpoints = self.path / "checkpoints"
        self.samples = self.path / "samples"
        self.tensorboard = self.path / "tensorboard"
        self.lock_file = self.path / ".lock"  # there is one while a process trains
        if not self.config_file.is_file():
            what = "does not exist"
            if self.path.exists():
                what = "has no config.json" if self.path.is_dir() else "is a file"
            raise FileNotFoundError(f"{path} is not a run directory: it {what}")

    @classmethod
    def create(cls, path: str | os.PathLike, content: dict[str, Any]) -> Run:
        """Makes a run directory; it appears with its config.json in it.

        Args:
            path: the directory to make.
            content: of config.json.

        Raises:
            FileExistsError: if `path` exists and is not an empty directory.
        """
        check_free(Path(path))
        with files.folder_written_beside(path) as beside:
            files.write_json(beside / "config.json", content)
            cls(beside).make_folders()
        return cls(path)

    def make_folders(self) -> None:
        """Makes the folders of a run that are missing: copies may lack empty ones."""
        for folder in (self.checkpoints, self.samples, self.tensorboard):
            folder.mkdir(exist_ok=True)

    @property
    def content(self) -> dict[str, Any]:
        """The content of config.json.

        Raises:
            ValueError: if the file is damaged.
        """
        return files.read_json(self.config_file, ("preset", "seed", "spec"))

    @functools.cached_property
    def config(self) -> Config:
        """All that the run depends on."""
        return Config.from_json(self.content)

    @property
    def preset(self):
        """The resolved preset."""
        return self.config.preset

    @property
    def spec(self) -> data.Spec:
        """The description of its data."""
        return data.Spec(**self.content["spec"])

    @property
    def seed(self) -> int:
        """The seed of its training."""
        return self.config.seed

    @property
    def data_dir(self) -> str | None:
        """Where its data was."""
        return self.config.data_dir

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of metrics.json.

        Raises:
            ValueError: if the file is damaged.
        """
        return files.read_json(self.metrics_file)

    @property
    def model_file(self) -> Path:
        return self.path / "model.keras"

    @property
    def finished(self) -> bool:
        """Whether training has written the model."""
        return self.model_file.is_file()

    def check_finished(self) -> None:
        """Raises ValueError if training is unfinished; the message says how to resume it."""
        if not self.finished:
            raise ValueError(f"{self.path} is unfinished: first run {self.resume_command}")

    @functools.cached_property
    def model(self) -> models.GenerativeModel:
        """The trained model, loaded once.

        Raises:
            ValueError: if training is unfinished, or the file is damaged; the message says what to
                do.
        """
        self.check_finished()
        try:
            return load_model(self.model_file)
        except ValueError as error:
            raise ValueError(
                f"{error}: delete it and run {self.resume_command}, which makes it again from the "
                "last checkpoint"
            ) from error

    @property
    def card(self) -> dict[str, Any]:
        preset = dataclasses.asdict(self.preset)
        content = self.content
        return {
            "preset": preset.pop("name"),
            **preset,
            "spec": content["spec"],
            "seed": self.seed,
            "metrics": self.metrics,
            **{key: content[key] for key in ("device", "dtype") if key in content},
            "command": self.config.command,
            "versions": content["versions"],
            "commit": content["commit"],
        }

    def evaluate(
        self,
        protocols: Iterable[str] | None = None,
        source: Any = None,
        data_dir: str | os.PathLike | None = None,
        features: evaluation.Features | None = None,
        inception: str | os.PathLike | None = None,
        on_result: Callable[[str, evaluation.Result], None] = lambda name, result: None,
    ) -> dict[str, evaluation.Result]:
        """Measures the model as `TrainedModel.evaluate`, and keeps each figure in metrics.json."""
        self.check_finished()

        def keep(name: str, result: evaluation.Result) -> None:
            metrics = self.metrics
            known = metrics.get("evaluation", {}) | {name: dataclasses.asdict(result)}
            files.write_json(self.metrics_file, metrics | {"evaluation": known})
            on_result(name, result)

        if source is not None:  # figures of other data are not the run's
            keep = on_result
        return super().evaluate(protocols, source, data_dir, features, inception, keep)

    @property
    def resume_command(self) -> str:
        """The command that continues training."""
        launch = ""
        if self.config.strategy == "multiworker":
            launch = f"launch --workers {self.content['workers']} "
        return f"keras-gen {launch}train --resume --run-dir {shlex.quote(str(self.path))}"

    def checkpoint(self, epoch: int, part: bool = False) -> Path:
        """Returns the path of the checkpoint after `epoch` epochs, and a part of the next."""
        return self.checkpoints / f"epoch-{epoch:04d}{PART if part else ''}.keras"

    def checkpoint_epochs(self, part: bool = False) -> list[int]:
        """Returns the numbers of epochs after which there are checkpoints, the newest first.

        Args:
            part: of those that were written in the middle of the next epoch.
        """
        stems = (file.stem for file in self.checkpoints.glob("epoch-*.keras"))
        names = (
            stem.removeprefix("epoch-").removesuffix(PART)
            for stem in stems
            if stem.endswith(PART) == part
        )
        return sorted((int(name) for name in names if name.isdigit()), reverse=True)

    @property
    def history(self) -> list[dict[str, str]]:
        """All rows of history.csv; none if it does not exist or is not a table."""
        # A file that is not text has no rows.
        with (
            contextlib.suppress(FileNotFoundError, UnicodeDecodeError, csv.Error),
            open(self.history_file, newline="") as file,
        ):
            return list(csv.DictReader(file))
        return []

    def sample_pictures(self) -> list[Path]:
        """Returns the pictures of samples, epoch by epoch."""
        return sorted(self.samples.glob("epoch-*.png"))

    def drop_old_checkpoints(self, keep: int | None = None) -> None:
        """Deletes all but the newest checkpoints, and the last of those up to epoch `keep`."""
        epochs = self.checkpoint_epochs()
        kept = max((epoch for epoch in epochs if keep is None or epoch <= keep), default=None)
        for epoch in epochs[CHECKPOINTS_KEPT:]:
            if epoch != kept:
                self.checkpoint(epoch).unlink()
        for epoch in self.checkpoint_epochs(part=True):
            if epochs and epoch < epochs[0]:
                self.checkpoint(epoch, part=True).unlink()

    def read_history(self, epochs: int) -> list[dict[str, str]]:
        """Returns the rows of history.csv for the first `epochs` epochs.

        Raises:
            ValueError: if there are fewer.
        """
        rows = self.history[:epochs]
        if len(rows) < epochs:
            raise ValueError(
                f"{self.history_file} is lost or damaged: it has {len(rows)} epochs, and the "
                f"checkpoint is of epoch {epochs}. Restore it, or start a new run"
            )
        return rows

    def write_history(self, rows: list[dict[str, Any]]) -> None:
        """Writes history.csv: a row for each epoch, with the first row's names as header."""
        with (
            files.written_beside(self.history_file) as beside,
            open(beside, "w", newline="") as file,
        ):
            writer = csv.DictWriter(file, fieldnames=rows[0])
            writer.writeheader()
            writer.writerows(rows)


def check_free(path: Path) -> None:
    """Raises FileExistsError unless a new run can be made at `path`."""
    if not files.is_free(path):
        raise FileExistsError(
            f"{path} exists: continue it with --resume, or choose another --run-dir"
        )


def next_path(preset: str, root: str | os.PathLike = "runs") -> Path:
    """Returns the next free path `PRESET-NNN` under `root`."""
    return files.next_numbered(Path(root, preset))


def newest_unfinished(preset: str, root: str | os.PathLike = "runs") -> Path:
    """Returns the path of the unfinished run of a preset with the highest number.

    Raises:
        FileNotFoundError: if there is none.
    """
    for _, path in sorted(files.numbered(Path(root, preset)).items(), reverse=True):
        if (path / "config.json").is_file() and not Run(path).finished:
            return path
    raise FileNotFoundError(f"no unfinished run of {preset} in {root}/: nothing to resume")
