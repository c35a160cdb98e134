"""A finished run as a SavedModel with a card that says where it comes from."""

import dataclasses
import os
import shutil
from pathlib import Path

from keras_gen import zoo
from keras_gen.training import Config, Run, load
from keras_gen.training.runs import write_json


def export_run(run_dir: str | os.PathLike, dest: str | os.PathLike) -> Path:
    """Write a run's model as a SavedModel, with `card.json` in it.

    Args:
        run_dir: a finished run.
        dest: the directory to make; it appears complete or not at all.

    Returns:
        The directory written.

    Raises:
        FileNotFoundError: there is no run at `run_dir`.
        FileExistsError: `dest` exists and is not an empty directory.
        ValueError: the run is unfinished.
    """
    dest = Path(dest)
    if not zoo.is_free(dest):
        raise FileExistsError(f"{dest} exists: choose another destination")
    run, config, model = load(run_dir)
    beside = dest.with_name(f".partial-{dest.name}")
    shutil.rmtree(beside, ignore_errors=True)
    dest.parent.mkdir(parents=True, exist_ok=True)
    try:
        model.export(beside, verbose=False)
        write_json(beside / "card.json", card(run, config))
        os.rename(beside, dest)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return dest


def card(run: Run, config: Config) -> dict:
    """What is known of a run's model: preset, data, metrics, versions, commit, command."""
    content, preset = run.config, dataclasses.asdict(config.preset)
    return {
        "preset": preset.pop("name"),
        **preset,
        "spec": content["spec"],
        "seed": config.seed,
        "metrics": run.metrics,
        "command": config.command,
        "versions": content["versions"],
        "commit": content["commit"],
    }
