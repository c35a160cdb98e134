"""What a trial is: a run, measured on held-out training examples, that ends early if it is poor."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

import keras
import optuna

from keras_gen import data, evaluation, models, runs

# Of the metrics that a model reports: whether the greater is the better. The losses of a game do
# not tell.
DIRECTIONS = {"elbo": True, "reconstruction": True, "loss": False, "bits_per_dim": False}
# What stands for a figure in the middle of training. Others stand for themselves.
CHEAP = {
    **{f"nll_iw{n}": "loss" for n in (100, 5000)},
    **{f"{name}_{network}_10k": f"fid_{network}_1k" for name in ("fid", "kid")
       for network in ("lenet", "vgg")},
}  # fmt: skip
BATCH = 500
RUNGS = (0.1, 0.2, 0.4)  # shares of a run after which a poor one ends


def check_metric(metric: str, spec: data.Spec, model: models.GenerativeModel) -> None:
    """Raises a ValueError unless a metric can be measured and has a direction."""
    if metric in evaluation.PROTOCOLS:
        evaluation.check([metric], spec, type(model))
    elif metric not in DIRECTIONS or hasattr(model, "discriminator"):
        known = evaluation.applicable(evaluation.PROTOCOLS, spec, type(model))
        own = () if hasattr(model, "discriminator") else DIRECTIONS
        raise ValueError(
            f"{type(model).__name__} has no metric {metric!r} to tune by: it has "
            f"{', '.join((*own, *known))}"
        )


def higher_is_better(metric: str) -> bool:
    """Returns whether the greater of two figures of a metric is the better one."""
    return DIRECTIONS[metric] if metric in DIRECTIONS else evaluation.higher_is_better(metric)


def value(metric: str, model: models.GenerativeModel, dataset: data.Dataset) -> float:
    """Returns a figure of a model, on what stands in the test examples' place."""
    if metric in evaluation.PROTOCOLS:
        return evaluation.measure(metric, model, dataset).value
    batches = dataset.batches("test", BATCH, shuffle=False)
    return float(model.evaluate(batches, return_dict=True, verbose=0)[metric])


def trained(
    config: runs.Config,
    path: Path,
    metric: str,
    further: Callable[[runs.Job], list[keras.callbacks.Callback]] = lambda job: [],
    interrupted: Callable[[], bool] = lambda: False,
) -> float:
    """Trains a run, or ends it from where it stopped, and returns its figure.

    Args:
        config: of the run.
        path: of the run directory; one that is there is continued.
        metric: what is measured.
        further: callbacks for the job.
        interrupted: as for `Job.fit`.

    Raises:
        Diverged: if training has failed for good.
    """
    keras.backend.clear_session()
    gc.collect()
    found = runs.Run(path) if Path(path, "config.json").is_file() else None
    if found and found.finished:
        return value(metric, found.model, found.dataset())
    job = runs.prepare(found.config if found else config, found)
    run = found or runs.Run.create(path, job.as_json())
    job.fit(run, verbose=0, interrupted=interrupted, further=further(job))
    return value(metric, job.model, job.dataset)


class EndPoor(keras.callbacks.Callback):
    """Ends a trial that is worse than most were at the same epoch, or at the end of the time.

    Args:
        trial: Optuna's.
        job: of the run.
        metric: that is tuned; what stands for it is measured.
        deadline: of `time.monotonic`, or None.
    """

    def __init__(
        self, trial: optuna.Trial, job: runs.Job, metric: str, deadline: float | None = None
    ):
        super().__init__()
        self.trial, self.job, self.deadline = trial, job, deadline
        self.metric = CHEAP.get(metric, metric)
        self.better = 1.0 if higher_is_better(self.metric) == higher_is_better(metric) else -1.0
        epochs = job.config.preset.epochs
        self.rungs = {max(1, round(share * epochs)) for share in RUNGS} - {epochs}

    def on_epoch_end(self, epoch, logs=None):
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise optuna.TrialPruned("the time is over")
        done = epoch + 1
        if done not in self.rungs:
            return
        known = f"val_{self.metric}"
        figure = logs[known] if known in logs else value(
            self.metric, self.model, self.job.dataset
        )  # fmt: skip
        self.trial.report(self.better * figure, done)
        if self.trial.should_prune():
            raise optuna.TrialPruned(f"worse than most after epoch {done}")
