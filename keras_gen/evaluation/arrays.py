"""The checks that every metric makes of its arguments."""

from __future__ import annotations

from numbers import Integral

import numpy as np


def checked(
    shape: str, *, least: int = 1, dtype: str = "float64", owner: str = "", **arrays: np.ndarray
) -> list[np.ndarray]:
    """Returns arrays in one dtype after checking their shapes and values.

    Args:
        shape: the expected shape as a docstring writes it. `"(n, 8, 1 or 3)"` is any number of
            examples of 8 rows of 1 or 3 values, `"(n, ...)"` examples of any shape. Arrays that are
            checked together may differ in the first axis only.
        least: smallest length of the first axis.
        dtype: of the returned arrays. An integer dtype accepts integers only.
        owner: who expects the arrays, for messages.
        **arrays: argument name -> array.

    Raises:
        ValueError: if an array has another shape, holds something else than numbers, or a value is
            not finite.
    """
    owner = owner and f"{owner}: "
    axes = shape.strip("()").rstrip(",").split(", ")
    found = {name: np.asarray(x) for name, x in arrays.items()}
    for name, x in found.items():
        if not _fits(x.shape, axes):
            raise ValueError(f"{owner}{name} must have shape {shape}, got {x.shape}.")
        wanted = "integers" if np.dtype(dtype).kind in "iu" else "real numbers"
        # bfloat16, which NumPy does not know, has the kind V.
        if x.dtype.kind not in ("iu" if wanted == "integers" else "biufV"):
            raise ValueError(f"{owner}{name} must hold {wanted}, got {x.dtype}.")
        if len(x) < least:
            examples = "example" if least == 1 else "examples"
            raise ValueError(f"{owner}{name} must have at least {least} {examples}, got {len(x)}.")
        found[name] = x = x.astype(dtype, copy=False)
        if not np.isfinite(x).all():
            bad = int((~np.isfinite(x)).sum())
            raise ValueError(f"{owner}{name} must be finite, but {bad} of {x.size} values are not.")
    if len({x.shape[1:] for x in found.values()}) > 1:
        shapes = ", ".join(str(x.shape) for x in found.values())
        raise ValueError(
            f"{owner}{', '.join(found)} must have the same shape after the first axis, "
            f"got {shapes}."
        )
    return list(found.values())


def check_same_length(**arrays: np.ndarray) -> None:
    """Checks that arrays have a row for each of the same examples.

    Raises:
        ValueError: if their first axes differ.
    """
    if len({len(x) for x in arrays.values()}) > 1:
        shapes = " and ".join(str(x.shape) for x in arrays.values())
        raise ValueError(f"{' and '.join(arrays)} must have the same length, got shapes {shapes}.")


def check_positive(**values: int) -> None:
    """Checks that arguments are integers of at least 1.

    Raises:
        ValueError: if one is not.
    """
    for name, value in values.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be a positive integer, got {value!r}.")


def vectors(**arrays: np.ndarray) -> list[np.ndarray]:
    """Returns sets of at least 2 examples `(n, ...)` as float64 features `(n, d)`.

    Raises:
        ValueError: as `checked`.
    """
    sets = checked("(n, ...)", least=2, **arrays)
    return [x.reshape(len(x), -1) for x in sets]


def _fits(shape: tuple[int, ...], axes: list[str]) -> bool:
    if axes[-1] == "...":
        axes = axes[:-1] + ["any"] * (len(shape) - len(axes) + 1)
    if len(shape) != len(axes):
        return False
    # The number of examples may be 0 as far as the shape goes: `least` has its own message.
    return all(
        str(size) in axis.split(" or ") if axis[0].isdigit() else size > 0 or place == 0
        for place, (size, axis) in enumerate(zip(shape, axes, strict=True))
    )
