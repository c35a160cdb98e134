"""Music as piano-rolls: windows of pieces, from lists, arrays or MIDI files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from keras_gen.data.checks import check_counts, check_fraction, check_memory
from keras_gen.data.dataset import Dataset
from keras_gen.data.sources import midi
from keras_gen.data.sources.arrays import read_file
from keras_gen.data.sources.listing import entries
from keras_gen.data.sources.midi import PITCHES
from keras_gen.data.specs import DataError, Spec
from keras_gen.data.splits import hold_out, split_end, windows

REST = -1
LOWEST_KEY = 21  # of a piano
EXPECTED = (
    "a .json file holds a list of pieces, or an object of 'train' and 'test' (and 'valid'), a .npz "
    "file x, or x_train and x_test"
)


def load_notes(
    path: Path,
    *,
    length: int = 32,
    stride: int | None = None,
    low: int | None = None,
    high: int | None = None,
    test_fraction: float = 0.1,
    seed: int = 0,
    steps_per_beat: int = 4,
) -> Dataset:
    """Loads piano-rolls `(length, high - low + 1)`: 1 where a note sounds, else 0.

    The path is one of:

    - a `.json` file with a list of pieces. A piece is a list of steps, and a step is a list of the
      MIDI numbers that sound in it, or one number.
    - a `.npz` file with pieces of equal length: MIDI numbers `(pieces, steps, voices)`, or a
      piano-roll `(pieces, steps, 128)` of bool.
    - a `.mid` file or a folder of them (needs the package `mido`). Each file is a piece; percussion
      is left out. A single file is cut in time: its end is the test part.

    MIDI numbers are whole numbers, 73 or 73.0. A rest is -1, null or NaN. 0 is a rest as well if
    all steps of a piece have the same number of voices, no rest of the file is marked otherwise and
    no note is below 21, the lowest key of a piano.

    A `.json` or `.npz` file may hold training and test pieces. Validation pieces are left out, or
    are the test pieces if there are no others. Windows do not cross pieces, and are full: the rest
    at a piece's end, and pieces shorter than a window, are left out.

    Args:
        path: path of the file or folder.
        length: steps in a window.
        stride: steps from the start of one window to the start of the next; by default `length`.
        low: least MIDI number; by default the least one that sounds in any piece.
        high: greatest MIDI number; by default the greatest one that sounds in any piece.
        test_fraction: share of the pieces to hold out, if there are no test pieces.
        seed: seed of that choice.
        steps_per_beat: for MIDI files, the steps in a quarter note.

    Raises:
        DataError: naming the file, the piece and the step that is invalid, or if there is no
            window.
    """
    stride = length if stride is None else stride
    check_counts(path.name, length=length, stride=stride, steps_per_beat=steps_per_beat)
    check_fraction(test_fraction)
    if path.is_dir() or path.suffix.lower() in midi.SUFFIXES:
        train, test = _read_midi(path, test_fraction, seed, steps_per_beat)
    else:
        train, test = _read(path, test_fraction, seed)
    low, high = _pitches(path, [*train, *test], low, high)
    shape = (length, high - low + 1)
    examples = sum(len(piece) // stride for piece in (*train, *test))
    check_memory(str(path), examples, shape, np.bool_, "give a greater stride=")
    parts = []
    for part, pieces in (("training", train), ("test", test)):
        long = [piece[:, low : high + 1] for piece in pieces if len(piece) >= length]
        if not long:
            raise DataError(
                f"{path}: no {part} piece has length={length} steps, the longest has "
                f"{max(map(len, pieces))}: give a smaller length=."
            )
        cut = [windows(piece, length, stride, str(path), "steps") for piece in long]
        parts.append({"x": np.concatenate(cut)})
    channels = tuple(map(str, range(low, high + 1)))
    return Dataset(Spec(path.stem, "sequence", shape, (0.0, 1.0), channels=channels), *parts)


def _pitches(
    path: Path, pieces: list[np.ndarray], low: int | None, high: int | None
) -> tuple[int, int]:
    """Returns the range of MIDI numbers, which includes all that sound."""
    sounding = np.flatnonzero(np.any([piece.any(axis=0) for piece in pieces], axis=0))
    if not len(sounding):
        raise DataError(f"{path} has no notes, only silence.")
    least, greatest = map(int, sounding[[0, -1]])
    low, high = (
        given if given is not None else found for given, found in ((low, least), (high, greatest))
    )
    for option, value in (("low", low), ("high", high)):
        if type(value) is not int or not 0 <= value < PITCHES:
            raise DataError(f"{option} must be a MIDI number from 0 to 127, got {value!r}.")
    if least < low or greatest > high:
        raise DataError(
            f"{path} has notes from {least} to {greatest}, outside low={low} to high={high}: widen "
            "the range."
        )
    return low, high


def _held_out(
    pieces: list[np.ndarray], test_fraction: float, seed: int, where: str
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Splits pieces at random into training and test pieces."""
    order = {"piece": np.arange(len(pieces))}
    train, test = hold_out(order, test_fraction, seed, where)
    return [pieces[i] for i in train["piece"]], [pieces[i] for i in test["piece"]]


