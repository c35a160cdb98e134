"""Hyperparameters by search: trials are ordinary runs, and the test set stays unseen."""

import importlib.util

from keras_gen import quiet  # noqa: F401  (before TensorFlow)

if importlib.util.find_spec("optuna") is None:
    raise ImportError("tuning needs the package optuna: pip install 'keras_gen[tune]'.")

from keras_gen.tuning.space import parse, settings_of
from keras_gen.tuning.study import Tuned, tune

__all__ = ["Tuned", "parse", "settings_of", "tune"]
