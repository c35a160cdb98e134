"""Sound: a folder of WAV files as waveforms or log-mel spectrograms, and the way back.

Sources: Griffin and Lim 1984, "Signal estimation from modified short-time Fourier transform",
equation 6 and section III; Perraudin et al. 2013, "A fast Griffin-Lim algorithm", algorithm 2; Lee
and Seung 2000, "Algorithms for non-negative matrix factorization", theorem 1.
"""

from __future__ import annotations

import fnmatch
import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from scipy.io import wavfile
from scipy.signal import resample_poly

from keras_gen.data.arrays import hold_out
from keras_gen.data.checks import check_counts, check_memory
from keras_gen.data.dataset import Dataset
from keras_gen.data.listing import class_files
from keras_gen.data.specs import DataError, Spec

# What stands for silence and for full scale in a format's samples.
FORMATS = {
    np.dtype(np.uint8): (128, 2**7),
    np.dtype(np.int16): (0, 2**15),
    np.dtype(np.int32): (0, 2**31),
    np.dtype(np.float32): (0, 1),
    np.dtype(np.float64): (0, 1),
}
LOWEST_HZ = 20.0
RANGE_DB = 80.0
SILENCE = 1e-10  # a magnitude whose logarithm is finite, below all that is heard
CHUNK = 128
NON_NEGATIVE_STEPS = 100
GRIFFIN_LIM_STEPS = 60
MOMENTUM = 0.99


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
    """WAV files as log-mel spectrograms `(frames, mels, 1)` or waveforms `(samples, 1)`.

    The folder holds either WAV files or one subfolder of them per class, whose sorted names give
    the labels. Names that start with a dot are ignored; any other file must be a WAV file: of whole
    numbers of up to 32 bits, or of floats in [-1, 1]. Channels are averaged.

    A spectrogram holds 20 log10 of the magnitudes in mel bands between 20 Hz and half the rate.
    1 stands for the greatest in the training examples, 0 for 80 dB below and less; what is greater
    in a test example is cut to 1. `waveform` goes back.

    Args:
        path: of the folder.
        rate: samples per second, to which others are resampled.
        seconds: length of an example: longer sounds are cut, shorter ones followed by silence.
        representation: `"log_mel"`, in [0, 1], or `"waveform"`, in [-1, 1].
        frames: of a spectrogram; they must divide the samples.
        mels: bands of a spectrogram.
        test_fraction: share of the files to hold out.
        test_files: pattern of the names of the files to hold out instead, such as `"*_[0-4].wav"`.
        seed: of the choice by `test_fraction`.

    Raises:
        DataError: naming the file or folder, or the option, that is not as it must be.
    """
    check_counts("audio", rate=rate, frames=frames, mels=mels)
    samples = round(rate * seconds) if 0 < seconds < math.inf else 0
    if samples < 1:
        raise DataError(f"seconds of audio must be at least 1 / rate, got {seconds}")
    if representation not in ("log_mel", "waveform"):
        raise DataError(f"representation must be 'log_mel' or 'waveform', got {representation!r}")
    audio = {"representation": representation, "rate": rate}
    if representation == "log_mel":
        audio |= _transform(rate, samples, frames, mels)

    if not path.is_dir():
        raise DataError(f"no such folder: {path}; give the path of yours, as audio:FOLDER")
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
                f"matches {held_out.sum()} of {len(files)}"
            )
        train, test = (
            {name: array[chosen] for name, array in arrays.items()}
            for chosen in (~held_out, held_out)
        )

    value_range = (-1.0, 1.0)
    if representation == "log_mel":
        levels = [_levels(part["x"], audio, mels) for part in (train, test)]
        audio["greatest_db"] = float(levels[0].max())
        train["x"], test["x"] = (_scaled(level, audio) for level in levels)
        value_range = (0.0, 1.0)
    else:
        train["x"], test["x"] = (part["x"][..., None] for part in (train, test))
    shape = train["x"].shape[1:]
    name = path.resolve().name
    spec = Spec(name, "audio", shape, value_range, len(classes) or None, audio=audio)
    return Dataset(spec, train, test)


def log_mel(waveform, spec: Spec) -> np.ndarray:
    """Sounds as the examples of a data set of spectrograms.

    Args:
        waveform: `(n, samples)` in [-1, 1], at the rate and of the length of the data set.
        spec: of the data set.

    Returns:
        `(n, frames, mels, 1)` in [0, 1], float32.

    Raises:
        DataError: if the data set holds no spectrograms, or the shape is another.
    """
    audio = _audio(spec)
    if audio["representation"] != "log_mel":
        raise DataError(f"{spec.name} holds waveforms, no spectrograms")
    waveform = np.asarray(waveform, np.float32)
    if waveform.shape[1:] != (audio["samples"],):
        raise DataError(
            f"waveform must have the shape (n, {audio['samples']}), got {waveform.shape}"
        )
    return _scaled(_levels(waveform, audio, spec.shape[1]), audio)


