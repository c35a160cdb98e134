"""Under load: threads share a SavedModel, fit is called again and again, samples by the million."""

import gc
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_gen as kg
from keras_gen import runs

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

THREADS, CALLS = 8, 1000


def resident() -> float:
    """Megabytes of memory that this process uses now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def test_a_saved_model_under_eight_threads(tmp_path):
    """1,000 calls of each thread: right, and the same for the same seed whoever asks."""
    trained = runs.open("gan_ring")
    trained.export(tmp_path / "model")
    sample = tf.saved_model.load(str(tmp_path / "model")).signatures["sample"]
    expected = [trained.model.sample(4, seed=seed) for seed in range(10)]
    wrong = []

    def ask(thread: int) -> None:
        for call in range(CALLS):
            seed = (thread + call) % len(expected)
            x = sample(n=tf.constant(4), seed=tf.constant(seed))["x"].numpy()
            if not np.allclose(x, expected[seed], atol=1e-5):
                wrong.append((thread, call))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(ask, range(THREADS)))
    assert not wrong


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_two_hundred_fits_in_one_process():
    """No growth of memory, threads or graphs."""
    digits = kg.data.load("digits").arrays("train", limit=128)["x"]
    spec = kg.data.load("digits").spec
    model = kg.models.VAE.for_data(spec, latent_dim=2, network="dense", hidden=(16,), seed=0)
    model.compile()

    def fit(times: int) -> None:
        for _ in range(times):
            model.fit(digits, batch_size=64, verbose=0)
        gc.collect()

    fit(40)
    traced = model.train_function
    memory, threads = resident(), threading.active_count()
    fit(160)
    assert model.train_function is traced
    assert threading.active_count() <= threads
    assert resident() - memory < 100, "megabytes in 160 fits"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_a_million_points_in_bounded_memory():
    model = kg.from_preset("gan_ring")
    model.sample(1000, seed=0)
    peak, stop = [resident()], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            peak.append(resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    x = model.sample(1_000_000, seed=1, batch_size=10_000)
    stop.set()
    watcher.join()
    assert x.shape == (1_000_000, 2)
    # z and x are 16 MB; a hidden layer of all points at once would be 512 MB.
    assert max(peak) - peak[0] < 250
    np.testing.assert_array_equal(x[:5], model.sample(1_000_000, seed=1, batch_size=20_000)[:5])
