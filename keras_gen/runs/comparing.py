"""Several models side by side: their figures in one table, their samples in one picture."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from keras_gen import plotting
from keras_gen.runs.trained import TrainedModel

POINTS = 2500  # it takes many to show where they are


def comparison(trained: Sequence[TrainedModel]) -> list[tuple[str, ...]]:
    """Returns the figures of evaluated models: a row for each metric, after a row of headings.

    A row has the metric's name, a figure for each model, the floor (real data in place of samples)
    and the unit. Headings are the models' names, or their paths if two have the same name.

    Raises:
        ValueError: if a model was not evaluated.
    """
    evaluated = [each.metrics.get("evaluation") for each in trained]
    for each, figures in zip(trained, evaluated, strict=True):
        if not figures:
            raise ValueError(
                f"{each.origin} has no figures yet: first run keras-gen evaluate {each.path}"
            )
    heads = [each.name for each in trained]
    if len(set(heads)) < len(heads):
        heads = [str(each.path) for each in trained]
    rows = [("METRIC", *heads, "FLOOR", "UNIT")]
    for name in dict.fromkeys(name for figures in evaluated for name in figures):
        found = [figures[name] for figures in evaluated if name in figures]
        floors = {shown(figure.get("floor")) for figure in found}
        units = dict.fromkeys(figure["unit"] for figure in found)
        values = (with_error(figures.get(name)) for figures in evaluated)
        floor = floors.pop() if len(floors) == 1 else "differs"
        rows.append((name, *values, floor, " / ".join(units)))
    return rows


def draw_comparison(trained: Sequence[TrainedModel], n: int = 10, seed: int = 0) -> Figure | None:
    """Returns a figure with a row of `n` samples for each model, or None if they cannot be drawn.

    Raises:
        ValueError: if the models' data differs in kind or shape.
    """
    first = trained[0]
    for each in trained:
        if (each.spec.kind, each.spec.shape) != (first.spec.kind, first.spec.shape):
            raise ValueError(
                f"{each.origin} is for {each.spec.kind} data {each.spec.shape}, {first.origin} for "
                f"{first.spec.kind} data {first.spec.shape}: one picture cannot hold both."
            )
    if not plotting.drawable(first.spec):
        return None
    count = POINTS if first.spec.kind == "vector" else n
    samples = [each.sample(count, seed=seed) for each in trained]
    return plotting.draw_comparison(samples, first.spec, [each.name for each in trained])


def with_error(figure: dict | None) -> str:
    """Returns a figure with its deviation, as text."""
    if figure is None:
        return "-"
    error = figure.get("error")
    return shown(figure["value"]) + ("" if error is None else f" ± {error:.2g}")


def shown(value: float | None) -> str:
    """Returns a number as text, "-" for None."""
    return "-" if value is None else f"{value:.5g}"
