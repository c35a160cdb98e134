"""The space of a search: ranges and choices by the keys of settings."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from typing import Any

from optuna import Trial, distributions

from keras_gen.presets import Preset

RANGE = re.compile(r"(?P<low>[^.,:]*(?:\.\d+)?)\.\.(?P<high>[^:,]+)(?P<log>:log)?")


def parse(space: Mapping[str, str]) -> dict[str, distributions.BaseDistribution]:
    """Returns what a search varies.

    Args:
        space: range by key. `"1e-4..1e-2"` is an interval, with `:log` on a logarithmic scale; of
            whole numbers if both ends are. `"2,4,8"` lists choices. The keys are those of
            `keras_gen.runs.override`, and `learning_rate.PLAYER` for one player's rate.

    Raises:
        ValueError: if a range cannot be read or is empty; the message names its key.
    """
    if not space:
        raise ValueError("there is nothing to vary: give --space KEY=low..high or KEY=a,b,c")
    return {key: _distribution(key, str(text)) for key, text in space.items()}


def settings_of(preset: Preset, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings, as `keras_gen.runs.override` takes them, of a point of a space.

    Raises:
        ValueError: if a rate is given for a player, but the preset has one rate for all.
    """
    settings = {}
    for key, value in values.items():
        name, dot, player = key.partition(".")
        if name != "learning_rate" or not dot:
            settings[key] = value
            continue
        rates = settings.get(name, preset.learning_rate)
        if not isinstance(rates, dict) or player not in rates:
            known = ", ".join(f"learning_rate.{each}" for each in preset.learning_rate) \
                if isinstance(preset.learning_rate, dict) else "learning_rate"  # fmt: skip
            raise ValueError(f"{preset.name} has no {key}: it has {known}")
        settings[name] = rates | {player: value}
    return settings


def suggest(trial: Trial, space: Mapping[str, distributions.BaseDistribution]) -> dict[str, Any]:
    """Returns a point of a space that a trial proposes."""
    point = {}
    for key, each in space.items():
        if isinstance(each, distributions.CategoricalDistribution):
            point[key] = trial.suggest_categorical(key, each.choices)
        elif isinstance(each, distributions.IntDistribution):
            point[key] = trial.suggest_int(key, each.low, each.high, log=each.log)
        else:
            point[key] = trial.suggest_float(key, each.low, each.high, log=each.log)
    return point


def start_of(preset: Preset, space: Mapping[str, distributions.BaseDistribution]) -> dict | None:
    """Returns the preset's own point of a space, or None if it lies outside or is not known."""
    point = {}
    for key, distribution in space.items():
        name, _, player = key.partition(".")
        value = {**preset.model, **preset.network}.get(name, getattr(preset, name, None))
        value = value.get(player) if isinstance(value, dict) else value
        if isinstance(distribution, distributions.CategoricalDistribution):
            inside = value in distribution.choices
        else:
            inside = type(value) in (int, float) and distribution.low <= value <= distribution.high
        if not inside:
            return None
        point[key] = value
    return point


def _distribution(key: str, text: str) -> distributions.BaseDistribution:
    found = RANGE.fullmatch(text)
    if not found:
        choices = [_value(each) for each in text.split(",")]
        if len(set(map(str, choices))) < 2:
            raise ValueError(
                f"the space of {key} is {text!r}: give low..high, low..high:log, or a,b,c"
            )
        return distributions.CategoricalDistribution(choices)
    ends = [_value(found[name]) for name in ("low", "high")]
    log = bool(found["log"])
    if not all(type(end) in (int, float) and math.isfinite(end) for end in ends):
        raise ValueError(f"the space of {key} is {text!r}: its ends must be numbers")
    if not ends[0] < ends[1]:
        raise ValueError(f"the space of {key} is {text!r}: its ends must be in order")
    if log and ends[0] <= 0:
        raise ValueError(f"the space of {key} is {text!r}: a logarithmic scale is above 0")
    if all(type(end) is int for end in ends):
        return distributions.IntDistribution(*ends, log=log)
    return distributions.FloatDistribution(*map(float, ends), log=log)


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return text.strip()
