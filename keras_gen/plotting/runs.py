"""Figures of a training run: its curves, and its samples from epoch to epoch."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from keras_gen import files
from keras_gen.plotting.samples import DPI

COLUMNS = 3
FRAME_MS, LAST_FRAME_MS = 200, 2000
BANNER = 24  # pixels


def draw_training(history: Sequence[Mapping[str, str]]) -> Figure:
    """Returns a panel for each figure of a history; validation figures are dashed.

    Args:
        history: rows of history.csv, as `Run.read_history` returns them.

    Raises:
        ValueError: if there are no rows.
    """
    if not history:
        raise ValueError("the history has no epochs.")
    hidden = ("epoch", "seconds")
    names = [name for name in history[0] if name not in hidden and not name.startswith("val_")]
    epochs = [int(row["epoch"]) for row in history]
    rows = math.ceil(len(names) / COLUMNS)
    size = 3 * min(COLUMNS, len(names)), 2.2 * rows
    figure = Figure(size, dpi=DPI, layout="constrained")
    axes = figure.subplots(rows, min(COLUMNS, len(names)), squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        for key, style in ((name, "-"), (f"val_{name}", "--")):
            if key in history[0]:
                ax.plot(epochs, [float(row[key]) for row in history], style, color="C0")
        ax.set_title(name.replace("_", " "), fontsize=9)
        ax.tick_params(labelsize=7)
    for ax in axes[len(names) :]:
        ax.remove()
    figure.supxlabel("epoch (dashed: test examples)", fontsize=8)
    return figure


def animate(pictures: Sequence[str | os.PathLike], path: str | os.PathLike) -> None:
    """Writes an animated GIF of a run's pictures, with the epoch above each.

    Args:
        pictures: files named epoch-NNNN.png.
        path: of the .gif file.

    Raises:
        ValueError: if there are no pictures.
    """
    if not pictures:
        raise ValueError("there are no pictures of samples to animate.")
    frames = []
    for picture in sorted(map(Path, pictures)):
        with Image.open(picture) as image:
            frame = Image.new("RGB", (image.width, image.height + BANNER), "white")
            frame.paste(image.convert("RGB"), (0, BANNER))
        epoch = int(picture.stem.rpartition("-")[2])
        ImageDraw.Draw(frame).text((8, 6), f"epoch {epoch}", fill="black")
        frames.append(frame.quantize(128))
    durations = np.full(len(frames), FRAME_MS)
    durations[-1] = LAST_FRAME_MS
    with files.written_beside(path) as beside:
        frames[0].save(
            beside,
            "GIF",
            save_all=True,
            append_images=frames[1:],
            duration=durations.tolist(),
            loop=0,
        )
