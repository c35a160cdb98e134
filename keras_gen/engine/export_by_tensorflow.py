"""Writes a SavedModel of a model that another backend has trained.

`export` saves the model and runs this file in a process whose Keras backend is TensorFlow.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def export(model, filepath: str | os.PathLike, content: dict[str, Any]) -> None:
    """Writes a SavedModel with a model's signatures.

    Args:
        model: a `GenerativeModel`.
        filepath: the folder to write.
        content: of its `card.json`.

    Raises:
        ImportError: if TensorFlow is not installed.
        RuntimeError: if the other process fails.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError("a SavedModel needs TensorFlow: pip install tensorflow.")
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        model.save(saved)
        process = subprocess.run(
            [sys.executable, "-m", __name__, str(saved), os.path.abspath(filepath)],
            input=json.dumps(content),
            env=os.environ | {"KERAS_BACKEND": "tensorflow"},
            capture_output=True,
            text=True,
        )
    if process.returncode:
        raise RuntimeError(f"TensorFlow could not export the model:\n{process.stderr}")


def main() -> None:
    """Exports a saved model: arguments are its file and the folder, the card comes on stdin."""
    import keras

    from keras_gen.engine import serving

    importlib.import_module("keras_gen.models")  # which Keras is then told of
    model = keras.models.load_model(sys.argv[1])
    serving.export(model, sys.argv[2], verbose=False, content=json.load(sys.stdin))


if __name__ == "__main__":
    main()
