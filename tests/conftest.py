"""Settings that every test shares."""

import functools
import shutil
from pathlib import Path

import devices  # noqa: F401  # isort: skip  (before the backend)

from keras_gen import quiet  # noqa: F401  # isort: skip  (before TensorFlow)

import keras
import pytest

BACKEND = keras.backend.backend()

if BACKEND == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out tests of TensorFlow on other backends. Slow tests come first, or one worker would
    end with them while the others wait."""
    if BACKEND != "tensorflow":
        left_out = [item for item in items if item.get_closest_marker("tensorflow")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: "slow" not in item.keywords)


@pytest.fixture(scope="session", autouse=True)
def compile_with_defaults():
    """Models take XLA only where they are told to: it compiles for longer than most tests train.

    On JAX they always do: step by step it takes twice as long.

    Yields:
        `compile` as users have it.
    """
    from keras_gen.models import GenerativeModel

    original = GenerativeModel.compile
    with pytest.MonkeyPatch.context() as patch:
        if BACKEND != "jax":
            plain = functools.partialmethod(original, jit_compile=False)
            patch.setattr(GenerativeModel, "compile", plain)
        yield original


@pytest.fixture
def default_xla(compile_with_defaults, monkeypatch):
    """For a test of the defaults: models take XLA where it pays."""
    from keras_gen.models import GenerativeModel

    monkeypatch.setattr(GenerativeModel, "compile", compile_with_defaults)


@pytest.fixture
def shared_data() -> Path:
    """The folder of prepared data sets beside the project, where there is one."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the prepared data sets in {folder}")
    return folder


@pytest.fixture
def mixed():
    """A function that sets a global precision policy for the length of a `with`."""
    from keras_gen.runs.training import policy

    return policy


@pytest.fixture(scope="session")
def two_replicas():
    """Two replicas on one processor."""
    from keras_gen import runs

    return runs.strategy("mirrored")


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium.

    Yields:
        Playwright's browser.
    """
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("needs Debian's chromium, to see the page in a browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("needs the package playwright, to see the page in a browser")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable)
        yield started
        started.close()
