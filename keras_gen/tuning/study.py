"""The search: Optuna proposes settings, runs answer with a figure."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from keras_gen import checks, files, presets, runs
from keras_gen.presets import Preset
from keras_gen.tuning import objective, results
from keras_gen.tuning.space import parse, settings_of, start_of, suggest

HELD_OUT = 0.1  # of the training examples
BEST = 3  # trials that are repeated
REPEATS = 3  # seeds of each of them, the first included
STARTUP = 5  # trials before any is ended early
KEPT_BACK = 0.4  # at most so much of the time, for the repeats


@dataclasses.dataclass(frozen=True)
class Tuned:
    """The result of a search.

    Attributes:
        path: the folder of the study.
        trial: number of the best trial.
        settings: of that trial, as `keras_gen.runs.train` takes them.
        median: of its figures with several seeds.
        worst: of those figures.
        figures: for each trial that was repeated (number, median, worst, figures).
    """

    path: Path
    trial: int
    settings: dict[str, Any]
    median: float
    worst: float
    figures: list[tuple]


def tune(
    preset: str | Preset,
    metric: str,
    out: str | os.PathLike,
    trials: int = 20,
    budget: float | None = None,
    space: Mapping[str, str] | None = None,
    resume: bool = False,
    seed: int = 0,
    data_dir: str | os.PathLike | None = None,
    best: int = BEST,
    repeats: int = REPEATS,
    on_line: Callable[[str], None] = lambda line: None,
    interrupted: Callable[[], bool] = lambda: False,
    **settings: Any,
) -> Tuned:
    """Searches a preset's hyperparameters.

    Trials are run directories in `out`. Their figures are of a tenth of the training examples, held
    out, and never of the test examples. Settings are proposed by a tree-structured Parzen estimator
    (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"), from the preset's own
    first; a trial that is worse than the median at a tenth, two tenths or four tenths of its epochs
    ends there. The best are trained with further seeds: games are noisy. `out` gets `trials.csv`,
    `tuning.png` and `best.json`, which `keras-gen train PRESET --config` takes.

    Args:
        preset: a name, or a preset.
        metric: a protocol, or `elbo`, `reconstruction`, `loss` or `bits_per_dim`.
        out: the folder of the study.
        trials: how many in all.
        budget: seconds for all of it. What the last step needs is kept back from the search.
        space: range by key, as for `keras_gen.tuning.parse`; default
            `keras_gen.presets.search_space`.
        resume: whether to go on with the study in `out`.
        seed: of the proposals, and the first seed of the runs.
        data_dir: where prepared data sets are.
        best: how many trials are repeated.
        repeats: with how many seeds, the first included.
        on_line: called with a line of progress.
        interrupted: as for `keras_gen.runs.Job.fit`.
        **settings: replace settings of the preset, where the search starts.

    Raises:
        ValueError: before anything is trained, if something does not fit.
        FileExistsError: if `out` is not empty and `resume` is False.
        RuntimeError: if no trial came to its end.
    """
    search = Search(preset, metric, out, space, seed, data_dir, settings)
    for name, number in (("trials", trials), ("best", best), ("repeats", repeats)):
        checks.integer(name, number)
    if budget is not None and not budget > 0:
        raise ValueError(f"budget must be a positive number of seconds, got {budget!r}")
    search.open(resume)
    start = time.monotonic()

    def last() -> float | None:
        """When the search must end, for the repeats to come to theirs."""
        if budget is None:
            return None
        needed = best * (repeats - 1) * search.mean_duration()
        return start + budget - min(needed, KEPT_BACK * budget)

    search.run(trials, last, on_line, interrupted)
    deadline = None if budget is None else start + budget
    return search.conclude(best, repeats, deadline, on_line, interrupted)


class Search:
    """A study in its folder."""

    def __init__(self, preset, metric, out, space, seed, data_dir, settings):
        self.original = presets.get(preset) if isinstance(preset, str) else preset
        self.ranges = dict(space or presets.search_space(self.original))
        self.space = parse(self.ranges)
        self.start = runs.override(self.original, settings)
        self.settings, self.metric, self.seed = settings, metric, checks.seed(seed)
        self.data_dir = None if data_dir is None else str(data_dir)
        self.out = Path(out)
        self.higher = None
        # A wrong key or value is an error now. The ends of a range are as good as any.
        for key, distribution in self.space.items():
            some = distribution.choices if hasattr(distribution, "choices") else (
                distribution.low, distribution.high)  # fmt: skip
            for value in some:
                runs.override(self.start, settings_of(self.start, {key: value}))

    def open(self, resume: bool) -> None:
        """Makes the folder and its study, or opens them again."""
        content = {"preset": self.original.name, "metric": self.metric, "space": self.ranges,
                   "settings": self.settings, "seed": self.seed}  # fmt: skip
        content = json.loads(json.dumps(content))  # as it is read back
        file = self.out / "study.json"
        if resume and file.is_file():
            before = files.read_json(file, content)
            for key, value in content.items():
                if before[key] != value:
                    raise ValueError(
                        f"the study in {self.out} has {key} {before[key]!r}, not {value!r}: resume "
                        "it with the same, or name another --out"
                    )
        elif not files.is_free(self.out):
            raise FileExistsError(
                f"{self.out} is not empty: go on with --resume, or name another --out"
            )
        config = self._config({}, self.seed)
        job = runs.prepare(config)
        objective.check_metric(self.metric, job.dataset.spec, job.model)
        self.higher = objective.higher_is_better(self.metric)
        self.out.mkdir(parents=True, exist_ok=True)
        files.write_json(file, content)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(str(self.out / "study.log"))
        )
        self.study = optuna.create_study(
            storage=storage,
            study_name=self.original.name,
            load_if_exists=True,
            direction="maximize" if self.higher else "minimize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP),
        )
        known = self.study.trials
        # Another seed after each restart: the same one would propose the same settings again.
        self.study.sampler = optuna.samplers.TPESampler(
            seed=self.seed + len(known), n_startup_trials=STARTUP, multivariate=True
        )
        if not known and (first := start_of(self.start, self.space)):
            self.study.enqueue_trial(first)
        for trial in known:
            self._again(trial)

    def _again(self, trial: FrozenTrial) -> None:
        """Queues a trial that was cut off, to end its run."""
        if trial.state is TrialState.RUNNING:
            self.study.tell(trial.number, state=TrialState.FAIL)
        elif trial.state is not TrialState.FAIL:
            return
        run = trial.user_attrs.get("run")
        later = [each for each in self.study.trials if each.number > trial.number]
        if run and all(each.user_attrs.get("run") != run for each in later):
            self.study.enqueue_trial(trial.params, user_attrs={"run": run})

    def _config(self, values: Mapping[str, Any], seed: int) -> runs.Config:
        settings = settings_of(self.start, values) | {"data.validation": HELD_OUT}
        preset = runs.override(self.start, settings)
        # A figure of a trial is the metric; the preset's protocols would cost as much again.
        preset = dataclasses.replace(preset, protocols=(), save_every=preset.epochs)
        return runs.Config(preset, seed, self.data_dir)

    def mean_duration(self) -> float:
        """Returns the seconds of a trial that came to its end, on average; 0 if none did."""
        took = [trial.duration.total_seconds() for trial in self._done()]
        return sum(took) / len(took) if took else 0.0

    def run(self, trials: int, last: Callable, on_line, interrupted) -> None:
        """Runs trials until there are so many, or until the time that `last` returns."""

        def ask(trial: optuna.Trial) -> float:
            values = suggest(trial, self.space)
            name = trial.user_attrs.get("run") or f"trial-{trial.number:03d}"
            trial.set_user_attr("run", name)
            config = self._config(values, self.seed)

            def further(job):
                return [objective.EndPoor(trial, job, self.metric, last())]

            try:
                return objective.trained(config, self.out / name, self.metric, further, interrupted)
            except runs.Diverged as error:
                raise optuna.TrialPruned(str(error)) from error

        def tell(study: optuna.Study, trial: FrozenTrial) -> None:
            on_line(self._line(trial))
            results.write_table(study, self.out / "trials.csv")
            if (end := last()) is not None and time.monotonic() > end:
                study.stop()

        counted = [t for t in self.study.trials if t.state in (TrialState.COMPLETE,
                                                               TrialState.PRUNED)]  # fmt: skip
        if (missing := trials - len(counted)) > 0:
            self.study.optimize(ask, n_trials=missing, callbacks=[tell])

    def _done(self) -> list[FrozenTrial]:
        return [t for t in self.study.trials if t.state is TrialState.COMPLETE
                and math.isfinite(t.value)]  # fmt: skip

    def _line(self, trial: FrozenTrial) -> str:
        chosen = ", ".join(
            f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}"
            for key, value in trial.params.items()
        )
        figure = "ended early" if trial.state is TrialState.PRUNED else f"{trial.value:.5g}"
        seconds = trial.duration.total_seconds()
        return f"trial {trial.number}: {figure} ({seconds:.0f} s) {chosen}"

    def conclude(self, best: int, repeats: int, deadline, on_line, interrupted) -> Tuned:
        """Trains the best with further seeds, and writes what is left of the search."""
        sign = -1 if self.higher else 1
        found = sorted(self._done(), key=lambda trial: sign * trial.value)[:best]
        if not found:
            raise RuntimeError(
                f"no trial of {self.out} came to its end: give more --trials or --budget, or a "
                "space with lower learning rates"
            )
        figures = {trial.number: [trial.value] for trial in found}
        took = max(trial.duration.total_seconds() for trial in found)
        for again in range(1, repeats):
            for trial in found:
                if deadline is not None and time.monotonic() + took > deadline:
                    break
                seed = self.seed + again
                path = self.out / f"{trial.user_attrs['run']}-seed-{seed}"
                config = self._config(trial.params, seed)
                try:
                    value = objective.trained(config, path, self.metric, interrupted=interrupted)
                except runs.Diverged:
                    value = math.inf * sign
                figures[trial.number].append(value)
                on_line(f"trial {trial.number}, seed {seed}: {value:.5g}")
        ranked = results.ranking(list(figures.items()), self.higher)
        number, median, worst, values = ranked[0]
        settings = settings_of(self.start, self.study.trials[number].params)
        settings = self.settings | settings
        results.write_table(self.study, self.out / "trials.csv")
        results.save_picture(self.study, self.metric, self.out / "tuning.png")
        files.write_json(
            self.out / "best.json",
            {
                "preset": self.original.name,
                "settings": settings,
                "metric": self.metric,
                "held_out": HELD_OUT,
                "trial": number,
                "median": median,
                "worst": worst,
                "values": values,
            },
        )
        return Tuned(self.out, number, settings, median, worst, ranked)
