"""Presets: a name stands for data, model, optimizer, budget and the number that it must reach.

Pure data: importing this package imports nothing heavy, so that the command line can list and check
presets at once. `keras_gen.runs` trains them; `keras_gen.presets.released` has the trained models.
"""

import copy
from types import MappingProxyType

from keras_gen.presets import gan, infogan, released, sequences, vae
from keras_gen.presets.preset import DTYPES, PATH_KINDS, SCHEDULES, STRATEGIES, Preset
from keras_gen.presets.spaces import search_space
from keras_gen.suggestions import nearest

__all__ = [
    "DTYPES",
    "PATH_KINDS",
    "PRESETS",
    "SCHEDULES",
    "STRATEGIES",
    "Preset",
    "get",
    "names",
    "released",
    "search_space",
]

PRESETS = MappingProxyType(
    {preset.name: preset for family in (vae, gan, infogan, sequences) for preset in family.PRESETS}
)


def get(name: str) -> Preset:
    """Returns the preset of a name, the caller's own copy.

    Raises:
        ValueError: if there is no such preset; the message names the nearest.
    """
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}.{nearest(name, PRESETS)} See keras-gen list.")
    return copy.deepcopy(PRESETS[name])


def names(class_name: str | None = None) -> tuple[str, ...]:
    """Returns the names of all presets, or of those of a model class."""
    return tuple(
        preset.name for preset in PRESETS.values() if class_name in (None, preset.class_name)
    )
