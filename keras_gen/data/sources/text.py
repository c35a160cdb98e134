"""Text as sequences of indices: windows of a document, encoding and decoding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from keras_gen.data.checks import check_counts, check_fraction, check_memory
from keras_gen.data.dataset import Dataset
from keras_gen.data.specs import DataError, Spec
from keras_gen.data.splits import split_end, windows

# The vocabulary of bytes: Latin-1's characters. Decoded text encodes to its bytes as "latin-1".
BYTES = tuple(map(chr, range(256)))


def load_text(
    path: Path,
    *,
    unit: Literal["characters", "bytes"] = "characters",
    length: int = 64,
    stride: int | None = None,
    test_fraction: float = 0.1,
) -> Dataset:
    """Loads windows of a text file, whose last part is the test part.

    Args:
        path: path of the file.
        unit: `"characters"` of a file in UTF-8, or `"bytes"` of any file.
        length: characters (or bytes) in a window.
        stride: characters (or bytes) from the start of one window to the start of the next; by
            default `length`.
        test_fraction: share of the test part. No window has text of both parts.

    Raises:
        DataError: if the file cannot be read, is not UTF-8, or has too little text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"cannot read {path} ({error.strerror}): give the path of a text file, as text:FILE."
        ) from error
    return from_documents(path.stem, str(path), content, None, unit, length, stride, test_fraction)


def from_documents(
    name: str,
    where: str,
    train: bytes,
    test: bytes | None,
    unit: str = "characters",
    length: int = 64,
    stride: int | None = None,
    test_fraction: float = 0.1,
) -> Dataset:
    """Returns a data set of windows of a training and a test document.

    The vocabulary is the sorted characters of both parts, or all 256 bytes: a model needs a
    probability for every character of the test part.

    Args:
        name: name of the data set.
        where: origin of the documents in error messages.
        train: the training document.
        test: the test document. None: the last share of the training document.
        unit: as in `load_text`.
        length: as in `load_text`.
        stride: as in `load_text`.
        test_fraction: as in `load_text`.

    Returns:
        Examples of shape `(length, 1)`: indices into `spec.vocabulary`, as float32.
    """
    stride = length if stride is None else stride
    check_counts(where, length=length, stride=stride)
    check_fraction(test_fraction)
    if unit not in ("characters", "bytes"):
        raise DataError(f"unit must be 'characters' or 'bytes', got {unit!r}.")
    texts = [_text(part, where, unit) for part in (train, test) if part is not None]
    if not texts[0]:
        raise DataError(f"{where} is empty: it must hold text.")
    vocabulary = BYTES if unit == "bytes" else tuple(sorted(set().union(*texts)))
    train, test = texts if len(texts) == 2 else split_end(texts[0], test_fraction)
    examples = (len(train) + len(test)) // stride
    check_memory(where, examples, (length,), np.uint16, "give a greater stride=")
    parts = [
        {"x": windows(encode_text(text, vocabulary), length, stride, f"{where}: the {part}", unit)}
        for text, part in ((train, "training part"), (test, "test part"))
    ]
    value_range = (0.0, len(vocabulary) - 1.0)
    return Dataset(Spec(name, "text", (length, 1), value_range, vocabulary=vocabulary), *parts)


def encode_text(text: str | bytes, vocabulary: Sequence[str]) -> np.ndarray:
    """Returns text as indices into a vocabulary.

    Args:
        text: text of any length, or bytes for the vocabulary `BYTES`.
        vocabulary: single characters.

    Returns:
        `(len(text), 1)`, integers.

    Raises:
        DataError: naming a character that is not in the vocabulary.
    """
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    known, found = _code_points("".join(vocabulary)), _code_points(text)
    order = np.argsort(known)
    places = np.searchsorted(known, found, sorter=order)
    # The index of a code point above all known ones is len(known).
    indices = order[np.minimum(places, len(known) - 1)]
    unknown = np.flatnonzero(known[indices] != found)
    if len(unknown):
        first = int(unknown[0])
        raise DataError(
            f"character {text[first]!r} at place {first} is not in the vocabulary of "
            f"{len(vocabulary)} characters."
        )
    # A data set takes uint8 for pixels.
    return indices.astype(np.uint16 if len(vocabulary) <= 2**16 else np.int32)[:, None]


def decode_text(indices, vocabulary: Sequence[str]) -> list[str]:
    """Returns the texts of indices into a vocabulary.

    Args:
        indices: `(n, length)` or `(n, length, 1)`; they are rounded to whole numbers.
        vocabulary: the spec's vocabulary. With `BYTES`, `text.encode("latin-1")` are a text's
            bytes.

    Raises:
        DataError: if the shape is another, or if an index is not in the vocabulary.
    """
    indices = np.asarray(indices)
    if indices.ndim == 3 and indices.shape[-1] == 1:
        indices = indices[..., 0]
    if indices.ndim != 2:
        raise DataError(
            f"indices must have the shape (n, length) or (n, length, 1), got {indices.shape}."
        )
    whole = np.rint(indices)
    outside = ~((whole >= 0) & (whole < len(vocabulary)))
    if outside.any():
        raise DataError(
            f"index {indices[outside][0]} is not in the vocabulary of {len(vocabulary)} characters."
        )
    return ["".join(row) for row in np.array(list(vocabulary), object)[whole.astype(int)]]


def _text(content: bytes, where: str, unit: str) -> str:
    try:
        return content.decode("latin-1" if unit == "bytes" else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where} is not UTF-8: byte {error.start} is 0x{content[error.start]:02x}; convert "
            "it, or give unit='bytes'."
        ) from error


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
