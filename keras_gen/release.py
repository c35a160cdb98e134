"""A finished run as one of the trained models that come with the package."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from keras_gen import data, evaluation, training, zoo
from keras_gen.export import card
from keras_gen.training.runs import write_json

# Bits of a weight's mantissa that are kept, of float16's 10; fewer where the file is too large.
MANTISSAS = (7, 6)
LARGEST = 3_000_000  # bytes of a model file
IMAGES = 60
SAMPLES = {"vector": 2500, "text": 10, "sequence": 20}
# What of a command line is about the machine that it ran on.
PLACES = ("--run-dir", "--data-dir")


def release(run_dir: str | os.PathLike, dest: str | os.PathLike) -> dict[str, Any]:
    """Writes a run's model for use, with a card of what it reaches and its samples.

    The weights are rounded to half precision and less, without what only training needs, and the
    preset's protocols are measured on the rounded ones: the card's figures are those of the file.
    A model that is larger than 3 MB even so gets a card and samples alone.

    Args:
        run_dir: a finished run.
        dest: the folder to write, such as `saved_models/vae_mnist`; an older release is replaced.

    Returns:
        The card.

    Raises:
        FileExistsError: before anything is measured, if something else is at `dest`.
        FileNotFoundError: there is no run at `run_dir`.
        ValueError: the run is unfinished.
    """
    dest = Path(dest)
    zoo.check_replaceable(dest, zoo.CARD)
    run, config, model = training.load(run_dir)
    preset = config.preset
    dataset = data.load(preset.data, config.data_dir, **preset.data_options)
    dest.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=dest.parent, prefix=".partial-") as partial:
        beside = Path(partial) / dest.name
        beside.mkdir()
        file = beside / zoo.MODEL
        for bits in MANTISSAS:
            save_rounded(model.for_use(), file, bits)
            size = file.stat().st_size
            if size <= LARGEST:
                break
        rounded = keras.models.load_model(file)
        rounded.compile()
        results = evaluation.evaluate(rounded, dataset, preset.protocols)
        content = card(run, config) | {"command": without_places(config.command)}
        figures = {name: dataclasses.asdict(result) for name, result in results.items()}
        content["metrics"] = run.metrics | {"evaluation": figures}
        content = json.loads(json.dumps(content))  # as it is read back
        if size <= LARGEST:
            content |= {"sha256": zoo.sha256(file), "bytes": size}
        else:
            file.unlink()
        write_samples(rounded, dataset.spec, beside)
        write_json(beside / zoo.CARD, content)
        if dest.exists():
            shutil.rmtree(dest)
        os.rename(beside, dest)
    return content


def save_rounded(model: keras.Model, path: Path, bits: int) -> None:
    """Saves a model with float16 weights of a mantissa of so many bits, compressed by LZMA, which
    takes an eighth less than what HDF5 and Keras compress by."""
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
                # With one time for all, the same weights are the same file.
                entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
                target.writestr(entry, content, zipfile.ZIP_LZMA)


def copy_rounded(old: h5py.Group, new: h5py.Group, bits: int) -> None:
    """Copies groups and attributes as they are, and numbers rounded."""
    new.attrs.update(old.attrs)
    for name, item in old.items():
        if isinstance(item, h5py.Group):
            copy_rounded(item, new.create_group(name, track_order=True), bits)
            continue
        value = item[()]
        if value.dtype == np.float32:
            value = rounded_half(value, bits)
        # First bytes together, then second ones: the first repeat.
        shuffled = {"chunks": value.shape, "shuffle": True} if value.size > 500 else {}
        new.create_dataset(name, data=value, **shuffled).attrs.update(item.attrs)


def rounded_half(x: np.ndarray, bits: int) -> np.ndarray:
    """The nearest float16 with so many bits of mantissa, or x where that would not be finite."""
    mantissa, exponent = np.frexp(x)
    scale = 2.0 ** (bits + 1)
    half = np.ldexp(np.rint(mantissa * scale) / scale, exponent)
    largest = np.finfo(np.float16).max
    return half.astype("float16") if np.all(np.abs(half) <= largest) else x


def write_samples(model, spec: data.Spec, folder: Path) -> None:
    """Samples as a picture, or as text."""
    count = SAMPLES.get(spec.kind, IMAGES)
    name = "samples.txt" if spec.kind == "text" else "samples.png"
    if training.drawable(spec) or spec.kind == "text":
        x = model.sample(count, seed=0)
        training.write(x, spec, folder / name, training.class_columns(model, spec))


def without_places(command: str | None) -> str | None:
    """A command line without the places of run and data."""
    if command is None:
        return None
    kept, words = [], iter(shlex.split(command))
    for word in words:
        if word in PLACES:
            next(words, None)
        elif not word.startswith(tuple(f"{place}=" for place in PLACES)):
            kept.append(word)
    return shlex.join(kept)
