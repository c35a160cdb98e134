"""Noise is a pure function of (seed, step, place, example)."""

import itertools

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from keras_gen.noise import Noise, Part


def test_numbers_are_a_function_of_the_key():
    def draw(noise):
        return noise.at("z").normal((4, 3)).numpy()

    np.testing.assert_array_equal(draw(Noise(1)), draw(Noise(1)))
    others = [
        draw(Noise(2)),
        draw(Noise(1).at("train", 0)),
        draw(Noise(1).at("train", 1)),
        Noise(1).at("x").normal((4, 3)).numpy(),
    ]
    for i, a in enumerate(others):
        for b in [draw(Noise(1)), *others[:i]]:
            assert not np.any(a == b)


def test_seeds_have_32_bits():
    assert Noise(-1).uniform((1,)) != Noise(2**31 - 1).uniform((1,))
    for seed in (2**31, 2**32, -(2**31) - 1):
        with pytest.raises(ValueError, match="32 bits"):
            Noise(seed)


def test_a_step_may_be_a_tensor():
    with_tensor = Noise(tf.constant(1)).at("train", tf.constant(7, tf.int64)).uniform((5, 2))
    np.testing.assert_array_equal(with_tensor, Noise(1).at("train", 7).uniform((5, 2)))


def test_replicas_together_draw_the_numbers_of_one():
    for sizes in ([4, 4], [2, 2, 2, 2], [5, 3], [8, 0], [3, 3, 2, 0]):
        starts = np.cumsum([0, *sizes[:-1]])
        parts = [Part(start, 8, max(size, 1)) for start, size in zip(starts, sizes, strict=True)]
        # An example may have several rows.
        for distribution, rows in itertools.product(("uniform", "normal"), (1, 3)):
            alone = getattr(Noise(3).at("z"), distribution)((8 * rows, 5))
            together = [
                getattr(Noise(3, part).at("z"), distribution)((size * rows, 5))
                for part, size in zip(parts, sizes, strict=True)
            ]
            np.testing.assert_allclose(np.concatenate(together), alone, rtol=1e-6)


def test_noise_is_the_same_under_xla():
    def draw(step):
        noise = Noise(5).at("train", step)
        return noise.at("a").uniform((50, 7)), noise.at("b").normal((50, 7))

    step = tf.constant(3, tf.int64)
    plain, compiled = tf.function(draw)(step), tf.function(draw, jit_compile=True)(step)
    np.testing.assert_array_equal(plain[0], compiled[0])
    np.testing.assert_allclose(plain[1], compiled[1], rtol=1e-5, atol=1e-6)


def test_draws_have_their_distributions():
    normal = Noise(0).at("a").normal((100, 1000)).numpy().ravel()
    uniform = Noise(0).at("b").uniform((100, 1000)).numpy().ravel()
    assert scipy.stats.kstest(normal, "norm").pvalue > 1e-3
    assert scipy.stats.kstest(uniform, "uniform").pvalue > 1e-3
    # Draws of neighbouring steps are uncorrelated.
    steps = [Noise(0).at("train", s).normal((20_000, 1)).numpy().ravel() for s in range(3)]
    assert np.abs(np.corrcoef(steps) - np.eye(3)).max() < 0.03
