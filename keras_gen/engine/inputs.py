"""What `fit`, `evaluate` and `predict` accept as data, and the errors for what they do not."""

from __future__ import annotations

import itertools
import math
import sys
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_gen import checks, data
from keras_gen.engine import accumulation
from keras_gen.engine.backends import backend
from keras_gen.likelihoods import check_range

BATCH_SIZE = 32  # Keras's default


class Examples(NamedTuple):
    """A batch as models read it.

    Attributes:
        x: the data, `(batch, *data_shape)`, float32.
        label: class indices, `(batch,)`, or None.
        index: the place of each example in the training set, `(batch,)`, or None.
    """

    x: Any
    label: Any = None
    index: Any = None


def examples(batch, who: str) -> Examples:
    """Returns the examples of a batch in any form that Keras hands over.

    Args:
        batch: `x`, `(x,)`, `(x, labels)` or `{"x": x, "label": labels}`.
        who: the model, for errors.

    Raises:
        ValueError: if examples are weighted, or a dictionary has no entry "x".
    """
    x, label, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    refuse_weights(who, sample_weight)
    index = x.get("index") if isinstance(x, dict) else None
    x, label = entries(x, label)
    return Examples(ops.cast(x, "float32"), label, index)


def entries(x, label=None) -> tuple[Any, Any]:
    """Returns data and labels, both of which a dictionary holds.

    Raises:
        ValueError: if a dictionary has no entry "x".
    """
    if not isinstance(x, dict):
        return x, label
    if "x" not in x:
        raise ValueError(
            'a dictionary of data needs the entry "x", and may have "label"; this one has '
            f"{', '.join(map(repr, x))}."
        )
    return x["x"], x.get("label", label)


def refuse_weights(who: str, *weights) -> None:
    """Raises ValueError if there are weights of examples or classes."""
    if any(weight is not None for weight in weights):
        raise ValueError(
            f"{who} does not weight examples: leave out sample_weight and class_weight."
        )


def checked(
    model,
    x,
    y=None,
    batch_size: int | None = None,
    shuffle: bool = False,
    name: str = "x",
    training: bool = False,
):
    """Returns data that a model can read: arrays as batches, other forms as they are.

    Args:
        model: a `GenerativeModel`.
        x: arrays, a `keras_gen.data.Dataset` (its training split, or its test split if not
            `training`), `keras_gen.data.Batches`, a `tf.data.Dataset` or a `PyDataset`.
        y: labels of arrays.
        batch_size: of arrays and a `keras_gen.data.Dataset`.
        shuffle: whether their order is drawn anew every epoch.
        name: how errors name the data.
        training: whether the model trains on it.

    Raises:
        ValueError: if the model cannot read it. Of data that is not in memory, only the first
            batch is checked.
    """
    batch_size = BATCH_SIZE if batch_size is None else checks.integer("batch_size", batch_size)
    if x is None:
        raise ValueError(
            f"{name} must be arrays, a keras_gen.data.Dataset or batches; got NoneType."
        )
    index = training and model.uses_index
    size = batch_size * (model.accumulate if training else 1)
    if isinstance(x, data.Dataset):
        split = "train" if training else "test"
        x = x.batches(split, size, shuffle, seed=model.seed, index=index)
    elif training:
        x = accumulation.grouped(x, model.accumulate)
    found = arrays(model, x, y)
    if found is not None:
        model.check_examples(found["x"], found.get("label"), name)
        x = data.Batches(found, size, shuffle, seed=model.seed, index=index)
    else:
        for batch in first_batch(model, x):
            first = examples(batch, type(model).__name__)
            label = None if first.label is None else np.asarray(first.label)
            model.check_examples(np.asarray(first.x), label, name)
    if isinstance(x, data.Batches):
        check_replicas(model, x, name)
        if training:
            model.check_size(x.examples)
            accumulation.check(model, x, name)
    return x


def check_replicas(model, batches: data.Batches, name: str) -> None:
    """Raises ValueError if the replicas cannot share the batches."""
    last = batches.last_size
    problem = backend.check_replicas(model, name, batches.batch_size, last)
    if problem:
        raise ValueError(
            f"{problem}: choose another batch_size, or batches with drop_remainder=True."
        )


