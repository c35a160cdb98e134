"""Sequences: closed forms of the sine waves, and windows of the rows of CSV files."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from refusal import refused

from keras_gen import data
from keras_gen.data import checks


def write(path, rows, header=None):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(([header] if header else []) + np.asarray(rows).tolist())
    return path


def both(dataset):
    return [dataset.arrays(split)["x"] for split in ("train", "test")]


# ---- sines --------------------------------------------------------------------------------------


@pytest.mark.parametrize("f_range, phi_range", [((0.0, 0.1), (0.0, 0.1)), ((0.2, 0.9), (-3, 3))])
def test_sines_have_their_closed_form(f_range, phi_range):
    sines = data.load("sines", size=3000, test_size=1000, frequency=f_range, phase=phi_range)
    for x, count in zip(both(sines), (3000, 1000), strict=True):
        assert x.shape == (count, 24, 5) and x.dtype == np.float32
        y = sines.spec.unscaled(x)
        # y is sin(f t + phi) exactly if y[t+1] + y[t-1] = 2 cos(f) y[t] for all t.
        middle = y[:, 1:-1]
        cosine = ((y[:, 2:] + y[:, :-2]) * middle).sum(axis=1) / (2 * middle**2).sum(axis=1)
        f = np.arccos(np.clip(cosine, -1, 1))
        # With f known, the phase follows from the projection on sine and cosine.
        t = np.arange(24)[:, None]
        basis = np.stack([np.sin(f[:, None] * t), np.cos(f[:, None] * t)], axis=-1)
        moments = np.einsum("ntcb,ntc->ncb", basis, y)
        gram = np.einsum("ntcb,ntcd->ncbd", basis, basis)
        solved = f > 0.02  # slower waves have too little curvature to solve for
        parts = np.linalg.solve(gram[solved], moments[solved][..., None])[..., 0]
        phi = np.arctan2(parts[:, 1], parts[:, 0])
        np.testing.assert_allclose(np.hypot(*parts.T), 1, atol=2e-3)
        place = np.nonzero(solved)
        expected = np.sin(f[place][:, None] * t[:, 0] + phi[:, None])
        np.testing.assert_allclose(y.transpose(0, 2, 1)[place], expected, atol=1e-4)
        for found, (low, high) in (
            (f[solved], (max(0.02, f_range[0]), f_range[1])),
            (phi, phi_range),
        ):
            spread = high - low
            assert low - 1e-3 < found.min() < low + 0.01 * spread
            assert high - 0.01 * spread < found.max() < high + 1e-3
            assert found.mean() == pytest.approx((low + high) / 2, abs=0.03 * spread)
        # Channels and examples are independent.
        assert abs(np.corrcoef(phi[: len(phi) // 2 * 2].reshape(-1, 2).T)[0, 1]) < 0.05


def test_known_sines():
    x = both(data.load("sines", frequency=(0.5, 0.5), phase=(1, 1), size=2, test_size=1, length=7))
    expected = np.broadcast_to((np.sin(0.5 * np.arange(7) + 1) + 1)[:, None] / 2, (7, 5))
    for example in np.concatenate(x):
        np.testing.assert_allclose(example, expected, atol=1e-7)


def test_sines_are_a_function_of_the_seed():
    few = {"size": 30, "test_size": 20}
    first, again, other = (both(data.load("sines", seed=seed, **few)) for seed in (0, 0, 1))
    for i in range(2):
        np.testing.assert_array_equal(first[i], again[i])
        assert not np.array_equal(first[i], other[i])
    more = both(data.load("sines", **few | {"size": 40}))
    np.testing.assert_array_equal(more[1], first[1])
    assert not np.array_equal(first[0][:20], first[1])


def test_sines_are_described_without_drawing():
    assert data.spec("sines").shape == (24, 5)
    spec = data.spec("sines", length=10, channels=2)
    assert spec == data.load("sines", length=10, channels=2, size=3, test_size=3).spec
    assert (spec.kind, spec.shape, spec.value_range) == ("sequence", (10, 2), (0.0, 1.0))
    np.testing.assert_array_equal(spec.unscaled([[0, 0.5], [1, 0.25]]), [[-1, 0], [1, -0.5]])


def test_sines_errors(monkeypatch):
    refused("size of sines", "positive integer, got 0")("sines", size=0)
    refused("length of sines", "got 1.5", call=data.spec)("sines", length=1.5)
    for interval in ((1, 0), 3, (0, float("inf")), ("a", "b"), (1, 2, 3)):
        refused("frequency of sines", "(least, greatest)", interval)("sines", frequency=interval)
    refused("phase of sines")("sines", phase=None)
    refused("sines has no option 'kind'", "size, test_size, length")("sines", kind="vector")
    refused("Did you mean 'sines'")("sinse")
    monkeypatch.setattr(checks, "MEMORY_LIMIT", 1000)
    refused("sines needs", "smaller size=")("sines")


# ---- CSV files ----------------------------------------------------------------------------------


def table(rows=50, columns=3, seed=0):
    return np.round(np.random.RandomState(seed).randn(rows, columns) * [1, 1e6, 1e-3], 9)


def test_windows_equal_the_rows_of_the_file(tmp_path):
    rows = table()
    path = write(tmp_path / "walk.csv", rows, ["a", "b", "c"])
    walk = data.load(path, length=4)
    assert walk.spec.name == "walk" and walk.spec.kind == "sequence"
    assert walk.spec.shape == (4, 3) and walk.spec.channels == ("a", "b", "c")
    # The last fifth of 50 rows is the test part. No window has rows of both parts.
    for x, part in zip(both(walk), (rows[:40], rows[40:]), strict=True):
        assert len(x) == len(part) - 3
        spread = rows[:40].max(axis=0) - rows[:40].min(axis=0)
        for i, window in enumerate(walk.spec.unscaled(x)):
            np.testing.assert_allclose((window - part[i : i + 4]) / spread, 0, atol=3e-7)
    np.testing.assert_array_equal(np.transpose(walk.spec.scaling)[0], rows[:40].min(axis=0))
    np.testing.assert_array_equal(np.transpose(walk.spec.scaling)[1], rows[:40].max(axis=0))

    apart = both(data.load(path, length=4, stride=5, test_fraction=0.5))
    assert [len(x) for x in apart] == [5, 5]
    bare = data.load(write(tmp_path / "bare.csv", rows), length=4)
    assert bare.spec.channels is None
    np.testing.assert_array_equal(both(bare)[1], both(walk)[1])


def test_the_scaling_does_not_depend_on_the_test_part(tmp_path):
    rows = table()
    calm = data.load(write(tmp_path / "calm.csv", rows), length=4)
    rows[40:] *= 100
    wild = data.load(write(tmp_path / "wild.csv", rows), length=4)
    assert wild.spec.scaling == calm.spec.scaling
    np.testing.assert_array_equal(both(wild)[0], both(calm)[0])
    train, test = both(wild)
    assert train.min() == 0.0 and train.max() == 1.0
    # The range covers the test part too.
    assert wild.spec.value_range == (test.min(), test.max())
    rows[40:] = rows[:10]
    tame = data.load(write(tmp_path / "tame.csv", rows), length=4)
    assert tame.spec.value_range == (0.0, 1.0)


def test_random_splits_contain_every_window_once(tmp_path):
    rows = np.arange(30.0)[:, None]
    path = write(tmp_path / "line.csv", rows)
    splits = [data.load(path, length=4, holdout="random", seed=seed) for seed in (0, 0, 1)]
    starts = [[each.spec.unscaled(x)[:, 0, 0].round() for x in both(each)] for each in splits]
    train, test = starts[0]
    assert len(test) == 5 and sorted([*train, *test]) == list(range(27))
    np.testing.assert_array_equal(test, starts[1][1])
    assert not np.array_equal(test, starts[2][1])
    seen = {start + step for start in train for step in range(4)}
    assert splits[0].spec.scaling == ((min(seen), max(seen)),)


def test_a_constant_column_becomes_zero_and_can_be_unscaled(tmp_path):
    rows = np.stack([np.arange(20.0), np.full(20, -7.5), np.full(20, 1e17)], axis=1)
    rows[-1, 1] = 3.0
    still = data.load(write(tmp_path / "still.csv", rows), length=2)
    train, test = both(still)
    assert not train[..., 1:].any()
    np.testing.assert_allclose(still.spec.unscaled(test)[-1], rows[-2:], rtol=1e-6)


def test_forms_of_a_file(tmp_path):
    path = tmp_path / "forms.csv"
    path.write_bytes(b'\xef\xbb\xbf x ,"a, b"\r\n1,2\r\n\r\n"3", 4e0 \r\n-5,.5\r\n7,8')
    forms = data.load(path, length=1, test_fraction=0.25)
    assert forms.spec.channels == ("x", "a, b")
    found = np.concatenate([forms.spec.unscaled(x)[:, 0] for x in both(forms)])
    np.testing.assert_allclose(found, [[1, 2], [3, 4], [-5, 0.5], [7, 8]], atol=1e-6)


def test_errors_of_csv_files(tmp_path):
    path = tmp_path / "bad.csv"
    for text, *words in (
        ("", "no rows"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n3\n", "line 3", "1 columns", "has 2"),
        ("1,2\n3,4,5\n", "line 2", "3 columns", "has 2"),
        ("a,b\n1,2\n3,x\n", "line 3, column 2 (b)", "must be a finite number, got 'x'"),
        ("1,2\n\n3,\n", "line 3, column 2", "''"),
        ("1,2\nnan,3\n", "line 2, column 1", "'nan'"),
        ("1,2\n3,inf\n", "line 2, column 2", "'inf'"),
        ("a,1\n1,2\n", "line 1, column 1", "'a'"),
        ("1,2\n3,4\n", "training part has 2 rows", "length=24"),
    ):
        path.write_text(text)
        refused(path, *words)(path)
    path.write_bytes(b"1,2\n\xff,3\n")
    refused(path, "cannot read")(path)
    refused("no such file", "none.csv")(tmp_path / "none.csv")
    write(path, table())
    refused(path, "test part has 5 rows", "test_fraction=")(path, length=6, test_fraction=0.1)
    for option, value in (("length", 0), ("stride", -1), ("stride", 0.5)):
        refused(f"{option} of bad.csv", "positive integer", value)(path, **{option: value})
    refused("test_fraction", "greater than 0 and less than 1; got 1")(path, test_fraction=1)
    refused("holdout", "'end' or 'random'", "'start'")(path, holdout="start")
    refused("a .csv file has no option 'kind'", "length, stride")(path, kind="vector")


def test_stocks_need_their_file(tmp_path):
    refused("stock_data.csv", "TimeGAN", "--data-dir", ".csv file")("stocks")
    refused("no such file", tmp_path / "stock_data.csv", "--data-dir")("stocks", tmp_path)
    refused("before it is loaded", call=data.spec)("stocks")
    write(tmp_path / "stock_data.csv", table())
    stocks = data.load("stocks", tmp_path, length=5)
    assert stocks.spec.name == "stocks" and stocks.spec.shape == (5, 3)


def test_stocks(shared_data):
    stocks = data.load("stocks", shared_data)
    assert stocks.spec.channels == ("Open", "High", "Low", "Close", "Adj_Close", "Volume")
    assert stocks.spec.shape == (24, 6)
    rows = np.loadtxt(shared_data / "stock_data.csv", delimiter=",", skiprows=1)
    assert (stocks.size("train"), stocks.size("test")) == (2948 - 23, 737 - 23)
    last = stocks.spec.unscaled(stocks.arrays("test")["x"][-1])
    np.testing.assert_allclose(last, rows[-24:], rtol=1e-3)
    # Prices rise, so the test part has values above the training range.
    assert stocks.spec.value_range[1] > 1.5
    mixed = data.load("stocks", shared_data, holdout="random")
    assert (mixed.size("train"), mixed.size("test")) == (2930, 732)


# ---- specs --------------------------------------------------------------------------------------


def test_specs_of_sequences_survive_json(tmp_path):
    path = write(tmp_path / "walk.csv", table(), ["a", "b", "c"])
    full = data.Spec("s", "sequence", (2, 1), (0, 1), mask_value=-1.0, audio={"rate": 8000})
    for spec in (data.load(path, length=4).spec, data.spec("sines"), full):
        read = data.Spec(**json.loads(json.dumps(dataclasses.asdict(spec), allow_nan=False)))
        assert read == spec
        assert read.scaling is None or isinstance(read.scaling[0], tuple)


def test_errors_of_unscaled():
    refused("digits has no scaling", call=data.spec("digits").unscaled)(np.zeros(3))
    refused("sines has 5 channels", "(24, 4)", call=data.spec("sines").unscaled)(np.zeros((24, 4)))


def test_sequences_of_different_lengths_are_padded():
    x = np.random.default_rng(0).uniform(2, 3, (40, 6, 2))
    for i, length in enumerate(np.arange(40) % 6 + 1):
        x[i, length:] = -1.0
    dataset = data.load(x, mask_value=-1.0)
    assert dataset.spec.mask_value == -1.0 and dataset.spec.value_range[0] >= 2.0
    refused("mask_value is for sequences")(x[:, 0], mask_value=-1.0)
    refused("every step is padding")(np.full((4, 3, 2), -1.0), mask_value=-1.0)
    x[:, 0] = -1.0
    refused("padding belongs after the end", "at step 0")(x, mask_value=-1.0)
