"""TensorFlow: gradients by tapes, graphs by `tf.function`, replicas by `tf.distribute`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from keras_gen.engine.backends.tensorflow_loop import Loop, Shared, several_workers
from keras_gen.noise import Part

__all__ = ["Loop"]

scan = tf.scan
while_loop = tf.while_loop


class Forward(NamedTuple):
    """A value and the record of how it was computed, from which gradients flow back."""

    value: Any
    tape: tf.GradientTape


def forward(function: Callable[[], Any], variables: list) -> Forward:
    """Computes a value once, for several players to use."""
    with tf.GradientTape() as tape:
        value = function()
    return Forward(value, tape)


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
    with tf.GradientTape(persistent=len(variables) > 1) as tape:
        if through is None:
            scalars, rest = losses()
        else:
            tape.watch(through.value)
            scalars, rest = losses(through.value)
    if through is None:
        pairs = zip(scalars, variables, strict=True)
        return [tape.gradient(loss, own) for loss, own in pairs], rest
    ((loss,), (own,)) = scalars, variables
    slope, *direct = tape.gradient(loss, [through.value, *own])
    chained = through.tape.gradient(through.value, own, output_gradients=slope)
    return [[added(a, b) for a, b in zip(direct, chained, strict=True)]], rest


def added(a, b):
    """Returns the sum of two gradients, either of which may be None."""
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, tf.IndexedSlices):  # of an embedding: rows and where they belong
        parts = zip((a.values, a.indices), (b.values, b.indices), strict=True)
        return tf.IndexedSlices(*(tf.concat(each, axis=0) for each in parts), a.dense_shape)
    return a + b


def once_computed(value, gradients: list[list]):
    """Returns a value that is not there before gradients are."""
    with tf.control_dependencies([g for g in tf.nest.flatten(gradients) if g is not None]):
        return tf.identity(value)


def gradient(function: Callable[..., tuple[Any, Any]], inputs: Sequence) -> tuple[list, Any]:
    """Returns the gradient of a scalar with respect to inputs; it can be differentiated again.

    Args:
        function: of the inputs, returns the scalar and anything else.
        inputs: tensors.

    Returns:
        The gradients, zeros where the scalar does not depend on an input; and the rest.
    """
    inputs = list(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        total, rest = function(*inputs)
    return tape.gradient(total, inputs, unconnected_gradients="zero"), rest


def update(
    optimizer: keras.optimizers.Optimizer, gradients: list, variables: list, compile: bool
) -> None:
    """Takes an optimizer's step, with XLA if `compile`."""

    def apply(gradients):
        optimizer.apply(gradients, variables)

    if compile:
        apply = tf.function(apply, jit_compile=True, autograph=False)
    after([g for g in gradients if g is not None], lambda: apply(gradients))


def after(tensors: Sequence, function: Callable[[], Any]) -> Any:
    """Calls a function that must run once the tensors are known.

    Keras asks for batches until the data ends. The call that finds none must change nothing, but
    TensorFlow may run what changes a variable before it knows whether there is a batch.
    """
    with tf.control_dependencies(tensors):
        return tf.nest.map_structure(lambda x: tf.identity(x) if tf.is_tensor(x) else x, function())


def asserted(x, condition, message: str):
    """Returns `x`, in a graph only if all of `condition` holds.

    Raises:
        tf.errors.InvalidArgumentError: when it runs, if the condition does not hold.
    """
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(condition), [message, x])]):
        return tf.identity(x)


def strings(indices, vocabulary: Sequence[str]):
    """Returns the strings, `(batch,)`, that indices `(batch, length)` of symbols spell."""
    symbols = tf.gather(tf.constant(vocabulary), tf.cast(indices, "int32"))
    return tf.strings.reduce_join(symbols, axis=1)


# ---- replicas ------------------------------------------------------------------------------------


def part(x) -> Part | None:
    """The part of the global batch that this replica has in `x`, `(batch, ...)`; None if alone."""
    context = tf.distribute.get_replica_context()
    replicas = 1 if context is None else context.num_replicas_in_sync
    if replicas == 1:
        return None
    replica, size = context.replica_id_in_sync_group, x.shape[0]
    if size is not None and not tf.executing_eagerly():  # then every replica has as many
        return Part(replica * size, replicas * size, size)
    # The last batch need not be a multiple of the replicas; some may even get none of it.
    size = tf.shape(x)[0]
    sizes = context.all_reduce("sum", tf.one_hot(replica, replicas) * tf.cast(size, tf.float32))
    sizes = tf.cast(sizes, tf.int32)
    return Part(tf.reduce_sum(sizes[:replica]), tf.reduce_sum(sizes), tf.maximum(size, 1))


