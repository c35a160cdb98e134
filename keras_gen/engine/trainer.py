"""How models train: players, gradient steps, metrics, and what Keras's loops are given."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np

from keras_gen import checks
from keras_gen.engine import accumulation, compilation, inputs, optimizers, position
from keras_gen.engine.backends import backend
from keras_gen.noise import Noise


class Objective(NamedTuple):
    """What a player minimizes, and what else came of computing it.

    Attributes:
        loss: one value per example, `(batch,)`.
        metrics: name -> one value per example, `(batch,)`: what `fit` and `evaluate` report.
        shared: what other players use, or None.
    """

    loss: Any
    metrics: dict[str, Any]
    shared: Any = None


class Trainer(backend.Loop, keras.Model):
    """A Keras model whose `train_step` minimizes the objectives of one player or several.

    A subclass defines `train_step` and `objective`, and has a `seed` and a counter `step`.

    Attributes:
        metric_names: what `fit` and `evaluate` report, the loss first.
        conditional: whether the model needs a class label with each example.
        uses_index: whether training needs the place of each example in the training set.
        faster_without_xla: layers whose CPU kernels beat XLA's (benchmarks/throughput.py).
        accumulate: number of parts in which a training step is computed.
        unit: number of examples that must not be parted.
        data_shape: shape of one example.
        value_range: the values that the data may have, (low, high).
    """

    metric_names: tuple[str, ...] = ("loss",)
    conditional = False
    uses_index = False
    accumulate = 1
    unit = 1
    faster_without_xla: ClassVar[tuple[type, ...]] = (
        keras.layers.Conv1D,
        keras.layers.Conv2D,
        keras.layers.Conv1DTranspose,
        keras.layers.Conv2DTranspose,
        keras.layers.RNN,
    )
    data_shape: tuple[int, ...]
    value_range: tuple[float, float] = (-math.inf, math.inf)

    @property
    def players(self) -> dict[str, tuple[keras.Model, ...]]:
        """The networks of each player, in the order of their steps; empty if one optimizer moves
        all. `compile` takes an optimizer for each, and a player minimizes its own loss."""
        return {}

    def steps_of(self, player: str) -> int:
        """Returns how many steps a player's optimizer takes in one training step."""
        return 1

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """Returns the paper's optimizer for a player."""
        raise NotImplementedError

    def compile(
        self,
        optimizer="adam",
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = "auto",
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        accumulate: int = 1,
    ) -> None:
        """Configures training; the arguments are those of `keras.Model.compile`, and `accumulate`.

        With `accumulate=4` a step is that of a batch four times as large as `fit` is given, for
        each player, computed one batch after the other: order and noise, too, are those of the
        large batch. Layers with statistics of their own (batch and spectral normalization) see the
        small batches, and packs are made within them.

        `steps_per_execution="auto"` means 32 where that pays: not with `run_eagerly`, several
        replicas of TensorFlow, or PyTorch; on JAX it means 128 for examples of up to 1024 numbers,
        and on a CPU 8, and 1 with layers of `faster_without_xla`. `jit_compile="auto"` means XLA
        where it pays: on JAX always; on TensorFlow as Keras decides on an accelerator, and on a CPU
        for networks without layers of `faster_without_xla`.

        Raises:
            ValueError: for `accumulate` below 1; for `loss`, `metrics` and the like, because the
                objective is the model's own; and for XLA or several steps per execution where
                replicas share a CPU, which TensorFlow cannot do.
        """
        compilation.refuse_foreign(self, loss, loss_weights, metrics, weighted_metrics)
        given = {"steps_per_execution": steps_per_execution, "jit_compile": jit_compile}
        self.accumulate = checks.integer("accumulate", accumulate)
        scale_loss = auto_scale_loss and self.dtype_policy.name == "mixed_float16"
        super().compile(
            optimizer=optimizers.resolved(optimizer, self, scale_loss),
            run_eagerly=run_eagerly,
            auto_scale_loss=False,
            **compilation.resolved(self, run_eagerly, **given),
        )
        optimizers.build(self.optimizer, self)
        self._given = given | {"accumulate": self.accumulate}
        self._compile_update = jit_compile == "auto" and backend.compiles_update(self)
        self._report = compilation.Report(self.metric_names)

    def get_compile_config(self) -> dict[str, Any]:
        config = super().get_compile_config()
        # "auto" stays "auto" in files: it may mean something else where the model is loaded.
        return config and optimizers.portable(config | self._given)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    @property
    def event_size(self) -> int:
        """How many numbers one example has."""
        return math.prod(self.data_shape)

    def examples(self, batch) -> inputs.Examples:
        """Returns the data, labels and indices of a batch in any form that Keras hands over."""
        return inputs.examples(batch, type(self).__name__)

    def noise(self, x) -> Noise:
        """Returns the noise of the current training step for a batch `x`, `(batch, ...)`."""
        return accumulation.noise(self.seed, self.step, x)

    def objective(self, examples: inputs.Examples, noise: Noise, training: bool) -> Objective:
        """Returns the loss and metrics per example, `(batch,)` each."""
        raise NotImplementedError

    def compute_once(self, function: Callable[[], Any], *networks: keras.Model) -> backend.Forward:
        """Returns `function()`, computed once for several players, as its `value`.

        Args:
            function: of no arguments.
            *networks: the value depends on their trainable weights. `minimize(..., through=...)`
                takes a step of these networks.
        """
        return backend.forward(function, [v for each in networks for v in each.trainable_variables])

    def minimize(
        self,
        objective: Callable[..., Objective],
        *networks: keras.Model,
        through: backend.Forward | None = None,
    ) -> Objective:
        """Takes one optimizer step of networks on the mean of an objective's loss.

        Everything that replicas and precision do to a gradient is done here. Keras sums the
        gradients of all replicas, so each contributes its share of the global mean.

        Args:
            objective: returns an `Objective`. With `through` it takes that value.
            *networks: their trainable weights move, and no others. Networks of several players
                go down the same loss, each player's by its own optimizer.
            through: what `compute_once` with the networks returned; gradients flow back through
                it.

        Returns:
            What the objective returned.
        """
        if known := accumulation.known():
            return known
        groups = optimizers.groups(self.optimizer, networks)
        shares = backend.replicas(self) * self.accumulate

        def losses(*value):
            result = objective(*value)
            regularization = sum(sum(network.losses) for network in networks) / shares
            loss = accumulation.share_of_mean(result.loss) + regularization
            return [optimizer.scale_loss(loss) for optimizer, _ in groups], result

        gradients, result = backend.gradients(losses, [own for _, own in groups], through)
        gradients = accumulation.summed(gradients, result)
        for (optimizer, own), slopes in zip(groups, gradients, strict=True):
            # `run_eagerly` may be set after `compile`.
            backend.update(optimizer, slopes, own, self._compile_update and not self.run_eagerly)
        return result

    def report(self, *objectives: Objective) -> dict[str, Any]:
        """Ends a training step: averages what its objectives report, and counts the step."""
        metrics = accumulation.metrics(objectives)

        backend.after(list(map(metrics.get, self.metric_names)), lambda: self.step.assign_add(1))
        return self._report.average(metrics)

    def whole_step(self, batch) -> dict[str, Any]:
        """Takes a training step, in parts if `accumulate` says so."""
        return accumulation.step(self, batch)

    def test_step(self, batch) -> dict[str, Any]:
        # The noise of an evaluation depends on the batch's place in it, not on what came before,
        # so that evaluating twice gives the same figures twice.
        examples = self.examples(batch)._replace(index=None)  # which is of training examples
        noise = Noise(self.seed, backend.part(examples.x)).at("test", self._report.batches.total)
        self._report.batches.update_state(1.0)
        return self._report.average(self.objective(examples, noise, training=False).metrics)

    def metric_unit(self, name: str) -> str:
        """Returns the unit of a reported metric."""
        return "nats"

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return self._report.metrics if self.compiled else []

    def get_metrics_result(self) -> dict[str, Any]:
        return self._report.result()

    # ---- data ------------------------------------------------------------------------------------

    def fit(
        self,
        x=None,
        y=None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose="auto",
        callbacks=None,
        validation_split: float = 0.0,
        validation_data=None,
        shuffle: bool = True,
        **kwargs,
    ) -> keras.callbacks.History:
        """Trains the model; the arguments are those of `keras.Model.fit`.

        `x` is a `keras_gen.data.Dataset`, whose training split is used; an array `(examples,
        *data_shape)`; a dictionary `{"x": ..., "label": ...}`; batches of `keras_gen.data`; or a
        batched `tf.data.Dataset` of these. For `validation_data` a `keras_gen.data.Dataset` stands
        for its test split. Except for a `tf.data.Dataset`, the order of an epoch is a function of
        the model's seed and its training step: a model that is saved and loaded goes on with the
        data that it would have seen.

        Raises:
            ValueError: before training starts, if the data does not suit the model.
        """
        checks.integer("epochs", epochs, least=0)
        weights = (kwargs.pop(name, None) for name in ("sample_weight", "class_weight"))
        inputs.refuse_weights(type(self).__name__, *weights)
        if validation_split and validation_data is None:
            x, validation_data = inputs.split(self, x, y, validation_split)
            y = None
        x = inputs.checked(self, x, y, batch_size, shuffle, training=True)
        if validation_data is not None:
            size = kwargs.pop("validation_batch_size", None) or batch_size
            validation_data = inputs.held_out(self, validation_data, size)
        return super().fit(
            inputs.dataset(self, x),
            epochs=epochs,
            verbose=verbose,
            callbacks=position.with_position(callbacks, x),
            validation_data=validation_data,
            shuffle=False,
            **kwargs,
        )

    def evaluate(self, x=None, y=None, batch_size: int | None = None, **kwargs):
        """Returns the metrics on data; arguments and result are those of `keras.Model.evaluate`."""
        if not kwargs.get("_use_cached_eval_dataset"):  # Keras's own call, from within `fit`
            x = inputs.checked(self, x, y, batch_size)
        return super().evaluate(inputs.dataset(self, x), **kwargs)

    def predict(self, x, batch_size: int | None = None, **kwargs) -> np.ndarray:
        """Returns the outputs of `call`; arguments are those of `keras.Model.predict`."""
        x = inputs.checked(self, x, None, batch_size)
        return super().predict(inputs.dataset(self, x, on_host=True), **kwargs)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        """Does nothing: all is built. Keras would take the first batch's mean over the replicas,
        which fails where their parts differ in size."""

    def check_examples(self, x: np.ndarray, label=None, name: str = "x") -> None:
        """Raises ValueError if the model cannot learn from these examples."""
        inputs.check_examples(self, x, name)

    def check_size(self, examples: int) -> None:
        """Raises ValueError if the model cannot learn from so many examples."""
