"""PyTorch: eager steps, gradients by autograd."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import torch
from keras import ops

from keras_gen.engine.backends.feed import Feed, unpacked


class Forward(NamedTuple):
    """A value with the graph of how it was computed."""

    value: Any


def forward(function: Callable[[], Any], variables: list) -> Forward:
    """Computes a value once, for several players to use."""
    return Forward(function())


def gradients(
    losses: Callable[..., tuple[list, Any]],
    variables: Sequence[list],
    through: Forward | None = None,
) -> tuple[list[list], Any]:
    """Returns the gradient of each loss with respect to its own list of variables.

    Args:
        losses: returns the scalar losses, one for each list of variables, and anything else. With
            `through` it takes that value.
        variables: lists of variables.
        through: a value that depends on the variables as well; gradients flow back through it.

    Returns:
        The gradients, None where a loss does not depend on a variable; and what else `losses`
        returned.
    """
    scalars, rest = losses(*([through.value] if through else []))
    found = []
    for i, (scalar, own) in enumerate(zip(scalars, variables, strict=True)):
        found.append(
            torch.autograd.grad(
                scalar,
                [v.value for v in own],
                retain_graph=i + 1 < len(scalars),
                allow_unused=True,
            )
        )
    return found, keras.tree.map_structure(detached, rest)


def detached(value):
    """Returns a tensor without its graph, and anything else as it is."""
    return value.detach() if torch.is_tensor(value) else value


def added(a, b):
    """Returns the sum of two gradients, either of which may be None."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


def once_computed(value, gradients: list[list]):
    """Returns the value: what came before is computed."""
    return value


def gradient(function: Callable[..., tuple[Any, Any]], inputs: Sequence) -> tuple[list, Any]:
    """Returns the gradient of a scalar with respect to inputs; it can be differentiated again.

    Args:
        function: of the inputs, returns the scalar and anything else.
        inputs: tensors.

    Returns:
        The gradients, zeros where the scalar does not depend on an input; and the rest.
    """
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        inputs = [x if x.requires_grad else x.detach().requires_grad_() for x in inputs]
        scalar, rest = function(*inputs)
        slopes = torch.autograd.grad(scalar, inputs, create_graph=again, materialize_grads=True)
    return list(slopes), rest


def update(optimizer: keras.optimizers.Optimizer, gradients, variables, compile: bool) -> None:
    """Takes an optimizer's step."""
    with torch.no_grad():
        optimizer.apply(list(gradients), variables)


def after(tensors: Sequence, function: Callable[[], Any]) -> Any:
    """Calls a function: there is always a batch."""
    return function()


def asserted(x, condition, message: str):
    """Returns `x`: labels are checked before they get here."""
    return x


def scan(function: Callable, elements, initializer) -> list:
    """Returns what `function(carried, element)` returns for each element in turn, stacked."""
    carried, found = initializer, []
    for element in elements:
        carried = function(carried, element)
        found.append(carried)
    return [torch.stack(each) for each in zip(*found, strict=True)]


def while_loop(condition: Callable, body: Callable, variables: Sequence) -> tuple:
    """Returns the variables once `body` has been applied until `condition` fails."""
    while condition(*variables):
        variables = body(*variables)
    return tuple(variables)


# ---- replicas ------------------------------------------------------------------------------------


def part(x) -> None:
    """Returns None: there is one replica."""


def share_of_mean(values):
    """Returns the mean of values per example, `(batch,)`."""
    return ops.mean(values)


def device() -> str:
    """Returns the name of the device that computes: a GPU's, or "CPU"."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


def replicas(model: keras.Model) -> int:
    """Returns the number of devices that share a batch."""
    return 1


def check_replicas(model: keras.Model, name: str, batch_size: int, last: int) -> None:
    """Accepts batches of all sizes."""


# ---- compilation ---------------------------------------------------------------------------------


def refuse(steps_per_execution: int | str, jit_compile: bool | str, model: keras.Model) -> None:
    """Accepts all settings."""


def steps_per_execution(model: keras.Model, run_eagerly: bool, given: int | str) -> int:
    """Returns 1, whatever was given: several steps in one call would be a loop in Python."""
    return 1


def jit_compile(model: keras.Model) -> bool:
    """Returns the default of `jit_compile`."""
    return False


def compiles_update(model: keras.Model) -> bool:
    """Returns whether the optimizer's step is compiled apart from the rest."""
    return False


class Compiled:
    """A function of a model, called without gradients.

    Args:
        function: of arrays.
        signature: descriptions of the inputs, or None.
        model: whose weights it reads.
    """

    def __init__(self, function: Callable, signature, model: keras.Model):
        self.input_signature = signature
        self._function = function

    def __call__(self, *arrays):
        arrays = (a if isinstance(a, int) else ops.convert_to_tensor(a) for a in arrays)
        with torch.no_grad():
            return self._function(*arrays)


compiled = Compiled


def repeated(step: Callable, variables: Sequence) -> Callable:
    """Returns a function of `count` and arrays that calls `step(i, *arrays)` for each i below
    count."""

    def program(count, *arrays):
        for i in range(count):
            step(i, *arrays)

    return program


def padded_rows(rows: int) -> int:
    """Returns how many rows to compute for some: no more."""
    return rows


# ---- Keras's loops -------------------------------------------------------------------------------


def loop_input(batches, model) -> Feed:
    """Returns what Keras iterates over for `keras_gen.data.Batches`."""
    if "feed" not in vars(batches):
        batches.feed = Feed(batches, ops.convert_to_tensor)
    return batches.feed


class Loop:
    """What Keras's `fit` and `evaluate` call on PyTorch."""

    def make_train_function(self, force: bool = False) -> None:
        """Makes the function that takes training steps."""
        if self.train_function is None or force:
            self.train_function = lambda items: self._steps(items, self.whole_step)

    def make_test_function(self, force: bool = False) -> None:
        """Makes the function that takes steps of an evaluation."""

        def function(items):
            with torch.no_grad():
                return self._steps(items, self.test_step)

        if self.test_function is None or force:
            self.test_function = function

    def _steps(self, items: list, step: Callable) -> dict[str, Any]:
        logs = None
        for batch in itertools.chain.from_iterable(map(_batches, items)):
            logs = step(batch)
        return self.get_metrics_result() if logs is None else logs


def _batches(item) -> list:
    """The batch of an item that Keras hands over; none if the feed has none due."""
    feed = Feed.of(item)
    if feed is None:
        return [item]
    found = []
    for given in feed.advance(1):
        indices, rows = unpacked(keras.tree.map_structure(ops.convert_to_tensor, given))
        gathered = {name: array[indices] for name, array in feed.arrays.items()}
        found.append(feed.batches.recipe.batch(gathered | rows, indices))
    return found