def share_of_mean(values):
    """This replica's share of the mean of values per example, `(batch,)`, over all replicas."""
    mine = part(values)
    if mine is None:
        return ops.mean(values)
    return ops.sum(values) / ops.cast(mine.total, values.dtype)


def device() -> str:
    """Returns the name of the device that computes: a GPU's, or "CPU"."""
    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else "CPU"


def replicas(model: keras.Model) -> int:
    """Returns the number of devices that share a batch."""
    return model.distribute_strategy.num_replicas_in_sync


def check_replicas(model: keras.Model, name: str, batch_size: int, last: int) -> str | None:
    """Returns what is wrong with batches of a size, the last of another, for the replicas."""
    if last < replicas(model):
        count = replicas(model)
        return f"the last batch of {name} has {last} example(s), but there are {count} replicas"
    return None


def is_distributed(model: keras.Model) -> bool:
    """Whether a model trains under `tf.distribute`."""
    return tf.distribute.has_strategy() or replicas(model) > 1


# ---- compilation ---------------------------------------------------------------------------------


def refuse(steps_per_execution: int | str, jit_compile: bool | str, model: keras.Model) -> None:
    """Raises ValueError for what TensorFlow cannot do where replicas share a CPU."""
    if replicas(model) == 1 or (jit_compile is not True and steps_per_execution in ("auto", 1)):
        return
    if all("CPU" in device for device in model.distribute_strategy.extended.worker_devices):
        raise ValueError(
            "Replicas on a CPU can have neither jit_compile=True nor steps_per_execution > 1: "
            "leave both out."
        )


def steps_per_execution(model: keras.Model, run_eagerly: bool, given: int | str) -> int:
    """Returns the number of training steps in one call of the compiled function."""
    if given != "auto":
        return given
    on_tpu = isinstance(model.distribute_strategy, tf.distribute.TPUStrategy)
    return 1 if run_eagerly or (is_distributed(model) and not on_tpu) else 32


def jit_compile(model: keras.Model) -> bool | str:
    """Returns the default of `jit_compile`: XLA where it pays."""
    if is_distributed(model):
        return False
    if has_gpu():
        return "auto"
    slower = model.faster_without_xla
    return not any(isinstance(layer, slower) for layer in model._flatten_layers())


def compiles_update(model: keras.Model) -> bool:
    """Returns whether XLA compiles the optimizer's step where it does not compile the whole step.

    The many small operations of an optimizer, which read and write each weight and slot, gain by
    being one pass over memory.
    """
    whole = model.jit_compile or model.run_eagerly or is_distributed(model)
    return not whole and not has_gpu()


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def compiled(function: Callable, signature: Sequence | None, model: keras.Model) -> Callable:
    """Returns a function of a model as a graph.

    Args:
        function: of arrays; without a signature, Python integers among them are constants.
        signature: descriptions of the inputs, or None.
        model: whose weights it reads.
    """
    return tf.function(function, input_signature=signature and specs(signature))


def specs(signature: Sequence) -> list[tf.TensorSpec]:
    """Returns TensorFlow's descriptions of inputs."""
    return [tf.TensorSpec(each.shape, each.dtype, name=each.name) for each in signature]


def repeated(step: Callable, variables: Sequence) -> Callable:
    """Returns a compiled function of `count` and arrays that calls `step(i, *arrays)` for each i
    below count; the step may assign the variables."""

    # On a CPU, XLA is 4 times faster for recurrent networks of 3 units and 1.6 times for 32.
    @functools.partial(tf.function, jit_compile=True, autograph=False)
    def program(count, *arrays):
        def body(i):
            step(i, *arrays)
            return i + 1

        tf.while_loop(lambda i: i < count, body, [0])

    return program


def padded_rows(rows: int) -> int:
    """Returns how many rows to compute for some: a graph is for any number."""
    return rows


# ---- Keras's loops -------------------------------------------------------------------------------


def loop_input(batches, model: keras.Model) -> tf.data.Dataset | Shared:
    """Returns what Keras iterates over for `keras_gen.data.Batches`."""
    if not several_workers(model.distribute_strategy):
        return batches.dataset
    if "shared" not in vars(batches):
        batches.shared = Shared(batches, model.distribute_strategy)
    return batches.shared
