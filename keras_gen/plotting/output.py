"""Figures as files and as arrays."""

from __future__ import annotations

import os
from pathlib import Path

from matplotlib.figure import Figure

from keras_gen import files

FORMATS = (".png", ".svg")


def save(figure: Figure, path: str | os.PathLike) -> None:
    """Writes a figure as .png or .svg; the file appears complete or not at all.

    Args:
        figure: at its own resolution.
        path: of the file.

    Raises:
        ValueError: for another suffix.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"{path} must end in {' or '.join(FORMATS)}")
    # Without a date and a version, the same figure is the same PNG file.
    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    with files.written_beside(path) as beside:
        figure.savefig(beside, format=path.suffix[1:], dpi=figure.dpi, metadata=metadata)
