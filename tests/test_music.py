"""Statistics of music on tunes with known answers."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from keras_gen import data, evaluation
from keras_gen.evaluation import (
    MusicStatistics,
    music_statistics,
    polyphony,
    repetitions,
    scale_consistency,
    tone_span,
)

LOW, PITCHES = 48, 40
C_MAJOR = [60, 62, 64, 65, 67, 69, 71, 72]
MEASURES = (polyphony, scale_consistency, repetitions, tone_span)


def roll(steps):
    """One piano-roll from a list of steps: the MIDI numbers that sound, one, several or none."""
    x = np.zeros((1, len(steps), PITCHES))
    for t, tones in enumerate(steps):
        x[0, t, np.subtract(np.ravel(tones), LOW).astype(int)] = 1
    return x


def test_a_scale():
    assert music_statistics(roll(C_MAJOR)) == MusicStatistics(0.0, 1.0, 0.0, 12.0)


@pytest.mark.parametrize("keynote", range(12))
def test_every_major_scale_and_its_minor_are_consistent(keynote):
    major = np.add(C_MAJOR, keynote - 6)
    natural_minor = keynote + 54 + np.array([0, 2, 3, 5, 7, 8, 10, 12])
    assert scale_consistency(roll(major)) == 1
    assert scale_consistency(roll(natural_minor)) == 1


def test_all_half_tones_have_the_least_consistency():
    chromatic = roll(range(60, 72))
    assert scale_consistency(chromatic) == pytest.approx(7 / 12)
    assert tone_span(chromatic) == 11


def test_a_tone_counts_once_however_long_it_is():
    # C and D flat are together in two scales; with D, E and F only C is in one.
    x = roll([60, 61, 61, 61, 61, 62, 64, 65])
    assert scale_consistency(x) == pytest.approx(4 / 5)
    # Repeated after a pause it counts again: two of six tones are not in the scale of C.
    assert scale_consistency(roll([60, 61, [], 61, 62, 64, 65])) == pytest.approx(4 / 6)


def test_polyphony_is_of_the_steps_that_sound():
    assert polyphony(roll([[60, 64], 60, [], [60, 64, 67], 62])) == 0.5
    assert polyphony(roll([[60, 64], [60, 64]])) == 1
    # A held tone under another is polyphony although they do not start together.
    assert polyphony(roll([60, [60, 64], 64])) == pytest.approx(1 / 3)


def test_repetitions_are_of_three_tones_in_order():
    assert repetitions(roll([60, 62, 64, 60, 62, 64])) == pytest.approx(1 / 4)
    assert repetitions(roll([60, 62, 60, 62, 60])) == pytest.approx(1 / 3)
    assert repetitions(roll([60, 62, 64, 65, 64, 62, 60])) == 0
    assert repetitions(roll([60, 62])) == 0


def test_repetitions_do_not_see_timing_or_the_lower_voices():
    tune = [60, 62, 64, 60, 62, 64]
    expected = repetitions(roll(tune))
    assert repetitions(roll(np.repeat(tune, 3))) == expected
    assert repetitions(roll([60, 60, [], 62, [64, 50], [60, 51], 62, 62, 64])) == expected
    # One tone four times: the second run of three equals the first.
    assert repetitions(roll([60, [], 60, [], 60, [], 60])) == 0.5


def test_a_tone_span_of_one_tone_and_of_two():
    assert tone_span(roll([60, 60, []])) == 0
    assert tone_span(roll([[48, 87]])) == PITCHES - 1


def test_the_key_does_not_matter():
    x = roll([60, [61, 65], 61, 62, 60, [64, 72], 65])
    assert music_statistics(np.roll(x, 5, axis=2)) == music_statistics(x)


def test_each_sequence_has_its_own_and_silence_has_zero():
    tunes = [C_MAJOR, [[]] * 8, [[60, 64]] * 8]
    x = np.concatenate([roll(tune) for tune in tunes])
    np.testing.assert_array_equal(polyphony(x), [0, 0, 1])
    np.testing.assert_array_equal(scale_consistency(x), [1, 0, 1])
    np.testing.assert_array_equal(repetitions(x), [0, 0, 0])
    np.testing.assert_array_equal(tone_span(x), [12, 0, 4])
    assert music_statistics(x) == MusicStatistics(
        pytest.approx(1 / 3), pytest.approx(2 / 3), 0.0, pytest.approx(16 / 3)
    )
    assert music_statistics(0 * x) == MusicStatistics(0.0, 0.0, 0.0, 0.0)


def test_a_pitch_sounds_above_a_half():
    tune = roll(C_MAJOR)
    assert music_statistics(0.1 + 0.5 * tune) == music_statistics(tune)
    assert music_statistics(0.5 * tune) == music_statistics(0 * tune)


@pytest.mark.parametrize("measure", [*MEASURES, music_statistics])
def test_invalid_piano_rolls_are_named(measure):
    for x in (np.zeros((8, 40)), np.zeros((0, 8, 40))):
        with pytest.raises(
            ValueError, match=r"\(n, length, pitches\), got|at least 1 example, got 0"
        ):
            measure(x)
    with pytest.raises(ValueError, match="x holds NaN or inf"):
        measure(np.full((1, 8, 40), np.nan))


# ---- protocols ---------------------------------------------------------------------------------

SPEC = data.Spec(
    "tunes", "sequence", (8, PITCHES), (0.0, 1.0), channels=tuple(map(str, range(LOW, 88)))
)


def test_protocols_are_means_over_1000_samples():
    tunes = np.concatenate([roll(C_MAJOR), roll([[60, 64]] * 8)])
    model = SimpleNamespace(sample=lambda n, seed: np.tile(tunes, (n // 2, 1, 1)))
    subject = evaluation.Subject(model, SimpleNamespace(spec=SPEC))
    expected = {
        "polyphony": (0.5, "of 1"),
        "scale_consistency": (1.0, "of 1"),
        "repetitions": (0.0, "of 1"),
        "tone_span": (8.0, "half-tones"),
    }
    for name, (value, unit) in expected.items():
        result = evaluation.PROTOCOLS[name].measure(subject)
        assert (result.value, result.unit, result.n) == (value, unit, 1000)
    error = evaluation.PROTOCOLS["polyphony"].measure(subject).error
    assert error == pytest.approx(0.5 / np.sqrt(999))


def test_protocols_of_real_pieces():
    x = np.concatenate([roll(C_MAJOR)] * 4).astype("float32")
    dataset = data.Dataset(SPEC, {"x": x}, {"x": x[:2]})
    found = evaluation.floor("tone_span", dataset)
    assert (found.value, found.n, found.error) == (12.0, 2, 0.0)


def test_protocols_need_successive_midi_numbers():
    def check(channels, kind="sequence"):
        spec = dataclasses.replace(SPEC, kind=kind, channels=channels)
        return evaluation.applicable(["polyphony", "tone_span"], spec)

    assert len(check(("48", "49", "50"))) == 2
    for channels in (None, ("48", "50"), ("49", "48"), ("open", "high"), ("-1", "0")):
        assert check(channels) == ()
    assert check(("48", "49"), "vector") == ()
    with pytest.raises(ValueError, match="repetitions needs data with piano-rolls"):
        evaluation.check(["repetitions"], data.spec("digits"))