def waveform(x, spec: Spec) -> np.ndarray:
    """Examples of a data set, or a model's samples of it, as sound.

    A spectrogram has neither phases nor all magnitudes. These are the non-negative ones whose mel
    bands come near to its own; the phases are made consistent by 60 steps of the fast Griffin-Lim
    algorithm with momentum 0.99, from a start that is the same for every sound.

    Args:
        x: `(n, *spec.shape)`.
        spec: of the data set.

    Returns:
        `(n, samples)`, float32, at `spec.audio["rate"]`; [-1, 1] is full scale.

    Raises:
        DataError: if the data set holds no audio, or the shape is another.
    """
    audio = _audio(spec)
    x = np.asarray(x, np.float32)
    if x.shape[1:] != spec.shape:
        raise DataError(
            f"x must have the shape (n, {', '.join(map(str, spec.shape))}), got {x.shape}"
        )
    if audio["representation"] == "waveform":
        return x[..., 0]
    levels = (np.clip(x[..., 0], 0, 1) - 1) * audio["range_db"] + audio["greatest_db"]
    return _in_chunks(lambda each: _sound_of(_linear(10 ** (each / 20), audio), audio), levels)


def write_wav(path: str | os.PathLike, waveform, rate: int) -> None:
    """Writes a sound as a WAV file of 16 bits and one channel.

    Args:
        path: of the file.
        waveform: `(samples,)`; what is out of [-1, 1] is cut.
        rate: samples per second.

    Raises:
        DataError: for another shape.
    """
    waveform = np.asarray(waveform, np.float64)
    if waveform.ndim != 1:
        raise DataError(f"waveform must have the shape (samples,), got {waveform.shape}")
    samples = np.clip(np.rint(waveform * 2**15), -(2**15), 2**15 - 1).astype(np.int16)
    wavfile.write(path, rate, samples)


# ---- files --------------------------------------------------------------------------------------


