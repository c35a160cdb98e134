"""Models for small devices and other runtimes: LiteRT (once TensorFlow Lite) and ONNX.

`export` converts one function of a model and runs it in its own runtime, beside Keras.
"""

from keras_gen import quiet  # noqa: F401  (before TensorFlow)
from keras_gen.exporting.export import FORMATS, QUANTIZED, Exported, export
from keras_gen.exporting.runtimes import Runtime, open_runtime

__all__ = ["FORMATS", "QUANTIZED", "Exported", "Runtime", "export", "open_runtime"]
