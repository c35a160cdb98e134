"""Lossless compression of images by a VAE: bits-back coding with asymmetric numeral systems.

`compress` and `decompress` go from arrays to bytes and back, exactly.
"""

from keras_gen.compression.archive import CompressionError, compress, decompress
from keras_gen.compression.images import read_images, write_images

__all__ = ["CompressionError", "compress", "decompress", "read_images", "write_images"]
