"""Philox by PyTorch, in integers of 64 bits."""

from __future__ import annotations

import math

import torch
from keras import ops

from keras_gen.philox import rounds


def multiply(a, constant: int) -> tuple:
    """Returns the high and the low word of products, of which the sign bit may be one."""
    product = a * constant
    return (product >> 32) & rounds.MASK, product & rounds.MASK


ARITHMETIC = rounds.INTEGERS._replace(
    multiply=multiply, count=lambda n: ops.arange(n, dtype="int64")
)


def key(seed) -> tuple[int, int]:
    """Returns the key of a seed."""
    return int(seed), 0


def fold_in(key, place) -> tuple[int, int]:
    """Returns the key of a place under a key.

    On the host: a word takes as many operations as a thousand.
    """
    return rounds.fold_in(rounds.INTEGERS, key, int(place))


def cells(key, shape):
    """Returns random integers in [0, 2^23) as float32."""
    n = math.prod(int(size) for size in shape)
    blocks = rounds.stream(ARITHMETIC, key, math.ceil(n / 4))
    bits = torch.stack(blocks, dim=-1).ravel()[:n].reshape(tuple(shape))
    return (bits >> 9).to(torch.float32)
