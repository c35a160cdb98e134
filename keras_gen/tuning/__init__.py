"""Hyperparameters by search: trials are ordinary runs, and the test set stays unseen."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.tuning.space import parse, settings_of
from keras_gen.tuning.study import Tuned, tune

__all__ = ["Tuned", "parse", "settings_of", "tune"]
