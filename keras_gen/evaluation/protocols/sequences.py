"""Protocols of sequences: scores by networks trained afterwards, and statistics of music."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from keras_gen.data import Spec
from keras_gen.evaluation.metrics.music import polyphony, repetitions, scale_consistency, tone_span
from keras_gen.evaluation.metrics.sequences import (
    SequenceScore,
    discriminative_score,
    predictive_score,
)
from keras_gen.evaluation.protocols.protocol import SEED, Protocol, Result, Subject, mean

SEQUENCES = 10_000
REFITS = 10
PIECES = 1000


def score_sequences(
    score: Callable[..., SequenceScore], unit: str, units: int | None = None
) -> Callable[[Subject], Result]:
    """Returns a measure of a score with 10 refits.

    It compares up to 10,000 training examples, as in the paper, with as many samples. The scores
    need data in [0, 1]. Data of another range is scaled by the least and greatest training value,
    the same for all channels.
    """

    def measure(subject: Subject) -> Result:
        real = subject.dataset.arrays("train", limit=SEQUENCES)["x"]
        generated = subject.sample(len(real))
        if len(generated) < len(real):
            # The floor has fewer test examples. Windows are in the order of time, hence random.
            real = real[np.random.RandomState(SEED).permutation(len(real))[: len(generated)]]
        low, high = min(0.0, real.min()), max(1.0, real.max())
        scaled = ((x - low) / (high - low) for x in (real, generated))
        found = score(*scaled, units=units, refits=REFITS, seed=SEED)
        return Result(found.mean, unit, len(real), found.std)

    return measure


def measure_music(
    statistic: Callable[[np.ndarray], np.ndarray], unit: str = "of 1"
) -> Callable[[Subject], Result]:
    """Returns a measure of the mean of a statistic over 1,000 samples."""
    return lambda subject: mean(statistic(subject.sample(PIECES)), unit)


def is_piano_roll(spec: Spec) -> bool:
    """Returns whether the channels are named by successive MIDI numbers."""
    names = spec.channels or ("",)
    if spec.kind != "sequence" or not names[0].isdecimal():
        return False
    return names == tuple(str(int(names[0]) + i) for i in range(len(names)))


_scores = functools.partial(
    Protocol,
    fits=lambda spec: spec.kind == "sequence" and spec.shape[0] > 1,
    needed="sequences of at least 2 steps",
    floor="test",
)
_music = functools.partial(
    Protocol,
    fits=is_piano_roll,
    needed="piano-rolls, channels named by successive MIDI numbers",
    floor="test",
)

PROTOCOLS = {
    "discriminative_score_10": _scores(score_sequences(discriminative_score, "of 0.5")),
    "discriminative_score_32_10": _scores(score_sequences(discriminative_score, "of 0.5", 32)),
    "predictive_score_10": _scores(score_sequences(predictive_score, "mean absolute error")),
    "predictive_score_32_10": _scores(score_sequences(predictive_score, "mean absolute error", 32)),
    "polyphony": _music(measure_music(polyphony)),
    "scale_consistency": _music(measure_music(scale_consistency)),
    "repetitions": _music(measure_music(repetitions)),
    "tone_span": _music(measure_music(tone_span, "half-tones")),
}
