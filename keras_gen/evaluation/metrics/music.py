"""Statistics of music, to be compared with those of real music.

Source: Mogren 2016, "C-RNN-GAN: Continuous recurrent neural networks with adversarial training"
(arXiv:1611.09904), section "Evaluation". The paper measures lists of notes. Here the input is
piano-rolls, in which a tone that is repeated without a pause is one long tone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_gen.evaluation.arrays import checked

# The major scale of each keynote. The natural minor scales have the same tones.
MAJOR = np.isin((np.arange(12) - np.arange(12)[:, None]) % 12, (0, 2, 4, 5, 7, 9, 11))
THRESHOLD = 0.5
REPEATED = 3


@dataclass(frozen=True)
class MusicStatistics:
    """Means over sequences. A silent sequence counts as 0 in each.

    Attributes:
        polyphony: mean of `polyphony`, from 0 to 1.
        scale_consistency: mean of `scale_consistency`, from 0 to 1.
        repetitions: mean of `repetitions`, from 0 to 1.
        tone_span: mean of `tone_span`, in half-tones.
    """

    polyphony: float
    scale_consistency: float
    repetitions: float
    tone_span: float


def music_statistics(x: np.ndarray) -> MusicStatistics:
    """Returns the means of `polyphony`, `scale_consistency`, `repetitions` and `tone_span`.

    Args:
        x: as for `polyphony`.

    Raises:
        ValueError: as `polyphony`.
    """
    measures = (polyphony, scale_consistency, repetitions, tone_span)
    return MusicStatistics(*(float(measure(x).mean()) for measure in measures))


def polyphony(x: np.ndarray) -> np.ndarray:
    """Returns the share of each sequence's sounding steps that have two or more tones, `(n,)`.

    The paper counts tones that start together, which misses held tones.

    Args:
        x: piano-rolls `(n, length, pitches)`. A pitch sounds where x > 0.5. Pitches are a half-tone
            apart, in ascending order from any lowest pitch.

    Raises:
        ValueError: if `x` has another shape, is empty or is not finite.
    """
    sounding = _sounding(x).sum(axis=2)
    return _share((sounding >= 2).sum(axis=1), (sounding >= 1).sum(axis=1))


def scale_consistency(x: np.ndarray) -> np.ndarray:
    """Returns the share of each sequence's tones in the best matching major scale, `(n,)`.

    A tone counts once, however long it is. Each tone lies in seven of the twelve scales, so the
    share is at least 7/12 = 0.583 for a sequence with a tone.

    Args:
        x: as for `polyphony`.

    Raises:
        ValueError: as `polyphony`.
    """
    tones = _starts(_sounding(x)).sum(axis=1)
    classes = tones @ np.eye(12, dtype=int)[np.arange(tones.shape[1]) % 12]
    return _share((classes @ MAJOR.T).max(axis=1), tones.sum(axis=1))


def repetitions(x: np.ndarray) -> np.ndarray:
    """Returns the share of each melody's runs of three tones that occurred earlier in it, `(n,)`.

    The melody is the highest sounding tone of each step. As in the paper, its tones and their order
    count, not their timing.

    Args:
        x: as for `polyphony`.

    Raises:
        ValueError: as `polyphony`.
    """
    x = _sounding(x)
    top = np.where(x.any(axis=2), x.shape[2] - 1 - x[:, :, ::-1].argmax(axis=2), -1)
    shares = []
    for line in top:
        tones = line[(line >= 0) & (np.diff(line, prepend=-1) != 0)]
        runs = [tuple(tones[i : i + REPEATED]) for i in range(len(tones) - REPEATED + 1)]
        shares.append((len(runs) - len(set(runs))) / max(1, len(runs)))
    return np.array(shares)


def tone_span(x: np.ndarray) -> np.ndarray:
    """Returns the half-tones from the lowest to the highest tone of each sequence, `(n,)`.

    Args:
        x: as for `polyphony`.

    Raises:
        ValueError: as `polyphony`.
    """
    heard = _sounding(x).any(axis=1)
    lowest, from_above = heard.argmax(axis=1), heard[:, ::-1].argmax(axis=1)
    span = heard.shape[1] - 1 - from_above - lowest
    return np.where(heard.any(axis=1), span, 0).astype("float64")


def _sounding(x: np.ndarray) -> np.ndarray:
    (x,) = checked("(n, length, pitches)", x=x)
    return x > THRESHOLD


def _starts(sounding: np.ndarray) -> np.ndarray:
    """Where a tone sounds that did not sound in the previous step."""
    before = np.zeros_like(sounding)
    before[:, 1:] = sounding[:, :-1]
    return sounding & ~before


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, and 0 where whole is 0."""
    return part / np.maximum(whole, 1)
