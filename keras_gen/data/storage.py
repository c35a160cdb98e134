"""Arrays that do not fit in memory: in a file, from which batches read their rows."""

from __future__ import annotations

import math
import mmap
import shutil
import tempfile
from typing import Any

import numpy as np

from keras_gen.data.specs import DataError

IN_MEMORY = 2**29  # bytes up to which an array is held in memory
RELEASED = 2**26  # bytes after whose use the file's pages are given back


class Stored:
    """An array in a file that has no name: it is gone with the process.

    Rows are read when they are asked for, and the pages of the file that were read do not stay in
    the process's memory. The file is in the folder for temporary files, `$TMPDIR`.

    Args:
        array: the array in the file.
        rows: which of its rows these are, in order; None: all.

    Attributes:
        shape: of the array, `(rows, ...)`.
        dtype: of its values.
    """

    def __init__(self, array: np.memmap, rows: np.ndarray | None = None):
        self._array, self._rows = array, rows
        self.shape = (len(array) if rows is None else len(rows), *array.shape[1:])
        self.dtype = array.dtype
        self._used = 0

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, rows) -> np.ndarray:
        """Returns rows, by a slice or by their indices, as an array in memory."""
        found = np.array(self._array[rows if self._rows is None else self._rows[rows]])
        self._release(found.nbytes)
        return found

    def __setitem__(self, rows, values) -> None:
        self._array[rows] = values
        self._release(np.asarray(values).nbytes)

    def take(self, rows: np.ndarray, axis: int = 0) -> Stored:
        """Returns some of the rows as an array that shares the file."""
        return Stored(self._array, rows if self._rows is None else self._rows[rows])

    def _release(self, used: int) -> None:
        self._used += used
        if self._used > RELEASED:
            self._used = 0
            if hasattr(mmap, "MADV_DONTNEED"):
                self._array._mmap.madvise(mmap.MADV_DONTNEED)


def empty(name: str, shape: tuple[int, ...], dtype: Any, fix: str) -> np.ndarray | Stored:
    """Returns an array to write to, in memory or, if it is large, in a file.

    Args:
        name: of the data set in errors.
        shape: of the array.
        dtype: of its values.
        fix: advice at the end of an error.

    Raises:
        DataError: if there is no room for the file.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= IN_MEMORY:
        return np.empty(shape, dtype)
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DataError(
            f"{name} needs {size / 2**30:.1f} GB in {folder}, which has {free / 2**30:.1f} GB "
            f"free: {fix}, or set TMPDIR to a folder with more room."
        )
    with tempfile.NamedTemporaryFile(prefix="keras_gen-") as file:
        return Stored(np.memmap(file, dtype, "w+", shape=shape))
