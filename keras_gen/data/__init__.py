"""Data: a name, a path or arrays become a `Dataset` with training and test examples and a `Spec`.

A leaf: it knows no model.
"""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.data.audio import log_mel, waveform, write_wav
from keras_gen.data.dataset import Dataset
from keras_gen.data.pipeline import Batches
from keras_gen.data.shapes import draw_shapes
from keras_gen.data.sources import load, spec
from keras_gen.data.specs import DataError, Spec
from keras_gen.data.text import BYTES, decode_text, encode_text

__all__ = [
    "BYTES",
    "Batches",
    "DataError",
    "Dataset",
    "Spec",
    "decode_text",
    "draw_shapes",
    "encode_text",
    "load",
    "log_mel",
    "spec",
    "waveform",
    "write_wav",
]
