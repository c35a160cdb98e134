"""The trained models that come with the package: card, samples and weights, one folder each.

Reading cards needs no TensorFlow. A model file is used only if its checksum is the card's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keras_gen import files

CARD, MODEL = "card.json", "model.keras"


def folder() -> Path:
    """Returns where they are: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "saved_models"
    return inside if inside.is_dir() else package.parent / "saved_models"


def names() -> tuple[str, ...]:
    """Returns the presets whose trained weights come with the package, sorted."""
    return tuple(name for name, card in cards().items() if "sha256" in card)


def cards() -> dict[str, dict[str, Any]]:
    """Returns the cards by preset, sorted by name."""
    paths = sorted(folder().glob(f"*/{CARD}"))
    return {path.parent.name: files.read_json(path) for path in paths}


def card(name: str) -> dict[str, Any]:
    """Returns the card of a preset.

    Raises:
        ValueError: if none comes with the package.
    """
    path = folder() / name / CARD
    if not path.is_file():
        raise ValueError(f"no card of {name!r} comes with the package: see keras-gen list.")
    return files.read_json(path)


def picture(name: str) -> Path | None:
    """Returns the file with a preset's samples, a picture or text; None if there is none."""
    found = sorted((folder() / name).glob("samples.*"))
    return found[0] if found else None


def model_file(name: str) -> Path:
    """Returns the `.keras` file of a preset.

    Raises:
        ValueError: if there is none, or it is not the file that was released.
    """
    if name not in names():
        raise ValueError(
            f"no trained weights of {name!r} come with the package: train it (keras-gen train "
            f"{name}), or make an untrained model with load_weights=False."
        )
    path = folder() / name / MODEL
    if not path.is_file():
        raise ValueError(f"{path} is missing: restore it, or install the package again.")
    found, wanted = files.sha256(path), card(name)["sha256"]
    if found != wanted:
        raise ValueError(
            f"{path} is not the file that was released: its SHA-256 is {found}, not {wanted}. "
            "Restore it, or install the package again."
        )
    return path
