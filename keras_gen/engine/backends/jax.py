"""JAX: functions of the variables' values, several steps in one compiled loop.

Models are written as if variables changed in place. Inside a `keras.StatelessScope` they do, as far
as the code can see: the scope holds the values. Each function here that JAX transforms enters such
a scope with the values it is given, and returns the new ones.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import keras

from keras_gen.engine.backends.jax_loop import Loop, Scope, loop_input

__all__ = ["Loop", "loop_input"]


class Forward(NamedTuple):
    """A value and the function that takes its gradient back to the variables."""

    value: Any
    pullback: Callable


def pure(function: Callable, variables: Sequence) -> tuple[Callable, Callable]:
    """Returns a function as one of the values of variables, and what puts its changes into effect.

    The first takes a list of values and the function's own arguments. It returns the function's
    result, and the values that the function assigned, which the second takes.
    """
    assigned: dict[int, Any] = {}

    def computed(values, *arguments):
        with Scope(variables, values, differentiated=True) as scope:
            result = function(*arguments)
        assigned.update(scope.changed)
        return result, {key: scope.state_mapping[key] for key in scope.changed}

    def assign(changes: dict[int, Any]) -> None:
        for key, value in changes.items():
            assigned[key].assign(value)

    return computed, assign


def forward(function: Callable[[], Any], variables: list) -> Forward:
    """Computes a value once, for several players to use."""
    computed, assign = pure(function, variables)
    value, pullback, changes = jax.vjp(computed, [v.value for v in variables], has_aux=True)
    assign(changes)
    return Forward(value, lambda slope: pullback(slope)[0])


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
        The gradients, and what else `losses` returned.
    """
    flat = list(itertools.chain(*variables))
    computed, assign = pure(losses, flat)

    def scalars_first(*arguments):
        (scalars, rest), changes = computed(*arguments)
        return scalars, (rest, changes)

    arguments = [[v.value for v in flat]] + ([through.value] if through else [])
    scalars, pullback, (rest, changes) = jax.vjp(scalars_first, *arguments, has_aux=True)
    assign(changes)
    found = []
    for i, own in enumerate(variables):
        chosen = [jax.numpy.full_like(each, i == j) for j, each in enumerate(scalars)]
        slopes, *through_slope = pullback(chosen)
        start = sum(map(len, variables[:i]))
        found.append(slopes[start : start + len(own)])
    if through:
        found = [list(map(jax.numpy.add, found[0], through.pullback(*through_slope)))]
    return found, rest


def added(a, b):
    """Returns the sum of two gradients."""
    return a + b


def once_computed(value, gradients: list[list]):
    """Returns a value that is not there before gradients are."""
    return jax.lax.optimization_barrier((value, gradients))[0]


def gradient(function: Callable[..., tuple[Any, Any]], inputs: Sequence) -> tuple[list, Any]:
    """Returns the gradient of a scalar with respect to inputs; it can be differentiated again.

    Args:
        function: of the inputs, returns the scalar and anything else.
        inputs: tensors.

    Returns:
        The gradients, and the rest.
    """
    computed, assign = pure(function, ())

    def scalar_first(*inputs):
        (scalar, rest), changes = computed((), *inputs)
        return scalar, (rest, changes)

    places = tuple(range(len(inputs)))
    slopes, (rest, changes) = jax.grad(scalar_first, places, has_aux=True)(*inputs)
    assign(changes)
    return list(slopes), rest


def update(optimizer: keras.optimizers.Optimizer, gradients, variables, compile: bool) -> None:
    """Takes an optimizer's step."""
    optimizer.apply(gradients, variables)


def after(tensors: Sequence, function: Callable[[], Any]) -> Any:
    """Calls a function: there is always a batch."""
    return function()


def asserted(x, condition, message: str):
    """Returns `x`: labels are checked before they get here."""
    return x


def scan(function: Callable, elements, initializer):
    """Returns what `function(carried, element)` returns for each element in turn, stacked."""

    def step(carried, element):
        carried = function(carried, element)
        return carried, carried

    return jax.lax.scan(step, initializer, elements)[1]


while_loop = keras.ops.while_loop


# ---- replicas ------------------------------------------------------------------------------------


def part(x) -> None:
    """Returns None: a program is written for the global batch, however many devices share it."""


def share_of_mean(values):
    """Returns the mean of values per example, `(batch,)`."""
    return keras.ops.mean(values)


def device() -> str:
    """Returns the name of the device that computes: an accelerator's, or "CPU"."""
    kind = jax.devices()[0].device_kind
    return "CPU" if kind == "cpu" else kind


def replicas(model: keras.Model) -> int:
    """Returns the number of devices that share a batch."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.device_mesh.devices.size


def check_replicas(model: keras.Model, name: str, batch_size: int, last: int) -> str | None:
    """Returns what is wrong with batches of a size, the last of another, for the devices."""
    count = replicas(model)
    if batch_size % count or last % count:
        sizes = f"{batch_size} and {last} examples"
        return f"batches of {name} with {sizes} cannot be shared by {count} devices"
    return None


# ---- compilation ---------------------------------------------------------------------------------


def refuse(steps_per_execution: int | str, jit_compile: bool | str, model: keras.Model) -> None:
    """Accepts all settings."""


def steps_per_execution(model: keras.Model, run_eagerly: bool, given: int | str) -> int:
    """Returns the number of training steps in one call of the compiled function.

    On a CPU, XLA's convolutions and recurrent layers are slow inside a loop. On an accelerator a
    step of small networks is over in less time than a call takes; for large examples the draws of
    many steps, which are made before the loop, would take much memory.
    """
    if given != "auto" or run_eagerly:
        return 1 if given == "auto" else given
    if jax.default_backend() != "cpu":
        return 128 if model.event_size <= 1024 else 32
    slow = any(isinstance(layer, model.faster_without_xla) for layer in model._flatten_layers())
    return 1 if slow else 8


def jit_compile(model: keras.Model) -> bool:
    """Returns the default of `jit_compile`."""
    return True


def compiles_update(model: keras.Model) -> bool:
    """Returns whether the optimizer's step is compiled apart from the rest."""
    return False


class Compiled:
    """A function of a model, compiled; it reads the model's weights of the moment.

    Args:
        function: of arrays; Python integers among them are constants of the compiled function.
        signature: descriptions of the inputs, or None.
        model: whose variables it reads.
    """

    def __init__(self, function: Callable, signature, model: keras.Model):
        self.input_signature = signature
        self._variables = model.variables
        computed, _ = pure(function, self._variables)
        self._jitted = functools.cache(lambda static: jax.jit(computed, static_argnums=static))

    def __call__(self, *arrays):
        static = tuple(i for i, each in enumerate(arrays, start=1) if isinstance(each, int))
        result, _ = self._jitted(static)([v.value for v in self._variables], *arrays)
        return result


compiled = Compiled


def repeated(step: Callable, variables: Sequence) -> Callable:
    """Returns a compiled function of `count` and arrays that calls `step(i, *arrays)` for each i
    below count; the step may assign the variables."""

    @jax.jit
    def program(values, count, *arrays):
        def body(i, values):
            with Scope(variables, values) as scope:
                step(i, *arrays)
                return [scope.get_current_value(v) for v in variables]

        return jax.lax.fori_loop(0, count, body, values)

    def run(count, *arrays):
        values = program([v.value for v in variables], count, *arrays)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    return run


def padded_rows(rows: int) -> int:
    """Returns how many rows to compute for some: the next power of two, so that there are few
    sizes to compile for."""
    return 1 << (rows - 1).bit_length() if rows else 0