def _read(file: Path, rate: int) -> np.ndarray:
    """The samples of a file in [-1, 1], float32 `(samples,)`, at a rate."""
    try:
        with warnings.catch_warnings():
            # Chunks that hold no sound, such as a title, may be of any kind, but none may be short.
            warnings.simplefilter("ignore", wavfile.WavFileWarning)
            warnings.filterwarnings("error", "Reached EOF", wavfile.WavFileWarning)
            own_rate, sound = wavfile.read(file)
    # A broken header makes SciPy raise errors of many types.
    except Exception as error:
        raise DataError(
            f"{file} is not a readable WAV file ({' '.join(str(error).split())}): repair it or "
            "take it out"
        ) from error
    form = sound.dtype.newbyteorder("=")
    if form not in FORMATS:
        raise DataError(f"{file} has samples of {8 * form.itemsize} bits: convert it to 16")
    if not own_rate or not sound.size:
        raise DataError(f"{file} holds no samples: take it out")
    silence, full_scale = FORMATS[form]
    sound = (sound.astype(np.float64) - silence) / full_scale
    if not np.abs(sound).max() <= 1:
        raise DataError(f"{file} has samples out of [-1, 1] or that are no numbers: scale it")
    sound = sound.reshape(len(sound), -1).mean(axis=1)
    if own_rate != rate:
        common = math.gcd(own_rate, rate)
        # The filter may overshoot.
        sound = np.clip(resample_poly(sound, rate // common, own_rate // common), -1, 1)
    return sound.astype(np.float32)


# ---- spectrograms -------------------------------------------------------------------------------


def _audio(spec: Spec) -> dict[str, Any]:
    if spec.audio is None:
        raise DataError(f"{spec.name} holds no audio: its kind is {spec.kind!r}")
    return spec.audio


def _transform(rate: int, samples: int, frames: int, mels: int) -> dict[str, Any]:
    """The parameters of a spectrogram."""
    if rate <= 2 * LOWEST_HZ:
        raise DataError(f"rate of spectrograms must be above {2 * LOWEST_HZ:g}, got {rate}")
    hop, rest = divmod(samples, frames)
    if rest or not hop:
        raise DataError(
            f"frames must divide the {samples} samples of rate * seconds, got frames={frames}"
        )
    # Frames overlap by half or more: without, nothing would tie their phases together.
    frame_length = 2 ** math.ceil(math.log2(2 * hop))
    transform = {
        "rate": rate,
        "samples": samples,
        "frame_length": frame_length,
        "hop": hop,
        "lowest_hz": LOWEST_HZ,
        "range_db": RANGE_DB,
    }
    if not np.any(_mel_matrix(transform, mels), axis=0).all():
        raise DataError(
            f"mels={mels} are too many for the {frame_length // 2 + 1} frequencies of a spectrum "
            "of this rate: some would be of none; give fewer, or fewer frames="
        )
    return transform


def _mel_matrix(audio: dict[str, Any], mels: int) -> tf.Tensor:
    """From magnitudes to mel bands, (frequencies, mels)."""
    return tf.signal.linear_to_mel_weight_matrix(
        mels,
        audio["frame_length"] // 2 + 1,
        audio["rate"],
        audio["lowest_hz"],
        audio["rate"] / 2,
    )


def _levels(sounds: np.ndarray, audio: dict[str, Any], mels: int) -> np.ndarray:
    """Levels of the mel bands of sounds `(n, samples)` in dB, `(n, frames, mels)`."""
    matrix = _mel_matrix(audio, mels)

    def levels(chunk):
        bands = tf.abs(_spectrum(_padded(chunk, audio), audio)) @ matrix
        return 20 / math.log(10) * tf.math.log(tf.maximum(bands, SILENCE))

    return _in_chunks(levels, sounds)


def _scaled(levels: np.ndarray, audio: dict[str, Any]) -> np.ndarray:
    """Levels as examples in [0, 1]."""
    return np.clip(1 + (levels - audio["greatest_db"]) / audio["range_db"], 0, 1)[..., None]


def _linear(bands: tf.Tensor, audio: dict[str, Any]) -> tf.Tensor:
    """Magnitudes >= 0, (n, frames, frequencies), whose mel bands are nearest in squares."""
    matrix = _mel_matrix(audio, bands.shape[-1])
    wanted = tf.matmul(bands, matrix, transpose_b=True)
    gram = tf.matmul(matrix, matrix, transpose_b=True)
    magnitudes = wanted
    for _ in range(NON_NEGATIVE_STEPS):
        # No magnitude where a frequency is in no band, as 0 and half the rate.
        magnitudes *= tf.math.divide_no_nan(wanted, magnitudes @ gram)
    return magnitudes


@tf.function(reduce_retracing=True)
def _sound_of(magnitudes: tf.Tensor, audio: dict[str, Any]) -> tf.Tensor:
    """Sounds (n, samples) whose spectra have about these magnitudes (n, frames, frequencies)."""

    def sound_of(spectrum):
        """The sound nearest to the magnitudes with the phases of a spectrum."""
        size = tf.maximum(tf.abs(spectrum), SILENCE)
        real, imaginary = tf.math.real(spectrum) / size, tf.math.imag(spectrum) / size
        return _overlapped(tf.complex(magnitudes * real, magnitudes * imaginary), audio)

    # The same for all of a batch: a sound must not depend on those that it comes with.
    phases = tf.random.stateless_uniform(magnitudes.shape[1:], (0, 0), maxval=2 * math.pi)
    start = tf.complex(magnitudes * tf.cos(phases), magnitudes * tf.sin(phases))
    spectrum = last = _spectrum(sound_of(start), audio)
    for _ in tf.range(1, GRIFFIN_LIM_STEPS):
        consistent = _spectrum(sound_of(spectrum), audio)
        spectrum = consistent + MOMENTUM * (consistent - last)
        last = consistent
    before = _margins(audio)[0]
    sounds = sound_of(spectrum)[:, before : before + audio["samples"]]
    return tf.clip_by_value(sounds, -1.0, 1.0)


def _margins(audio: dict[str, Any]) -> tuple[int, int]:
    """The silence before and after a sound with which each of its hops is the middle of a frame."""
    both = audio["frame_length"] - audio["hop"]
    return both // 2, both - both // 2


def _padded(sounds: tf.Tensor, audio: dict[str, Any]) -> tf.Tensor:
    return tf.pad(sounds, [(0, 0), _margins(audio)])


def _spectrum(padded: tf.Tensor, audio: dict[str, Any]) -> tf.Tensor:
    """Spectra (n, frames, frequencies) of padded sounds."""
    return tf.signal.stft(padded, audio["frame_length"], audio["hop"])


def _overlapped(spectrum: tf.Tensor, audio: dict[str, Any]) -> tf.Tensor:
    """The padded sounds whose spectra are nearest in squares (Griffin and Lim 1984, equation 6)."""
    length, hop = audio["frame_length"], audio["hop"]
    sounds = tf.signal.inverse_stft(spectrum, length, hop)
    squares = tf.tile(tf.signal.hann_window(length)[None] ** 2, (spectrum.shape[1], 1))
    # Only at the very ends, in the silence, is the sum this small.
    return sounds / tf.maximum(tf.signal.overlap_and_add(squares, hop), 1e-3)


def _in_chunks(function: Callable[[tf.Tensor], tf.Tensor], array: np.ndarray) -> np.ndarray:
    """A function of arrays, applied to so many rows at a time as memory is small for."""
    starts = range(0, max(1, len(array)), CHUNK)
    return np.concatenate([function(tf.constant(array[i : i + CHUNK])) for i in starts])
