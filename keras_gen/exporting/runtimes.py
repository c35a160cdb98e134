"""Exported files in their own runtimes, without Keras."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from keras_gen import checks
from keras_gen.exporting.quietly import quietly


class Runtime:
    """A function in a file, on one core unless told otherwise.

    Attributes:
        inputs: names of its inputs.
    """

    inputs: tuple[str, ...]

    def __call__(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Returns outputs by name, for inputs by name with the batch first."""
        raise NotImplementedError


class LiteRT(Runtime):
    """A `.tflite` file in LiteRT's interpreter."""

    def __init__(self, path: Path, threads: int = 1):
        checks.installed("ai_edge_litert", "a .tflite file", "ai-edge-litert", "litert")
        from ai_edge_litert.interpreter import Interpreter

        with quietly():
            self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        (name,) = self._interpreter.get_signature_list()
        self._run = self._interpreter.get_signature_runner(name)
        self.inputs = tuple(self._run.get_input_details())

    def __call__(self, **inputs):
        return self._run(**inputs)


class Onnx(Runtime):
    """An `.onnx` file in ONNX Runtime."""

    def __init__(self, path: Path, threads: int = 1):
        checks.installed("onnxruntime", "an .onnx file", "onnxruntime", "onnx")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.inputs = tuple(each.name for each in self._session.get_inputs())
        self._outputs = [each.name for each in self._session.get_outputs()]

    def __call__(self, **inputs):
        return dict(zip(self._outputs, self._session.run(None, inputs), strict=True))


RUNTIMES = {".tflite": LiteRT, ".onnx": Onnx}


def open_runtime(path: str | os.PathLike, threads: int = 1) -> Runtime:
    """Returns the function in a `.tflite` or `.onnx` file.

    Args:
        path: the file.
        threads: how many cores it may use.

    Raises:
        ImportError: if its runtime is not installed.
        ValueError: if the file has another suffix.
    """
    path = Path(path)
    if path.suffix not in RUNTIMES:
        raise ValueError(f"{path} is not a .tflite or an .onnx file.")
    return RUNTIMES[path.suffix](path, threads)