def held_out(model, validation_data, batch_size: int | None):
    """Returns what Keras evaluates on, from the `validation_data` of `fit`.

    Raises:
        ValueError: if the model cannot read it.
    """
    x, label, weight = keras.utils.unpack_x_y_sample_weight(validation_data)
    refuse_weights(type(model).__name__, weight)
    return dataset(model, checked(model, x, label, batch_size, name="validation_data"))


def first_batch(model, x) -> list:
    """Returns the first batch of data that is not arrays, where looking at it changes nothing."""
    if isinstance(x, keras.utils.PyDataset):
        return [x[0]]
    if isinstance(x, data.Batches) or is_tf_data(x):
        return list(itertools.islice(dataset(model, x) if is_tf_data(x) else x, 1))
    return []


def arrays(model, x, y=None) -> dict[str, np.ndarray] | None:
    """Returns arrays as a dictionary of what the model reads; None if `x` is not an array.

    Raises:
        ValueError: if arrays do not hold real numbers, or differ in length.
    """
    x, y = entries(x, y)
    if not (isinstance(x, (np.ndarray, list)) or ops.is_tensor(x)):
        return None
    found = {"x": checks.real_array("x", x)}
    if y is not None and len(y) != len(found["x"]):
        raise ValueError(f"y must be as long as x, which has {len(found['x'])}; got {len(y)}.")
    if model.conditional and y is not None:
        found["label"] = np.asarray(y)
    if found["x"].dtype == np.float64:
        found["x"] = found["x"].astype("float32")
    return found


def split(model, x, y, fraction: float) -> tuple[dict, dict]:
    """Returns arrays without their last part, and that part.

    Raises:
        ValueError: if `x` is not an array, or the fraction is not between 0 and 1.
    """
    found = arrays(model, x, y)
    if found is None or not 0.0 < fraction < 1.0:
        raise ValueError(
            f"validation_split must be between 0 and 1, and x arrays; got {fraction} and "
            f"{type(x).__name__}."
        )
    kept = len(found["x"]) - int(len(found["x"]) * fraction)
    return {k: v[:kept] for k, v in found.items()}, {k: v[kept:] for k, v in found.items()}


def check_examples(model, x: np.ndarray, name: str = "x") -> None:
    """Checks the shape and the range of examples.

    Raises:
        ValueError: if the model cannot learn from them.
    """
    check_shape(model, x, name)
    check_range(
        x,
        model.value_range,
        name,
        but=f"{type(model).__name__} generates values in",
        remedy="or make the model for data of that range",
    )


def check_shape(model, x: np.ndarray, name: str = "x") -> None:
    """Raises ValueError if examples do not have the shape that the model is for."""
    if x.shape[1:] != model.data_shape:
        raise ValueError(
            f"{name} has shape {x.shape}, but {type(model).__name__} is for (examples, "
            f"{', '.join(map(str, model.data_shape))})."
        )


def check_built(**networks: keras.Model) -> None:
    """Checks that networks are Keras models whose shapes are known.

    Raises:
        ValueError: if one is not.
    """
    for name, network in networks.items():
        if not isinstance(network, keras.Model):
            raise ValueError(f"{name} must be a keras.Model, got {type(network).__name__}.")
        if not network.built:
            raise ValueError(
                f"{name} is not built: give its first layer a shape with keras.Input(...)."
            )
        if not hasattr(network, "output_shape"):
            raise ValueError(
                f"{name} must be a functional or sequential keras.Model, whose shapes are known. "
                f"Wrap what {type(network).__name__} computes in keras.Model(inputs, outputs)."
            )


def unbounded(value_range: tuple[float, float] | None) -> tuple[float, float]:
    """Returns a value range as a tuple; None means all numbers."""
    return (-math.inf, math.inf) if value_range is None else tuple(value_range)


def dataset(model, x, on_host: bool = False):
    """Returns what Keras iterates over: a dataset of batches, or data of another form as it is.

    `on_host` is for loops that are Keras's own: batches must arrive as they are.

    A `tf.data.Dataset` is read without tf.data's autotuner, unless its options ask for it: the end
    of an epoch would wait for it, at times as long as the epoch took.
    """
    if isinstance(x, data.Batches):
        own = on_host and keras.backend.backend() != "tensorflow"
        return data.pipeline.HostBatches(x) if own else backend.loop_input(x, model)
    if is_tf_data(x) and x.options().autotune.enabled is None:
        from keras_gen.data import tf_data

        return tf_data.untuned(x)
    return x


def is_tf_data(x) -> bool:
    """Returns whether data is a `tf.data.Dataset`."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)
