"""Smaller networks that generate what a larger one does."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.distilling.distill import Distilled, distill
from keras_gen.distilling.distillation import Distillation
from keras_gen.distilling.narrow import narrowed

__all__ = ["Distillation", "Distilled", "distill", "narrowed"]
