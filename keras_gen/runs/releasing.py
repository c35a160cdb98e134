"""Writes a finished run as a trained model that comes with the package."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from keras_gen import data, evaluation, files, plotting
from keras_gen.presets import released
from keras_gen.runs import samples
from keras_gen.runs.run import Run

# Bits of a weight's mantissa that are kept, of float16's 10; fewer where the file is too large.
MANTISSAS = (7, 6)
LARGEST = 8_000_000  # bytes of a model file
# Released models compute in float32, whatever they were trained in.
MIXED = re.compile(rb'"mixed_(b?)float16"')
# Options of a command line that name places on the machine it ran on.
PLACES = ("--run-dir", "--data-dir")


def release(
    run: Run | str | os.PathLike, dest: str | os.PathLike, source: Any = None
) -> dict[str, Any]:
    """Writes a run's model for use, with a card of its figures and its samples.

    The weights are rounded to half precision or less, and what only training needs is left out. The
    preset's protocols are measured on the rounded weights: the card's figures are the file's. If
    the file is still larger than 8 MB, only card and samples are written.

    Args:
        run: a finished run, or its directory.
        dest: the folder to write, such as `saved_models/vae_mnist`; an older release is replaced.
        source: the data that figures are measured on, as in `TrainedModel.dataset`; by default the
            preset's.

    Returns:
        The card.

    Raises:
        FileExistsError: before anything is measured, if something else is at `dest`.
        FileNotFoundError: if it is not a run directory.
        ValueError: if the run is unfinished.
    """
    files.check_replaceable(dest, released.CARD)
    run = run if isinstance(run, Run) else Run(run)
    model, preset, dataset = run.model, run.preset, run.dataset(source)
    with files.folder_written_beside(dest) as beside:
        file = beside / released.MODEL
        for bits in MANTISSAS:
            save_rounded(model.for_use(), file, bits)
            size = file.stat().st_size
            if size <= LARGEST:
                break
        rounded = keras.models.load_model(file)
        rounded.compile()
        results = evaluation.evaluate(rounded, dataset, preset.protocols)
        content = run.card | {"command": without_places(run.config.command)}
        figures = {name: dataclasses.asdict(result) for name, result in results.items()}
        content["metrics"] = run.metrics | {"evaluation": figures}
        content = json.loads(json.dumps(content))  # as it is read back
        if size <= LARGEST:
            content |= {"sha256": files.sha256(file), "bytes": size}
        else:
            file.unlink()
        write_samples(rounded, dataset.spec, beside)
        files.write_json(beside / released.CARD, content)
    return content


def save_rounded(model: keras.Model, path: Path, bits: int) -> None:
    """Saves a model with float16 weights of `bits` bits of mantissa, compressed by LZMA.

    LZMA's files are an eighth smaller than those by HDF5's or Keras's compression.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole, weights = Path(folder, "whole.keras"), Path(folder, "model.weights.h5")
        model.save(whole)
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
            source.extract(weights.name, folder)
            small = Path(folder, "small.h5")
            with h5py.File(weights) as old, h5py.File(small, "w") as new:
                copy_rounded(old, new, bits)
            for name in source.namelist():
                content = small.read_bytes() if name == weights.name else source.read(name)
                if name == "config.json":
                    content = MIXED.sub(b'"float32"', content)
                # With a fixed time, the same weights are the same file.
                entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
                target.writestr(entry, content, zipfile.ZIP_LZMA)


def copy_rounded(old: h5py.Group, new: h5py.Group, bits: int) -> None:
    """Copies groups and attributes as they are, and rounds numbers."""
    new.attrs.update(old.attrs)
    for name, item in old.items():
        if isinstance(item, h5py.Group):
            copy_rounded(item, new.create_group(name, track_order=True), bits)
            continue
        value = item[()]
        if value.dtype == np.float32:
            value = rounded_half(value, bits)
        # First bytes together, then second bytes: the first ones repeat.
        shuffled = {"chunks": value.shape, "shuffle": True} if value.size > 500 else {}
        new.create_dataset(name, data=value, **shuffled).attrs.update(item.attrs)


def rounded_half(x: np.ndarray, bits: int) -> np.ndarray:
    """Returns the nearest float16 with `bits` bits of mantissa, or x if that is not finite."""
    mantissa, exponent = np.frexp(x)
    scale = 2.0 ** (bits + 1)
    half = np.ldexp(np.rint(mantissa * scale) / scale, exponent)
    largest = np.finfo(np.float16).max
    return half.astype("float16") if np.all(np.abs(half) <= largest) else x


def write_samples(model, spec: data.Spec, folder: Path) -> None:
    """Writes samples as a picture, or as text."""
    if not (plotting.drawable(spec) or spec.kind == "text"):
        return
    labels = plotting.class_labels(model, spec)
    path = folder / ("samples.txt" if spec.kind == "text" else "samples.png")
    x = model.sample(plotting.sheet_size(spec, labels), seed=0)
    samples.write_samples(x, spec, path, column_labels=labels)


def without_places(command: str | None) -> str | None:
    """Returns a command line without the places of run and data."""
    if command is None:
        return None
    kept, words = [], iter(shlex.split(command))
    for word in words:
        if word in PLACES:
            next(words, None)
        elif not word.startswith(tuple(f"{place}=" for place in PLACES)):
            kept.append(word)
    return shlex.join(kept)
