"""Samples as a file of the kind that suits them."""

import csv
from pathlib import Path

import numpy as np

from keras_gen import data
from keras_gen.training.pictures import drawable, drawn, save_png
from keras_gen.training.runs import written_beside

PAUSE = 0.25  # seconds of silence between sounds
RULE = "-" * 64  # between texts


def suffixes(spec: data.Spec) -> tuple[str, ...]:
    """The kinds of files that samples can be written to, by their suffix."""
    own = {"text": (".txt",), "sequence": (".csv",), "audio": (".wav",)}.get(spec.kind, ())
    return (*own, *((".png",) if drawable(spec) else ()), ".npz")


def check_suffix(path: Path, spec: data.Spec) -> None:
    """Raises ValueError unless samples of such data can be written to a file of this name."""
    if path.suffix not in suffixes(spec):
        known = ", ".join(suffixes(spec))
        raise ValueError(f"{path}: samples of {spec.name} go into a file that ends in {known}")


def write(x: np.ndarray, spec: data.Spec, path: Path, columns: int | None = None) -> None:
    """Writes samples; the file appears complete or not at all.

    - `.npz`: an array `x`, as the model gives it.
    - `.png`: one picture of all.
    - `.txt`: texts, with a rule between them.
    - `.csv`: a row for each step, with the numbers of sample and step before the channels, which
      are in the data's own units where the data was scaled.
    - `.wav`: sounds, one after the other with a quarter of a second between them.

    Args:
        x: `(n, *spec.shape)`, or `n` strings.
        spec: of the data.
        path: of the file, with one of `suffixes(spec)`.
        columns: of a picture.

    Raises:
        ValueError: for another suffix.
    """
    check_suffix(path, spec)
    if path.suffix == ".png":
        save_png(drawn(x, spec, columns), path)
        return
    with written_beside(path) as beside:
        if path.suffix == ".npz":
            np.savez_compressed(beside, x=x.astype(str) if x.dtype == object else x)
        elif path.suffix == ".txt":
            encoding = "latin-1" if spec.vocabulary == data.BYTES else "utf-8"
            beside.write_text(f"\n{RULE}\n".join(x) + "\n", encoding=encoding, newline="")
        elif path.suffix == ".csv":
            _write_csv(x, spec, beside)
        else:
            rate = spec.audio["rate"]
            sounds = data.waveform(x, spec)
            pause = np.zeros((len(sounds), round(PAUSE * rate)), sounds.dtype)
            data.write_wav(beside, np.concatenate([sounds, pause], axis=1).ravel(), rate)


def _write_csv(x: np.ndarray, spec: data.Spec, path: Path) -> None:
    channels = spec.channels or [f"channel_{i}" for i in range(spec.shape[-1])]
    x = x if spec.scaling is None else spec.unscaled(x)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample", "step", *channels])
        for sample, steps in enumerate(x):
            writer.writerows([sample, step, *row] for step, row in enumerate(steps.tolist()))
