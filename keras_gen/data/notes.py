"""Notes of several voices as piano-rolls: windows of pieces of music."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from keras_gen.data.arrays import hold_out, read_file
from keras_gen.data.checks import check_counts, check_fraction, check_memory
from keras_gen.data.dataset import Dataset
from keras_gen.data.sequences import windows
from keras_gen.data.specs import DataError, Spec

PITCHES = 128
SILENCE = -1
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
) -> Dataset:
    """Piano-rolls `(length, high - low + 1)` of ones, where a note sounds, and zeros.

    A `.json` file holds a list of pieces; a piece is a list of steps, a step a list of the MIDI
    numbers that sound in it, or one number. An `.npz` file holds pieces of equal length: MIDI
    numbers, integers of shape (pieces, steps, voices), or a piano-roll, bool of shape (pieces,
    steps, 128). In both -1 is a silent voice. Either may come as training and test pieces;
    validation pieces are left out, or for testing where there are no test pieces.

    Windows are of one piece each and full: what is left at a piece's end, and pieces shorter than
    a window, are left out.

    Args:
        path: of the file.
        length: steps in a window.
        stride: steps from the start of one window to that of the next; by default `length`.
        low, high: least and greatest MIDI number; by default the least and greatest that sound in
            the training and test pieces.
        test_fraction: share of the pieces to hold out, where there are no test pieces.
        seed: of the choice of those.

    Raises:
        DataError: naming the file, the piece and the step that is not as it must be, or if no
            window is left.
    """
    stride = length if stride is None else stride
    check_counts(path.name, length=length, stride=stride)
    check_fraction(test_fraction)
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
                f"{max(map(len, pieces))}: give a smaller length="
            )
        cut = [windows(piece, length, stride, str(path), "steps") for piece in long]
        parts.append({"x": np.concatenate(cut)})
    channels = tuple(map(str, range(low, high + 1)))
    return Dataset(Spec(path.stem, "sequence", shape, (0.0, 1.0), channels=channels), *parts)


def _pitches(
    path: Path, pieces: list[np.ndarray], low: int | None, high: int | None
) -> tuple[int, int]:
    """The range of MIDI numbers, in which all that sound must lie."""
    sounding = np.flatnonzero(np.any([piece.any(axis=0) for piece in pieces], axis=0))
    if not len(sounding):
        raise DataError(f"{path} has no notes, only silence")
    least, greatest = map(int, sounding[[0, -1]])
    low, high = (
        given if given is not None else found for given, found in ((low, least), (high, greatest))
    )
    for option, value in (("low", low), ("high", high)):
        if not isinstance(value, int) or not 0 <= value < PITCHES:
            raise DataError(f"{option} must be a MIDI number from 0 to 127, got {value!r}")
    if least < low or greatest > high:
        raise DataError(
            f"{path} has notes from {least} to {greatest}, out of low={low} to high={high}: widen "
            "the range"
        )
    return low, high


def _read(path: Path, test_fraction: float, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Training and test pieces, each a piano-roll (steps, 128)."""
    if path.suffix not in (".json", ".npz"):
        raise DataError(f"{path} is neither a .json nor a .npz file of notes: {EXPECTED}")
    if path.suffix == ".json":
        try:
            parts = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read {path}: {error}") from error
        if isinstance(parts, list):
            parts = {"": parts}
        rolls = _rolls_of_lists
    else:
        arrays = read_file(path)
        parts = {name.removeprefix("x").removeprefix("_"): x for name, x in arrays.items()}
        rolls = _rolls_of_array
    if not isinstance(parts, dict) or not (
        set(parts) == {""} or ("train" in parts and set(parts) <= {"train", "valid", "test"})
    ):
        found = ", ".join(map(repr, parts)) if isinstance(parts, dict) else type(parts).__name__
        raise DataError(f"{path} has {found or 'nothing'}: {EXPECTED}")
    pieces = {
        part: rolls(value, f"{path}, {part}".removesuffix(", ")) for part, value in parts.items()
    }
    if len(pieces) > 1:
        return pieces["train"], pieces.get("test") or pieces["valid"]
    (only,) = pieces.values()
    order = {"piece": np.arange(len(only))}
    return tuple(
        [only[i] for i in part["piece"]] for part in hold_out(order, test_fraction, seed, str(path))
    )


def _rolls_of_lists(pieces: Any, where: str) -> list[np.ndarray]:
    """The piano-rolls of pieces as they are in JSON."""
    if not isinstance(pieces, list) or not pieces:
        raise DataError(f"{where}: must be a list of one piece or more")
    rolls = []
    for i, piece in enumerate(pieces):
        if not isinstance(piece, list) or not piece:
            raise DataError(f"{where}, piece {i}: must be a list of one step or more")
        roll = np.zeros((len(piece), PITCHES), bool)
        for t, step in enumerate(piece):
            for note in step if isinstance(step, list) else [step]:
                if type(note) is not int or not SILENCE <= note < PITCHES:
                    raise DataError(_no_note(where, i, t, note))
                if note != SILENCE:
                    roll[t, note] = True
        rolls.append(roll)
    return rolls


def _rolls_of_array(pieces: np.ndarray, where: str) -> list[np.ndarray]:
    """The piano-rolls of pieces as they are in an array."""
    roll = pieces.dtype == np.bool_
    if pieces.ndim != 3 or not pieces.size or not (roll or pieces.dtype.kind in "iu"):
        raise DataError(
            f"{where}: must be integers (pieces, steps, voices) or bool (pieces, steps, 128), not "
            f"{pieces.dtype} of shape {pieces.shape}"
        )
    if roll:
        if pieces.shape[-1] != PITCHES:
            raise DataError(
                f"{where}: a piano-roll has 128 pitches, this has the shape {pieces.shape}"
            )
        return list(pieces)
    wrong = np.argwhere((pieces < SILENCE) | (pieces >= PITCHES))
    if len(wrong):
        i, t, _ = wrong[0].tolist()
        raise DataError(_no_note(where, i, t, pieces[tuple(wrong[0])].item()))
    rolls = np.zeros((*pieces.shape[:2], PITCHES), bool)
    i, t, voice = np.nonzero(pieces != SILENCE)
    rolls[i, t, pieces[i, t, voice]] = True
    return list(rolls)


def _no_note(where: str, piece: int, step: int, note: Any) -> str:
    return (
        f"{where}, piece {piece}, step {step} (counted from 0): {note!r} is no MIDI number from 0 "
        "to 127"
    )
