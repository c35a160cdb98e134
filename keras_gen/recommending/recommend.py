"""Presets for a data set, with the time that they take on this machine."""

from __future__ import annotations

import contextlib
import gc
import os
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from keras_gen import data, presets, runs
from keras_gen.recommending.facts import Facts, facts_of
from keras_gen.recommending.rules import Rule, fitting

MOST = 3  # recommendations
LONGER, MOST_LONGER = (
    1.5,
    10,
)  # from so many times the steps on, and up to so many, training is longer
# For training in the presets' own data.
EXAMPLES = {"digits": 1438, "mnist": 60_000, "cifar10": 50_000, "ring": 100_000, "sines": 10_000}
SECONDS = 4.0  # of training that the speed is measured in, after the first execution


@dataclass(frozen=True)
class Recommendation:
    """A preset for a data set.

    Attributes:
        preset: its name.
        class_name: of its model.
        reason: why, in one phrase.
        settings: other than the preset's own, as for `keras_gen.runs.train`.
        seconds: expected of the training, measured on this machine.
        epochs: of the training.
        full_epochs: of a training without a budget.
        preset_epochs: what the preset says.
    """

    preset: str
    class_name: str
    reason: str
    settings: dict[str, Any]
    seconds: float
    epochs: int
    full_epochs: int
    preset_epochs: int

    def command(self, source: str, data_dir: str | None = None) -> str:
        """Returns the command line that trains it."""
        parts = ["keras-gen train", self.preset, "--data", shlex.quote(source)]
        parts += ["--data-dir", shlex.quote(data_dir)] if data_dir else []
        parts += ["--epochs", str(self.epochs)] if self.epochs != self.preset_epochs else []
        parts += [f"--set {key}={value}" for key, value in self.settings.items()]
        return " ".join(parts)


class Stopwatch(keras.callbacks.Callback):
    """Ends training when the speed is known, and has the seconds of a step.

    Args:
        seconds: to measure for, after the first execution, which compiles.
    """

    def __init__(self, seconds: float):
        super().__init__()
        self.seconds, self.start, self.per_step = seconds, None, None

    def on_train_batch_end(self, batch, logs=None):
        now, step = time.perf_counter(), int(self.model.step.numpy())
        if self.start is None:
            self.start = now, step
        elif step > self.start[1]:
            self.per_step = (now - self.start[0]) / (step - self.start[1])
            if now - self.start[0] > self.seconds:
                raise Measured


class Measured(Exception):
    """The speed is known."""


def recommend(
    source: Any,
    goal: str = "generate",
    budget: float | None = None,
    data_dir: str | os.PathLike | None = None,
    most: int = MOST,
    options: Mapping[str, Any] | None = None,
    on_found: Callable[[Facts], None] = lambda facts: None,
) -> list[Recommendation]:
    """Returns presets for a data set, the best first.

    Each is built for the data and trained for a few seconds, to tell how long all of it takes here.

    Args:
        source: of the data, as for `keras_gen.data.load`.
        goal: "generate", "represent", "compress" or "label".
        budget: seconds of training. A preset that takes longer gets fewer epochs; one that would
            get fewer than a tenth of them comes last.
        data_dir: where prepared data sets are.
        most: at most so many.
        options: of the data's source, such as `image_size`; they are among the settings.
        on_found: called with what the data is, before anything is measured.

    Raises:
        ValueError: if the data cannot be loaded, or there is nothing for it.
    """
    options = dict(options or {})
    dataset = data.load(source, data_dir, **options)
    facts = facts_of(dataset)
    rules = fitting(facts, goal)
    on_found(facts)
    given = {f"data.{key}": value for key, value in options.items()}
    made = [_measured(rule, facts, dataset, budget, given) for rule in rules[:most]]
    return sorted(made, key=lambda each: each.epochs < each.full_epochs / 10)


def _measured(
    rule: Rule, facts: Facts, dataset: data.Dataset, budget: float | None, given: dict[str, Any]
) -> Recommendation:
    preset = presets.get(rule.preset)
    own = {**preset.network, **preset.model}
    settings = {k: value for k, value in rule.settings(facts).items() if own.get(k) != value}
    preset = runs.override(preset, settings)
    batch = min(preset.batch_size, dataset.size("train"))
    if batch < preset.batch_size:
        settings = settings | {"batch_size": batch}
        preset = runs.override(preset, {"batch_size": batch})
    keras.backend.clear_session()
    gc.collect()
    job = runs.build(runs.Config(preset), dataset)
    watch = Stopwatch(SECONDS)
    with contextlib.suppress(Measured):
        job.model.fit(job.train, epochs=1000, verbose=0, callbacks=[watch])
    epoch = watch.per_step * len(job.train)
    full = _epochs(rule.preset, preset.epochs, len(job.train))
    epochs = full
    if budget is not None:
        epochs = max(1, min(epochs, int(budget / epoch)))
    return Recommendation(
        rule.preset,
        preset.class_name,
        rule.reason,
        given | settings,
        epoch * epochs,
        epochs,
        full,
        preset.epochs,
    )


def _epochs(name: str, epochs: int, steps: int) -> int:
    """Returns for how many epochs of so many steps a preset trains: on less data than its own for
    more, up to ten times as many, since the number of steps counts."""
    own = presets.get(name)
    examples = EXAMPLES.get(own.data)
    if examples is None:
        return epochs
    longer = examples // own.batch_size / steps
    return epochs if longer < LONGER else round(min(MOST_LONGER, longer) * epochs)
