"""Networks that keep little for the gradient, and compute the rest a second time.

Training keeps what each layer computes until the gradient has passed it. Here blocks of layers keep
only what they are given (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost").
Keras's `RematScope` wraps single layers: a convolution, its normalization and its activation then
still keep one array each. It also fails where a model is called with `training=`, in a graph of
TensorFlow and under JAX.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from contextvars import ContextVar

import keras
from keras import layers, ops

_rematerialize: ContextVar[bool] = ContextVar("rematerialize", default=False)


@contextlib.contextmanager
def rematerialized(wanted: bool = True) -> Iterator[None]:
    """Makes networks of this package that are built meanwhile `Rematerialized`."""
    token = _rematerialize.set(wanted)
    try:
        yield
    finally:
        _rematerialize.reset(token)


def functional(inputs, outputs, name: str) -> keras.Model:
    """Returns a functional model, `Rematerialized` if that was asked for."""
    cls = Rematerialized if _rematerialize.get() else keras.Model
    return cls(inputs, outputs, name=name)


@keras.saving.register_keras_serializable("keras_gen")
class Rematerialized(keras.Model):
    """A functional model that in training computes blocks of layers again for their gradient.

    A block is a layer with a kernel and those after it, up to the next such, where each reads what
    the one before it returned. On TensorFlow it has no second derivative.
    """

    def call(self, inputs, training=None, mask=None):
        if not training or any(map(keras.backend.is_keras_tensor, keras.tree.flatten(inputs))):
            return super().call(inputs, training=training, mask=mask)
        blocks = {id(block[0]): block for block in self._blocks}
        inner = {id(layer) for block in blocks.values() for layer in block[1:]}

        def function(operation):
            if id(operation) in inner:
                return lambda x, **_: x  # its block has been computed at its first layer
            if id(operation) in blocks:
                return lambda x, **_: computed_twice(blocks[id(operation)], x)
            return with_training(operation)

        return self._run_through_graph(inputs, operation_fn=function)

    @functools.cached_property
    def _blocks(self) -> list[list[keras.Layer]]:
        """The blocks of more than one layer, in the order of the model's layers."""
        outer = {id(x) for x in keras.tree.flatten(self.outputs)}
        readers: dict[int, int] = {}
        for layer in self.layers:
            for x in keras.tree.flatten(layer.input):
                readers[id(x)] = readers.get(id(x), 0) + 1
        found: list[list[keras.Layer]] = []
        for layer in self.layers:
            last = found[-1][-1] if found else None
            follows = last is not None and layer.input is last.output
            if has_kernel(layer):
                found.append([layer])
            elif follows and id(last.output) not in outer and readers[id(last.output)] == 1:
                found[-1].append(layer)
        return [block for block in found if len(block) > 1]


def has_kernel(layer: keras.Layer) -> bool:
    """Returns whether a block starts with a layer."""
    return hasattr(layer, "kernel") or isinstance(layer, layers.Wrapper)


def with_training(layer):
    """Returns a layer as a function that trains it."""
    if getattr(layer, "_call_has_training_arg", False):
        return lambda *args, **kwargs: layer(*args, **kwargs | {"training": True})
    return layer


def computed_twice(block: list[keras.Layer], x):
    """Returns what layers make of `x` in training; only `x` is kept for the gradient.

    It is a function of the weights' values, so that computing it again changes nothing.
    """
    weights = [v for layer in block for v in layer.trainable_variables]
    moving = [v for layer in block for v in layer.non_trainable_variables]
    variables = weights + moving
    # What moves is copied: PyTorch refuses to compute again with what has changed in place.
    given = [ops.convert_to_tensor(v) for v in weights] + [ops.copy(v) for v in moving]

    def function(x, *values):
        scope = keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True)))
        with scope:
            for layer in block:
                x = with_training(layer)(x)
        return x, [scope.get_current_value(v) for v in moving]

    y, changed = keras.remat(function)(x, *given)
    for variable, value in zip(moving, changed, strict=True):
        variable.assign(value)
    return y
