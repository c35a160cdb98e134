"""Philox by PyTorch, in integers of 64 bits."""

from __future__ import annotations

import math
import numbers

import torch
from keras import ops

from keras_gen.philox import numpy as host
from keras_gen.philox import rounds

MASK = 0xFFFFFFFF


def multiply(a, constant: int) -> tuple:
    """Returns the high and the low word of products, of which the sign bit may be one."""
    product = a * constant
    return (product >> 32) & MASK, product & MASK


def words(value) -> tuple:
    """Returns the low word of an integer, and the word of its sign."""
    value = torch.reshape(ops.convert_to_tensor(value, "int64"), (1,))
    return value & MASK, (value >> 32) & MASK


def signed(word):
    """Returns a word as the integer of 32 bits that it stands for."""
    return (word ^ 0x80000000) - 0x80000000


ARITHMETIC = rounds.Arithmetic(
    multiply=multiply,
    add=lambda a, constant: (a + constant) & MASK,
    words=words,
    count=lambda n: ops.arange(n, dtype="int64"),
    signed=signed,
    repeat=rounds.repeat,
)


def key(seed):
    """Returns the key of a seed."""
    return seed, 0


def fold_in(key, place):
    """Returns the key of a place under a key; on the host where all is known."""
    if all(isinstance(value, numbers.Integral) for value in (*key, place)):
        return host.fold_in(key, int(place))
    # A copy: the tensor of a variable, such as a step counter, changes in place.
    return rounds.fold_in(ARITHMETIC, key, ops.convert_to_tensor(place, "int64").clone())


def cells(key, shape):
    """Returns random integers in [0, 2^23) as float32."""
    n = math.prod(int(size) for size in shape)
    blocks = rounds.stream(ARITHMETIC, key, math.ceil(n / 4))
    bits = torch.stack(blocks, dim=-1).ravel()[:n].reshape(tuple(shape))
    return (bits >> 9).to(torch.float32)
