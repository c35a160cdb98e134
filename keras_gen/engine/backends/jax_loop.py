"""Keras's `fit` and `evaluate` on JAX: several imperative steps in one compiled loop."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras
import numpy as np
from keras.src.backend.common.stateless_scope import get_stateless_scope

from keras_gen import data
from keras_gen.engine.backends.feed import Feed, unpacked
from keras_gen.philox import jax as philox


class Scope(keras.StatelessScope):
    """A scope that starts with the values of the scope around it, and knows what changed.

    A layer may assign a variable whose gradient is asked for, as spectral normalization does. The
    gradient is then that with respect to the value assigned, as on the other backends.

    Args:
        variables: some variables.
        values: their values.
        differentiated: whether gradients with respect to these values are asked for.
    """

    def __init__(self, variables: Sequence, values: Sequence, differentiated: bool = False):
        super().__init__()
        outer = get_stateless_scope()
        given = {id(v): value for v, value in zip(variables, values, strict=True)}
        self.state_mapping = (dict(outer.state_mapping) if outer else {}) | given
        self.sources: dict[int, Any] = dict(getattr(outer, "sources", {}))
        if differentiated:
            self.sources |= given
        self.changed: dict[int, Any] = {}

    def add_update(self, update) -> None:
        variable, value = update
        source = self.sources.get(id(variable))
        if source is not None:
            value = jax.lax.stop_gradient(value) + (source - jax.lax.stop_gradient(source))
        self.changed[id(variable)] = variable
        super().add_update((variable, value))


def loop_input(batches, model) -> Feed:
    """Returns what Keras iterates over for `keras_gen.data.Batches`."""
    if "feed" not in vars(batches):
        batches.feed = Feed(batches, _to_device)
    return batches.feed


def _to_device(array):
    distribution = keras.distribution.distribution()
    if distribution is None:
        return jax.device_put(array)
    everywhere = keras.distribution.TensorLayout([None] * array.ndim, distribution.device_mesh)
    return keras.distribution.distribute_tensor(array, everywhere)


class Loop:
    """What Keras's `fit` and `evaluate` call on JAX, for models whose steps are imperative."""

    def make_train_function(self, force: bool = False) -> None:
        """Makes the function that takes `steps_per_execution` training steps."""
        if self.train_function is None or force:
            variables = [self.trainable_variables, self.non_trainable_variables,
                         self.optimizer.variables, self.metrics_variables]  # fmt: skip
            self.train_function = Execution(self, self.whole_step, variables, self.step)

    def make_test_function(self, force: bool = False) -> None:
        """Makes the function that takes `steps_per_execution` steps of an evaluation."""
        if self.test_function is None or force:
            variables = [self.trainable_variables, self.non_trainable_variables,
                         self.metrics_variables]  # fmt: skip
            batches = self._report.batches.total
            self.test_function = Execution(self, self.test_step, variables, batches)


class Execution:
    """Takes several steps in one compiled call.

    Args:
        model: the model.
        step: its method for one batch.
        variables: lists of variables, of which the state that Keras hands over has the values.
        counter: the variable that counts the steps.
    """

    def __init__(self, model: keras.Model, step: Callable, variables: list[list], counter):
        self._model = model
        self._step = step
        self._counter = counter
        self._variables = [v for some in variables for v in some]
        self._eager = model.run_eagerly or not model.jit_compile
        self._compiled: dict[tuple, Callable] = {}

    def __call__(self, state, iterator):
        """Returns the metrics and the new state after up to `steps_per_execution` batches."""
        count = self._model.steps_per_execution
        item = next(iterator)
        feed = Feed.of(item)
        if feed:
            arrays, items = feed.arrays, feed.advance(count)
        else:
            arrays, items = {}, [item, *itertools.islice(iterator, count - 1)]
        values, structure = jax.tree.flatten(state)
        logs = None
        for group in _alike(items):
            logs, values = self._execute(feed, values, arrays, group)
        if feed:
            feed.look_ahead()
        if logs is None:  # no step was due
            logs = self._results(values)
        return logs, jax.tree.unflatten(structure, values)

    def _execute(self, feed, values, arrays, items: list):
        """Takes steps on items of equal shapes: feeds' indices, or batches."""
        recipe = feed and feed.batches.recipe
        select = functools.partial(_select, recipe)
        if self._eager:
            for item in items:
                logs, values = self._one(select, values, arrays, item)
            return logs, values
        if len(items) == 1:
            step = self._function((recipe, "one"), functools.partial(self._alone, select), values)
            return step(values, arrays, items[0])
        # The number of steps is part of the shapes: of a loop whose length is not known, an
        # accelerator would ask the host after every step.
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *items)
        steps = self._function((recipe, "all"), functools.partial(self._all, select), values)
        return steps(values, arrays, stacked)

    def _function(self, key, function: Callable, values) -> Callable:
        if key not in self._compiled:
            options = {"donate_argnums": 0}
            if keras.distribution.distribution() is not None:
                options["out_shardings"] = None, [value.sharding for value in values]
            self._compiled[key] = jax.jit(function, **options)
        return self._compiled[key]

    def _one(self, select, values, arrays, item):
        with Scope(self._variables, values) as scope:
            logs = self._step(select(arrays, item))
            return logs, [scope.get_current_value(v) for v in self._variables]

    def _alone(self, select, values, arrays, item):
        ahead, draws = self._ahead(select, values, arrays, item, steps=1)
        with ahead.giving([each[0] for each in draws]):
            return self._one(select, values, arrays, item)

    def _all(self, select, values, arrays, items):
        first = jax.tree.map(lambda leaves: leaves[0], items)
        steps = len(jax.tree.leaves(items)[0])
        ahead, draws = self._ahead(select, values, arrays, first, steps)

        def step(values, given):
            item, draws = given
            with ahead.giving(draws):
                return self._one(select, values, arrays, item)[1], None

        values, _ = jax.lax.scan(step, values, (items, draws))
        return self._results(values), values

    def _ahead(self, select, values, arrays, item, steps: int) -> tuple[philox.Ahead, list]:
        """Returns the draws of several steps, and what hands them to the steps."""
        ahead = philox.Ahead(self._counter)
        ahead.find(functools.partial(self._one, select), values, arrays, item)
        with Scope(self._variables, values):
            start = self._counter.value
        return ahead, ahead.draws(start, steps)

    def _results(self, values):
        with Scope(self._variables, values):
            return self._model.get_metrics_result()


def _alike(items: list) -> list[list]:
    """Items in groups of equal shapes: the last batch of an epoch may be smaller."""
    shapes = lambda item: [np.shape(leaf) for leaf in jax.tree.leaves(item)]  # noqa: E731
    return [list(group) for _, group in itertools.groupby(items, key=shapes)]


def _select(recipe: data.pipeline.Recipe | None, arrays, item):
    """The batch of an item: gathered and decoded rows, or the item itself."""
    if recipe is None:
        return item
    distribution = keras.distribution.distribution()
    if distribution is not None:
        item = jax.tree.map(functools.partial(_shared, distribution), item)
    indices, rows = unpacked(item)
    gathered = {name: jax.numpy.take(array, indices, axis=0) for name, array in arrays.items()}
    return recipe.batch(gathered | rows, indices)


def _shared(distribution, array):
    """An array whose first axis the devices share."""
    return keras.distribution.distribute_tensor(array, distribution.get_data_layout(array.shape))
