"""Imports Keras and its backend without TensorFlow's start-up messages; errors are shown.

Some messages are written before TensorFlow reads TF_CPP_MIN_LOG_LEVEL, others when it first looks
for a GPU. Importing this module does both while stderr goes to a file, and then shows what was not
expected. With another backend, TensorFlow is imported only where `tensorflow` is called.
"""

import contextlib
import importlib
import os
import re
import sys
import tempfile

# A line of TensorFlow's log that is information (I) or a warning (W), not an error (E, F).
HARMLESS = re.compile(r"[IW]\d{4} |\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IW] ")
# Errors that say only that there is no GPU or no driver, and the rest of the start-up.
EXPECTED = (
    "WARNING: All log messages before absl::InitializeLog()",
    "To enable the following instructions",
    "Failed call to cuInit: UNKNOWN ERROR (303)",
    "CUDA_ERROR_NO_DEVICE",
    "when one has already been registered",
)


def import_backend() -> None:
    """Imports Keras, and lets a TensorFlow that it imports look for devices."""
    with quiet():
        importlib.import_module("keras")
        if sys.modules.get("tensorflow"):
            sys.modules["tensorflow"].config.list_physical_devices()


def tensorflow(purpose: str):
    """Returns TensorFlow, for what only TensorFlow does.

    Args:
        purpose: what it is needed for, for the error.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        with quiet():
            return importlib.import_module("tensorflow")
    except ModuleNotFoundError as error:
        raise ImportError(f"{purpose} needs TensorFlow: pip install tensorflow.") from error


def set_random_seed(seed: int) -> None:
    """Seeds Python, NumPy and the backend, as `keras.utils.set_random_seed`, which imports
    TensorFlow on every backend."""
    with quiet():
        importlib.import_module("keras").utils.set_random_seed(seed)


class LazyTensorFlow:
    """TensorFlow, imported when it is first used.

    Args:
        purpose: what it is needed for, as in `tensorflow`.
    """

    def __init__(self, purpose: str):
        self._purpose = purpose

    def __getattr__(self, name: str):
        return getattr(tensorflow(self._purpose), name)


@contextlib.contextmanager
def quiet():
    """Hides the expected messages of TensorFlow's start-up on stderr.

    It does nothing if TensorFlow is imported already, or TF_CPP_MIN_LOG_LEVEL is set to 0.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "tensorflow" in sys.modules or os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0":
        yield
        return
    with tempfile.TemporaryFile() as captured:
        try:
            with stderr_to(captured):
                yield
        finally:
            captured.seek(0)
            for line in captured.read().decode(errors="replace").splitlines():
                if not (HARMLESS.match(line) or any(text in line for text in EXPECTED)):
                    print(line, file=sys.stderr)


@contextlib.contextmanager
def stderr_to(file):
    """Sends what is written to the standard error, by C++ too, to an open file meanwhile."""
    sys.stderr.flush()
    stderr = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)


import_backend()