def _read(path: Path, test_fraction: float, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Returns the training and test pieces of a file, each a piano-roll (steps, 128)."""
    if path.suffix == ".json":
        try:
            parts = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read {path}: {error}.") from error
        if isinstance(parts, list):
            parts = {"": parts}
    elif path.suffix == ".npz":
        arrays = read_file(path)
        parts = {name.removeprefix("x").removeprefix("_"): x for name, x in arrays.items()}
    else:
        raise DataError(
            f"{path} is not a .json, .npz or .mid file, nor a folder of .mid files: {EXPECTED}."
        )
    if not isinstance(parts, dict) or not (
        set(parts) == {""} or ("train" in parts and set(parts) <= {"train", "valid", "test"})
    ):
        found = ", ".join(map(repr, parts)) if isinstance(parts, dict) else type(parts).__name__
        raise DataError(f"{path} has {found or 'nothing'}: {EXPECTED}.")
    where = {part: f"{path}, {part}".removesuffix(", ") for part in parts}
    if path.suffix == ".json":
        notes = {part: _notes_of_lists(value, where[part]) for part, value in parts.items()}
    else:
        notes = {part: _notes_of_array(value, where[part]) for part, value in parts.items()}
    zero_rests = _zero_is_a_rest([piece for pieces in notes.values() for piece in pieces])
    rolls = {part: [_roll(piece, zero_rests) for piece in pieces] for part, pieces in notes.items()}
    if len(rolls) > 1:
        return rolls["train"], rolls.get("test") or rolls["valid"]
    (only,) = rolls.values()
    return _held_out(only, test_fraction, seed, str(path))


# A piece as MIDI numbers and rests (steps, voices), REST also where a step has fewer voices, and
# whether all steps have the same number; or a piano-roll (steps, 128) of bool.
Piece = tuple[np.ndarray, bool]


def _zero_is_a_rest(pieces: list[Piece]) -> bool:
    """Returns whether 0 can only be a rest in the pieces of a file."""
    if any(notes.dtype == np.bool_ or not fixed for notes, fixed in pieces):
        return False
    numbers = np.unique(np.concatenate([np.unique(notes) for notes, _ in pieces]))
    return REST not in numbers and not np.any((numbers > 0) & (numbers < LOWEST_KEY))


def _roll(piece: Piece, zero_rests: bool) -> np.ndarray:
    """Returns the piano-roll (steps, 128) of a piece."""
    notes, _ = piece
    if notes.dtype == np.bool_:
        return notes
    roll = np.zeros((len(notes), PITCHES), bool)
    step, voice = np.nonzero(notes > 0 if zero_rests else notes != REST)
    roll[step, notes[step, voice]] = True
    return roll


def _notes_of_lists(pieces: Any, where: str) -> list[Piece]:
    """Returns the pieces of a JSON file."""
    if not isinstance(pieces, list) or not pieces:
        raise DataError(f"{where}: must be a list of at least one piece.")
    found = []
    for i, piece in enumerate(pieces):
        if not isinstance(piece, list) or not piece:
            raise DataError(f"{where}, piece {i}: must be a list of at least one step.")
        steps = [step if isinstance(step, list) else [step] for step in piece]
        voices = [len(step) for step in steps]
        notes = np.full((len(steps), max(voices)), REST)
        for t, step in enumerate(steps):
            notes[t, : len(step)] = [_number(note, where, i, t) for note in step]
        found.append((notes, len(set(voices)) == 1))
    return found


def _number(note: Any, where: str, piece: int, step: int) -> int:
    """Returns a MIDI number or REST for one of a JSON file's values."""
    if note is None or (isinstance(note, float) and math.isnan(note)):
        return REST
    if type(note) not in (int, float) or not REST <= note < PITCHES or note != int(note):
        raise DataError(_not_a_number(where, piece, step, note))
    return int(note)


def _notes_of_array(pieces: np.ndarray, where: str) -> list[Piece]:
    """Returns the pieces of an array."""
    if pieces.ndim != 3 or not pieces.size or pieces.dtype.kind not in "biuf":
        raise DataError(
            f"{where}: must be MIDI numbers (pieces, steps, voices) or bool (pieces, steps, 128), "
            f"got {pieces.dtype} of shape {pieces.shape}."
        )
    if pieces.dtype == np.bool_:
        if pieces.shape[-1] != PITCHES:
            raise DataError(
                f"{where}: a piano-roll must have 128 pitches, got the shape {pieces.shape}."
            )
        return [(piece, True) for piece in pieces]
    rest = np.isnan(pieces)
    wrong = np.argwhere(~rest & ~np.isin(pieces, np.arange(REST, PITCHES)))
    if len(wrong):
        i, t, _ = wrong[0].tolist()
        raise DataError(_not_a_number(where, i, t, pieces[tuple(wrong[0])].item()))
    numbers = np.nan_to_num(pieces.astype(float), nan=REST).astype(int)
    return [(piece, True) for piece in numbers]


def _not_a_number(where: str, piece: int, step: int, note: Any) -> str:
    return (
        f"{where}, piece {piece}, step {step} (counted from 0): must be a MIDI number from 0 to "
        f"127 or a rest (-1, null or NaN), got {note!r}."
    )


def _read_midi(
    path: Path, test_fraction: float, seed: int, steps_per_beat: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Returns the training and test pieces of a MIDI file or a folder of them."""
    if not path.is_dir():
        train, test = split_end(midi.piano_roll(path, steps_per_beat), test_fraction)
        return [train], [test]
    folders, files = entries(path)
    others = [*folders, *(file for file in files if file.suffix.lower() not in midi.SUFFIXES)]
    if others or not files:
        wrong = f"{others[0].name}" if others else "no files"
        raise DataError(f"{path} has {wrong}: it must hold .mid files and nothing else.")
    pieces = [midi.piano_roll(file, steps_per_beat) for file in files]
    return _held_out(pieces, test_fraction, seed, str(path))
