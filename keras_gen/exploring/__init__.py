"""Sliders for a model's latents, in a notebook."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.exploring.widget import Explorer, explore

__all__ = ["Explorer", "explore"]
