"""The trained models that come with the package: cards, samples and weights, one folder a preset.

Reading cards needs no TensorFlow. A model file is never given out unless it is the one that its
card describes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_gen.data import Spec

CARD, MODEL = "card.json", "model.keras"


def folder() -> Path:
    """Where they lie: in an installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "saved_models"
    return inside if inside.is_dir() else package.parent / "saved_models"


def cards() -> dict[str, dict[str, Any]]:
    """The cards by preset, in the order of their names."""
    files = sorted(folder().glob(f"*/{CARD}"))
    return {file.parent.name: json.loads(file.read_text()) for file in files}


def names() -> tuple[str, ...]:
    """The presets whose trained weights come with the package."""
    return tuple(name for name, card in cards().items() if "sha256" in card)


def spec(name: str) -> Spec:
    """What a trained model's examples are: what `data.waveform`, say, needs to turn its samples
    into sound without the data at hand.

    Raises:
        ValueError: if there is no card of that preset.
    """
    from keras_gen.data import Spec  # here: it imports TensorFlow

    known = cards()
    if name not in known:
        raise ValueError(f"no card of {name!r} comes with the package, only of: {', '.join(known)}")
    return Spec(**known[name]["spec"])


def model_file(name: str) -> Path:
    """The `.keras` file of a preset, once its checksum is known to be right.

    Raises:
        ValueError: if there is none, or it is not the file that was released.
    """
    if name not in names():
        known = ", ".join(names()) or "none"
        raise ValueError(
            f"no trained weights of {name!r} come with the package, only of: {known}. Train it "
            f"(keras-gen train {name}), or ask for an untrained model: load_weights=False."
        )
    path = folder() / name / MODEL
    if not path.is_file():
        raise ValueError(f"{path} is missing: restore it, or install the package again.")
    found, wanted = sha256(path), cards()[name]["sha256"]
    if found != wanted:
        raise ValueError(
            f"{path} is not the file that was released: its SHA-256 is {found}, not {wanted}. "
            "Restore it, or install the package again."
        )
    return path


def is_free(path: Path) -> bool:
    """Whether a folder can be made at `path`: there is nothing, or an empty one."""
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def check_replaceable(folder: Path, mark: str) -> None:
    """Raises FileExistsError where something else would be replaced than an empty folder, or an
    older one with the file `mark`, which tells that it was written for the same purpose."""
    if not is_free(folder) and not (folder / mark).is_file():
        raise FileExistsError(f"{folder} is something else (it has no {mark}): choose another.")


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
