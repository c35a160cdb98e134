"""Random bits are Philox 4x32-10's, and the same on every backend."""

import keras
import numpy as np
import pytest

from keras_gen import data, models
from keras_gen.data.pipeline import as_array
from keras_gen.noise import Noise
from keras_gen.philox import backend, rounds
from keras_gen.philox import numpy as host
from keras_gen.quiet import LazyTensorFlow

tf = LazyTensorFlow("this test")
KEYS = [(1, 0), (5, -7), (-3, 12345), (2**31 - 1, -(2**31))]


# Known answers of Random123 1.14, kat_vectors.
@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_blocks_have_the_known_answers(counter, key, answer):
    assert list(rounds.block(rounds.INTEGERS, counter, key)) == answer
    counter, key = ([np.array([word], "uint32") for word in words] for words in (counter, key))
    block = rounds.block(host.ARITHMETIC, counter, key)
    assert [int(word[0]) for word in block] == answer
    if keras.backend.backend() != "tensorflow":
        kind = "uint32" if keras.backend.backend() == "jax" else "int64"
        words = [keras.ops.convert_to_tensor(w.astype(kind), kind) for w in (*counter, *key)]
        block = rounds.block(backend.ARITHMETIC, words[:4], words[4:])
        assert [int(word[0]) for word in block] == answer


@pytest.mark.parametrize("key", KEYS)
def test_backends_draw_the_bits_of_the_host(key):
    seed, place = key
    folded = backend.fold_in(backend.key(seed), place)
    cells = as_array(backend.cells(folded, (5, 7)))
    expected = host.bits(host.fold_in((seed, 0), place), 35) >> 9
    np.testing.assert_array_equal(cells, expected.reshape(5, 7).astype("float32"))
    # A place that is a tensor, as a step is.
    place = keras.ops.convert_to_tensor(place, "int32")
    again = backend.cells(backend.fold_in(backend.key(seed), place), (5, 7))
    np.testing.assert_array_equal(as_array(again), cells)


@pytest.mark.tensorflow
@pytest.mark.parametrize("key", KEYS)
def test_the_host_draws_the_bits_of_tensorflow(key):
    theirs = tf.random.stateless_uniform(
        (11,), key, minval=None, maxval=None, dtype=tf.uint32, alg="philox"
    )
    np.testing.assert_array_equal(host.bits(key, 11), theirs)


@pytest.mark.tensorflow
@pytest.mark.parametrize("n", [1, 2, 10, 1000, 50_000])
def test_the_host_shuffles_like_tensorflow(n):
    for key in KEYS:
        theirs = tf.random.experimental.stateless_shuffle(
            tf.range(n, dtype=tf.int64), tf.constant(key, tf.int64), alg="philox"
        )
        np.testing.assert_array_equal(host.shuffled(n, tuple(key)), theirs)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX has two forms")
def test_bits_are_the_same_on_an_accelerator(monkeypatch):
    """There the rounds are not a loop."""
    import jax

    loop = jax.jit(lambda step: backend.cells(backend.fold_in((3, 0), step), (9,)))(7)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    unrolled = jax.jit(lambda step: backend.cells(backend.fold_in((3, 0), step), (9,)))(7)
    np.testing.assert_array_equal(loop, unrolled)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="draws ahead of a loop are JAX's")
def test_draws_made_ahead_of_a_loop_are_those_made_in_it():
    import jax

    counter = keras.Variable(7, dtype="int32")

    def step(place):
        noise = Noise(3).at("train", counter)
        inner = noise.at("deep", 5)
        return noise.uniform((4, 3)), inner.uniform((9,)), inner.at(place).uniform((2,))

    inline = []
    for place in range(4):
        counter.assign(7 + place)
        inline.append(step(place))
    ahead = backend.Ahead(counter)
    ahead.find(lambda: step(0))
    draws = ahead.draws(7, 4)
    assert [each.shape for each in draws] == [(4, 4, 3), (4, 9), (4, 2)]
    for i, expected in enumerate(inline):
        counter.assign(7 + i)
        with ahead.giving([each[i] for each in draws]):
            noise = Noise(3).at("train", counter)
            found = noise.uniform((4, 3)), noise.at("deep", 5).uniform((9,))
            # A place that only the compiled function knows: drawn there.
            late = jax.jit(lambda place, key=noise: key.at("deep", 5, place).uniform((2,)))(i)
        for a, b in zip((*found, late), expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="PyTorch waits for each step")
def test_the_order_of_each_epoch_is_computed_once_and_ahead():
    spec = data.Spec("vectors", "vector", (3,), (0.0, 1.0))
    vae = models.VAE.for_data(spec, latent_dim=2, hidden=(4,), seed=0)
    vae.compile("adam")
    x = np.random.default_rng(0).uniform(size=(50, 3)).astype("float32")
    host.shuffled.cache_clear()
    vae.fit(x, batch_size=16, epochs=3, verbose=0)
    found = host.shuffled.cache_info()
    assert (found.misses, found.hits) == (4, 2)  # the fourth is of an epoch that was not due
