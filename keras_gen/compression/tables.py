"""Functions of integers by tables, whose entries are correctly rounded on every machine.

Numbers are fixed point: `tanh(a, bits)` takes and returns integers in units of 2^-bits. They are
computed with 30 decimal digits, so that no entry depends on a machine's mathematical library.
"""

from __future__ import annotations

import decimal
import functools

import numpy as np

CONTEXT = decimal.Context(prec=30)
TANH_BITS, TANH_LIMIT = 9, 8  # resolution of the argument, and where the function is 1
SIGMOID_BITS, SIGMOID_LIMIT = 8, 20
EXP_BITS = 6


def tanh(a: np.ndarray, bits: int) -> np.ndarray:
    """Returns tanh of fixed-point numbers."""
    places = np.clip(
        rounded(a, bits - TANH_BITS), -TANH_LIMIT << TANH_BITS, TANH_LIMIT << TANH_BITS
    )
    positive = _tanh(bits)[np.abs(places).astype("int64")]
    return np.where(places < 0, -positive, positive)


def sigmoid(bits: int) -> np.ndarray:
    """Returns the logistic function in units of 2^-bits at all multiples of 2^-SIGMOID_BITS from
    -SIGMOID_LIMIT to SIGMOID_LIMIT, both included."""
    return _sigmoid(bits)


def exp(a: np.ndarray, bits: int, least: int, most: int, scale: int) -> np.ndarray:
    """Returns exp of fixed-point numbers, clipped to [least, most], in units of 2^-scale."""
    places = np.clip(rounded(a, bits - EXP_BITS), least << EXP_BITS, most << EXP_BITS)
    return _exp(least, most, scale)[(places - (least << EXP_BITS)).astype("int64")]


def rounded(a: np.ndarray, bits: int) -> np.ndarray:
    """Returns a / 2^bits, rounded to the nearest integer, halves up; exact below 2^52."""
    return np.floor(a * 2.0**-bits + 0.5)


def _table(function, arguments, scale: int) -> np.ndarray:
    values = (function(decimal.Decimal(each)) * (1 << scale) for each in arguments)
    return np.array([int(each.to_integral_value(decimal.ROUND_HALF_UP)) for each in values], float)


@functools.cache
def _tanh(bits: int) -> np.ndarray:
    def function(x):
        return 1 - 2 / (CONTEXT.exp(2 * x) + 1)

    steps = range((TANH_LIMIT << TANH_BITS) + 1)
    with decimal.localcontext(CONTEXT):
        return _table(function, (decimal.Decimal(i) / (1 << TANH_BITS) for i in steps), bits)


@functools.cache
def _sigmoid(bits: int) -> np.ndarray:
    steps = range(-SIGMOID_LIMIT << SIGMOID_BITS, (SIGMOID_LIMIT << SIGMOID_BITS) + 1)
    with decimal.localcontext(CONTEXT):
        arguments = (decimal.Decimal(i) / (1 << SIGMOID_BITS) for i in steps)
        return _table(lambda x: 1 / (1 + CONTEXT.exp(-x)), arguments, bits)


@functools.cache
def _exp(least: int, most: int, scale: int) -> np.ndarray:
    steps = range(least << EXP_BITS, (most << EXP_BITS) + 1)
    with decimal.localcontext(CONTEXT):
        return _table(CONTEXT.exp, (decimal.Decimal(i) / (1 << EXP_BITS) for i in steps), scale)
