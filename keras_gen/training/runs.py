"""A run directory: where its files lie, and how they are written and found.

Every file is written beside its place and renamed into it, so a kill at any instant leaves only
complete files. `model.keras` is written last: a run that has it is finished.
"""

import contextlib
import csv
import json
import os
import shlex
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from keras_gen import zoo

CHECKPOINTS_KEPT = 2


@contextlib.contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to, and rename it into place when the block succeeds."""
    beside = path.with_name(f".partial-{path.name}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` to `path`, which appears complete or not at all."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(content, indent=2) + "\n")


def read_json(path: Path, entries: Iterable[str] = ()) -> dict[str, Any]:
    """The content of a file of `write_json`, which has these entries.

    Raises:
        ValueError: naming the file, if it is damaged.
    """
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is damaged: it holds no JSON object")
    if missing := [entry for entry in entries if entry not in content]:
        raise ValueError(f"{path} is damaged: it has no {missing[0]!r}")
    return content


class Run:
    """The files of one training run.

    Args:
        path: the run directory, which exists.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.history_file = self.path / "history.csv"
        self.metrics_file = self.path / "metrics.json"
        self.model_file = self.path / "model.keras"
        self.checkpoints = self.path / "checkpoints"
        self.samples = self.path / "samples"
        self.tensorboard = self.path / "tensorboard"

    @classmethod
    def open(cls, path: str | os.PathLike) -> "Run":
        """The existing run at `path`.

        Raises:
            FileNotFoundError: there is no run at `path`.
        """
        run = cls(path)
        if not run.config_file.is_file():
            what = "does not exist"
            if run.path.exists():
                what = "has no config.json" if run.path.is_dir() else "is a file"
            raise FileNotFoundError(f"{path} is no run directory: it {what}")
        return run

    @classmethod
    def open_finished(cls, path: str | os.PathLike) -> "Run":
        """The finished run at `path`.

        Raises:
            FileNotFoundError: there is no run at `path`.
            ValueError: the run is unfinished; the message says how to resume it.
        """
        run = cls.open(path)
        if not run.finished:
            raise ValueError(f"{path} is unfinished: first run {run.resume_command}")
        return run

    @classmethod
    def create(cls, path: str | os.PathLike, config: dict[str, Any]) -> "Run":
        """Make the directory `path`; it appears with its config.json in it.

        Raises:
            FileExistsError: `path` exists and is not an empty directory.
        """
        path = Path(path)
        check_free(path)
        beside = path.with_name(f".partial-{path.name}")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        run = cls(beside)
        write_json(run.config_file, config)
        run.make_folders()
        os.rename(beside, path)
        return cls(path)

    def make_folders(self) -> None:
        """Makes the folders of a run that are not there: copies may lack empty ones."""
        for folder in (self.checkpoints, self.samples, self.tensorboard):
            folder.mkdir(exist_ok=True)

    @property
    def config(self) -> dict[str, Any]:
        """The content of config.json.

        Raises:
            ValueError: the file is damaged.
        """
        return read_json(self.config_file, ("preset", "seed", "spec"))

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of metrics.json.

        Raises:
            ValueError: the file is damaged.
        """
        return read_json(self.metrics_file)

    @property
    def finished(self) -> bool:
        """Whether training has written the model."""
        return self.model_file.is_file()

    @property
    def resume_command(self) -> str:
        """What to type to train on."""
        return f"keras-gen train --resume --run-dir {shlex.quote(str(self.path))}"

    def checkpoint(self, epoch: int) -> Path:
        """Where the checkpoint after `epoch` epochs lies."""
        return self.checkpoints / f"epoch-{epoch:04d}.keras"

    def checkpoint_epochs(self) -> list[int]:
        """After how many epochs there are checkpoints, the newest first."""
        names = (
            file.stem.removeprefix("epoch-") for file in self.checkpoints.glob("epoch-*.keras")
        )
        return sorted((int(name) for name in names if name.isdigit()), reverse=True)

    def drop_old_checkpoints(self, keep: int | None = None) -> None:
        """Leave the newest checkpoints, and the one after `keep` epochs."""
        for epoch in self.checkpoint_epochs()[CHECKPOINTS_KEPT:]:
            if epoch != keep:
                self.checkpoint(epoch).unlink()

    def read_history(self, epochs: int) -> list[dict[str, str]]:
        """The rows of history.csv for the first `epochs` epochs.

        Raises:
            ValueError: there are not so many.
        """
        rows = []
        # One that is no text has no rows.
        with (
            contextlib.suppress(FileNotFoundError, UnicodeDecodeError, csv.Error),
            open(self.history_file, newline="") as file,
        ):
            rows = list(csv.DictReader(file))[:epochs]
        if len(rows) < epochs:
            raise ValueError(
                f"{self.history_file} is lost or damaged: it has {len(rows)} epochs, and the "
                f"checkpoint is of epoch {epochs}. Restore it, or start a new run"
            )
        return rows

    def write_history(self, rows: list[dict[str, Any]]) -> None:
        """Writes history.csv anew: a row for each epoch, with the first row's names as header."""
        with (
            written_beside(self.history_file) as beside,
            open(beside, "w", newline="") as file,
        ):
            writer = csv.DictWriter(file, fieldnames=rows[0])
            writer.writeheader()
            writer.writerows(rows)


def check_free(path: Path) -> None:
    """Raises FileExistsError unless a new run can be made at `path`."""
    if not zoo.is_free(path):
        raise FileExistsError(
            f"{path} exists: continue it with --resume, or choose another --run-dir"
        )


def _numbered(preset: str, root: Path) -> dict[int, Path]:
    """The run directories of a preset under `root`, by number."""
    paths = {path.name.removeprefix(f"{preset}-"): path for path in root.glob(f"{preset}-*")}
    return {int(number): path for number, path in paths.items() if number.isdigit()}


def next_path(preset: str, root: str | os.PathLike = "runs") -> Path:
    """The next free `PRESET-NNN` under `root`."""
    root = Path(root)
    return root / f"{preset}-{max(_numbered(preset, root), default=0) + 1:03d}"


def newest_unfinished(preset: str, root: str | os.PathLike = "runs") -> Path:
    """The unfinished run of a preset with the highest number.

    Raises:
        FileNotFoundError: there is none.
    """
    for _, path in sorted(_numbered(preset, Path(root)).items(), reverse=True):
        run = Run(path)
        if run.config_file.is_file() and not run.finished:
            return path
    raise FileNotFoundError(f"no unfinished run of {preset} in {root}/: nothing to resume")
