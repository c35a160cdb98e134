"""Writes one function of a model for another runtime, and compares it with Keras there."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from keras_gen import files
from keras_gen.engine import serving
from keras_gen.exporting import converters
from keras_gen.exporting.runtimes import open_runtime
from keras_gen.runs.trained import TrainedModel

FORMATS = {"litert": ".tflite", "onnx": ".onnx"}
QUANTIZED = {"litert": ("float16", "dynamic", "int8"), "onnx": ("float16", "dynamic")}
CHECKED = 64  # rows that are compared with Keras
CALIBRATION = 256  # examples that ranges of activations are found on
ROUNDING = 1e-3  # the largest difference of float32, as a share of the range of the output


@dataclasses.dataclass(frozen=True)
class Exported:
    """A file that was written and compared.

    Attributes:
        path: of the file.
        size: in bytes.
        difference: the largest difference from Keras, of all outputs.
        mean_difference: the mean absolute difference.
        rows: how many inputs were compared.
    """

    path: Path
    size: int
    difference: float
    mean_difference: float
    rows: int


def export(
    trained: TrainedModel,
    dest: str | os.PathLike,
    format: str,
    quantize: str | None = None,
    signature: str = "decode",
    source: Any = None,
    data_dir: str | os.PathLike | None = None,
) -> Exported:
    """Writes a function of a model as a LiteRT or ONNX file, once it agrees with Keras.

    Args:
        trained: the model.
        dest: a `.tflite` or `.onnx` file, or a folder, which gets `model` with the suffix and a
            `card.json`.
        format: "litert" or "onnx".
        quantize: None; "float16"; "dynamic", weights of 8 bits; or with LiteRT "int8", weights and
            activations of 8 bits, whose ranges are those of training data or of draws from the
            prior.
        signature: of the model, as its SavedModel has them: "decode" (from z, the default),
            "encode", "reconstruct" and so on. Those that draw noise of their own cannot be
            converted.
        source, data_dir: training data for an input `x`, as for `TrainedModel.dataset`. If the
            model's own is not at hand, its samples stand for it.

    Raises:
        ValueError: if there is no such format, quantization or signature, if the converter does not
            know a layer (`CannotConvert`), or if the file computes something else than Keras.
        FileExistsError: if `dest` is a folder with something else in it.
        ImportError: if a package is missing.
    """
    path, folder = _place(Path(dest), format)
    if quantize is not None and quantize not in QUANTIZED[format]:
        raise ValueError(
            f"{format} has no quantization {quantize!r}: it has {', '.join(QUANTIZED[format])}."
        )
    model = trained.model
    inputs = _inputs(trained, signature, source, data_dir)
    with tempfile.TemporaryDirectory() as temporary:
        saved = Path(temporary) / "saved_model"
        serving.export(model, saved, verbose=False, content={})
        if format == "litert":
            rows = [{name: x[i : i + 1] for name, x in inputs.items()} for i in range(CALIBRATION)]
            content = converters.to_litert(saved, signature, quantize, rows)
        else:
            content = converters.to_onnx(saved, signature, quantize)
        written = Path(temporary) / f"model{FORMATS[format]}"
        written.write_bytes(content)
        largest, mean = _compare(model, signature, written, inputs, quantize)
    card = trained.card | {"export": {"format": format, "quantize": quantize,
                                      "signature": signature}}  # fmt: skip
    if folder:
        with files.folder_written_beside(folder) as beside:
            (beside / path.name).write_bytes(content)
            files.write_json(beside / "card.json", card)
    else:
        with files.written_beside(path) as beside:
            beside.write_bytes(content)
    return Exported(path, len(content), largest, mean, CHECKED)


def _place(dest: Path, format: str) -> tuple[Path, Path | None]:
    """Returns the file to write, and the folder if it is one that is made for it."""
    if format not in FORMATS:
        raise ValueError(f"unknown format {format!r}: known are {', '.join(FORMATS)}.")
    suffix = FORMATS[format]
    if dest.suffix == suffix:
        if dest.is_dir():
            raise FileExistsError(f"{dest} is a directory: name a file.")
        if not dest.parent.is_dir():
            raise FileNotFoundError(f"there is no directory {dest.parent}.")
        files.check_writable(dest.parent)
        return dest, None
    if dest.suffix in FORMATS.values():
        raise ValueError(f"{dest} is not for {format}, whose files end in {suffix}.")
    files.check_replaceable(dest, f"model{suffix}")
    return dest / f"model{suffix}", dest


def _inputs(trained: TrainedModel, signature: str, source, data_dir) -> dict[str, np.ndarray]:
    """Returns real inputs of a signature, by name."""
    model = trained.model
    known = model.signatures()
    if signature not in known:
        raise ValueError(
            f"{type(model).__name__} has no signature {signature!r}: it has {', '.join(known)}."
        )
    wanted = [each.name for each in known[signature][1]]
    if unknown := [name for name in wanted if name not in ("x", "z", "label")]:
        raise ValueError(
            f"{signature} cannot be converted, as it takes {' and '.join(unknown)} and computes "
            "on its own: export decode, and give it z."
        )
    n = CALIBRATION
    classes = model.num_classes if model.conditional else 0
    label = (np.arange(n) % classes).astype("int32") if classes else None
    found = {"label": label}
    if "z" in wanted:
        found["z"] = model.draw_latents(n, seed=0)
    if "x" in wanted:
        try:
            examples = trained.dataset(source, data_dir).arrays("train", limit=n)
        except ValueError:
            if source is not None or data_dir is not None:
                raise
            found["x"] = model.sample(n, 0, *([label] if classes else []))
        else:
            chosen = np.arange(n) % len(examples["x"])
            found["x"] = examples["x"][chosen]
            if classes:
                found["label"] = examples["label"][chosen].astype("int32")
    return {name: found[name] for name in wanted}


def _compare(model, signature, path, inputs, quantize) -> tuple[float, float]:
    """Returns the largest and the mean difference of a file from Keras.

    Raises:
        ValueError: if a file that is not quantized differs by more than rounding.
    """
    rows = {name: x[:CHECKED] for name, x in inputs.items()}
    function = serving.graph(model, signature)
    ours = {name: np.asarray(each) for name, each in function(*rows.values()).items()}
    theirs = open_runtime(path)(**rows)
    differences = {name: np.abs(np.float64(theirs[name]) - ours[name]) for name in ours}
    largest = max(float(each.max()) for each in differences.values())
    mean = float(np.mean([each.mean() for each in differences.values()]))
    spread = max(float(np.ptp(each)) for each in ours.values()) or 1.0
    if quantize is None and not largest <= ROUNDING * spread:
        raise ValueError(
            f"the converted {signature} differs from Keras by {largest:.3g}: it was not written."
        )
    return largest, mean
