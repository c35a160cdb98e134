"""Samples as a file of a kind that suits them."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_gen import data, files, plotting

PAUSE = 0.25  # seconds of silence between sounds
RULE = "-" * 64  # between texts
TICKS = 120  # of a MIDI file for each step, a sixteenth


def suffixes(spec: data.Spec) -> tuple[str, ...]:
    """Returns the suffixes of files that samples can be written to."""
    own = {"text": (".txt",), "sequence": (".csv",), "audio": (".wav",)}.get(spec.kind, ())
    midi = (".mid",) if spec.is_piano_roll else ()
    pictures = (".png", ".svg") if plotting.drawable(spec) else ()
    return (*own, *midi, *pictures, ".npz")


def check_suffix(path: str | os.PathLike, spec: data.Spec) -> None:
    """Raises ValueError unless samples of such data can be written to a file of this name."""
    if Path(path).suffix not in suffixes(spec):
        known = ", ".join(suffixes(spec))
        raise ValueError(f"{path}: samples of {spec.name} go into a file that ends in {known}")


def write_samples(
    x: np.ndarray,
    spec: data.Spec,
    path: str | os.PathLike,
    column_labels: Sequence[str] | None = None,
) -> None:
    """Writes samples to a file, which appears complete or not at all.

    - `.npz`: an array `x`, as the model returns it.
    - `.png`, `.svg`: one picture of all.
    - `.txt`: texts, with a rule between them.
    - `.csv`: a row for each step: the numbers of sample and step, then the channels, in the data's
      own units if the data was scaled.
    - `.wav`: sounds, one after the other with a quarter of a second between them.
    - `.mid`: piano-rolls, one after the other; a step is a sixteenth at 120 beats per minute.

    Args:
        x: `(n, *spec.shape)`, or `n` strings.
        spec: of the data.
        path: of the file, with one of `suffixes(spec)`.
        column_labels: of a picture's columns, one each.

    Raises:
        ValueError: for another suffix.
    """
    path = Path(path)
    check_suffix(path, spec)
    if path.suffix in (".png", ".svg"):
        plotting.save(plotting.draw_samples(x, spec, column_labels=column_labels), path)
        return
    with files.written_beside(path) as beside:
        if path.suffix == ".npz":
            with open(beside, "wb") as file:
                np.savez_compressed(file, x=x.astype(str) if x.dtype == object else x)
        elif path.suffix == ".txt":
            encoding = "latin-1" if spec.vocabulary == data.BYTES else "utf-8"
            beside.write_text(f"\n{RULE}\n".join(x) + "\n", encoding=encoding, newline="")
        elif path.suffix == ".csv":
            _write_csv(x, spec, beside)
        elif path.suffix == ".mid":
            _write_midi(x, spec, beside)
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


def _write_midi(x: np.ndarray, spec: data.Spec, path: Path) -> None:
    """Writes piano-rolls `(n, length, pitches)`; what sounds in successive steps is held."""
    try:
        import mido  # only for this: the extra keras_gen[midi]
    except ImportError as error:
        raise ValueError("writing .mid needs mido: pip install 'keras_gen[midi]'") from error
    low, high = spec.value_range
    # A step of silence at the end ends all notes, and stands between samples.
    on = np.pad(np.asarray(x) > (low + high) / 2, [(0, 0), (0, 1), (0, 0)])
    on = on.reshape(-1, on.shape[-1])
    file, track = mido.MidiFile(ticks_per_beat=4 * TICKS), mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(120)))
    written = 0
    before = np.zeros(on.shape[-1], bool)
    for step, now in enumerate(on):
        for i in np.flatnonzero(now != before):
            kind = "note_on" if now[i] else "note_off"
            time = step * TICKS - written
            track.append(mido.Message(kind, note=int(spec.channels[i]), velocity=64, time=time))
            written = step * TICKS
        before = now
    file.save(path)
