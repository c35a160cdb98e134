"""What a search leaves: a table of its trials, a picture, and the best settings."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
from matplotlib.figure import Figure
from optuna.trial import TrialState

from keras_gen import files, plotting

DPI = 120


def write_table(study: optuna.Study, path: Path) -> None:
    """Writes a .csv file with a row for each trial: its state, figure, seconds and settings."""
    keys = sorted({key for trial in study.trials for key in trial.params})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "run", "state", "value", "seconds", *keys])
    for trial in study.trials:
        seconds = trial.duration.total_seconds() if trial.duration else ""
        figure = trial.value if trial.state is TrialState.COMPLETE else ""
        state = trial.state.name.lower()
        settings = [trial.params.get(key, "") for key in keys]
        row = [trial.number, trial.user_attrs.get("run", ""), state, figure, seconds]
        writer.writerow(row + settings)
    with files.written_beside(path) as beside:
        beside.write_text(text.getvalue(), encoding="utf-8")


def draw(study: optuna.Study, metric: str) -> Figure:
    """Returns a figure of a search: its trials and the best so far, and what mattered.

    The importance of a setting is its share of the variance of a random forest's predictions
    (Hutter et al. 2014, fANOVA); it needs a few trials that differ.
    """
    done = [trial for trial in study.trials if trial.state is TrialState.COMPLETE]
    figure = Figure((9, 3.4), dpi=DPI, layout="constrained")
    history, importance = figure.subplots(1, 2)
    numbers, values = [trial.number for trial in done], [trial.value for trial in done]
    sign = 1 if study.direction is optuna.study.StudyDirection.MINIMIZE else -1
    best = sign * np.minimum.accumulate(sign * np.asarray(values, float))
    history.plot(numbers, values, "o", markersize=4, color="C0", label="finished")
    history.plot(numbers, best, drawstyle="steps-post", color="C1", label="best so far")
    pruned = [t.number for t in study.trials if t.state is TrialState.PRUNED]
    if done and pruned:
        low = history.get_ylim()[0]
        history.plot(pruned, [low] * len(pruned), "|", color="0.5", label="ended early")
    history.set(xlabel="trial", ylabel=metric)
    history.legend(frameon=False, fontsize=8)
    shares = importances(study)
    names = list(shares)[::-1]
    importance.barh(names, [shares[name] for name in names], color="C0")
    importance.set(xlabel="importance", xlim=(0, 1))
    if not shares:
        importance.set_title("too few trials to tell what matters", fontsize=9)
    return figure


def importances(study: optuna.Study) -> dict[str, float]:
    """Returns the importance of each setting, the greatest first; none if trials are too few."""
    done = [trial for trial in study.trials if trial.state is TrialState.COMPLETE]
    if len(done) < 4 or len({trial.value for trial in done}) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna.importance.get_param_importances(study, evaluator=evaluator)


def save_picture(study: optuna.Study, metric: str, path: Path) -> None:
    """Writes the figure of a search."""
    plotting.save(draw(study, metric), path)


def ranking(figures: Sequence[tuple[int, list[float]]], higher: bool) -> list[tuple]:
    """Returns trials with the figures of their seeds, the best median first.

    Args:
        figures: number of a trial and the figure of each seed.
        higher: whether the greater figure is the better one.

    Returns:
        (number, median, worst, figures) for each.
    """
    sign = -1 if higher else 1
    rows = [
        (number, float(np.median(each)), sign * max(sign * value for value in each), each)
        for number, each in figures
    ]
    return sorted(rows, key=lambda row: sign * row[1])
