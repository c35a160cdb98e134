"""Statistics of generated music that need no listener, to be read beside those of real music.

Source: Mogren 2016, "C-RNN-GAN: Continuous recurrent neural networks with adversarial training"
(arXiv:1611.09904), section "Evaluation". He measures lists of notes; here they are read from
piano-rolls, in which a tone struck again without a pause is one long tone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Major scales by their keynote; those of natural minor have the same tones.
MAJOR = np.isin((np.arange(12) - np.arange(12)[:, None]) % 12, (0, 2, 4, 5, 7, 9, 11))
THRESHOLD = 0.5
REPEATED = 3


@dataclass(frozen=True)
class MusicStatistics:
    """Means over sequences; a silent one counts as 0 in each.

    Attributes:
        polyphony: of `polyphony`, from 0 to 1.
        scale_consistency: of `scale_consistency`, from 0 to 1.
        repetitions: of `repetitions`, from 0 to 1.
        tone_span: of `tone_span`, in half-tones.
    """

    polyphony: float
    scale_consistency: float
    repetitions: float
    tone_span: float


def music_statistics(x: np.ndarray) -> MusicStatistics:
    """The means of `polyphony`, `scale_consistency`, `repetitions` and `tone_span`.

    Args:
        x: as for each of these.

    Raises:
        ValueError: as each of these.
    """
    measures = (polyphony, scale_consistency, repetitions, tone_span)
    return MusicStatistics(*(float(measure(x).mean()) for measure in measures))


def polyphony(x: np.ndarray) -> np.ndarray:
    """How much of each sequence is more than one voice, `(n,)`: of the steps in which a tone
    sounds, the share in which two or more do.

    Mogren asks for tones that start together, which would miss held ones.

    Args:
        x: piano-rolls `(n, length, pitches)`; a pitch sounds where x > 0.5. Pitches are a half-tone
            apart; which is the lowest is of no matter.

    Raises:
        ValueError: if x has another shape or is empty, or a value is not finite.
    """
    sounding = _sounding(x).sum(axis=2)
    return _share((sounding >= 2).sum(axis=1), (sounding >= 1).sum(axis=1))


def scale_consistency(x: np.ndarray) -> np.ndarray:
    """The share of each sequence's tones that lie in the best matching major scale, `(n,)`.

    A tone counts once, however long. Each tone lies in seven of the twelve scales, so no sequence
    with a tone has less than 7/12 = 0.583.

    Args:
        x: as for `polyphony`.

    Raises:
        ValueError: as for `polyphony`.
    """
    tones = _starts(_sounding(x)).sum(axis=1)
    classes = tones @ np.eye(12, dtype=int)[np.arange(tones.shape[1]) % 12]
    return _share((classes @ MAJOR.T).max(axis=1), tones.sum(axis=1))


def repetitions(x: np.ndarray) -> np.ndarray:
    """The share of each sequence's melody that was heard before, `(n,)`: of all runs of three
    successive tones, those that occur earlier in the sequence.

    The melody is the highest sounding tone; as in the paper its tones and their order count, and
    not their timing.

    Args:
        x: as for `polyphony`.

    Raises:
        ValueError: as for `polyphony`.
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
    """Half-tone steps from the lowest to the highest tone of each sequence, `(n,)`.

    Args:
        x: as for `polyphony`.

    Raises:
        ValueError: as for `polyphony`.
    """
    heard = _sounding(x).any(axis=1)
    lowest, from_above = heard.argmax(axis=1), heard[:, ::-1].argmax(axis=1)
    span = heard.shape[1] - 1 - from_above - lowest
    return np.where(heard.any(axis=1), span, 0).astype("float64")


def _sounding(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim != 3 or x.size == 0:
        raise ValueError(f"x must be piano-rolls (n, length, pitches), got shape {x.shape}.")
    if not np.isfinite(x).all():
        raise ValueError("x holds values that are not finite.")
    return x > THRESHOLD


def _starts(sounding: np.ndarray) -> np.ndarray:
    """Where a tone sounds that did not sound in the step before."""
    before = np.zeros_like(sounding)
    before[:, 1:] = sounding[:, :-1]
    return sounding & ~before


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, and 0 where there is nothing."""
    return part / np.maximum(whole, 1)
