"""Several runs side by side: their figures in one table, their samples in one picture."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from keras_gen import data, training
from keras_gen.training import Run


def comparison(runs: Sequence[str | os.PathLike]) -> list[tuple[str, ...]]:
    """The figures of evaluated runs, a row for each metric: its name, a figure for each run, the
    floor (real data in place of samples) and the unit. The first row heads the columns, by the
    runs' names; by their paths, where two have one name.

    Raises:
        FileNotFoundError: there is no run at one of the paths.
        ValueError: a run is unfinished, or was not evaluated.
    """
    opened = [Run.open_finished(path) for path in runs]
    evaluated = [run.metrics.get("evaluation") for run in opened]
    for run, figures in zip(opened, evaluated, strict=True):
        if not figures:
            raise ValueError(
                f"{run.path} has no figures yet: first run keras-gen evaluate {run.path}"
            )
    heads = [run.path.resolve().name for run in opened]
    if len(set(heads)) < len(heads):
        heads = [str(run.path) for run in opened]
    rows = [("METRIC", *heads, "FLOOR", "UNIT")]
    for name in dict.fromkeys(name for figures in evaluated for name in figures):
        found = [figures[name] for figures in evaluated if name in figures]
        floors = {shown(figure.get("floor")) for figure in found}
        units = dict.fromkeys(figure["unit"] for figure in found)
        values = (with_error(figures.get(name)) for figures in evaluated)
        floor = floors.pop() if len(floors) == 1 else "differs"
        rows.append((name, *values, floor, " / ".join(units)))
    return rows


def samples_of(runs: Sequence[str | os.PathLike], n: int = 10, seed: int = 0) -> np.ndarray | None:
    """One picture with a row of `n` samples per run, in the order given; None if such samples
    cannot be drawn.

    Raises:
        FileNotFoundError: there is no run at one of the paths.
        ValueError: a run is unfinished, or the runs' data differs in kind or shape.
    """
    opened = [Run.open_finished(path) for path in runs]
    specs = [data.Spec(**run.config["spec"]) for run in opened]
    first = specs[0]
    for run, spec in zip(opened, specs, strict=True):
        if (spec.kind, spec.shape) != (first.kind, first.shape):
            raise ValueError(
                f"{run.path} is of {spec.kind} data {spec.shape}, {opened[0].path} of {first.kind} "
                f"data {first.shape}: one picture does not hold both."
            )
    if not training.drawable(first):
        return None
    # Points need many to show where they lie.
    count = 2500 if first.kind == "vector" else n
    rows = [
        training.drawn(training.load(run.path)[2].sample(count, seed=seed), spec, columns=n)
        for run, spec in zip(opened, specs, strict=True)
    ]
    return np.concatenate(rows)


def with_error(figure: dict | None) -> str:
    """A figure with its deviation, as text."""
    if figure is None:
        return "-"
    error = figure.get("error")
    return shown(figure["value"]) + ("" if error is None else f" ± {error:.2g}")


def shown(value: float | None) -> str:
    """A number as text; "-" for none."""
    return "-" if value is None else f"{value:.5g}"
