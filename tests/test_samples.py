"""Samples as files: each kind reads back as what was written."""

import csv

import numpy as np
import pytest
from keras_gen.training import pictures
from PIL import Image
from scipy.io import wavfile

from keras_gen import data, training


def spec(kind, shape, value_range=(0.0, 1.0), **known):
    return data.Spec("made", kind, shape, value_range, **known)


def test_rows_of_sequences_are_in_the_datas_own_units(tmp_path):
    known = {"channels": ("open", "close"), "scaling": ((10.0, 20.0), (-1.0, 1.0))}
    x = np.random.default_rng(0).uniform(size=(3, 4, 2))
    training.write(x, spec("sequence", (4, 2), **known), tmp_path / "x.csv")
    with open(tmp_path / "x.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["sample", "step", "open", "close"]
    rows = np.array(rows, float).reshape(3, 4, 4)
    np.testing.assert_array_equal(rows[..., 0], np.arange(3)[:, None] * np.ones(4))
    np.testing.assert_array_equal(rows[..., 1], np.arange(4) * np.ones((3, 1)))
    np.testing.assert_allclose(rows[..., 2], 10 + 10 * x[..., 0])
    np.testing.assert_allclose(rows[..., 3], -1 + 2 * x[..., 1])
    training.write(x, spec("sequence", (4, 2)), tmp_path / "plain.csv")
    assert (tmp_path / "plain.csv").read_text().startswith("sample,step,channel_0,channel_1")


def test_a_written_csv_is_data_again(tmp_path):
    x = np.random.default_rng(0).uniform(size=(1, 60, 3))
    training.write(x, spec("sequence", (60, 3)), tmp_path / "x.csv")
    rows = data.load(tmp_path / "x.csv", length=10)
    values = rows.spec.unscaled(rows.arrays("train")["x"])[:, :, 2:]
    np.testing.assert_allclose(values[0], x[0, :10], rtol=1e-5)


@pytest.mark.parametrize(
    ("texts", "vocabulary", "encoding"),
    [(["a b\n", "ü-\n"], tuple("ab\n -ü"), "utf-8"), (["\xff\r\n"], data.BYTES, "latin-1")],
)
def test_texts(texts, vocabulary, encoding, tmp_path):
    text = spec("text", (4, 1), (0.0, 255.0), vocabulary=vocabulary)
    training.write(np.array(texts, object), text, tmp_path / "x.txt")
    written = (tmp_path / "x.txt").read_bytes().decode(encoding)
    assert written.removesuffix("\n").split("\n" + "-" * 64 + "\n") == texts
    training.write(np.array(texts, object), text, tmp_path / "x.npz")
    assert np.load(tmp_path / "x.npz")["x"].tolist() == texts


def test_sounds_follow_each_other_after_a_pause(tmp_path):
    rate = 800
    x = 0.5 * np.sin(np.arange(400) * 0.3)[None, :, None] * np.array([1, -1])[:, None, None]
    sound = spec("audio", (400, 1), (-1.0, 1.0), audio={"representation": "waveform", "rate": rate})
    training.write(x.astype("float32"), sound, tmp_path / "x.wav")
    read_rate, samples = wavfile.read(tmp_path / "x.wav")
    assert read_rate == rate and len(samples) == 2 * (400 + rate // 4)
    parts = samples.reshape(2, -1) / 2**15
    np.testing.assert_allclose(parts[:, :400], x[..., 0], atol=1e-4)
    assert not parts[:, 400:].any()


def test_curves_rise_to_the_right():
    x = np.linspace(0, 1, 10)[None, :, None]
    (image,) = pictures.curves(x, (0.0, 1.0))
    drawn = np.argwhere((image < 1).any(axis=-1))
    assert drawn[:, 1].min() == 0 and drawn[:, 1].max() == image.shape[1] - 1
    left, right = drawn[drawn[:, 1] == 0, 0], drawn[drawn[:, 1] == image.shape[1] - 1, 0]
    assert left.min() > image.shape[0] - 3 and right.max() < 3
    assert np.corrcoef(drawn[:, 1], drawn[:, 0])[0, 1] < -0.99


@pytest.mark.parametrize(
    ("kind", "shape", "size"),
    [
        ("sequence", (24, 5), (2 * (144 + 2) + 2, (72 + 2) + 2)),
        ("sequence", (16, 8), (2 * (16 * 3 + 2) + 2, (8 * 3 + 2) + 2)),
        ("audio", (64, 32, 1), (2 * (64 + 2) + 2, (32 + 2) + 2)),
    ],
)
def test_pictures_of_other_kinds(kind, shape, size, tmp_path):
    x = np.random.default_rng(0).uniform(size=(2, *shape))
    training.write(x, spec(kind, shape), tmp_path / "x.png", columns=2)
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.size == size


def test_a_spectrogram_is_drawn_with_time_to_the_right_and_low_tones_at_the_bottom():
    x = np.zeros((1, 64, 60, 1))
    x[0, 63, 0] = 1.0  # the last frame, the lowest band
    picture = pictures.drawn(x, spec("audio", (64, 60, 1)))
    assert np.argwhere((picture == 255).all(axis=-1)).tolist() == [[2 + 59, 2 + 63]]


def test_other_suffixes_are_refused(tmp_path):
    for kind, shape, suffix, known in (
        ("image", (8, 8, 1), ".csv", ".png, .npz"),
        ("text", (4, 1), ".png", ".txt, .npz"),
        ("sequence", (4, 2), ".wav", ".csv, .png, .npz"),
        ("audio", (8, 8, 1), ".txt", ".wav, .png, .npz"),
        ("vector", (3,), ".png", "in .npz"),
    ):
        with pytest.raises(ValueError, match=rf"x\{suffix}: samples of made .*{known}"):
            training.check_suffix(tmp_path / f"x{suffix}", spec(kind, shape))
    assert not list(tmp_path.iterdir())
