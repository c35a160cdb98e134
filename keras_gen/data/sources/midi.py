"""MIDI files as piano-rolls, by the optional package `mido`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from keras_gen.data.checks import check_memory
from keras_gen.data.specs import DataError

SUFFIXES = (".mid", ".midi")
PITCHES = 128
PERCUSSION = 9  # the MIDI channel whose numbers are drums and not pitches


def piano_roll(path: Path, steps_per_beat: int) -> np.ndarray:
    """Returns the piano-roll of a MIDI file, `(steps, 128)` of bool.

    Notes of all tracks and channels but percussion are joined. Their times are rounded to steps,
    and each lasts at least one.

    Args:
        path: path of the file.
        steps_per_beat: number of steps in a quarter note.

    Raises:
        DataError: if the file cannot be read or has no notes, or if `mido` is not installed.
    """
    try:
        import mido
    except ImportError as error:
        raise DataError(
            f"{path} is a MIDI file, which needs the package mido: pip install mido."
        ) from error
    try:
        file = mido.MidiFile(path)
        messages = [each for i, track in enumerate(file.tracks) for each in _notes(track, i)]
        if file.ticks_per_beat <= 0:
            raise ValueError("its times are not in beats")
    # mido raises errors of many types for a broken file.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path} is not a readable MIDI file ({reason}).") from error
    started: dict[tuple[int, int, int], int] = {}
    spans, ended = [], None
    tick = 0
    # At the same tick notes end before others start.
    for tick, starts, *key in sorted(messages):
        begin = started.pop(tuple(key), None)
        if begin is not None:
            spans.append((begin, tick, key[-1]))
        elif starts and ended == (tick, key):  # a note without length
            spans.append((tick, tick, key[-1]))
            continue
        if starts:
            started[tuple(key)] = tick
        ended = None if starts or begin is not None else (tick, key)
    spans += [(begin, tick, pitch) for (*_, pitch), begin in started.items()]
    if not spans:
        raise DataError(f"{path} has no notes, only silence.")
    scale = steps_per_beat / file.ticks_per_beat
    # Half a step is always rounded up; Python's round would shift every other step.
    steps = [
        (int(begin * scale + 0.5), int(end * scale + 0.5), pitch) for begin, end, pitch in spans
    ]
    length = max(max(begin + 1, end) for begin, end, _ in steps)
    check_memory(str(path), length, (PITCHES,), bool, "give fewer steps_per_beat=")
    roll = np.zeros((length, PITCHES), bool)
    for begin, end, pitch in steps:
        roll[begin : max(begin + 1, end), pitch] = True
    return roll


def _notes(track, index: int) -> list[tuple[int, bool, int, int, int]]:
    """Returns the starts and ends of a track's notes: (tick, starts, track, channel, pitch)."""
    tick, found = 0, []
    for message in track:
        tick += message.time
        if message.type in ("note_on", "note_off") and message.channel != PERCUSSION:
            starts = message.type == "note_on" and message.velocity > 0
            found.append((tick, starts, index, message.channel, message.note))
    return found
