"""A preset resolved for one run: overrides applied and checked, seed, place of the data."""

import dataclasses
import difflib
import inspect
import json
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_gen import __version__, models, presets
from keras_gen.presets import Preset

# Preset fields that say what a preset is; the others say how it is run and can be overridden.
FIXED = {"name", "description", "paper", "target", "data_options", "model_options"}
OVERRIDABLE = tuple(f.name for f in dataclasses.fields(Preset) if f.name not in FIXED)


@dataclass(frozen=True)
class Config:
    """All that a training run depends on.

    Attributes:
        preset: the recipe, with its overrides.
        seed: of the initial weights, the noise and the order of the data.
        data_dir: where prepared data sets lie, or None for the default place.
        strategy: name of a strategy.
        command: the command line that made the run, or None.
    """

    preset: Preset
    seed: int = 0
    data_dir: str | None = None
    strategy: str = "auto"
    command: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The config as it stands in config.json, with the versions of what runs it."""
        return json.loads(json.dumps(dataclasses.asdict(self))) | {
            "versions": versions(),
            "commit": commit(),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Config":
        """That whose fields a `config.json` holds.

        Raises:
            ValueError: it holds other ones.
        """
        try:
            fields = {f.name: content[f.name] for f in dataclasses.fields(cls)}
            preset = dict(fields["preset"], protocols=tuple(fields["preset"]["protocols"]))
            return cls(**fields | {"preset": Preset(**preset)})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"config.json is damaged: {type(error).__name__} {error}") from error


def override(preset: Preset, settings: dict[str, Any]) -> Preset:
    """Return the preset with some settings replaced.

    Args:
        preset: where to start.
        settings: values by key: a field of the preset ("epochs"), an option of its data
            ("data.size") or an option of its model ("latent_dim"). New "data" drops the preset's
            data options and its target, which belong to the old data.

    Raises:
        ValueError: unknown key, or a value that the key cannot have.
    """
    fields = {key: value for key, value in settings.items() if key in OVERRIDABLE}
    if fields.get("data", preset.data) != preset.data:
        fields |= {"data_options": {}, "target": {}}
    preset = dataclasses.replace(preset, **fields)
    _check_fields(preset)
    known = model_options_of(preset.model)
    data_options, model_options = dict(preset.data_options), dict(preset.model_options)
    for key, value in settings.items():
        if key in OVERRIDABLE:
            continue
        if key.startswith("data."):
            data_options[key.removeprefix("data.")] = value
        elif key in known:
            _check_number(key, value, known[key].annotation)
            model_options[key] = value
        else:
            names = [*OVERRIDABLE, *known, "data.KEY"]
            close = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise ValueError(f"unknown setting {key!r}: {hint}known are {', '.join(names)}")
    return dataclasses.replace(preset, data_options=data_options, model_options=model_options)


def _check_fields(preset: Preset) -> None:
    for key in ("epochs", "batch_size"):
        value = getattr(preset, key)
        if type(value) is not int or value < 1:
            raise ValueError(f"{key} must be a positive whole number, got {value!r}")
    rates = preset.learning_rate
    for rate in rates.values() if isinstance(rates, dict) else [rates]:
        if type(rate) not in (int, float) or not 0 < rate < 1e6:
            raise ValueError(
                f"learning_rate must be a positive number, or one for each player, got {rates!r}"
            )
    if not (
        isinstance(preset.adam, dict)
        and all(isinstance(value, (int, float)) for value in preset.adam.values())
    ):
        raise ValueError(f"adam must be a dictionary of Adam's numbers, got {preset.adam!r}")
    if preset.schedule not in presets.SCHEDULES:
        raise ValueError(
            f"unknown schedule {preset.schedule!r}: known are {', '.join(presets.SCHEDULES)}"
        )
    if not all(isinstance(value, str) for value in (preset.data, preset.model)):
        raise ValueError(f"data and model are names, got {preset.data!r} and {preset.model!r}")
    if not isinstance(preset.protocols, (tuple, list)):
        raise ValueError(f"protocols must be a list of names, got {preset.protocols!r}")


def _check_number(key: str, value: Any, annotation: Any) -> None:
    """Raises ValueError for something else where a model's option is a number."""
    kind, _, optional = str(annotation).partition(" | ")
    wanted = {"int": ("a whole number", int), "float": ("a number", (int, float))}.get(kind)
    if wanted and optional in ("", "None") and not (optional and value is None):
        name, types = wanted
        if isinstance(value, bool) or not isinstance(value, types):
            raise ValueError(f"{key} must be {name}, got {value!r}")


def model_options_of(model: str) -> dict[str, inspect.Parameter]:
    """What can be set of a model: the options of `for_data` and of the constructor, by name.

    Those without a default, data and networks, are for_data's business, and a run has its own seed.
    """
    taken = models.get(model).parameters_of("for_data", "default_networks", "__init__")
    # The first of a name is the one that `for_data` takes.
    options = {p.name: p for p in reversed(taken) if p.default is not p.empty and p.name != "seed"}
    return dict(reversed(options.items()))


def versions() -> dict[str, str]:
    """The versions of what a result depends on."""
    return {
        "keras_gen": __version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "python": platform.python_version(),
    }


def commit() -> str | None:
    """The git commit of this package's source, with "-dirty" if it was changed; None if unknown.

    Changes beside the package, such as a model released before, are none of its source.
    """

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        # An installed copy may lie inside somebody else's repository.
        git("ls-files", "--error-unmatch", Path(__file__).name)
        return git("rev-parse", "HEAD") + (
            "-dirty" if git("status", "--porcelain", "--", "..") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return None
