"""Draws the picture at the top of the README, docs/samples.png, from released models.

Usage: python benchmarks/strip.py [--out docs/samples.png]
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import keras_gen as kg

ROOT = Path(__file__).resolve().parent.parent
DPI, HEIGHT, GAP, TITLE = 200, 1.22, 0.07, 0.2  # inches, except dots per inch
ROWS = 6  # of images
WAVES = 12
COLORS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")


def images(ax, name: str) -> None:
    """Draws images, those of a conditional model in a column for each class."""
    trained = kg.runs.open(name)
    columns = trained.spec.num_classes if trained.model.conditional else ROWS
    kg.plotting.show_images(trained.sample(ROWS * columns, seed=1), columns=columns, ax=ax)


def points(ax, name: str) -> None:
    """Draws points of the plane on the modes of their distribution."""
    trained = kg.runs.open(name)
    spec = trained.spec
    kg.plotting.show_points(
        trained.sample(2500, seed=1),
        np.asarray(spec.modes),
        radius=3 * spec.sigma,
        limit=spec.value_range[1],
        color="#193c8c",
        markersize=1.6,
        ax=ax,
    )


def waves(ax, name: str) -> None:
    """Draws one channel of some sequences."""
    trained = kg.runs.open(name)
    for i, wave in enumerate(trained.sample(WAVES, seed=1)[..., 0]):
        ax.plot(wave, color=COLORS[i % len(COLORS)], linewidth=0.8)
    ax.set(xticks=[], yticks=[])


# Preset, how it is drawn, width in inches.
PANELS = (
    ("dgan_mnist", images, HEIGHT),
    ("cgan_mnist", images, HEIGHT * 10 / ROWS),
    ("dgan_stacked_mnist", images, HEIGHT),
    ("gan_grid", points, HEIGHT),
    ("crgan_sines", waves, HEIGHT * 0.93),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "samples.png", metavar="F.png")
    out = parser.parse_args().out
    width = GAP * (len(PANELS) + 1) + sum(inches for *_, inches in PANELS)
    height = HEIGHT + TITLE + GAP
    figure = Figure((width, height), dpi=DPI)
    left = GAP
    for name, drawn, inches in PANELS:
        ax = figure.add_axes((left / width, GAP / height, inches / width, HEIGHT / height))
        drawn(ax, name)
        ax.set_title(name, fontsize=6.5, pad=3)
        for side in ax.spines.values():
            side.set(color="0.7", linewidth=0.5)
        left += inches + GAP
    kg.plotting.save(figure, out)
    print(out)


if __name__ == "__main__":
    main()
