"""Compression of images: without loss by bits-back coding through a VAE, and with loss.

`compress` and `decompress` go from arrays to bytes and back.
"""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.compression.archive import CompressionError, compress, decompress
from keras_gen.compression.images import read_images, write_images

__all__ = ["CompressionError", "compress", "decompress", "read_images", "write_images"]
