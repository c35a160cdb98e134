"""Keras's `fit` and `evaluate` on TensorFlow, where several workers share each batch."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
from keras.src.trainers.data_adapters.tf_dataset_adapter import TFDatasetAdapter

from keras_gen import data
from keras_gen.data import tf_data


def several_workers(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether replicas of a strategy are in other processes."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


class Shared(TFDatasetAdapter):
    """Batches of which each worker reads its replicas' parts and no more.

    Keras would have each worker make whole batches, and drop what is not its own.

    Args:
        batches: the batches.
        strategy: of the workers.

    Attributes:
        num_batches: the number of batches in an epoch.
    """

    num_batches = 0

    def __init__(self, batches: data.Batches, strategy: tf.distribute.Strategy):
        def share(context: tf.distribute.InputContext) -> tf.data.Dataset:
            each = context.num_replicas_in_sync // context.num_input_pipelines
            first = each * context.input_pipeline_id
            own = range(first, first + each)
            return tf_data.dataset(batches, tf_data.Share(own, context.num_replicas_in_sync))

        super().__init__(strategy.distribute_datasets_from_function(share))
        self.num_batches = len(batches)


class Loop:
    """What Keras's `fit` and `evaluate` call on TensorFlow.

    It is Keras's own, with steps in parts; except with several workers. There Keras averages what
    a step returns along an axis that scalars do not have, and fails. Here a step returns nothing,
    and the metrics, which sum over the workers when they are read, are read once after it.
    """

    def make_train_function(self, force: bool = False) -> None:
        """Makes the function that takes training steps."""
        if self.train_function is None or force:
            several = several_workers(self.distribute_strategy)
            make = self._shared if several else self._make_function
            self.train_function = make(self.whole_step)

    def make_test_function(self, force: bool = False) -> None:
        """Makes the function that takes a step of an evaluation."""
        if not several_workers(self.distribute_strategy):
            super().make_test_function(force)
        elif self.test_function is None or force:
            self.test_function = self._shared(self.test_step)

    def _shared(self, step: Callable) -> Callable:
        def replica_step(batch):
            step(batch)

        def function(iterator):
            self.distribute_strategy.run(replica_step, args=(next(iterator),))
            return self.get_metrics_result()

        return function if self.run_eagerly else tf.function(function, autograph=False)
