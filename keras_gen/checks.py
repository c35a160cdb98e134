"""Checks of what users pass, each with one clear error."""

from __future__ import annotations

import importlib.util
import math
import numbers
from types import ModuleType
from typing import Any

import numpy as np


def number(
    name: str,
    value: Any,
    least: float = -math.inf,
    below: float = math.inf,
    above: float = -math.inf,
) -> float:
    """Returns a finite number within bounds.

    Args:
        name: how the error names the value.
        value: what was given.
        least: the smallest number that is allowed.
        below: the number must be smaller than this.
        above: the number must be greater than this.

    Raises:
        ValueError: if it is something else.
    """
    valid = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    if not (valid and math.isfinite(value) and least <= value < below and value > above):
        bounds = [
            f"at least {least:g}" if least > -math.inf else "",
            f"greater than {above:g}" if above > -math.inf else "",
            f"less than {below:g}" if below < math.inf else "",
        ]
        wanted = " and ".join(filter(None, bounds)) or "finite"
        raise ValueError(f"{name} must be a number, {wanted}; got {value!r}.")
    return value


def integer(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Returns a whole number that is at least `least` and at most `most`.

    Raises:
        ValueError: if it is something else.
    """
    valid = isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))
    if not valid or value < least or (most is not None and value > most):
        if most is not None:
            wanted = f"an integer from {least} to {most}"
        else:
            wanted = {0: "an integer of at least 0", 1: "a positive integer"}.get(
                least, f"an integer of at least {least}"
            )
        raise ValueError(f"{name} must be {wanted}, got {value!r}.")
    return int(value)


def seed(value: Any, name: str = "seed") -> int:
    """Returns a seed, an integer of 32 bits.

    Raises:
        ValueError: if it is something else.
    """
    return integer(name, value, -(2**31), 2**31 - 1)


def real_array(name: str, value: Any) -> np.ndarray:
    """Returns an array of real numbers.

    Raises:
        ValueError: if it holds objects, text or complex numbers, or its rows differ in length.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be one array, but its rows differ in shape.") from error
    if array.dtype.kind not in "buif" and array.dtype.name != "bfloat16":
        raise ValueError(f"{name} must be an array of real numbers, got dtype {array.dtype}.")
    return array


def finite(name: str, array: np.ndarray) -> None:
    """Checks that all numbers are finite.

    Raises:
        ValueError: if one is NaN or infinite.
    """
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinite values.")


def installed(module: str, purpose: str, package: str, extra: str) -> ModuleType:
    """Returns a module of a package that not all users need.

    Args:
        module: what is imported.
        purpose: what it is needed for, the start of the message.
        package: that has the module.
        extra: of this project, that installs the package.

    Raises:
        ImportError: if it is not installed; the message says how to install it.
    """
    if importlib.util.find_spec(module) is None:
        raise ImportError(
            f"{purpose} needs the package {package}: pip install 'keras_gen[{extra}]'."
        )
    return importlib.import_module(module)
