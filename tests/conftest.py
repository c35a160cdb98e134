"""Settings that every test shares."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest
import tensorflow as tf

# Two logical devices on one processor stand for two replicas. They can be made only before
# TensorFlow first touches its devices, hence here and not in a fixture.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def shared_data() -> Path:
    """The folder of prepared data sets beside the project, where there is one."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the prepared data sets in {folder}")
    return folder


@pytest.fixture(scope="session")
def two_replicas() -> tf.distribute.Strategy:
    """Two replicas on one processor."""
    from keras_gen import training

    return training.strategy("mirrored")
