"""One page on a trained model: figures, samples, and what its latents hold."""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.reporting.page import page, write_page

__all__ = ["page", "write_page"]
