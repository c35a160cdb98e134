"""Sequences of real numbers: windows of the rows of a CSV file.

Source: Yoon et al. 2019 (TimeGAN, NeurIPS 2019), section 5 and the authors' code.
"""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path
from typing import Literal

import numpy as np

from keras_gen.data.checks import check_counts, check_fraction, check_memory
from keras_gen.data.dataset import Dataset
from keras_gen.data.specs import DataError, Spec
from keras_gen.data.splits import hold_out, split_end, windows

STOCKS_FILE = "stock_data.csv"
STOCKS_ORIGIN = "data/ of github.com/jsyoon0823/TimeGAN"


def stocks_file(data_dir: str | os.PathLike | None) -> Path:
    """Returns the file of Google's daily stock prices, 2004 to 2019, that TimeGAN publishes.

    Raises:
        DataError: if it is not in `data_dir`.
    """
    path = Path(data_dir or ".").expanduser() / STOCKS_FILE
    if data_dir is None or not path.is_file():
        where = "stocks needs a folder" if data_dir is None else f"no such file: {path}"
        raise DataError(
            f"{where}; give the folder of {STOCKS_FILE} (from {STOCKS_ORIGIN}) as --data-dir "
            "(data_dir=), or the path of any .csv file of numbers as data."
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
    """Loads windows of the rows of a CSV file, one row for each step in order of time.

    Columns are separated by commas, and hold a finite number in every row. If the first row has no
    number, it holds the names of the columns.

    Each column is scaled so that its least and greatest values in the training windows become 0 and
    1. `spec.scaling` has these values, and `spec.unscaled` inverts the scaling. A column that is
    constant in the training windows becomes 0. The scaling does not depend on the test part, whose
    values may therefore lie outside [0, 1], such as rising prices. `spec.value_range` covers them.

    Args:
        path: path of the file.
        name: name of the data set.
        length: number of rows in a window.
        stride: rows from the start of one window to the start of the next.
        test_fraction: share of the test part.
        holdout: `"end"`: the last rows are the test part, and no window has rows of both parts, so
            the test is on an unseen future. `"random"`: the test windows are chosen at random, as
            in TimeGAN. With a stride below the length they overlap with training windows, which
            then contain nearly every test value: use this only to compare with published figures.
        seed: seed of the random choice.

    Raises:
        DataError: naming the file, the line and the column that is invalid, or if there are fewer
            rows than a window needs.
    """
    check_counts(path.name, length=length, stride=stride)
    check_fraction(test_fraction)
    if holdout not in ("end", "random"):
        raise DataError(f"holdout must be 'end' or 'random', got {holdout!r}.")
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
    # A constant column has no spread. With its own size as the unit, other values of the test part
    # can be scaled and unscaled too.
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
    """Returns the numbers of a CSV file, float64 `(rows, columns)`, and its columns' names.

    The names are None if the first row holds a number.

    Raises:
        DataError: naming the file, the line and the column that is invalid.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            # A blank line has no cells.
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}.") from error
    names = None
    if lines and not any(math.isfinite(_number(cell)) for cell in lines[0][1]):
        names = tuple(cell.strip() for cell in lines.pop(0)[1])
    if not lines:
        raise DataError(f"{path} has no rows of numbers.")
    columns = len(names or lines[0][1])
    rows = np.empty((len(lines), columns))
    for row, (line, cells) in zip(rows, lines, strict=True):
        place = f"{path}, line {line}"
        if len(cells) != columns:
            raise DataError(f"{place} has {len(cells)} columns, the first line has {columns}.")
        row[:] = list(map(_number, cells))
        if not np.isfinite(row).all():
            column = int(np.argmin(np.isfinite(row)))
            called = f" ({names[column]})" if names else ""
            raise DataError(
                f"{place}, column {column + 1}{called}: must be a finite number, got "
                f"{cells[column]!r}."
            )
    return rows, names


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
