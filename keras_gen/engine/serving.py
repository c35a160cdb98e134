"""A model's functions: run in batches on arrays, and written as a SavedModel."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_gen import checks, files
from keras_gen.engine import export_by_tensorflow
from keras_gen.engine.backends import backend
from keras_gen.versions import versions


class Input(NamedTuple):
    """Description of an input of a model's function; the first axis of an array is the batch."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


SPECS = {"n": ((), "int32"), "seed": ((), "int32"), "label": ((None,), "int32")}


def inputs(*names: str, **shapes: Sequence[int | None]) -> list[Input]:
    """Returns the descriptions of a function's inputs: known names, then arrays by shape."""
    known = [Input(name, *SPECS[name]) for name in names]
    arrays = [Input(name, (None, *shape), "float32") for name, shape in shapes.items()]
    return [*arrays, *known]


def graph(model, name: str, function: Callable | None = None, signature=None) -> Callable:
    """Returns a compiled function of a model, made once: by default one of its signatures."""
    if name not in model._graphs:
        if function is None:
            function, signature = model.signatures()[name]
        model._graphs[name] = backend.compiled(function, signature, model)
    return model._graphs[name]


def run(model, name: str, *arrays, batch_size: int = 512) -> np.ndarray:
    """Returns the one output of a signature for arrays of equal length, batch by batch.

    Args:
        model: a `GenerativeModel`.
        name: of the signature.
        *arrays: its inputs; None for one that it does not have.
        batch_size: how many rows are computed at a time.

    Raises:
        ValueError: if the arrays are not what the signature takes.
    """
    checks.integer("batch_size", batch_size)
    function = graph(model, name)
    arrays = [array for array in arrays if array is not None]
    arrays = _checked(model, name, function.input_signature, arrays)
    starts = range(0, max(1, len(arrays[0])), batch_size)
    parts = [_rows(function, [array[i : i + batch_size] for array in arrays]) for i in starts]
    return np.concatenate(parts)


def _rows(function: Callable, arrays: list[np.ndarray]) -> np.ndarray:
    """The output of a function of which each row is a function of the rows."""
    count = len(arrays[0])
    size = backend.padded_rows(count)
    if size > count:
        arrays = [np.resize(array, (size, *array.shape[1:])) for array in arrays]
    (output, *_) = function(*arrays).values()
    return ops.convert_to_numpy(output)[:count]


def decode_paths(model, z: np.ndarray, label=None) -> np.ndarray:
    """Decodes z `(batch, steps, latent_dim)` to `(batch, steps, *data_shape)`."""
    label = None if label is None else np.repeat(label, z.shape[1])
    decoded = model.decode(z.reshape(-1, z.shape[-1]), *([] if label is None else [label]))
    return decoded.reshape(*z.shape[:2], *model.data_shape)


def _checked(model, name: str, wanted, arrays: Sequence) -> list[np.ndarray]:
    """The arrays as NumPy arrays, once each is known to fit its description."""
    names = [spec.name for spec in wanted]
    if len(arrays) != len(wanted):
        raise ValueError(
            f"{name} of {type(model).__name__} takes {' and '.join(names)}; got {len(arrays)} "
            f"input{'s' * (len(arrays) != 1)}."
        )
    arrays = [checks.real_array(each, array) for each, array in zip(names, arrays, strict=True)]
    for each, spec, array in zip(names, wanted, arrays, strict=True):
        if array.shape[1:] != spec.shape[1:] or len(array) != len(arrays[0]):
            sizes = ", ".join(map(str, (len(arrays[0]), *spec.shape[1:])))
            raise ValueError(f"{each} has shape {array.shape}, but should have ({sizes}).")
    label = arrays[names.index("label")] if "label" in names else None
    if "x" in names:
        model.check_examples(arrays[0], label)
    else:
        checks.finite(names[0], arrays[0])
        if label is not None:
            model.check_labels(arrays[0], label, names[0])
    return arrays


def export(
    model, filepath: str | os.PathLike, verbose=None, content: dict[str, Any] | None = None
) -> None:
    """Writes a SavedModel with a model's signatures and a `card.json`, all of it or nothing.

    With another backend, a process with TensorFlow loads the weights and writes it.

    Args:
        model: a `GenerativeModel`.
        filepath: the folder to write.
        verbose: whether to print the signatures.
        content: of `card.json`; by default `card(model)`.

    Raises:
        FileExistsError: before anything is written, if something else is there.
        ImportError: if TensorFlow is not installed.
        PermissionError: if nothing can be written there.
    """
    files.check_replaceable(filepath, "saved_model.pb")
    content = content or card(model)
    if keras.backend.backend() != "tensorflow":
        export_by_tensorflow.export(model, filepath, content)
        return
    archive = keras.export.ExportArchive()
    archive.track(model)
    for name, (function, signature) in model.signatures().items():
        archive.add_endpoint(name, function, input_signature=backend.specs(signature))
    with files.folder_written_beside(filepath) as folder:
        archive.write_out(folder, verbose=verbose)
        files.write_json(folder / "card.json", content)


def card(model) -> dict[str, Any]:
    """Returns what a SavedModel's `card.json` says: the model, its paper and the versions."""
    return {
        "model": type(model).__name__,
        "paper": model.paper,
        "parameters": model.count_params(),
        "steps": int(model.step.numpy()),
        "versions": versions(),
    }
