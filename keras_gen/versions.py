"""The versions that made a file."""

from __future__ import annotations

import importlib.metadata
import platform

import keras

from keras_gen import __version__


def versions() -> dict[str, str]:
    """Returns the versions of this package, Keras, its backend and Python, by name."""
    backend = keras.backend.backend()
    return {
        "keras_gen": __version__,
        "keras": keras.__version__,
        backend: importlib.metadata.version(backend),
        "python": platform.python_version(),
    }
