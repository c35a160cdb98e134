"""The configuration of a run: a preset with its overrides, seed and place of the data."""

import dataclasses
import json
import math
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from keras_gen import models, presets
from keras_gen.engine import options
from keras_gen.presets import DTYPES, Preset
from keras_gen.suggestions import nearest
from keras_gen.versions import versions

# Preset fields that say what a preset is; the others say how it is run and can be overridden.
FIXED = {"name", "description", "paper", "target", "data_options", "network", "model"}
OVERRIDABLE = tuple(f.name for f in dataclasses.fields(Preset) if f.name not in FIXED)

ADAM = ("beta_1", "beta_2", "epsilon", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm")


@dataclass(frozen=True)
class Config:
    """Everything that a training run depends on.

    Attributes:
        preset: the recipe, with its overrides.
        seed: of the initial weights, the noise and the order of the data.
        data_dir: where prepared data sets are, or None for the default place.
        strategy: name of a strategy.
        command: the command line that made the run, or None.
        dtype: of the computation: "float32", "mixed_bfloat16" or "mixed_float16".
        backend: Keras's, by default the one in use.

    Raises:
        ValueError: for another dtype.
    """

    preset: Preset
    seed: int = 0
    data_dir: str | None = None
    strategy: str = "auto"
    command: str | None = None
    dtype: str = "float32"
    backend: str = field(default_factory=keras.backend.backend)

    def __post_init__(self):
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}")

    def as_json(self) -> dict[str, Any]:
        """Returns the config as config.json holds it, with versions and commit."""
        return json.loads(json.dumps(dataclasses.asdict(self))) | {
            "versions": versions(),
            "commit": commit(),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Config":
        """Returns the config that a config.json holds.

        Raises:
            ValueError: if fields are missing or unknown.
        """
        try:
            content = {"dtype": "float32", "backend": "tensorflow"} | content  # of older runs
            fields = {f.name: content[f.name] for f in dataclasses.fields(cls)}
            preset = dict(fields["preset"], protocols=tuple(fields["preset"]["protocols"]))
            return cls(**fields | {"preset": Preset(**preset)})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"config.json is damaged: {type(error).__name__} {error}") from error


def override(preset: Preset, settings: dict[str, Any]) -> Preset:
    """Returns the preset with some settings replaced.

    Args:
        preset: where to start.
        settings: values by key: a field of the preset ("epochs"), an option of its data
            ("data.size"), of its networks ("latent_dim") or of its model ("beta"). Other data than
            the preset's drops its target, and its data options unless they are of the same kind.

    Raises:
        ValueError: for an unknown key, or a value that the key cannot have.
    """
    fields = {key: value for key, value in settings.items() if key in OVERRIDABLE}
    if fields.get("data", preset.data) != preset.data:
        fields |= {"data_options": preset.options_for(fields["data"]), "target": {}}
    preset = dataclasses.replace(preset, **fields)
    _check_fields(preset)
    cls = models.get(preset.class_name)
    network, model = options.network_options(cls), options.model_options(cls)
    changed = {name: dict(getattr(preset, name)) for name in ("data_options", "network", "model")}
    for key, value in settings.items():
        if key in OVERRIDABLE:
            continue
        if key.startswith("data."):
            changed["data_options"][key.removeprefix("data.")] = value
        elif key in model:
            options.check_value(key, value, model[key])
            changed["model"][key] = value
        elif key in network:
            options.check_value(key, value, network[key])
            changed["network"][key] = value
        else:
            known = [*OVERRIDABLE, *network, *model, "data.KEY"]
            raise ValueError(
                f"unknown setting {key!r}.{nearest(key, known)} {preset.class_name} takes "
                f"{', '.join(known)}"
            )
    return dataclasses.replace(preset, **changed)


def _check_fields(preset: Preset) -> None:
    for key in ("epochs", "batch_size", "accumulate", "save_every"):
        value = getattr(preset, key)
        if type(value) is not int or value < 1:
            raise ValueError(f"{key} must be a positive integer, got {value!r}")
    rates = preset.learning_rate
    for rate in rates.values() if isinstance(rates, dict) else [rates]:
        if type(rate) not in (int, float) or not 0 < rate < 1e6:
            raise ValueError(
                f"learning_rate must be a positive number, or one for each player, got {rates!r}"
            )
    _check_adam(preset.adam)
    if preset.schedule not in presets.SCHEDULES:
        raise ValueError(
            f"unknown schedule {preset.schedule!r}: known are {', '.join(presets.SCHEDULES)}"
        )
    if not all(isinstance(value, str) for value in (preset.data, preset.class_name)):
        raise ValueError(
            f"data and class_name are names, got {preset.data!r} and {preset.class_name!r}"
        )
    if not isinstance(preset.protocols, (tuple, list)):
        raise ValueError(f"protocols must be a list of names, got {preset.protocols!r}")


def _check_adam(adam: Any) -> None:
    """Raises ValueError unless these are arguments of Adam."""
    if not isinstance(adam, dict):
        raise ValueError(f"adam must be a dictionary of Adam's arguments, got {adam!r}")
    for key, value in adam.items():
        if key not in ADAM:
            known = ", ".join(ADAM)
            raise ValueError(f"adam takes {known}; got {key!r}.{nearest(key, ADAM)}")
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError(f"adam's {key} must be a number, got {value!r}")
        if key in ("beta_1", "beta_2") and not 0 <= value < 1:
            raise ValueError(f"adam's {key} must be in [0, 1), got {value!r}")
        if value < 0 or (value == 0 and key != "weight_decay" and not key.startswith("beta")):
            raise ValueError(f"adam's {key} must be positive, got {value!r}")


def commit() -> str | None:
    """Returns the git commit of this package's source, or None if it is unknown.

    It ends with "-dirty" if the source was changed. Changes beside the package do not count.
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
        # An installed copy may be inside another repository.
        git("ls-files", "--error-unmatch", Path(__file__).name)
        return git("rev-parse", "HEAD") + (
            "-dirty" if git("status", "--porcelain", "--", "..") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return None
