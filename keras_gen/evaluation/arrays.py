"""The check of arrays that all metrics share."""

from __future__ import annotations

import numpy as np

from keras_gen import checks


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
    axes, integers = shape.strip("()").rstrip(",").split(", "), np.dtype(dtype).kind in "iu"
    found = []
    for name, x in arrays.items():
        name = f"{owner}: {name}" if owner else name
        x = checks.real_array(name, x)
        if not _fits(x.shape, axes):
            raise ValueError(f"{name} must have shape {shape}, got {x.shape}.")
        if integers and x.dtype.kind not in "iu":
            raise ValueError(f"{name} must hold integers, got {x.dtype}.")
        if len(x) < least:
            examples = "example" if least == 1 else "examples"
            raise ValueError(f"{name} must have at least {least} {examples}, got {len(x)}.")
        found.append(x.astype(dtype, copy=False))
        checks.finite(name, found[-1])
    if len({x.shape[1:] for x in found}) > 1:
        shapes = ", ".join(str(x.shape) for x in found)
        raise ValueError(
            f"{', '.join(arrays)} must have the same shape after the first axis, got {shapes}."
        )
    return found


def check_same_length(**arrays: np.ndarray) -> None:
    """Checks that arrays have a row for each of the same examples.

    Raises:
        ValueError: if their first axes differ.
    """
    if len({len(x) for x in arrays.values()}) > 1:
        shapes = " and ".join(str(x.shape) for x in arrays.values())
        raise ValueError(f"{' and '.join(arrays)} must have the same length, got shapes {shapes}.")


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
