"""Philox by JAX."""

from __future__ import annotations

import math
import numbers

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from keras import ops

from keras_gen.philox import rounds


def multiply(a, constant: int) -> tuple:
    """Returns the high and the low word of products of words and a constant."""
    with jax.enable_x64(True):
        product = lax.convert_element_type(a, np.uint64) * np.uint64(constant)
        high = lax.convert_element_type(product >> np.uint64(32), np.uint32)
        return high, lax.convert_element_type(product, np.uint32)


def words(value) -> tuple:
    """Returns the low word of an integer, and the word of its sign."""
    value = jnp.reshape(ops.convert_to_tensor(value, "int32"), (1,))
    return value.astype("uint32"), (value >> 31).astype("uint32")


def repeat(function, state: tuple) -> tuple:
    """Returns the state after all rounds.

    On a CPU they are a loop: of one long expression, XLA computes common parts again and again, a
    thousand times slower. On an accelerator a loop would be a launch for every round.
    """
    if jax.default_backend() != "cpu":
        return rounds.repeat(function, state)
    shape = jnp.broadcast_shapes(*map(jnp.shape, state[:4]))
    state = (*(jnp.broadcast_to(word, shape) for word in state[:4]), *state[4:])
    return lax.fori_loop(0, rounds.ROUNDS, lambda _, state: function(state), state)


ARITHMETIC = rounds.Arithmetic(
    multiply=multiply,
    add=lambda a, constant: a + jnp.uint32(constant),
    words=words,
    count=lambda n: jnp.arange(n, dtype="uint32"),
    signed=lambda word: word.astype("int32"),
    repeat=repeat,
)


def key(seed):
    """Returns the key of a seed."""
    return _known(seed), 0


def fold_in(key, place):
    """Returns the key of a place under a key; on the host as far as the key is known there."""
    place = _known(place)
    if any(isinstance(part, jax.core.Tracer) for part in key):
        return rounds.fold_in(ARITHMETIC, key, place)
    return rounds.fold_in(rounds.INTEGERS, key, place)


def _known(value):
    """The integer that a value is, unless a compiled function will get it later."""
    if isinstance(value, numbers.Integral):
        return int(value)
    value = ops.convert_to_tensor(value, "int32")
    return value if isinstance(value, jax.core.Tracer) else int(value)


def cells(key, shape):
    """Returns random integers in [0, 2^23) as float32."""
    n = math.prod(shape)
    blocks = rounds.stream(ARITHMETIC, key, math.ceil(n / 4))
    bits = jnp.stack(blocks, axis=-1).ravel()[:n].reshape(shape)
    return (bits >> 9).astype("float32")
