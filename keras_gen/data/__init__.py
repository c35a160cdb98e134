"""Data sets: a name, a path or arrays become a `Dataset` with two splits and a `Spec`.

`load` reads one into memory, or many images into a file; `spec` describes one that is known by name
without loading it. The sources are in `keras_gen.data.sources`, one file each.
"""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.data.dataset import Dataset
from keras_gen.data.loading import load, spec
from keras_gen.data.pipeline import Batches
from keras_gen.data.sources.audio import write_wav
from keras_gen.data.sources.shapes import draw_shapes
from keras_gen.data.sources.text import BYTES, decode_text, encode_text
from keras_gen.data.specs import DataError, Spec
from keras_gen.data.spectrograms import log_mel, waveform

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
