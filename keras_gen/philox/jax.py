"""Philox by JAX."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import math
import numbers
from typing import Any, NamedTuple

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
    value = jnp.atleast_1d(ops.convert_to_tensor(value, "int32"))
    return value.astype("uint32"), (value >> 31).astype("uint32")


def repeat(function, state: tuple) -> tuple:
    """Returns the state after all rounds.

    On a CPU they are a loop: of one long expression, XLA computes common parts again and again, a
    thousand times slower. On an accelerator a loop would be a launch for every round.
    """
    if jax.default_backend() != "cpu":
        # The barrier keeps the compiler from computing a block anew wherever it is used.
        return lax.optimization_barrier(rounds.repeat(function, state))
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
    ahead = _ahead.get()
    if ahead and place is ahead.counter and not isinstance(key, Later):
        return Later(key, _known(place), ())
    place = _known(place)
    if isinstance(key, Later):
        if isinstance(place, int):
            return key._replace(places=(*key.places, place))
        key = key.now()
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
    if isinstance(key, Later):
        return _ahead.get().draw(key, tuple(shape))
    n = math.prod(shape)
    blocks = rounds.stream(ARITHMETIC, key, math.ceil(n / 4))
    return _cells(jnp.stack(blocks, axis=-1).ravel()[:n].reshape(shape))


def _cells(bits):
    return (bits >> 9).astype("float32")


# ---- the draws of a loop -------------------------------------------------------------------------

_ahead = contextvars.ContextVar("_ahead", default=None)


class Later(NamedTuple):
    """The key of places under the count of a loop's steps.

    Attributes:
        key: above the count.
        count: of this step.
        places: integers below it.
    """

    key: tuple
    count: Any
    places: tuple[int, ...]

    def now(self):
        """Returns the key, an array's."""
        return _under(self.key, (self.count, *self.places))


def _under(key, places):
    return functools.reduce(functools.partial(rounds.fold_in, ARITHMETIC), places, key)


class Ahead:
    """Makes all draws of a loop before the loop, for all its steps at once.

    A draw takes a dozen small operations, however few its numbers. An accelerator would start each
    of them anew in every step, which takes longer than the step of a small network.

    Args:
        counter: the variable that counts the steps. Draws of keys under it, by constants, are made
            ahead; other draws are made in the loop.
    """

    def __init__(self, counter):
        self.counter = counter
        self._wanted: list[tuple[Later, tuple]] = []
        self._given = None

    def find(self, step, *arguments) -> None:
        """Finds the draws of a step, by calling it on descriptions of its arguments."""
        with self._watching():
            jax.eval_shape(step, *arguments)

    def draws(self, start, steps: int) -> list:
        """Returns the draws of each step from a count on: for each one `(steps, *shape)`."""
        counts = (jnp.asarray(start, "int32") + jnp.arange(steps, dtype="int32"))[:, None]
        found = {}
        # Together, as one long stream: compiling many short ones takes minutes.
        for depth in {len(key.places) for key, _ in self._wanted}:
            group = [i for i, (key, _) in enumerate(self._wanted) if len(key.places) == depth]
            keys, shapes = zip(*(self._wanted[i] for i in group), strict=True)
            first, second = np.array([each.key for each in keys], "int32").T
            places = np.array([each.places for each in keys], "int32").T
            key = _under((first[None], second[None]), (counts, *(row[None] for row in places)))
            lengths = [math.ceil(math.prod(shape) / 4) for shape in shapes]
            owner = np.repeat(np.arange(len(group)), lengths)
            low = np.concatenate([np.arange(length, dtype="uint32") for length in lengths])
            words = rounds.scrambled(ARITHMETIC, key)
            first, second, *high = (word[:, owner] for word in words)
            counter = jnp.broadcast_to(low, first.shape), jnp.zeros_like(first), *high
            bits = jnp.stack(rounds.block(ARITHMETIC, counter, (first, second)), axis=-1)
            ends = np.cumsum(lengths)
            for i, shape, length, end in zip(group, shapes, lengths, ends, strict=True):
                own = bits[:, end - length : end].reshape(steps, -1)[:, : math.prod(shape)]
                found[i] = _cells(own.reshape(steps, *shape))
        return [found[i] for i in range(len(found))]

    @contextlib.contextmanager
    def giving(self, draws: list):
        """Lets the code inside have one step's draws, in the order in which they were found."""
        self._given = iter(draws)
        with self._watching():
            yield

    def draw(self, key: Later, shape: tuple):
        """Returns the next draw."""
        if self._given is not None:
            return next(self._given)
        self._wanted.append((key._replace(count=None), shape))
        return jnp.zeros(shape, "float32")

    @contextlib.contextmanager
    def _watching(self):
        token = _ahead.set(self)
        try:
            yield
        finally:
            _ahead.reset(token)
