"""Samples of text as a figure: a block of lines for each row of a comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from keras_gen import data

DPI = 150
COLUMNS = 2  # of blocks
SIZE = 7  # points of a letter
WIDE, HIGH = 0.602, 1.45  # of a letter of DejaVu Sans Mono and of a line, in sizes


def text_blocks(samples: Sequence[np.ndarray], spec: data.Spec, names: Sequence[str]) -> Figure:
    """Returns a figure with a block of lines, under its name, for each row of a comparison.

    Args:
        samples: for each row `(n, length, 1)`.
        spec: of the text.
        names: of the rows.
    """
    blocks = [data.decode_text(x, spec.vocabulary) for x in samples]
    columns = min(COLUMNS, len(blocks))
    point = 1 / 72 * SIZE
    lines = max(map(len, blocks)) + 2
    width, height = (spec.shape[0] + 5) * WIDE * point, lines * HIGH * point
    rows = math.ceil(len(blocks) / columns)
    figure = Figure((columns * width, rows * height), dpi=DPI)
    for i, (name, block) in enumerate(zip(names, blocks, strict=True)):
        left, top = i % columns / columns, 1 - i // columns / rows
        edge = 1.5 * WIDE * point / (columns * width)
        style = {"fontsize": SIZE, "va": "top", "linespacing": HIGH / 1.2, "parse_math": False}
        figure.text(left + edge, top - 0.3 / lines / rows, name, weight="bold", **style)
        printed = "\n".join(line.replace("\n", "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}")
                            for line in block)  # fmt: skip
        figure.text(left + edge, top - 1.4 / lines / rows, printed, family="monospace", **style)
    return figure
