"""Figures with Matplotlib: one set for notebooks, runs, cards and commands.

`show_...` and `plot_...` draw into `ax`, or a new figure, and return the axes. `draw_samples`
returns a whole figure of samples of any kind of data, which `save` writes.
"""

from keras_gen.plotting.axes import plot_history, show_images, show_points, use_svg
from keras_gen.plotting.models import (
    draw_interpolation,
    draw_manifold,
    draw_map,
    draw_neighbours,
    draw_reconstruction,
    draw_traversal,
)
from keras_gen.plotting.output import save
from keras_gen.plotting.runs import animate, draw_training
from keras_gen.plotting.samples import (
    as_images,
    class_labels,
    draw_comparison,
    draw_samples,
    drawable,
    sheet_size,
)

__all__ = [
    "animate",
    "as_images",
    "class_labels",
    "draw_comparison",
    "draw_interpolation",
    "draw_manifold",
    "draw_map",
    "draw_neighbours",
    "draw_reconstruction",
    "draw_samples",
    "draw_training",
    "draw_traversal",
    "drawable",
    "plot_history",
    "save",
    "sheet_size",
    "show_images",
    "show_points",
    "use_svg",
]
