"""A training step in parts, one after the other: large batches in little memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import keras
from keras import ops

from keras_gen import data
from keras_gen.engine.backends import backend
from keras_gen.noise import Noise, Part

# Replicas are threads, and each computes its own parts.
_running: ContextVar[Parts | None] = ContextVar("parts", default=None)


def running() -> Parts | None:
    """Returns the step in parts that is being computed, or None."""
    return _running.get()


def step(model, batch) -> dict[str, Any]:
    """Takes a training step of a `Trainer`, in parts if its `accumulate` says so."""
    if model.accumulate == 1:
        return model.train_step(batch)
    return Parts(model, batch).run()


def noise(seed: int, step, x) -> Noise:
    """Returns the noise of a training step for `x`, a batch or a part of one."""
    parts = running()
    step, part = parts.place(step) if parts else (step, backend.part(x))
    return Noise(seed, part).at("train", step)


def known():
    """Returns what this call of `minimize` returned before, or None if it is to be computed."""
    parts = running()
    return parts.known() if parts else None


def summed(gradients: list[list], result) -> list[list]:
    """Returns the gradients of the whole batch, of which these are the last part's, or all."""
    parts = running()
    return parts.summed(gradients, result) if parts else gradients


def share_of_mean(values):
    """Returns the share of values, `(n,)`, in their mean over the global batch."""
    parts = running()
    return parts.share_of_mean(values) if parts else backend.share_of_mean(values)


def metrics(objectives: Iterable) -> dict[str, Any]:
    """Returns the metrics of objectives, per example, whatever the number of parts."""
    parts = running()
    if parts:
        return parts.merged(objectives)
    return {name: values for each in objectives for name, values in each.metrics.items()}


def grouped(x, count: int):
    """Returns data whose batches are `count` of the batches of `x`; arrays as they are.

    Raises:
        ValueError: for a `PyDataset`, whose batches only it can make.
    """
    if count == 1:
        return x
    if isinstance(x, data.Batches):
        return x.grouped(count)
    if isinstance(x, keras.utils.PyDataset):
        raise ValueError("accumulate needs arrays, batches of keras_gen.data or a tf.data.Dataset.")
    if hasattr(x, "rebatch"):  # a tf.data.Dataset
        first = next(iter(x.take(1)))
        return x.rebatch(count * keras.tree.flatten(first)[0].shape[0])
    return x


def check(model, batches: data.Batches, name: str) -> None:
    """Raises ValueError if a step would have parts without examples."""
    needed = model.accumulate * model.unit * backend.replicas(model)
    if model.accumulate > 1 and batches.last_size < needed:
        raise ValueError(
            f"the last step's batch of {name} has {batches.last_size} example(s), and "
            f"accumulate={model.accumulate} needs {needed}: choose another batch_size, or batches "
            "with drop_remainder=True."
        )


class _NextPart(Exception):
    """What a part had to do is done."""


class Parts:
    """A step of a model in parts of its batch.

    The players of the model take turns. For each player's step, `train_step` is called with one
    part after the other, as far as that step's `minimize`, which adds the part's gradient to the
    sum; the last part's takes the optimizer's step. So each player meets the others as they are
    when the whole batch is one part, and a gradient is kept for one player only. What the steps
    before returned is kept, part by part; what `compute_once` computed is computed again.

    Args:
        model: a `Trainer`.
        batch: the batch, in any form that Keras hands over.

    Raises:
        ValueError: if there are fewer examples than parts.
    """

    def __init__(self, model, batch):
        self._model = model
        self._examples = model.examples(batch)
        self._count = count = model.accumulate
        x = self._examples.x
        size, unit = x.shape[0] or ops.shape(x)[0], model.unit
        if isinstance(size, int) and size < count * unit:
            raise ValueError(f"accumulate={count} needs {count * unit} examples, got {size}.")
        self._ends = [i * (size // unit) // count * unit for i in range(count)] + [size]
        self._whole = backend.part(x) or Part(0, size, size)
        self._index = 0
        self._step = 0  # number of the optimizer's step whose gradient is being summed
        self._calls = 0  # of `minimize` in this part
        self._sum: list[list] = []  # of gradients so far, or those of the optimizer's step before
        self._found: list[list] = []  # for each of those steps, what came of each part

    def run(self) -> dict[str, Any]:
        """Returns what `train_step` returns."""
        token = _running.set(self)
        try:
            while True:
                for index in range(self._count):
                    self._index, self._calls = index, 0
                    with contextlib.suppress(_NextPart):
                        return self._model.train_step(self._part())
                self._step += 1
        finally:
            _running.reset(token)

    def _part(self) -> dict[str, Any]:
        start, end = self._ends[self._index : self._index + 2]
        entries = {"x": self._examples.x[start:end]}
        for name in ("label", "index"):
            if (values := getattr(self._examples, name)) is not None:
                entries[name] = values[start:end]
        return {name: self._in_turn(values) for name, values in entries.items()}

    def _in_turn(self, value):
        """A value that is there once the parts before are done, whose memory is then free."""
        return backend.once_computed(value, self._sum) if self._sum else value

    def place(self, step) -> tuple[Any, Part]:
        """Returns the training step and the part of the global batch, for the noise."""
        start, end = self._ends[self._index : self._index + 2]
        part = Part(self._whole.start + start, self._whole.total, end - start)
        return self._in_turn(ops.convert_to_tensor(step)), part

    def share_of_mean(self, values):
        """Returns this part's share of the mean of values, `(n,)`, over the global batch."""
        start, end = self._ends[self._index : self._index + 2]
        share = ops.cast(end - start, values.dtype) / ops.cast(self._whole.total, values.dtype)
        return ops.mean(values) * share

    def known(self):
        """Returns what this call of `minimize` returned before, or None if it is to be computed."""
        call, self._calls = self._calls, self._calls + 1
        if call > self._step:
            raise _NextPart  # of the next step
        return self._found[call][self._index] if call < self._step else None

    def summed(self, gradients: list[list], result) -> list[list]:
        """Adds gradients and keeps what came with them; returns the sum after the last part."""
        if self._index == 0:
            self._found.append([result])
            self._sum = gradients
        else:
            self._found[-1].append(result)
            pairs = zip(self._sum, gradients, strict=True)
            self._sum = [list(map(backend.added, one, two)) for one, two in pairs]
        if self._index + 1 < self._count:
            raise _NextPart
        return self._sum

    def merged(self, objectives: Iterable) -> dict[str, Any]:
        """Returns the metrics of objectives, per example of the whole batch."""
        given = {id(each) for each in objectives}
        metrics: dict[str, Any] = {}
        for parts in self._found:
            if id(parts[-1]) in given:
                for name in parts[-1].metrics:
                    metrics[name] = ops.concatenate([each.metrics[name] for each in parts])
        return metrics
