"""A signature of a SavedModel as the content of a `.tflite` or an `.onnx` file."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np

from keras_gen import checks
from keras_gen.exporting.quietly import quietly
from keras_gen.quiet import LazyTensorFlow

tf = LazyTensorFlow("the conversion of a SavedModel")

OPSET = 18  # of ONNX
# Where a converter says that it failed: "generator_1/gru_1/TensorArrayV2_1@__inference_decode_68",
# and "Name: StatefulPartitionedCall/generator_1/gru_1_2/TensorArrayV2_1 OpType: TensorListReserve".
PLACE = re.compile(r'"([\w.]+(?:/[\w.]+)+)@|Name: ([\w./]+) OpType')
OPERATION = re.compile(r"'(?:tf|tfl)\.(\w+)' op|OpType: (\w+)|op \[[^:]*: (\w+)\]")


class CannotConvert(ValueError):
    """A converter does not know a layer; the message names it."""


def to_litert(
    folder: Path, signature: str, quantize: str | None, examples: list[dict[str, np.ndarray]]
) -> bytes:
    """Returns a signature as LiteRT's flat buffer.

    Args:
        folder: of the SavedModel.
        signature: the name of the function.
        quantize: None, `"float16"` (weights), `"dynamic"` (weights of 8 bits, computation in
            float32) or `"int8"` (weights and activations of 8 bits).
        examples: inputs of one row, for the ranges of the activations of `"int8"`.

    Raises:
        CannotConvert: if it holds an operation that LiteRT does not have.
    """
    with quietly():
        converter = tf.lite.TFLiteConverter.from_saved_model(
            str(folder), signature_keys=[signature]
        )
    if quantize:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantize == "int8":
        converter.representative_dataset = lambda: iter(examples)
        # The newer one reads the ones of a label in the scale of z, as 4 and not as 1.
        converter.experimental_new_quantizer = False
        # A scale for each channel makes files a tenth larger, and samples no better.
        converter._experimental_disable_per_channel = True
    with quietly():
        try:
            return converter.convert()
        except Exception as error:  # the converter's own type is private
            raise _cannot("LiteRT", str(error)) from error


def to_onnx(folder: Path, signature: str, quantize: str | None) -> bytes:
    """Returns a signature as an ONNX model, with its inputs and outputs by their names.

    Args:
        folder: of the SavedModel.
        signature: the name of the function.
        quantize: None, `"float16"` (weights and computation) or `"dynamic"` (weights of matrix
            products of 8 bits).

    Raises:
        CannotConvert: if it holds an operation that ONNX does not have.
        ImportError: if tf2onnx is not installed.
    """
    checks.installed("tf2onnx", "ONNX", "tf2onnx", "onnx")
    import onnx
    import tf2onnx
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    with quietly():
        loaded = tf.saved_model.load(str(folder))
        function = loaded.signatures[signature]
        frozen = convert_variables_to_constants_v2(function)
        outputs = sorted(function.structured_outputs)
        # The frozen function has its outputs in the order of their sorted names.
        names = {each.name: each.name.partition(":")[0] for each in frozen.inputs}
        names |= {each.name: name for each, name in zip(frozen.outputs, outputs, strict=True)}
        try:
            model, _ = tf2onnx.convert.from_graph_def(
                frozen.graph.as_graph_def(),
                input_names=[each.name for each in frozen.inputs],
                output_names=[each.name for each in frozen.outputs],
                opset=OPSET,
                tensors_to_rename=names,
            )
        except Exception as error:  # tf2onnx raises what its own code happens to raise
            raise _cannot("ONNX", str(error)) from error
        try:
            onnx.checker.check_model(model)
        except onnx.checker.ValidationError as error:  # an operation was left as it was
            raise _cannot("ONNX", str(error)) from error
        return _quantized(model, quantize).SerializeToString()


def _quantized(model, quantize: str | None):
    """Returns an ONNX model with smaller weights."""
    import onnx

    if quantize == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        return convert_float_to_float16(model, keep_io_types=True)
    if quantize == "dynamic":
        from onnxruntime.quantization import quantize_dynamic

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "quantized.onnx"
            quantize_dynamic(model, path)
            return onnx.load(path)
    return model


def _cannot(name: str, text: str) -> CannotConvert:
    place, operation = PLACE.search(text), OPERATION.search(text)
    where = "this model"
    if place:
        where = f"layer {(place[1] or place[2]).split('/')[-2]}"
    what = f" (operation {next(filter(None, operation.groups()))})" if operation else ""
    lines = text.strip().splitlines() or ["it says nothing"]
    why = what or f": {lines[0][:200]}"
    return CannotConvert(f"{name} cannot convert {where}{why}; --format saved_model can.")
