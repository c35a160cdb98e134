"""What the engine asks of a backend: gradients, loops, compiled functions, replicas.

Each backend has one file with the same functions; the Keras backend in use decides which.
"""

import importlib

from keras_gen import quiet  # noqa: F401  (before TensorFlow)

import keras  # isort: skip

backend = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

__all__ = ["backend"]
