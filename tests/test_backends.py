"""Models train alike on all backends, and their files go from one to another.

On TensorFlow and on PyTorch the partner is JAX, in a process of its own.
"""

import os
import subprocess
import sys
from pathlib import Path

import backend_steps
import keras
import numpy as np
import pytest

BACKEND = keras.backend.backend()
PARTNER = "jax"
pytestmark = [
    pytest.mark.skipif(BACKEND == PARTNER, reason="tested from the other backends"),
    pytest.mark.xdist_group("backends"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]
SCRIPT = Path(backend_steps.__file__)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A folder with every case's model, trained on both backends from the same weights."""
    folder = tmp_path_factory.mktemp("backends")
    for verb, backend in (("make", BACKEND), ("train", BACKEND), ("train", PARTNER)):
        environment = os.environ | {"KERAS_BACKEND": backend}
        command = [sys.executable, str(SCRIPT), verb, str(folder)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("case", backend_steps.CASES)
def test_twenty_steps_agree(case, folder):
    here, there = (np.load(folder / f"{case}.{name}.npz") for name in (BACKEND, PARTNER))
    assert here.files == there.files
    for name in here.files:
        # Of the whole: a single ReLU that is within rounding of 0 may be on here and off there.
        # GLO's search divides gradients by their size, however small: it magnifies rounding.
        relative = 1e-2 if name == "latents" else 1e-4
        difference = np.linalg.norm(there[name] - here[name])
        # Bounds on mutual information are differences of nats: near 0, float32 knows them to 1e-6.
        assert difference <= relative * np.linalg.norm(here[name]) + 1e-6, name


@pytest.mark.parametrize(
    "case", ["VAE-image", "GAN-r1-r2", "InfoGAN-image", "RecurrentVAE-sequence", "GLO-image"]
)
def test_a_file_of_another_backend_trains_on(case, folder):
    arrays = backend_steps.examples(backend_steps.CASES[case][1])
    losses = {}
    for backend in (BACKEND, PARTNER):
        model = keras.models.load_model(folder / f"{case}.{backend}.keras")
        assert int(model.step) == backend_steps.STEPS
        history = model.fit(arrays, batch_size=backend_steps.BATCH, epochs=2, verbose=0).history
        losses[backend] = history[model.metric_names[0]]
    np.testing.assert_allclose(losses[PARTNER], losses[BACKEND], rtol=1e-4)
