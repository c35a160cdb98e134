"""Losses: pure functions of logits, gradients or data, which return one value per example."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.losses import adversarial, information, penalties, reconstruction

__all__ = ["adversarial", "information", "penalties", "reconstruction"]
