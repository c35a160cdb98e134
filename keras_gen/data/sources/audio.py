"""Folders of WAV files, as waveforms or log-mel spectrograms."""

from __future__ import annotations

import fnmatch
import math
import os
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from keras_gen.data import spectrograms
from keras_gen.data.checks import check_counts, check_memory
from keras_gen.data.dataset import Dataset
from keras_gen.data.sources.listing import class_files
from keras_gen.data.specs import DataError, Spec
from keras_gen.data.splits import hold_out

# The samples of silence and of full scale in each format.
FORMATS = {
    np.dtype(np.uint8): (128, 2**7),
    np.dtype(np.int16): (0, 2**15),
    np.dtype(np.int32): (0, 2**31),
    np.dtype(np.float32): (0, 1),
    np.dtype(np.float64): (0, 1),
}


def load_audio(
    path: Path,
    *,
    rate: int = 8000,
    seconds: float = 1.0,
    representation: Literal["log_mel", "waveform"] = "log_mel",
    frames: int = 64,
    mels: int = 64,
    test_fraction: float = 0.1,
    test_files: str | None = None,
    seed: int = 0,
) -> Dataset:
    """Loads WAV files as log-mel spectrograms `(frames, mels, 1)` or waveforms `(samples, 1)`.

    The folder holds WAV files, or one subfolder of WAV files per class. The order of the
    subfolders' names gives the labels. Names that start with a dot are ignored; all other files
    must be WAV files, of integers of up to 32 bits or of floats in [-1, 1]. Channels are averaged.

    A spectrogram holds 20 log10 of the magnitudes in mel bands between 20 Hz and half the rate. 1
    is the greatest level of the training examples, and 0 is 80 dB below it. Values beyond [0, 1]
    are clipped. `waveform` inverts a spectrogram.

    Args:
        path: path of the folder.
        rate: samples per second; sounds of other rates are resampled.
        seconds: length of an example. Longer sounds are cut, shorter ones padded with silence.
        representation: `"log_mel"`, in [0, 1], or `"waveform"`, in [-1, 1].
        frames: number of frames of a spectrogram; it must divide the number of samples.
        mels: number of mel bands of a spectrogram.
        test_fraction: share of the files to hold out.
        test_files: pattern of the names of the files to hold out instead, such as `"*_[0-4].wav"`.
        seed: seed of the choice by `test_fraction`.

    Raises:
        DataError: naming the file, the folder or the option that is invalid.
    """
    check_counts("audio", rate=rate, frames=frames, mels=mels)
    samples = round(rate * seconds) if 0 < seconds < math.inf else 0
    if samples < 1:
        raise DataError(f"seconds of audio must be at least 1 / rate, got {seconds}.")
    if representation not in ("log_mel", "waveform"):
        raise DataError(f"representation must be 'log_mel' or 'waveform', got {representation!r}.")
    audio = {"representation": representation, "rate": rate}
    if representation == "log_mel":
        audio |= spectrograms.parameters(rate, samples, frames, mels)

    if not path.is_dir():
        raise DataError(
            f"no such folder: {path}; give a folder of WAV files, as audio:FOLDER (such as the "
            "Free Spoken Digit Dataset's recordings)."
        )
    listed, classes = class_files(path, "WAV files")
    files = [file for file, _ in listed]
    labels = [label for _, label in listed]
    check_memory(str(path), len(files), (samples,), np.float64, "give fewer seconds=")
    sounds = np.zeros((len(files), samples), np.float32)
    for sound, file in zip(sounds, files, strict=True):
        read = _read(file, rate)[:samples]
        sound[: len(read)] = read
    arrays = {"x": sounds} | ({"label": np.array(labels, np.int32)} if classes else {})
    if test_files is None:
        train, test = hold_out(arrays, test_fraction, seed, str(path))
    else:
        held_out = np.array([fnmatch.fnmatchcase(file.name, test_files) for file in files])
        if held_out.all() or not held_out.any():
            raise DataError(
                f"test_files={test_files!r} must match some of the files in {path} but not all; it "
                f"matches {held_out.sum()} of {len(files)}."
            )
        train, test = (
            {name: array[chosen] for name, array in arrays.items()}
            for chosen in (~held_out, held_out)
        )

    value_range = (-1.0, 1.0)
    if representation == "log_mel":
        levels = [spectrograms.levels(part["x"], audio, mels) for part in (train, test)]
        audio["greatest_db"] = float(levels[0].max())
        train["x"], test["x"] = (spectrograms.scaled(level, audio) for level in levels)
        value_range = (0.0, 1.0)
    else:
        train["x"], test["x"] = (part["x"][..., None] for part in (train, test))
    shape = train["x"].shape[1:]
    name = path.resolve().name
    spec = Spec(name, "audio", shape, value_range, len(classes) or None, audio=audio)
    return Dataset(spec, train, test)


def write_wav(path: str | os.PathLike, waveform, rate: int) -> None:
    """Writes a sound to a WAV file of 16 bits and one channel.

    Args:
        path: path of the file.
        waveform: `(samples,)`; values are clipped to [-1, 1].
        rate: samples per second.

    Raises:
        DataError: if the shape is another.
    """
    waveform = np.asarray(waveform, np.float64)
    if waveform.ndim != 1:
        raise DataError(f"waveform must have the shape (samples,), got {waveform.shape}.")
    samples = np.clip(np.rint(waveform * 2**15), -(2**15), 2**15 - 1).astype(np.int16)
    wavfile.write(path, rate, samples)


def _read(file: Path, rate: int) -> np.ndarray:
    """Returns the samples of a file in [-1, 1] at the given rate, float32 `(samples,)`."""
    try:
        with warnings.catch_warnings():
            # Other chunks, such as a title, may be of any kind, but none may be incomplete.
            warnings.simplefilter("ignore", wavfile.WavFileWarning)
            warnings.filterwarnings("error", "Reached EOF", wavfile.WavFileWarning)
            own_rate, sound = wavfile.read(file)
    # SciPy raises errors of many types for a broken header.
    except Exception as error:
        raise DataError(
            f"{file} is not a readable WAV file ({' '.join(str(error).split())}): repair it or "
            "remove it."
        ) from error
    form = sound.dtype.newbyteorder("=")
    if form not in FORMATS:
        raise DataError(f"{file} has samples of {8 * form.itemsize} bits: convert it to 16.")
    if not own_rate or not sound.size:
        raise DataError(f"{file} holds no samples: remove it.")
    silence, full_scale = FORMATS[form]
    sound = (sound.astype(np.float64) - silence) / full_scale
    if not np.abs(sound).max() <= 1:
        raise DataError(f"{file} has samples outside [-1, 1], or NaN: scale it.")
    sound = sound.reshape(len(sound), -1).mean(axis=1)
    if own_rate != rate:
        common = math.gcd(own_rate, rate)
        # The resampling filter may overshoot.
        sound = np.clip(resample_poly(sound, rate // common, own_rate // common), -1, 1)
    return sound.astype(np.float32)
