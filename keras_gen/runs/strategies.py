"""Where training runs: one device, several in one machine, or a TPU."""

import tensorflow as tf

from keras_gen.presets import STRATEGIES


def strategy(name: str = "auto") -> tf.distribute.Strategy:
    """Returns the `tf.distribute` strategy of a name.

    Args:
        name: "auto" (all local GPUs when there are several, else one device), "single" (one
            device), "mirrored" (all local GPUs, or else all logical CPUs) or "tpu".

    Raises:
        ValueError: for an unknown name, or "tpu" if no TPU answers.
    """
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
    if name == "tpu":
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
            tf.config.experimental_connect_to_cluster(resolver)
            tf.tpu.experimental.initialize_tpu_system(resolver)
        except (ValueError, tf.errors.OpError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"strategy 'tpu': no TPU found ({reason}); use 'auto'") from error
        return tf.distribute.TPUStrategy(resolver)
    raise ValueError(f"unknown strategy {name!r}: known are {', '.join(STRATEGIES)}")
