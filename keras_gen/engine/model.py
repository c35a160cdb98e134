"""The base class of every model: configuration, compile, minimize, report."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np

from keras_gen import checks, data, presets
from keras_gen.engine import inputs, optimizers, options, pretrained, serving
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


class GenerativeModel(keras.Model):
    """Base class of the models.

    A subclass takes built networks and the hyperparameters of its objective in its constructor,
    hands `**kwargs` on, and defines `train_step`, `objective`, `draw`, `call` and `signatures`. Its
    configuration needs no code: it is what the constructor was called with.

    Args:
        seed: integer from which all noise of the model is computed. None draws one from Python's
            `random`, which `keras.utils.set_random_seed` fixes.
        name, dtype, trainable: as in `keras.Model`.

    Attributes:
        paper: citation of the paper that the model implements.
        kinds: kind of data -> name of its default networks in `keras_gen.networks`.
        metric_names: what `fit` and `evaluate` report, the loss first.
        conditional: whether the model needs a class label with each example.
        uses_index: whether training needs the place of each example in the training set.
        sets_itself: options of base classes that a class does not take but sets.
        faster_without_xla: layers whose CPU kernels beat XLA's (benchmarks/throughput.py).
        data_shape: shape of one example.
        value_range: the values that the data may have, (low, high).
        step: number of training steps taken, a weight: it is saved and restored with the others.
    """

    paper = ""
    kinds: ClassVar[dict[str, str]] = {}
    metric_names: tuple[str, ...] = ("loss",)
    conditional = False
    uses_index = False
    sets_itself: ClassVar[tuple[str, ...]] = ()
    faster_without_xla: ClassVar[tuple[type, ...]] = (
        keras.layers.Conv1D,
        keras.layers.Conv2D,
        keras.layers.Conv1DTranspose,
        keras.layers.Conv2DTranspose,
        keras.layers.RNN,
    )
    data_shape: tuple[int, ...]
    value_range: tuple[float, float] = (-math.inf, math.inf)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable(cls.__module__.partition(".")[0])(cls)
        cls.__signature__ = options.signature(cls)
        cls.presets = presets.names(cls.__name__)

    def __new__(cls, *args, **kwargs):
        options.check_known(cls.__name__, kwargs, cls.__signature__.parameters)
        model = super().__new__(cls, *args, **kwargs)
        # Keras's own record of the arguments holds defaults, not the values given.
        bound = cls.__signature__.bind(*args, **kwargs)
        bound.apply_defaults()
        object.__setattr__(model, "_arguments", dict(bound.arguments))
        return model

    def __init__(self, *, seed: int | None = None, name=None, dtype=None, trainable: bool = True):
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.seed = random.randrange(2**31) if seed is None else checks.seed(seed)
        self._arguments["seed"] = self.seed
        self.step = self._counter("step")
        # The step at which the current epoch began: together they tell the position in the data.
        self.epoch_start = self._counter("epoch_start")
        self._graphs: dict[str, Callable] = {}
        # Networks arrive built. A model that is not built when it is loaded loses its optimizer.
        self.built = True

    def _counter(self, name: str) -> keras.Variable:
        return self.add_weight(
            name=name,
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    # ---- configuration ---------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serialized."""
        arguments = self._arguments | {"name": self.name, "dtype": self.dtype_policy}
        return {k: keras.saving.serialize_keras_object(v) for k, v in arguments.items()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects=None) -> GenerativeModel:
        with keras.saving.custom_object_scope(custom_objects or {}):
            return cls(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})

    @classmethod
    def from_preset(
        cls, name: str, spec: data.Spec | None = None, load_weights: bool = True, **options
    ) -> GenerativeModel:
        """Returns the model of a preset, with trained weights, compiled for training on.

        Args:
            name: name of a preset; `keras_gen.list_presets()` has them.
            spec: with `load_weights=False`, the `keras_gen.data.Spec` of your data.
            load_weights: whether to load the weights that come with the package.
            **options: with `load_weights=False`, options of `for_data` that replace the preset's.

        Raises:
            ValueError: if there is no such preset, it is not of this class, no trained weights of
                it come with the package, or `spec` or options are given with trained weights.
        """
        return pretrained.from_preset(cls, name, spec, load_weights, **options)

    def for_use(self) -> GenerativeModel:
        """Returns a copy without what only training needs."""
        copy = type(self).from_config(self.get_config())
        copy.set_weights(self.get_weights())
        return copy

    def adapt(self, x) -> None:
        """Prepares the networks for the data before training; most models have nothing to do."""

    # ---- training --------------------------------------------------------------------------------

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
    ) -> None:
        """Configures training; the arguments are those of `keras.Model.compile`.

        `steps_per_execution="auto"` means 32, and 1 with several replicas or `run_eagerly`.
        `jit_compile="auto"` means XLA where it pays: as Keras decides on an accelerator, and on a
        CPU for networks without layers of `faster_without_xla`.

        Raises:
            ValueError: for `loss`, `metrics` and the like, because the objective is the model's
                own; and for XLA or several steps per execution where replicas share a CPU, which
                TensorFlow cannot do.
        """
        own = {"loss": loss, "loss_weights": loss_weights, "metrics": metrics}
        for name, value in (own | {"weighted_metrics": weighted_metrics}).items():
            if value is not None:
                raise ValueError(
                    f"{type(self).__name__} has its own objective and metrics "
                    f"({', '.join(self.metric_names)}); compile takes no `{name}`."
                )
        strategy, given = self.distribute_strategy, (jit_compile, steps_per_execution)
        if backend.shares_a_cpu(strategy) and (given[0] is True or given[1] not in ("auto", 1)):
            raise ValueError(
                "Replicas on a CPU can have neither jit_compile=True nor steps_per_execution > 1: "
                "leave both out."
            )
        if steps_per_execution == "auto":
            steps_per_execution = backend.steps_per_execution(strategy, run_eagerly)
        if jit_compile == "auto":
            jit_compile = backend.jit_compile(self)
        scale_loss = auto_scale_loss and self.dtype_policy.name == "mixed_float16"
        super().compile(
            optimizer=optimizers.resolved(optimizer, self, scale_loss),
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile and not run_eagerly,
            auto_scale_loss=False,
        )
        optimizers.build(self.optimizer, self)
        # Kept as "auto" in files: it may mean something else where the model is loaded.
        self._automatic = dict(zip(("jit_compile", "steps_per_execution"), given, strict=True))
        self._report = _Report(self.metric_names)
        # Without XLA for the whole step, the many small operations of an optimizer, which read and
        # write each weight and slot, still gain by being one pass over memory.
        whole = self.jit_compile or run_eagerly or backend.is_distributed(strategy)
        self._compile_update = given[0] == "auto" and not whole and not backend.has_gpu()

    def get_compile_config(self) -> dict[str, Any]:
        config = super().get_compile_config()
        return config and config | self._automatic

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
        return Noise(self.seed, backend.part(x)).at("train", self.step)

    def objective(self, examples: inputs.Examples, noise: Noise, training: bool) -> Objective:
        """Returns the loss and metrics per example, `(batch,)` each."""
        raise NotImplementedError

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
            through: a value of `backend.forward` that depends on the networks: it was computed
                once for several players, and the gradient flows back through it.

        Returns:
            What the objective returned.
        """
        groups = optimizers.groups(self.optimizer, networks)
        replicas = self.distribute_strategy.num_replicas_in_sync

        def losses(*value):
            result = objective(*value)
            regularization = sum(sum(network.losses) for network in networks) / replicas
            loss = backend.share_of_mean(result.loss) + regularization
            return [optimizer.scale_loss(loss) for optimizer, _ in groups], result

        variables = [own for _, own in groups]
        gradients, result = backend.gradients(losses, variables, through)
        for (optimizer, own), slopes in zip(groups, gradients, strict=True):
            backend.update(optimizer, slopes, own, compile=self._compile_update)
        return result

    def report(self, *objectives: Objective) -> dict[str, Any]:
        """Ends a training step: averages what its objectives report, and counts the step."""
        metrics: dict[str, Any] = {}
        for each in objectives:
            metrics |= each.metrics

        def count():
            self.step.assign_add(1)

        backend.after([metrics[name] for name in self.metric_names], count)
        return self._average(metrics)

    def test_step(self, batch) -> dict[str, Any]:
        # The noise of an evaluation depends on the batch's place in it, not on what came before,
        # so that evaluating twice gives the same figures twice.
        examples = self.examples(batch)._replace(index=None)  # which is of training examples
        noise = Noise(self.seed, backend.part(examples.x)).at("test", self._report.batches.total)
        self._report.batches.update_state(1.0)
        return self._average(self.objective(examples, noise, training=False).metrics)

    def _average(self, metrics: dict[str, Any]) -> dict[str, Any]:
        for name, mean in self._report.means.items():
            mean.update_state(metrics[name])
        return self.get_metrics_result()

    def metric_unit(self, name: str) -> str:
        """Returns the unit of a reported metric."""
        return "nats"

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*self._report.means.values(), self._report.batches] if self.compiled else []

    def get_metrics_result(self) -> dict[str, Any]:
        return {name: mean.result() for name, mean in self._report.means.items()}

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
        batched `tf.data.Dataset` of arrays, pairs or dictionaries. `validation_data` is likewise,
        of a `keras_gen.data.Dataset` the test split. Except for a `tf.data.Dataset`, the order of
        an epoch is a function of the model's seed and its training step: a model that is saved and
        loaded goes on with the data that it would have seen.

        A `tf.data.Dataset` is read without tf.data's autotuner, unless its options ask for it: the
        end of an epoch would wait for it, at times as long as the epoch took.

        Raises:
            ValueError: before training starts, if the data does not suit the model.
        """
        who = type(self).__name__
        inputs.refuse_weights(who, kwargs.get("sample_weight"), kwargs.get("class_weight"))
        checks.integer("epochs", epochs, least=0)
        if validation_split and validation_data is None:
            x, validation_data = inputs.split(self, x, y, validation_split)
            y = None
        x = inputs.checked(self, x, y, batch_size, shuffle, training=True)
        if validation_data is not None:
            held_out, label, weight = keras.utils.unpack_x_y_sample_weight(validation_data)
            inputs.refuse_weights(who, weight)
            size = kwargs.pop("validation_batch_size", None) or batch_size
            held_out = inputs.checked(self, held_out, label, size, name="validation_data")
            validation_data = inputs.dataset(held_out)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            batches = x if isinstance(x, data.Batches) else None
            callbacks = [inputs.Position(batches), *keras.tree.flatten(callbacks or [])]
        return super().fit(
            inputs.dataset(x),
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            shuffle=False,
            **kwargs,
        )

    def evaluate(self, x=None, y=None, batch_size: int | None = None, **kwargs):
        """Returns the metrics on data; arguments and result are those of `keras.Model.evaluate`."""
        if not kwargs.get("_use_cached_eval_dataset"):  # Keras's own call, from within `fit`
            x = inputs.checked(self, x, y, batch_size)
        return super().evaluate(inputs.dataset(x), **kwargs)

    def predict(self, x, batch_size: int | None = None, **kwargs) -> np.ndarray:
        """Returns the outputs of `call`; arguments are those of `keras.Model.predict`."""
        x = inputs.checked(self, x, None, batch_size)
        return super().predict(inputs.dataset(x), **kwargs)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        """Does nothing: all is built. Keras would take the first batch's mean over the replicas,
        which fails where their parts differ in size."""

    def check_examples(self, x: np.ndarray, label=None, name: str = "x") -> None:
        """Raises ValueError if the model cannot learn from these examples."""
        inputs.check_examples(self, x, name)

    def check_size(self, examples: int) -> None:
        """Raises ValueError if the model cannot learn from so many examples."""

    # ---- generation ------------------------------------------------------------------------------

    def draw(self, n, noise: Noise):
        """Returns z ~ p(z), `(n, latent_dim)`."""
        raise NotImplementedError

    def draw_latents(self, n: int, seed: int | None = None) -> np.ndarray:
        """Returns the z that `sample` decodes, `(n, latent_dim)`; None draws a seed."""
        checks.integer("n", n)
        seed = random.randrange(2**31) if seed is None else checks.seed(seed)
        return np.asarray(self.draw(int(n), Noise(seed).at("sample")))

    def decode(self, z, label=None, batch_size: int = 512) -> np.ndarray:
        """Returns the data that the model generates from z, `(batch, *data_shape)`.

        Args:
            z: `(batch, latent_dim)`.
            label: class indices `(batch,)`, for a conditional model.
            batch_size: how many are decoded at a time.

        Raises:
            ValueError: for another shape, or values that are not finite.
        """
        return serving.run(self, "decode", z, label, batch_size=batch_size)

    def sample(
        self, n: int, seed: int | None = None, label=None, batch_size: int = 512
    ) -> np.ndarray:
        """Returns `n` samples, `(n, *data_shape)`.

        Args:
            n: number of samples.
            seed: the same seed gives the same samples; None draws a seed.
            label: class indices `(n,)`, for a conditional model.
            batch_size: how many are decoded at a time.

        Raises:
            ValueError: if `n`, `seed` or `batch_size` is not a valid integer.
        """
        return self.decode(self.draw_latents(n, seed), label, batch_size)

    def signatures(self) -> dict[str, tuple[Callable, list]]:
        """Returns the functions that a SavedModel offers: name -> a function and its inputs."""
        raise NotImplementedError

    def export(self, filepath: str | os.PathLike, format: str = "tf_saved_model", verbose=None):
        """Writes a SavedModel with the model's signatures, for use without Keras.

        Beside it stands a `card.json`: the model, its paper and the versions that made it. The
        folder appears complete or not at all.

        Args:
            filepath: the folder to write; an older SavedModel there is replaced.
            format: only `"tf_saved_model"`.
            verbose: whether to print the signatures, as in Keras.

        Raises:
            FileExistsError: before anything is written, if something else is there.
            PermissionError: if nothing can be written there.
            ValueError: for another format.
        """
        if format != "tf_saved_model":
            raise ValueError(f'export writes format="tf_saved_model", not {format!r}.')
        serving.export(self, filepath, verbose)


class _Report:
    """The metrics of a model. Not attributes of its own, because they are not part of its state."""

    def __init__(self, names: tuple[str, ...]):
        self.means = {name: keras.metrics.Mean(name=name) for name in names}
        # Counts the batches of an evaluation; a metric, because Keras resets those at its start.
        self.batches = keras.metrics.Sum(name="batches")
