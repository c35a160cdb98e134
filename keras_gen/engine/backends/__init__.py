"""What the engine asks of a backend: gradients, loops, replicas, compiled functions."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.engine.backends import tensorflow as backend

__all__ = ["backend"]
