"""Figures of images, of points in the plane and of training, with Matplotlib.

For notebooks: each function draws one figure, or into `ax`, and leaves the rest to Matplotlib.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes


def show_images(
    images: np.ndarray,
    columns: int | None = None,
    title: str | None = None,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    tile: float = 0.65,
    ax: Axes | None = None,
) -> Axes:
    """Shows images in rows, as one picture.

    Args:
        images: `(n, height, width, channels)` in [0, 1] with 1 or 3 channels; or `(rows, columns,
            height, width, channels)`, which fixes the rows.
        columns: images per row; by default the picture is as square as can be.
        title: of the figure.
        row_labels: texts on the left, one per row.
        column_labels: texts below, one per column.
        tile: width of an image in inches, where there is no `ax`.
        ax: what to draw into; by default a new figure of fitting size.

    Returns:
        The axes drawn into.

    Raises:
        ValueError: for another shape, no images, or a wrong number of labels.
    """
    images = np.asarray(images, "float32")
    if images.ndim == 5:
        columns = images.shape[1]
        images = images.reshape(-1, *images.shape[2:])
    if images.ndim != 4 or len(images) == 0 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "images must be (n, height, width, channels) or (rows, columns, height, width, "
            f"channels), at least one, with 1 or 3 channels; got shape {images.shape}."
        )
    count, height, width, _ = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    gap = max(1, round(width / 16))
    down, right = height + gap, width + gap
    # The fourth channel is opacity: gaps and missing images show the page.
    picture = np.zeros((rows * down - gap, columns * right - gap, 4), "float32")
    for i, image in enumerate(np.clip(images, 0.0, 1.0)):
        top, left = i // columns * down, i % columns * right
        place = picture[top : top + height, left : left + width]
        place[..., :3], place[..., 3] = image, 1.0
    if ax is None:
        _, ax = plt.subplots(figsize=(columns * tile, rows * tile * down / right))
    ax.imshow(picture, interpolation="nearest")
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)
    for axis, labels, number, step, size in (
        (ax.yaxis, row_labels, rows, down, height),
        (ax.xaxis, column_labels, columns, right, width),
    ):
        if labels is not None and len(labels) != number:
            raise ValueError(f"{len(labels)} labels for {number} rows or columns of images.")
        places = (np.arange(number) * step + (size - 1) / 2) if labels is not None else []
        axis.set_ticks(places, labels if labels is not None else [])
    if title:
        ax.set_title(title)
    return ax


def plot_history(
    history: Mapping[str, Sequence[float]],
    names: Sequence[str] = ("loss",),
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plots what `fit` reported per epoch; validation figures (`val_...`) are dashed.

    Args:
        history: `model.fit(...).history`.
        names: which of its figures to plot.
        title: of the figure.
        ax: what to draw into; by default a new figure.

    Returns:
        The axes drawn into; its legend is drawn.

    Raises:
        ValueError: for a name that is not in the history.
    """
    if missing := [name for name in names if name not in history]:
        raise ValueError(f"no {', '.join(missing)} in the history: it has {', '.join(history)}.")
    if ax is None:
        _, ax = plt.subplots(figsize=(5.5, 3.5))
    for name in names:
        epochs = np.arange(1, len(history[name]) + 1)
        (line,) = ax.plot(epochs, history[name], label=f"{name}, training")
        if f"val_{name}" in history:
            color = line.get_color()
            ax.plot(epochs, history[f"val_{name}"], "--", color=color, label=f"{name}, validation")
    ax.set_xlabel("epoch")
    ax.legend(frameon=False)
    if title:
        ax.set_title(title)
    return ax


def show_points(
    points: np.ndarray,
    modes: np.ndarray | None = None,
    title: str | None = None,
    limit: float | None = None,
    ax: Axes | None = None,
    **style,
) -> Axes:
    """Shows points of the plane as dots, with the modes of their distribution as rings.

    Args:
        points: `(n, 2)`.
        modes: `(k, 2)`, drawn as small rings below the points; by default none.
        title: of the figure.
        limit: the axes go from minus this to this; points beyond are not seen. By default the axes
            hold all points and modes.
        ax: what to draw into; by default a new figure.
        **style: of the dots, as in `Axes.plot`: `color`, `markersize`, `alpha`, ...

    Returns:
        The axes drawn into: equal scales, no ticks.

    Raises:
        ValueError: for another shape.
    """
    points = np.asarray(points)
    for name, given in (("points", points), ("modes", modes)):
        if given is not None and (np.ndim(given) != 2 or np.shape(given)[1] != 2):
            raise ValueError(f"{name} must be (n, 2), got shape {np.shape(given)}.")
    if ax is None:
        _, ax = plt.subplots(figsize=(3.5, 3.5))
    if modes is not None:
        ax.plot(*np.asarray(modes).T, "o", markersize=9, markerfacecolor="none", color="0.6")
    ax.plot(*points.T, ".", **({"markersize": 3, "markeredgewidth": 0} | style))
    if limit is not None:
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
    ax.set(aspect="equal", xticks=[], yticks=[])
    if title:
        ax.set_title(title)
    return ax
