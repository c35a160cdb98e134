"""Sequences of real numbers: sine waves drawn by the program, and the rows of a CSV file.

Source: Yoon et al. 2019 (TimeGAN, NeurIPS 2019, section 5 and the authors' code).
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from keras_gen.data.arrays import hold_out
from keras_gen.data.checks import check_counts, check_fraction, check_memory
from keras_gen.data.dataset import Dataset
from keras_gen.data.specs import DataError, Spec

STOCKS_FILE = "stock_data.csv"


def sines_spec(length: int = 24, channels: int = 5) -> Spec:
    """The description of sine waves of so many steps and channels."""
    check_counts("sines", length=length, channels=channels)
    scaling = ((-1.0, 1.0),) * channels
    return Spec("sines", "sequence", (length, channels), (0.0, 1.0), scaling=scaling)


def load_sines(
    *,
    size: int = 10_000,
    test_size: int = 2_000,
    length: int = 24,
    channels: int = 5,
    frequency: tuple[float, float] = (0.0, 0.1),
    phase: tuple[float, float] = (0.0, 0.1),
    seed: int = 0,
) -> Dataset:
    """Sine waves sin(f t + φ), t = 0, 1, ..., scaled from [-1, 1] to [0, 1].

    f and φ are independent and uniform for each example and channel. The default ranges are those
    of the TimeGAN authors' code; the paper's text has f from (0, 1) and φ from (-π, π).

    Args:
        size: number of training examples.
        test_size: number of test examples.
        length: number of steps.
        channels: number of waves in an example.
        frequency: least and greatest f, in radians per step.
        phase: least and greatest φ, in radians.
        seed: of the draws. The test examples do not depend on `size`.
    """
    check_counts("sines", size=size, test_size=test_size)
    spec = sines_spec(length, channels)
    _check_interval("frequency", frequency)
    _check_interval("phase", phase)
    check_memory("sines", size + test_size, spec.shape, np.float64, "give a smaller size=")
    # RandomState's numbers, unlike default_rng's, are the same in every version of NumPy.
    random = np.random.RandomState(seed)
    steps = np.arange(length)[:, None]

    def draw(count: int) -> dict[str, np.ndarray]:
        f = random.uniform(*frequency, (count, 1, channels))
        phi = random.uniform(*phase, (count, 1, channels))
        return {"x": ((np.sin(f * steps + phi) + 1) / 2).astype(np.float32)}

    test = draw(test_size)
    return Dataset(spec, train=draw(size), test=test)


def stocks_file(data_dir: str | os.PathLike | None) -> Path:
    """The file of Google's daily stock prices, 2004 to 2019, that TimeGAN's authors publish."""
    path = Path(data_dir or ".").expanduser() / STOCKS_FILE
    if data_dir is None or not path.is_file():
        where = "no folder is given for stocks" if data_dir is None else f"no such file: {path}"
        raise DataError(
            f"{where}; say with --data-dir (data_dir=) which folder holds {STOCKS_FILE}, or give "
            "the path of any .csv file of numbers as data"
        )
    return path


def load_csv(
    path: Path,
    name: str,
    *,
    length: int = 24,
    stride: int = 1,
    test_fraction: float = 0.2,
    holdout: Literal["end", "random"] = "end",
    seed: int = 0,
) -> Dataset:
    """Windows of the rows of a CSV file, one row per step in the order of time.

    Columns are separated by commas; all must hold finite numbers in every row. A first row
    without any number names them.

    Each column is scaled so that its least and greatest value in the training windows become 0 and
    1; `spec.scaling` has those, `spec.unscaled` goes back. A column that is constant there becomes
    0. Nothing of the test part enters into the scaling, so that test values may lie outside of
    [0, 1]: prices rise. `spec.value_range` covers them; it is (0, 1) only if they lie inside.

    Args:
        path: of the file.
        name: of the data set.
        length: number of rows in a window.
        stride: rows from the start of one window to that of the next.
        test_fraction: share of the test part.
        holdout: `"end"`: the last rows are the test part and no window holds rows of both, so the
            test is on an unseen future. `"random"`: windows drawn among all, as in TimeGAN. With a
            stride below the length these overlap with training windows, so that nearly every test
            value has been seen in training: for comparison with published figures only.
        seed: of the choice of random windows.

    Raises:
        DataError: naming the file, the line and the column that is not as it must be; or if there
            are fewer rows than a window takes.
    """
    check_counts(path.name, length=length, stride=stride)
    check_fraction(test_fraction)
    if holdout not in ("end", "random"):
        raise DataError(f"holdout must be 'end' or 'random', got {holdout!r}")
    rows, channels = read_csv(path)
    shape = (length, rows.shape[1])
    check_memory(str(path), len(rows) // stride, shape, np.float64, "give a greater stride=")
    if holdout == "end":
        parts = split_end(rows, test_fraction)
        train, test = (
            windows(part, length, stride, f"{path}: the {which} part", "rows")
            for part, which in zip(parts, ("training", "test"), strict=True)
        )
    else:
        every = {"x": windows(rows, length, stride, str(path), "rows")}
        train, test = (part["x"] for part in hold_out(every, test_fraction, seed, str(path)))

    low, high = train.min(axis=(0, 1)), train.max(axis=(0, 1))
    # A constant has no spread to measure by; with its own size as unit other values go back too.
    high = np.where(high > low, high, low + np.maximum(1.0, np.abs(low)))
    train, test = (((part - low) / (high - low)).astype(np.float32) for part in (train, test))
    spec = Spec(
        name,
        "sequence",
        shape,
        (min(0.0, float(test.min())), max(1.0, float(test.max()))),
        channels=channels,
        scaling=tuple(zip(low.tolist(), high.tolist(), strict=True)),
    )
    return Dataset(spec, {"x": train}, {"x": test})


def read_csv(path: Path) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """The numbers of a CSV file, float64 `(rows, columns)`, and the columns' names if it has them.

    Raises:
        DataError: naming the file, the line and the column that is not as it must be.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            # Blank lines come as no cells.
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    names = None
    if lines and not any(math.isfinite(_number(cell)) for cell in lines[0][1]):
        names = tuple(cell.strip() for cell in lines.pop(0)[1])
    if not lines:
        raise DataError(f"{path} has no rows of numbers")
    columns = len(names or lines[0][1])
    rows = np.empty((len(lines), columns))
    for row, (line, cells) in zip(rows, lines, strict=True):
        place = f"{path}, line {line}"
        if len(cells) != columns:
            raise DataError(f"{place}: has {len(cells)} columns, the first line has {columns}")
        row[:] = list(map(_number, cells))
        if not np.isfinite(row).all():
            column = int(np.argmin(np.isfinite(row)))
            called = f" ({names[column]})" if names else ""
            raise DataError(
                f"{place}, column {column + 1}{called}: {cells[column]!r} is no finite number"
            )
    return rows, names


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def windows(rows: np.ndarray, length: int, stride: int, where: str, steps: str) -> np.ndarray:
    """Every window of `length` rows that starts at a multiple of `stride` and is full.

    Args:
        rows: `(rows, ...)`.
        length, stride: in rows.
        where: what an error calls the rows' origin.
        steps: what an error calls the rows.

    Returns:
        A view, `(windows, length, ...)`.

    Raises:
        DataError: if there is none.
    """
    if len(rows) < length:
        raise DataError(
            f"{where} has {len(rows)} {steps}, too few for a window of length={length}: give a "
            "smaller length= or another test_fraction="
        )
    every = np.lib.stride_tricks.sliding_window_view(rows, length, axis=0)
    return np.moveaxis(every[::stride], -1, 1)


def split_end(rows: Sequence, fraction: float) -> tuple[Sequence, Sequence]:
    """Rows without their last share, and that share."""
    kept = len(rows) - round(len(rows) * fraction)
    return rows[:kept], rows[kept:]


def _check_interval(option: str, interval: Sequence[float]) -> None:
    try:
        low, high = interval
        ordered = -math.inf < low <= high < math.inf
    except (TypeError, ValueError):
        ordered = False
    if not ordered:
        raise DataError(f"{option} of sines must be (least, greatest), got {interval!r}")
