"""Data: a name, a path or arrays become a `Dataset` with training and test examples and a `Spec`.

A leaf: it knows no model.
"""

from keras_gen.data.dataset import Dataset
from keras_gen.data.pipeline import Batches
from keras_gen.data.shapes import draw_shapes
from keras_gen.data.sources import load, spec
from keras_gen.data.specs import DataError, Spec

__all__ = ["Batches", "DataError", "Dataset", "Spec", "draw_shapes", "load", "spec"]
