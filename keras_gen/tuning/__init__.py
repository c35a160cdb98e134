"""Hyperparameters by search: trials are ordinary runs, and the test set stays unseen."""

from keras_gen import checks, quiet  # noqa: F401  (before TensorFlow)

checks.installed("optuna", "tuning", "optuna", "tune")

from keras_gen.tuning.space import parse, settings_of  # noqa: E402
from keras_gen.tuning.study import Tuned, tune  # noqa: E402

__all__ = ["Tuned", "parse", "settings_of", "tune"]
