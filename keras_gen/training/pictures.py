"""Samples as one picture."""

import math
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from keras_gen import data, models
from keras_gen.training.runs import written_beside

CHANNELS = (1, 3)  # of an image that can be shown: gray, or red, green and blue
PADDING = 2
GRAY = 96
SMALLEST_TILE = 56  # smaller images are enlarged by a whole factor, or nothing can be seen
SIDE = 512  # of a picture of points
POINT, MODE = (25, 60, 140), (255, 210, 150)
CURVES = (72, 144)  # height and width of a tile of curves
# Distinct for colour-blind eyes: Okabe & Ito 2008, without black and yellow.
COLOURS = (
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (213, 94, 0),
    (204, 121, 167),
    (86, 180, 233),
)


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Lay images out in rows.

    Args:
        images: `(n, height, width, channels)` in [0, 1], with 1 or 3 channels.
        columns: images per row; by default the grid is as square as can be.

    Returns:
        One uint8 picture, `(height, width, 3)`.

    Raises:
        ValueError: no images, or another number of channels.
    """
    count, height, width, channels = images.shape
    if count == 0 or channels not in CHANNELS:
        raise ValueError(f"cannot draw images of shape {images.shape}: 1 or 3 channels, at least 1")
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    scale = max(1, SMALLEST_TILE // max(height, width))
    tiles = np.rint(np.clip(images, 0.0, 1.0) * 255).astype(np.uint8)
    tiles = tiles.repeat(scale, axis=1).repeat(scale, axis=2)
    down, right = height * scale + PADDING, width * scale + PADDING
    picture = np.full((rows * down + PADDING, columns * right + PADDING, 3), GRAY, np.uint8)
    for index, tile in enumerate(tiles):
        top = PADDING + index // columns * down
        left = PADDING + index % columns * right
        picture[top : top + height * scale, left : left + width * scale] = tile
    return picture


def scatter(points: np.ndarray, spec: data.Spec) -> np.ndarray:
    """Points of the plane as one picture, the second coordinate upwards.

    Args:
        points: `(n, 2)`; those outside of the data's range are left out.
        spec: of the data: its range is the frame, and a disc of three sigma shows each of its
            modes, where they are known.

    Returns:
        A uint8 picture, `(512, 512, 3)`.
    """
    low, high = spec.value_range
    places = low + (np.arange(SIDE) + 0.5) * (high - low) / SIDE
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for across, up in spec.modes or ():
        distance = np.hypot(places[None, :] - across, places[:, None] - up)
        picture[distance <= 3 * spec.sigma] = MODE
    counts, _, _ = np.histogram2d(points[:, 1], points[:, 0], SIDE, [spec.value_range] * 2)
    picture[counts > 0] = POINT
    return picture[::-1]


def curves(x: np.ndarray, value_range: tuple[float, float] | None = None) -> np.ndarray:
    """Sequences as images: a curve for each channel, from left to right.

    Args:
        x: `(n, length, channels)`.
        value_range: what lies at the bottom and at the top; by default what there is.

    Returns:
        `(n, 72, 144, 3)` in [0, 1], for `grid`.
    """
    low, high = value_range or (float(x.min()), float(x.max()))
    height, width = CURVES
    across = np.linspace(0, width - 1, x.shape[1])
    down = (height - 1) * (1 - (np.clip(x, low, high) - low) / ((high - low) or 1.0))
    images = []
    for each in down:
        image = Image.new("RGB", (width, height), (255, 255, 255))
        draw = ImageDraw.Draw(image)
        for channel in range(x.shape[-1]):
            points = list(zip(across, each[:, channel], strict=True))
            draw.line(points, fill=COLOURS[channel % len(COLOURS)], width=1)
        images.append(np.asarray(image))
    return np.stack(images) / np.float32(255)


def drawable(spec: data.Spec) -> bool:
    """Whether samples can be shown in one picture: all but text, most vectors and images of other
    than 1 or 3 channels."""
    if spec.kind == "image":
        return spec.shape[-1] in CHANNELS
    return spec.kind in ("sequence", "audio") or spec.shape == (2,)


def drawn(x: np.ndarray, spec: data.Spec, columns: int | None = None) -> np.ndarray:
    """One picture of samples of drawable data, points or tiles in so many columns."""
    if spec.kind == "vector":
        return scatter(x, spec)
    if spec.kind == "image":
        return grid(x, columns)
    if len(spec.shape) == 3:  # a spectrogram: time to the right, frequency upwards
        return grid(np.swapaxes(x, 1, 2)[:, ::-1], columns)
    if x.shape[-1] > len(COLOURS):  # a piano-roll, or as many channels: a row of pixels for each
        low, high = spec.value_range
        return grid((np.swapaxes(x, 1, 2)[:, ::-1, :, None] - low) / (high - low), columns)
    return grid(curves(x, spec.value_range), columns)


def class_columns(model: models.GenerativeModel, spec: data.Spec) -> int | None:
    """The columns that give each class its own, for a model that draws the classes in turn."""
    return spec.num_classes if model.uses_labels else None


def save_png(picture: np.ndarray, path: str | os.PathLike) -> None:
    """Write a uint8 picture, `(height, width, 3)`; the file appears complete or not at all."""
    with written_beside(Path(path)) as beside:
        Image.fromarray(picture).save(beside, format="png")
