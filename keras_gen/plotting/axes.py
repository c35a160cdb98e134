"""Images, points and curves of training, drawn into Matplotlib axes."""

from __future__ import annotations

import contextlib
import functools
import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

DISC = "#ffd296"  # of a mode's three sigma
POINT = "#193c8c"
LARGEST_SVG = 150_000  # characters


def use_svg() -> None:
    """Makes the notebook that runs this show curves as SVG, which stays sharp when enlarged.

    Figures that hold images, or so many points that they would be large as SVG, keep the format
    that the notebook is set to, by default PNG.

    Raises:
        RuntimeError: outside a notebook.
    """
    from IPython import get_ipython
    from matplotlib_inline import backend_inline  # noqa: F401  (it sets the formats of figures)

    if (shell := get_ipython()) is None:
        raise RuntimeError("use_svg: there is no notebook to set; call it in one.")
    formatters = shell.display_formatter.formatters
    formatters["image/svg+xml"].for_type(Figure, as_svg)
    for name in ("image/png", "image/jpeg"):
        with contextlib.suppress(KeyError):  # not a format of this notebook
            shown = formatters[name].lookup_by_type(Figure)
            formatters[name].for_type(Figure, functools.partial(_unless_svg, shown))


def as_svg(figure: Figure) -> str | None:
    """Returns a figure as SVG text; None if it holds images or is large as SVG."""
    if any(ax.images or any(inner.images for inner in ax.child_axes) for ax in figure.axes):
        return None
    text = io.StringIO()
    # Without a date and with fixed names, the same figure has the same text.
    with plt.rc_context({"svg.hashsalt": "keras_gen"}):
        figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None})
    return text.getvalue() if len(text.getvalue()) <= LARGEST_SVG else None


def _unless_svg(shown, figure: Figure):
    return None if as_svg(figure) else shown(figure)


def tiled(images: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """Returns images in rows as one picture, float32 `(height, width, 4)`.

    The fourth channel is opacity: gaps and missing images show the page.

    Args:
        images: `(n, height, width, channels)` in [0, 1] with 1 or 3 channels.
        columns: images per row.
        gap: pixels between images.
    """
    count, height, width, _ = images.shape
    rows = math.ceil(count / columns)
    down, right = height + gap, width + gap
    picture = np.zeros((rows * down - gap, columns * right - gap, 4), "float32")
    for i, image in enumerate(np.clip(images, 0.0, 1.0)):
        top, left = i // columns * down, i % columns * right
        place = picture[top : top + height, left : left + width]
        place[..., :3], place[..., 3] = image, 1.0
    return picture


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
        columns: images per row; by default the picture is as square as possible.
        title: of the figure.
        row_labels: texts on the left, one per row.
        column_labels: texts below, one per column.
        tile: width of an image in inches, if there is no `ax`.
        ax: what to draw into; by default a new figure of fitting size.

    Returns:
        The axes.

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
    if ax is None:
        _, ax = plt.subplots(figsize=(columns * tile, rows * tile * down / right))
    ax.imshow(tiled(images, columns, gap), interpolation="nearest")
    frameless(ax)
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


def frameless(ax: Axes) -> None:
    """Removes the frame and the tick marks of axes."""
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)


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
    radius: float | None = None,
    **style,
) -> Axes:
    """Shows points of the plane as dots, with the modes of their distribution.

    Args:
        points: `(n, 2)`.
        modes: `(k, 2)`; by default none.
        title: of the figure.
        limit: the axes go from minus this to this; points beyond are not seen. By default the axes
            hold all points and modes.
        ax: what to draw into; by default a new figure.
        radius: of a disc around each mode, such as three standard deviations; by default modes are
            small rings of a fixed size.
        **style: of the dots, as in `Axes.plot`: `color`, `markersize`, `alpha`, ...

    Returns:
        The axes: equal scales, no ticks.

    Raises:
        ValueError: for another shape.
    """
    points = np.asarray(points)
    for name, given in (("points", points), ("modes", modes)):
        if given is not None and (np.ndim(given) != 2 or np.shape(given)[1] != 2):
            raise ValueError(f"{name} must be (n, 2), got shape {np.shape(given)}.")
    if ax is None:
        _, ax = plt.subplots(figsize=(3.5, 3.5))
    if modes is not None and radius is None:
        ax.plot(*np.asarray(modes).T, "o", markersize=9, markerfacecolor="none", color="0.6")
    for mode in modes if modes is not None and radius is not None else ():
        ax.add_patch(Circle(mode, radius, color=DISC, linewidth=0))
    ax.plot(*points.T, ".", **({"markersize": 3, "markeredgewidth": 0} | style))
    if limit is not None:
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit))
    ax.set(aspect="equal", xticks=[], yticks=[])
    if title:
        ax.set_title(title)
    return ax
