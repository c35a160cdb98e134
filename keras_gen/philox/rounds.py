"""Philox by integer arithmetic alone, on arrays of any library.

Arrays hold words of 32 bits. How words are multiplied and added depends on the integers that a
library has, so these functions take an `Arithmetic`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10
MASK = 0xFFFFFFFF
# TensorFlow encrypts a seed by this key, so that seeds that differ little give unrelated streams.
SCRAMBLER = 0x3EC8F720, 0x02461E29


class Arithmetic(NamedTuple):
    """Integer arithmetic on words of 32 bits.

    Attributes:
        multiply: of an array and a constant, returns the high and the low word of the product.
        add: returns the sum of an array and a constant, modulo 2^32.
        words: of a key's integer, returns its low word and the word of its sign.
        count: of `n`, returns the words 0, 1, ..., n - 1.
        signed: returns a word as the integer of 32 bits that it stands for.
        repeat: applies a function to a state `ROUNDS` times.
    """

    multiply: Callable[[Any, int], tuple]
    add: Callable[[Any, int], Any]
    words: Callable[[Any], tuple]
    count: Callable[[int], Any]
    signed: Callable[[Any], Any]
    repeat: Callable[[Callable, tuple], tuple]


def repeat(function: Callable, state: tuple) -> tuple:
    """Returns the state after all rounds, one after the other."""
    for _ in range(ROUNDS):
        state = function(state)
    return state


# Of Python's integers: the fastest for a single word.
INTEGERS = Arithmetic(
    multiply=lambda a, constant: (a * constant >> 32, a * constant & MASK),
    add=lambda a, constant: a + constant & MASK,
    words=lambda value: (int(value) & MASK, int(value) >> 32 & MASK),
    count=lambda n: 0,
    signed=lambda word: (word ^ 0x80000000) - 0x80000000,
    repeat=repeat,
)


def block(arithmetic: Arithmetic, counter, key) -> tuple:
    """Returns the four words for a counter of four words and a key of two."""

    def one(state):
        a, b, c, d, first, second = state
        high_a, low_a = arithmetic.multiply(a, MULTIPLIERS[0])
        high_c, low_c = arithmetic.multiply(c, MULTIPLIERS[1])
        key = arithmetic.add(first, WEYL[0]), arithmetic.add(second, WEYL[1])
        return high_c ^ b ^ first, low_c, high_a ^ d ^ second, low_a, *key

    return arithmetic.repeat(one, (*counter, *key))[:4]


def scrambled(arithmetic: Arithmetic, key) -> tuple:
    """Returns the key of a stream's blocks, and the high words of their counters."""
    seed = [word for part in key for word in arithmetic.words(part)]
    zero = seed[0] ^ seed[0]
    return block(arithmetic, seed, [arithmetic.add(zero, word) for word in SCRAMBLER])


def stream(arithmetic: Arithmetic, key, blocks: int) -> tuple:
    """Returns the words of consecutive blocks under a key: four arrays, `(blocks,)`."""
    known = all(isinstance(part, int) for part in key)
    low = arithmetic.count(blocks)
    zeros = low ^ low
    words = scrambled(INTEGERS if known else arithmetic, key)
    if known:
        words = [arithmetic.add(zeros[:1], word) for word in words]
    first, second, *high = words
    return block(arithmetic, (low, zeros, *(zeros ^ word for word in high)), (first, second))


def fold_in(arithmetic: Arithmetic, key, place):
    """Returns the key of a place, an integer of 32 bits, under a key."""
    first, second, *high = scrambled(arithmetic, key)
    zero = first ^ first
    word, *_ = block(arithmetic, (zero, zero, *high), (first, second))
    return arithmetic.signed(word), place
