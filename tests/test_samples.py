"""Samples as files: each kind reads back as what was written."""

import csv
import sys

import numpy as np
import pytest
from scipy.io import wavfile

from keras_gen import data, runs


def spec(kind, shape, value_range=(0.0, 1.0), **known):
    return data.Spec("made", kind, shape, value_range, **known)


def test_rows_of_sequences_are_in_the_datas_own_units(tmp_path):
    known = {"channels": ("open", "close"), "scaling": ((10.0, 20.0), (-1.0, 1.0))}
    x = np.random.default_rng(0).uniform(size=(3, 4, 2))
    runs.write_samples(x, spec("sequence", (4, 2), **known), tmp_path / "x.csv")
    with open(tmp_path / "x.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["sample", "step", "open", "close"]
    rows = np.array(rows, float).reshape(3, 4, 4)
    np.testing.assert_array_equal(rows[..., 0], np.arange(3)[:, None] * np.ones(4))
    np.testing.assert_array_equal(rows[..., 1], np.arange(4) * np.ones((3, 1)))
    np.testing.assert_allclose(rows[..., 2], 10 + 10 * x[..., 0])
    np.testing.assert_allclose(rows[..., 3], -1 + 2 * x[..., 1])
    runs.write_samples(x, spec("sequence", (4, 2)), tmp_path / "plain.csv")
    assert (tmp_path / "plain.csv").read_text().startswith("sample,step,channel_0,channel_1")


def test_a_written_csv_is_data_again(tmp_path):
    x = np.random.default_rng(0).uniform(size=(1, 60, 3))
    runs.write_samples(x, spec("sequence", (60, 3)), tmp_path / "x.csv")
    rows = data.load(tmp_path / "x.csv", length=10)
    values = rows.spec.unscaled(rows.arrays("train")["x"])[:, :, 2:]
    np.testing.assert_allclose(values[0], x[0, :10], rtol=1e-5)


@pytest.mark.parametrize(
    ("texts", "vocabulary", "encoding"),
    [(["a b\n", "ü-\n"], tuple("ab\n -ü"), "utf-8"), (["\xff\r\n"], data.BYTES, "latin-1")],
)
def test_texts(texts, vocabulary, encoding, tmp_path):
    text = spec("text", (4, 1), (0.0, 255.0), vocabulary=vocabulary)
    runs.write_samples(np.array(texts, object), text, tmp_path / "x.txt")
    written = (tmp_path / "x.txt").read_bytes().decode(encoding)
    assert written.removesuffix("\n").split("\n" + "-" * 64 + "\n") == texts
    runs.write_samples(np.array(texts, object), text, tmp_path / "x.npz")
    assert np.load(tmp_path / "x.npz")["x"].tolist() == texts


def test_sounds_follow_each_other_after_a_pause(tmp_path):
    rate = 800
    x = 0.5 * np.sin(np.arange(400) * 0.3)[None, :, None] * np.array([1, -1])[:, None, None]
    sound = spec("audio", (400, 1), (-1.0, 1.0), audio={"representation": "waveform", "rate": rate})
    runs.write_samples(x.astype("float32"), sound, tmp_path / "x.wav")
    read_rate, samples = wavfile.read(tmp_path / "x.wav")
    assert read_rate == rate and len(samples) == 2 * (400 + rate // 4)
    parts = samples.reshape(2, -1) / 2**15
    np.testing.assert_allclose(parts[:, :400], x[..., 0], atol=1e-4)
    assert not parts[:, 400:].any()


def test_a_piano_roll_reads_back_from_midi(tmp_path):
    mido = pytest.importorskip("mido")
    pitches = tuple(map(str, range(60, 65)))
    roll = spec("sequence", (7, 5), channels=pitches)
    x = np.random.default_rng(0).integers(0, 2, (2, 7, 5)).astype("float32")
    runs.write_samples(x, roll, tmp_path / "x.mid")
    file = mido.MidiFile(tmp_path / "x.mid")
    assert file.length == pytest.approx(2 * 8 * 0.125, abs=0.126), "a step is an eighth second"
    read, time, sounding = np.zeros((16, 5)), 0, {}
    for message in file.tracks[0]:
        time += message.time
        if message.type == "note_on":
            sounding[message.note] = time
        elif message.type == "note_off":
            start, step = sounding.pop(message.note), file.ticks_per_beat // 4
            read[start // step : time // step, message.note - 60] = 1
    assert not sounding, "every note ends"
    np.testing.assert_array_equal(read.reshape(2, 8, 5)[:, :7], x)
    assert not read.reshape(2, 8, 5)[:, 7].any()


def test_a_missing_mido_is_one_line_that_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mido", None)
    roll = spec("sequence", (2, 2), channels=("60", "61"))
    with pytest.raises(ValueError, match=r"needs mido: pip install 'keras_gen\[midi\]'") as error:
        runs.write_samples(np.ones((1, 2, 2)), roll, tmp_path / "x.mid")
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_only_a_piano_roll_is_midi(tmp_path):
    for channels in (None, ("60", "62"), ("60", "59"), ("open", "close")):
        with pytest.raises(ValueError, match=r"x\.mid: samples of made"):
            runs.check_suffix(tmp_path / "x.mid", spec("sequence", (4, 2), channels=channels))


def test_other_suffixes_are_refused(tmp_path):
    for kind, shape, suffix, known in (
        ("image", (8, 8, 1), ".csv", ".png, .svg, .npz"),
        ("text", (4, 1), ".png", ".txt, .npz"),
        ("sequence", (4, 2), ".wav", ".csv, .png, .svg, .npz"),
        ("audio", (8, 8, 1), ".txt", ".wav, .png, .svg, .npz"),
        ("vector", (3,), ".png", "in .npz"),
    ):
        with pytest.raises(ValueError, match=rf"x\{suffix}: samples of made .*{known}"):
            runs.check_suffix(tmp_path / f"x{suffix}", spec(kind, shape))
    years = spec("sequence", (4, 2), channels=("2019", "2020"))
    with pytest.raises(ValueError, match=r"x\.mid: .* \.csv, \.png, \.svg, \.npz"):
        runs.check_suffix(tmp_path / "x.mid", years)
    assert not list(tmp_path.iterdir())
