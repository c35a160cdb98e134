"""Where training runs: one device, several in one machine or in several, or a TPU."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from typing import Any, NamedTuple

import keras

from keras_gen.presets import STRATEGIES
from keras_gen.quiet import LazyTensorFlow

tf = LazyTensorFlow("tf.distribute")


class Devices(NamedTuple):
    """Devices that share each batch, with what callers need of a `tf.distribute.Strategy`."""

    num_replicas_in_sync: int
    scope: Any


def strategy(name: str = "auto") -> tf.distribute.Strategy | Devices:
    """Returns where to train, by name: with TensorFlow, a `tf.distribute` strategy.

    Args:
        name: "auto" (all local GPUs when there are several, else one device), "single" (one
            device), "mirrored" (all local GPUs, or else all logical CPUs), "multiworker" (those of
            several processes, which `TF_CONFIG` names) or "tpu". JAX takes whatever devices it has
            for "mirrored" and "tpu", by `keras.distribution.DataParallel`; PyTorch has one device.
            Workers must meet before TensorFlow computes anything: ask for "multiworker" first.

    Raises:
        ValueError: for an unknown name, or if there are no such devices.
    """
    if name not in STRATEGIES:
        raise ValueError(f"unknown strategy {name!r}: known are {', '.join(STRATEGIES)}")
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _workers() if name == "multiworker" else _tensorflow(name)
    if name == "multiworker":
        raise ValueError("strategy 'multiworker' is TensorFlow's: use --backend tensorflow")
    if backend == "torch" and name in ("mirrored", "tpu"):
        raise ValueError(f"strategy {name!r} is not for PyTorch, which trains on one device")
    count = 1 if backend == "torch" else len(keras.distribution.list_devices())
    accelerated = backend == "jax" and "cpu" not in keras.distribution.list_devices()[0]
    if name == "single" or count == 1 or (name == "auto" and not accelerated):
        return Devices(1, contextlib.nullcontext)
    return Devices(count, keras.distribution.DataParallel().scope)


def _tensorflow(name: str) -> tf.distribute.Strategy:
    devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    if name == "auto":
        name = "mirrored" if len(devices) > 1 else "single"
    if name == "single":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        if devices:
            return tf.distribute.MirroredStrategy(devices)
        devices = [device.name for device in tf.config.list_logical_devices("CPU")]
        # On CPUs the collectives of one strategy disturb those of the next in the same process.
        reduction = tf.distribute.ReductionToOneDevice()
        return tf.distribute.MirroredStrategy(devices, cross_device_ops=reduction)
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"strategy 'tpu': no TPU found ({reason}); use 'auto'") from error
    return tf.distribute.TPUStrategy(resolver)


def cluster() -> tuple[list[str], int]:
    """Returns the addresses of the workers that `TF_CONFIG` names, and the number of this one.

    Raises:
        ValueError: if there is no `TF_CONFIG`, or it does not name workers and this one's place.
    """
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        (kind,) = config["cluster"]
        addresses = list(config["cluster"][kind])
        if kind != "worker" or config["task"]["type"] != kind:
            raise ValueError("its cluster must have the one job 'worker'")
        index = int(config["task"]["index"])
        addresses[index]
    except KeyError as error:
        if "TF_CONFIG" not in os.environ:
            raise ValueError(
                "strategy 'multiworker' needs several processes: start them with keras-gen launch, "
                "or set TF_CONFIG for each (docs/scaling.md)"
            ) from error
        raise ValueError(f"TF_CONFIG has no entry {error}") from error
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(
            'TF_CONFIG must be JSON as {"cluster": {"worker": [ADDRESS, ...]}, "task": '
            f'{{"type": "worker", "index": I}}}}: {error}'
        ) from error
    return addresses, index


def is_chief(name: str) -> bool:
    """Returns whether this process writes what training leaves: of several workers, the first."""
    return name != "multiworker" or cluster()[1] == 0


@functools.cache
def _workers() -> tf.distribute.Strategy:
    """The strategy of all workers; a process is a worker of one cluster."""
    cluster()
    return tf.distribute.MultiWorkerMirroredStrategy()
