"""Philox by JAX, whose integers have 32 bits."""

from __future__ import annotations

import math
import numbers

import jax.numpy as jnp
import numpy as np

from keras_gen.philox import numpy as host
from keras_gen.philox import rounds


def multiply(a, constant: int) -> tuple:
    """Returns the high and the low word of products, by products of half words."""
    half, mask = jnp.uint32(16), jnp.uint32(0xFFFF)
    low, high = jnp.uint32(constant & 0xFFFF), jnp.uint32(constant >> 16)
    a_low, a_high = a & mask, a >> half
    middle, other = a_high * low, a_low * high
    carry = ((a_low * low) >> half) + (middle & mask) + (other & mask)
    return a_high * high + (middle >> half) + (other >> half) + (carry >> half), a * jnp.uint32(
        constant
    )


def words(value) -> tuple:
    """Returns the low word of an integer, and the word of its sign."""
    value = jnp.reshape(jnp.asarray(value, "int32"), (1,))
    return value.astype("uint32"), (value >> 31).astype("uint32")


ARITHMETIC = rounds.Arithmetic(
    multiply=multiply,
    add=lambda a, constant: a + jnp.uint32(constant),
    words=words,
    count=lambda n: jnp.arange(n, dtype="uint32"),
    signed=lambda word: word.astype("int32"),
)


def key(seed):
    """Returns the key of a seed."""
    return seed, 0


def fold_in(key, place):
    """Returns the key of a place under a key; on the host where all is known."""
    if all(isinstance(value, (numbers.Integral, np.ndarray)) for value in (*key, place)):
        return host.fold_in(key, int(place))
    return rounds.fold_in(ARITHMETIC, key, place)


def cells(key, shape):
    """Returns random integers in [0, 2^23) as float32."""
    n = math.prod(shape)
    blocks = rounds.stream(ARITHMETIC, key, math.ceil(n / 4))
    bits = jnp.stack(blocks, axis=-1).ravel()[:n].reshape(shape)
    return (bits >> 9).astype("float32")
