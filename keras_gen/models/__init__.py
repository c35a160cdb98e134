"""The models: one paper, one file. Each class here that names its paper is found by existing."""

import importlib
import inspect
import pkgutil

from keras_gen.models.base import GenerativeModel


def _models() -> dict[str, type[GenerativeModel]]:
    found = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for name, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == module.__name__ and getattr(cls, "paper", ""):
                found[name] = cls
    return found


NAMES = _models()
globals().update(NAMES)

__all__ = ["NAMES", "GenerativeModel", "get", *NAMES]


def get(name: str) -> type[GenerativeModel]:
    """The model class of that name.

    Raises:
        ValueError: if there is none.
    """
    if name not in NAMES:
        raise ValueError(f"Unknown model {name!r}. Known: {', '.join(NAMES)}.")
    return NAMES[name]
