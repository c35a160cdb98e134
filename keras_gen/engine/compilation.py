"""What `compile` settles: defaults of XLA and steps per execution, and the metrics."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_gen.engine.backends import backend


def refuse_foreign(model, loss, loss_weights, metrics, weighted_metrics) -> None:
    """Raises ValueError for a loss, metrics and the like: a model has its own."""
    given = {"loss": loss, "loss_weights": loss_weights, "metrics": metrics,
             "weighted_metrics": weighted_metrics}  # fmt: skip
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{type(model).__name__} has its own objective and metrics "
                f"({', '.join(model.metric_names)}); compile takes no `{name}`."
            )


def resolved(
    model, run_eagerly: bool, steps_per_execution: int | str, jit_compile: bool | str
) -> dict[str, Any]:
    """Returns `steps_per_execution` and `jit_compile` with defaults for "auto".

    Raises:
        ValueError: for what the backend cannot do.
    """
    backend.refuse(steps_per_execution, jit_compile, model)
    if jit_compile == "auto":
        jit_compile = backend.jit_compile(model)
    return {
        "steps_per_execution": backend.steps_per_execution(model, run_eagerly, steps_per_execution),
        "jit_compile": jit_compile and not run_eagerly,
    }


class Means(keras.metrics.Metric):
    """Means of several values per example, in two vectors.

    An accelerator takes as long to add two numbers as two short vectors, and a small network's
    step is short.
    """

    def __init__(self, names: tuple[str, ...]):
        super().__init__(name="means")
        self.names = names
        shape = (len(names),)
        self.totals = self.add_variable(shape, "zeros", name="totals")
        self.counts = self.add_variable(shape, "zeros", name="counts")

    def update_state(self, values: dict[str, Any]) -> None:
        """Adds values per example, `(n,)` for each name."""
        values = [ops.cast(values[name], "float32") for name in self.names]
        self.totals.assign_add(ops.stack([ops.sum(each) for each in values]))
        sizes = [ops.cast(ops.shape(each)[0], "float32") for each in values]
        self.counts.assign_add(ops.stack(sizes))

    def result(self) -> dict[str, Any]:
        """Returns the means so far, by name; 0 before the first values."""
        means = ops.divide_no_nan(self.totals.value, self.counts.value)
        return {name: means[i] for i, name in enumerate(self.names)}


class Report:
    """The metrics of a model, apart from it because they are not part of its state."""

    def __init__(self, names: tuple[str, ...]):
        self.means = Means(tuple(names))
        # Counts the batches of an evaluation; a metric, because Keras resets those at its start.
        self.batches = keras.metrics.Sum(name="batches")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """All metrics, which Keras resets."""
        return [self.means, self.batches]

    def average(self, values: dict[str, Any]) -> dict[str, Any]:
        """Adds values per example, `(batch,)`, to the means; returns the means so far."""
        self.means.update_state(values)
        return self.result()

    def result(self) -> dict[str, Any]:
        """Returns the means so far."""
        return self.means.result()
