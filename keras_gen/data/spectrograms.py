"""Log-mel spectrograms of sounds, and sounds of spectrograms.

Sources: Griffin and Lim 1984, "Signal estimation from modified short-time Fourier transform",
equation 6 and section III; Perraudin et al. 2013, "A fast Griffin-Lim algorithm", algorithm 2; Lee
and Seung 2000, "Algorithms for non-negative matrix factorization", theorem 1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_gen.data.specs import DataError, Spec
from keras_gen.quiet import LazyTensorFlow

tf = LazyTensorFlow("audio")

LOWEST_HZ = 20.0
RANGE_DB = 80.0
SILENCE = 1e-10  # an inaudible magnitude whose logarithm is finite
CHUNK = 128
NON_NEGATIVE_STEPS = 100
GRIFFIN_LIM_STEPS = 60
MOMENTUM = 0.99


def log_mel(waveform, spec: Spec) -> np.ndarray:
    """Returns sounds as examples of a data set of spectrograms.

    Args:
        waveform: `(n, samples)` in [-1, 1], with the rate and the length of the data set.
        spec: description of the data set.

    Returns:
        `(n, frames, mels, 1)` in [0, 1], float32.

    Raises:
        DataError: if the data set does not hold spectrograms, or the shape is another.
    """
    audio = _parameters_of(spec)
    if audio["representation"] != "log_mel":
        raise DataError(f"{spec.name} holds waveforms and not spectrograms.")
    waveform = np.asarray(waveform, np.float32)
    if waveform.shape[1:] != (audio["samples"],):
        raise DataError(
            f"waveform must have the shape (n, {audio['samples']}), got {waveform.shape}."
        )
    return scaled(levels(waveform, audio, spec.shape[1]), audio)


def waveform(x, spec: Spec) -> np.ndarray:
    """Returns examples of a data set, or a model's samples, as sound.

    A mel spectrogram has no phases and fewer bands than there are frequencies. The magnitudes are
    non-negative ones whose mel bands are nearly its own. The phases come from 60 steps of the fast
    Griffin-Lim algorithm with momentum 0.99, which starts from the same phases for every sound.

    Args:
        x: `(n, *spec.shape)`.
        spec: description of the data set.

    Returns:
        `(n, samples)`, float32, at `spec.audio["rate"]`; [-1, 1] is full scale.

    Raises:
        DataError: if the data set does not hold audio, or the shape is another.
    """
    audio = _parameters_of(spec)
    x = np.asarray(x, np.float32)
    if x.shape[1:] != spec.shape:
        raise DataError(
            f"x must have the shape (n, {', '.join(map(str, spec.shape))}), got {x.shape}."
        )
    if audio["representation"] == "waveform":
        return x[..., 0]
    levels = (np.clip(x[..., 0], 0, 1) - 1) * audio["range_db"] + audio["greatest_db"]
    sound_of = _compiled_sound_of()
    return _in_chunks(lambda each: sound_of(_linear(10 ** (each / 20), audio), audio), levels)


def _parameters_of(spec: Spec) -> dict[str, Any]:
    if spec.audio is None:
        raise DataError(f"{spec.name} holds no audio: its kind is {spec.kind!r}.")
    return spec.audio


def parameters(rate: int, samples: int, frames: int, mels: int) -> dict[str, Any]:
    """Returns the parameters of spectrograms, entries of `Spec.audio`.

    Raises:
        DataError: if the frames do not divide the samples, or if there are too many mel bands.
    """
    if rate <= 2 * LOWEST_HZ:
        raise DataError(f"rate of spectrograms must be above {2 * LOWEST_HZ:g}, got {rate}.")
    hop, rest = divmod(samples, frames)
    if rest or not hop:
        raise DataError(
            f"frames must divide the {samples} samples of rate * seconds, got frames={frames}."
        )
    # Frames overlap by at least half, which ties their phases together.
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
            f"mels={mels} are too many for the {frame_length // 2 + 1} frequencies of a spectrum: "
            "some bands would be empty; give fewer mels= or fewer frames=."
        )
    return transform


def _mel_matrix(audio: dict[str, Any], mels: int) -> tf.Tensor:
    """Returns the matrix from magnitudes to mel bands, (frequencies, mels)."""
    return tf.signal.linear_to_mel_weight_matrix(
        mels,
        audio["frame_length"] // 2 + 1,
        audio["rate"],
        audio["lowest_hz"],
        audio["rate"] / 2,
    )


def levels(sounds: np.ndarray, audio: dict[str, Any], mels: int) -> np.ndarray:
    """Returns the levels of the mel bands of sounds `(n, samples)`, in dB, `(n, frames, mels)`."""
    matrix = _mel_matrix(audio, mels)

    def of_chunk(chunk):
        bands = tf.abs(_spectrum(_padded(chunk, audio), audio)) @ matrix
        return 20 / math.log(10) * tf.math.log(tf.maximum(bands, SILENCE))

    return _in_chunks(of_chunk, sounds)


def scaled(levels: np.ndarray, audio: dict[str, Any]) -> np.ndarray:
    """Returns levels in dB as examples in [0, 1], `(n, frames, mels, 1)`."""
    return np.clip(1 + (levels - audio["greatest_db"]) / audio["range_db"], 0, 1)[..., None]


def _linear(bands: tf.Tensor, audio: dict[str, Any]) -> tf.Tensor:
    """Returns non-negative magnitudes (n, frames, frequencies) of mel bands, by least squares."""
    matrix = _mel_matrix(audio, bands.shape[-1])
    wanted = tf.matmul(bands, matrix, transpose_b=True)
    gram = tf.matmul(matrix, matrix, transpose_b=True)
    magnitudes = wanted
    for _ in range(NON_NEGATIVE_STEPS):
        # Frequencies outside all bands, such as 0 and half the rate, have magnitude 0.
        magnitudes *= tf.math.divide_no_nan(wanted, magnitudes @ gram)
    return magnitudes


@functools.cache
def _compiled_sound_of() -> Callable:
    return tf.function(_sound_of, reduce_retracing=True)


def _sound_of(magnitudes: tf.Tensor, audio: dict[str, Any]) -> tf.Tensor:
    """Returns sounds (n, samples) of magnitudes (n, frames, frequencies), by Griffin-Lim."""

    def sound_of(spectrum):
        """Returns the sound of the magnitudes with the phases of a spectrum."""
        size = tf.maximum(tf.abs(spectrum), SILENCE)
        real, imaginary = tf.math.real(spectrum) / size, tf.math.imag(spectrum) / size
        return _overlapped(tf.complex(magnitudes * real, magnitudes * imaginary), audio)

    # The same start for all examples: a sound must not depend on the rest of its batch.
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
    """Returns the padding before and after a sound that centres each hop in a frame."""
    both = audio["frame_length"] - audio["hop"]
    return both // 2, both - both // 2


def _padded(sounds: tf.Tensor, audio: dict[str, Any]) -> tf.Tensor:
    return tf.pad(sounds, [(0, 0), _margins(audio)])


def _spectrum(padded: tf.Tensor, audio: dict[str, Any]) -> tf.Tensor:
    """Returns the spectra (n, frames, frequencies) of padded sounds."""
    return tf.signal.stft(padded, audio["frame_length"], audio["hop"])


def _overlapped(spectrum: tf.Tensor, audio: dict[str, Any]) -> tf.Tensor:
    """Returns the padded sounds whose spectra are nearest by least squares.

    Source: Griffin and Lim 1984, equation 6.
    """
    length, hop = audio["frame_length"], audio["hop"]
    sounds = tf.signal.inverse_stft(spectrum, length, hop)
    squares = tf.tile(tf.signal.hann_window(length)[None] ** 2, (spectrum.shape[1], 1))
    # The sum is smaller than this only at the very ends, in the padding.
    return sounds / tf.maximum(tf.signal.overlap_and_add(squares, hop), 1e-3)


def _in_chunks(function: Callable[[tf.Tensor], tf.Tensor], array: np.ndarray) -> np.ndarray:
    """Applies a function to `CHUNK` rows at a time, which bounds the memory."""
    starts = range(0, max(1, len(array)), CHUNK)
    return np.concatenate([function(tf.constant(array[i : i + CHUNK])) for i in starts])
