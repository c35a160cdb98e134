"""What every model of the zoo has in common.

A model's own file shows its objective and its `train_step`. Everything that repeats is here: the
configuration, the noise, the gradient step, the metrics, the order of the data, sampling in batches
and the SavedModel.
"""

from __future__ import annotations

import inspect
import json
import math
import os
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gen import __version__, data, likelihoods, networks, presets, zoo
from keras_gen.models.players import PlayerOptimizers, adam
from keras_gen.noise import Noise, Part


class _Built(type):
    """Makes models that are built when their constructors are through.

    Keras locks a built model, and one that is not built when it is loaded loses its optimizer.
    """

    def __call__(cls, *args, **kwargs):
        model = super().__call__(*args, **kwargs)
        model.build()
        return model


class GenerativeModel(keras.Model, metaclass=_Built):
    """Base class of the zoo's models.

    A subclass takes networks and the hyperparameters of its objective in its constructor, hands
    `**kwargs` on, and defines `train_step`, `objective`, `call` and `signatures`. Its configuration
    needs no code: it is what the constructor was called with.

    Args:
        seed: integer from which all noise of the model is computed. None draws one (from Python's
            `random`, so that `keras.utils.set_random_seed` fixes it) and remembers it.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Attributes:
        paper: citation of the paper that the model implements.
        kinds: kind of data -> the module in `keras_gen.networks` of its default networks.
        metric_names: what `fit` and `evaluate` report, the loss first.
        uses_labels: whether training needs a class label with each example.
        uses_index: whether training needs each example's place in the training set.
        data_shape: shape of one example.
        value_range: the values that the data may have, (low, high).
        step: number of training steps taken, a weight: it is saved and restored with the others.
    """

    paper = ""
    kinds: ClassVar[dict[str, str]] = {}
    metric_names: tuple[str, ...] = ("loss",)
    uses_labels = False
    uses_index = False
    data_shape: tuple[int, ...]
    # Layers whose CPU kernels beat what XLA makes of them; measured with benchmarks/throughput.py.
    faster_without_xla: ClassVar[tuple[type, ...]] = (
        keras.layers.Conv1D,
        keras.layers.Conv2D,
        keras.layers.Conv1DTranspose,
        keras.layers.Conv2DTranspose,
        keras.layers.RNN,
    )
    value_range: tuple[float, float] = (-math.inf, math.inf)

    @property
    def players(self) -> dict[str, tuple[keras.Model, ...]]:
        """The networks of each player, in the order of their moves; empty where one optimizer
        moves all. `compile` takes an optimizer for each, and a player minimizes its own loss."""
        return {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        package = cls.__module__.partition(".")[0]
        keras.saving.register_keras_serializable(package)(cls)

    def __new__(cls, *args, **kwargs):
        model = super().__new__(cls, *args, **kwargs)
        # Keras's own record of the arguments holds defaults, not the values given. A constructor
        # that is called wrongly has its own, clearer error.
        try:
            bound = inspect.signature(cls.__init__).bind(model, *args, **kwargs)
        except TypeError:
            return model
        bound.apply_defaults()
        _, *arguments = bound.arguments.items()
        arguments = dict(arguments)
        object.__setattr__(model, "_arguments", arguments | arguments.pop("kwargs", {}))
        return model

    def __init__(self, *, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = random.randrange(2**31) if seed is None else int(seed)
        self._arguments["seed"] = self.seed

        def counter(name):
            return self.add_weight(
                name=name,
                dtype="int64",
                initializer="zeros",
                trainable=False,
                aggregation="only_first_replica",
            )

        self.step = counter("step")
        # The step at which the current epoch began: together they tell the position in the data.
        self.epoch_start = counter("epoch_start")
        self._graphs: dict[str, Callable] = {}

    # ---- configuration -------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, serialized."""
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
        """The model of a preset, trained as a rule, compiled with the preset's optimizer.

        Args:
            name: name of a preset; `keras-gen list` shows them.
            spec: with `load_weights=False`, of your data, as `keras_gen.data.load(...).spec`; by
                default that of the preset's data, where it is known without a file.
            load_weights: whether to load the trained model that comes with the package, once its
                checksum is known to be right, or to make an untrained one.
            **options: with `load_weights=False`, model options that replace the preset's.

        Raises:
            ValueError: if there is no such preset, it belongs to another model, no trained weights
                of it come with the package or they are damaged, or if trained weights are asked for
                on other data or with other options.
        """
        preset = presets.get(name)
        if preset.model != cls.__name__:
            raise ValueError(
                f"Preset {name!r} is of model {preset.model}, not {cls.__name__}: use "
                f"keras_gen.models.{preset.model}.from_preset({name!r})."
            )
        if load_weights:
            if spec is not None or options:
                raise ValueError(
                    f"the trained weights of {name!r} are of its own data and options: for others, "
                    "make an untrained model with load_weights=False."
                )
            model = keras.models.load_model(zoo.model_file(name))
        else:
            spec = spec or data.spec(preset.data, **preset.data_options)
            model = cls.for_data(spec, **(preset.model_options | options))
        model.compile(optimizer=adam(preset.learning_rate, model.players, **preset.adam))
        return model

    def for_use(self) -> GenerativeModel:
        """A copy without what only training needs."""
        copy = type(self).from_config(self.get_config())
        copy.set_weights(self.get_weights())
        return copy

    @classmethod
    def for_data(cls, spec: data.Spec, **options) -> GenerativeModel:
        """The model with default networks for a kind of data."""
        raise NotImplementedError(f"{cls.__name__} has no default networks; pass your own.")

    @classmethod
    def default_network(cls, spec: data.Spec, network: str | None = None) -> ModuleType:
        """The module of `keras_gen.networks` that suits the data, or that is asked for by name.

        Raises:
            ValueError: if none does, or there is none of that name.
            TypeError: if `spec` is something else.
        """
        if not isinstance(spec, data.Spec):
            raise TypeError(
                f"spec must be a keras_gen.data.Spec, as dataset.spec; got {type(spec).__name__}."
            )
        kind = "image" if spec.is_picture else spec.kind
        if network is None and kind not in cls.kinds:
            raise ValueError(
                f"{cls.__name__} has default networks for data of kind {', '.join(cls.kinds)}, not "
                f"{kind}: pass your own networks, or choose `network` among "
                f"{', '.join(networks.BY_NAME)}."
            )
        if network is not None and network not in networks.BY_NAME:
            known = ", ".join(networks.BY_NAME)
            raise ValueError(f"Unknown network {network!r}. Known: {known}.")
        return networks.BY_NAME[network or cls.kinds[kind]]

    @classmethod
    def label_settings(cls, spec: data.Spec) -> dict[str, int]:
        """`num_classes` for networks of a model that uses labels; empty for other models.

        Raises:
            ValueError: if labels are needed and there are none.
        """
        if not cls.uses_labels:
            return {}
        if not spec.num_classes:
            raise ValueError(f"{cls.__name__} needs class labels, and data {spec.name!r} has none.")
        return {"num_classes": spec.num_classes}

    @classmethod
    def parameters_of(cls, *functions: str) -> list[inspect.Parameter]:
        """What these functions take here and in the base classes, in order: what one takes as
        **options it hands on to the next class's."""
        found, ended = [], set()
        for each in cls.__mro__[: cls.__mro__.index(GenerativeModel)]:
            for function in functions:
                if function in vars(each) and function not in ended:
                    taken = inspect.signature(getattr(each, function)).parameters.values()
                    found += taken
                    if not any(p.kind is p.VAR_KEYWORD for p in taken):
                        ended.add(function)
        return found

    def adapt(self, x) -> None:
        """Prepares the networks for the data before training; a model may have nothing to do."""

    def build(self, input_shape=None) -> None:
        """Nothing to do: networks arrive built."""
        self.built = True

    @staticmethod
    def check_built(**networks: keras.Model) -> None:
        """Raises ValueError for a network whose shapes are not known."""
        for name, network in networks.items():
            if not isinstance(network, keras.Model):
                raise ValueError(f"{name} must be a keras.Model, got {type(network).__name__}.")
            if not network.built:
                raise ValueError(
                    f"{name} is not built: give its first layer a shape with keras.Input(...)."
                )
            if not hasattr(network, "output_shape"):
                raise ValueError(
                    f"{name} must be a functional or sequential keras.Model, whose shapes are "
                    f"known: wrap what {type(network).__name__} computes in "
                    "keras.Model(inputs, outputs)."
                )

    # ---- training ------------------------------------------------------------------------------

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

        `steps_per_execution="auto"` means 32, and 1 where one replica of several runs on a CPU (or
        `run_eagerly`). `jit_compile="auto"` means XLA where it pays: as Keras decides on an
        accelerator, and on a CPU for networks without `faster_without_xla`.

        Raises:
            ValueError: for `loss`, `metrics` and the like, as the model's objective is its own; and
                for XLA or several steps per execution where replicas share a CPU, which
                TensorFlow cannot do.
        """
        given = {
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }
        for name, value in given.items():
            if value is not None:
                raise ValueError(
                    f"{type(self).__name__} has its own objective and metrics "
                    f"({', '.join(self.metric_names)}); compile takes no `{name}`."
                )
        if self._shares_a_cpu() and (jit_compile is True or steps_per_execution not in ("auto", 1)):
            raise ValueError(
                "Replicas on a CPU can have neither jit_compile=True nor steps_per_execution > 1: "
                "leave both out."
            )
        scale = auto_scale_loss and self.dtype_policy.name == "mixed_float16"
        optimizer = self._optimizer(optimizer, scale)
        automatic = {"steps_per_execution": steps_per_execution, "jit_compile": jit_compile}
        super().compile(
            optimizer=optimizer,
            run_eagerly=run_eagerly,
            steps_per_execution=(
                self._default_steps_per_execution(run_eagerly)
                if steps_per_execution == "auto"
                else steps_per_execution
            ),
            jit_compile=(self._default_jit_compile() if jit_compile == "auto" else jit_compile)
            and not run_eagerly,
            auto_scale_loss=False,
        )
        self._automatic = automatic
        self._report = _Report(self.metric_names)
        if isinstance(self.optimizer, PlayerOptimizers):
            for player, networks in self.players.items():
                self.optimizer.seat(player, networks)
        else:
            self.optimizer.build(self.trainable_variables)
        # Where the step as a whole goes without XLA, the many small operations of an optimizer,
        # which read and write each weight and slot, still gain by being one pass over memory.
        self._compile_update = (
            jit_compile == "auto"
            and not (self.jit_compile or self.run_eagerly or self._is_distributed())
            and not tf.config.list_physical_devices("GPU")
        )

    def _optimizer(self, optimizer, scale: bool) -> keras.optimizers.Optimizer:
        """What was given as optimizer, as one object, with loss scaling if it must have it."""
        if isinstance(optimizer, PlayerOptimizers):
            each = {name: self._scaled(o, scale) for name, o in optimizer.players.items()}
            return PlayerOptimizers(each)
        if not self.players:
            return self._scaled(keras.optimizers.get(optimizer), scale)
        optimizers = optimizer
        if not isinstance(optimizer, Mapping):
            optimizers = dict.fromkeys(self.players, optimizer)
        if set(optimizers) != set(self.players):
            raise ValueError(
                f"{type(self).__name__} has the players {', '.join(self.players)}: give "
                f"compile(optimizer=...) one optimizer, or a dictionary with one for each; it has "
                f"{', '.join(optimizers) or 'none'}."
            )
        each = {}
        for player in self.players:
            chosen = optimizers[player]
            if chosen is None:
                chosen = self.default_optimizer(player)
            elif isinstance(chosen, keras.optimizers.Optimizer) and any(
                chosen is other for name, other in optimizers.items() if name != player
            ):
                # One object for several: its slots cannot be shared, its settings can.
                chosen = type(chosen).from_config(chosen.get_config())
            each[player] = self._scaled(keras.optimizers.get(chosen), scale)
        return PlayerOptimizers(each)

    def _scaled(self, optimizer, scale: bool) -> keras.optimizers.Optimizer:
        if not scale or isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            return optimizer
        # Losses are sums over an event's dimensions: Keras's initial scale of 2^15, meant for
        # means, would overflow, and the first steps would be skipped.
        size = 2 ** np.ceil(np.log2(max(1, self.event_size)))
        return keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2**15 / size)

    def moves(self, player: str) -> int:
        """How many steps a player's optimizer takes in one training step."""
        return 1

    def default_optimizer(self, player: str) -> keras.optimizers.Optimizer:
        """The paper's optimizer for a player."""
        raise NotImplementedError

    def get_compile_config(self) -> dict[str, Any]:
        """Keras's, with "auto" kept: it may mean something else where the model is loaded."""
        config = super().get_compile_config()
        return config and config | self._automatic

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    def _is_distributed(self) -> bool:
        return tf.distribute.has_strategy() or self.distribute_strategy.num_replicas_in_sync > 1

    def _shares_a_cpu(self) -> bool:
        strategy = self.distribute_strategy
        return strategy.num_replicas_in_sync > 1 and all(
            "CPU" in device for device in strategy.extended.worker_devices
        )

    def _default_steps_per_execution(self, run_eagerly: bool) -> int:
        on_tpu = isinstance(self.distribute_strategy, tf.distribute.TPUStrategy)
        return 1 if run_eagerly or (self._is_distributed() and not on_tpu) else 32

    def _default_jit_compile(self) -> bool | str:
        if self._is_distributed():
            return False
        if tf.config.list_physical_devices("GPU"):
            return "auto"
        return not any(isinstance(x, self.faster_without_xla) for x in self._flatten_layers())

    @property
    def event_size(self) -> int:
        """How many numbers one example has."""
        return math.prod(self.data_shape)

    def noise(self, x) -> Noise:
        """The noise of the current training step for a batch `x`, `(batch, ...)`."""
        return Noise(self.seed, _part(x)).at("train", self.step)

    def examples(self, batch) -> tuple[Any, Any]:
        """The data and the labels (or None) of a batch in any form that Keras hands over.

        Args:
            batch: `x`, `(x,)`, `(x, labels)` or `{"x": x, "label": labels}`.
        """
        x, label, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        self._refuse_weights(sample_weight)
        return self._entries(x, label)

    @staticmethod
    def _entries(x, label=None) -> tuple[Any, Any]:
        """Data and labels, which a dictionary holds both."""
        if not isinstance(x, dict):
            return x, label
        if "x" not in x:
            raise ValueError(
                'a dictionary of data needs the entry "x", and may have "label"; this one has '
                f"{', '.join(map(repr, x))}."
            )
        return x["x"], x.get("label", label)

    def _refuse_weights(self, *weights) -> None:
        if any(weight is not None for weight in weights):
            raise ValueError(
                f"{type(self).__name__} does not weight examples: leave out sample_weight and "
                "class_weight."
            )

    def minimize(self, objective: Callable[[], dict], *networks: keras.Model) -> dict:
        """One optimizer step of the networks on the mean of an objective's `loss`.

        Everything that replicas and precision do to a gradient is done here: Keras sums the
        gradients of all replicas, so each contributes its share of the global mean.

        Args:
            objective: returns a dictionary of values per example, `(batch,)`, among them `loss`.
            *networks: whose trainable weights are moved; no others are.

        Returns:
            What the objective returned.
        """
        optimizer = self.optimizer
        if isinstance(optimizer, PlayerOptimizers):
            optimizer = optimizer.of(networks[0])
        variables = [v for network in networks for v in network.trainable_variables]
        with tf.GradientTape() as tape:
            terms = objective()
            regularization = sum(sum(network.losses) for network in networks)
            regularization = regularization / self.distribute_strategy.num_replicas_in_sync
            loss = optimizer.scale_loss(_share_of_mean(terms["loss"]) + regularization)
        gradients = tape.gradient(loss, variables)

        def update(gradients):
            optimizer.apply(gradients, variables)

        if self._compile_update:
            update = tf.function(update, jit_compile=True, autograph=False)
        # Keras asks on until the data ends. The call that finds no more must change nothing, and
        # TensorFlow would be free to count a step before it knows whether there is a batch.
        with tf.control_dependencies([g for g in gradients if g is not None]):
            update(gradients)
        return terms

    def report(self, terms: dict) -> dict:
        """Ends a training step: averages its terms into the metrics and moves the noise on."""
        with tf.control_dependencies(list(terms.values())):  # see `minimize`
            self.step.assign_add(1)
        return self._average(terms)

    def test_step(self, batch) -> dict:
        # The noise of an evaluation depends on the batch's place in it, not on what came before,
        # so that evaluating twice gives the same figures twice.
        x, label = self.examples(batch)
        noise = Noise(self.seed, _part(x)).at("test", self._report.batches.total)
        self._report.batches.update_state(1.0)
        return self._average(self.objective(x, label, noise, training=False))

    def objective(self, x, label, noise: Noise, training: bool) -> dict:
        """The values per example, `(batch,)`, that `evaluate` averages and reports."""
        raise NotImplementedError

    def metric_unit(self, name: str) -> str:
        """The unit of a reported metric: nats, as a rule."""
        return "nats"

    def _average(self, terms: dict) -> dict:
        for name, mean in self._report.means.items():
            mean.update_state(terms[name])
        return self.get_metrics_result()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*self._report.means.values(), self._report.batches] if self.compiled else []

    def get_metrics_result(self) -> dict:
        return {name: mean.result() for name, mean in self._report.means.items()}

    # ---- data ----------------------------------------------------------------------------------

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

        `x` is an array `(examples, *shape)`, a dictionary `{"x": ..., "label": ...}`, a batched
        `tf.data.Dataset` of either or of pairs, or the batches of `keras_gen.data`. For arrays and
        for such batches the order of an epoch is a function of the model's seed and its training
        step: a model that is saved and loaded goes on with the data that it would have seen.

        A `tf.data.Dataset` is read without tf.data's autotuner, unless its options ask for it: the
        end of an epoch would wait for it, at times as long as the epoch took.

        Raises:
            ValueError: before training starts, if the data does not suit the model.
        """
        self._refuse_weights(kwargs.get("sample_weight"), kwargs.get("class_weight"))
        if validation_split and validation_data is None:
            x, validation_data = self._split(x, y, validation_split)
            y = None
        batch_size = batch_size or 32
        x = self._checked(x, y, batch_size, shuffle, training=True)
        batches = x if isinstance(x, data.Batches) else None
        if validation_data is not None:
            held_out, label, weight = keras.utils.unpack_x_y_sample_weight(validation_data)
            self._refuse_weights(weight)
            size = kwargs.pop("validation_batch_size", None) or batch_size
            held_out = self._checked(held_out, label, size, shuffle=False, name="validation_data")
            validation_data = _dataset(held_out)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = [_Position(batches), *tf.nest.flatten(callbacks or [])]
        return super().fit(
            _dataset(x),
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            shuffle=False,
            **kwargs,
        )

    def evaluate(self, x=None, y=None, batch_size: int | None = None, **kwargs):
        """The metrics on data; arguments and result are those of `keras.Model.evaluate`."""
        if not kwargs.get("_use_cached_eval_dataset"):  # Keras's own call, from within `fit`
            x = self._checked(x, y, batch_size or 32, shuffle=False)
        return super().evaluate(_dataset(x), **kwargs)

    def predict(self, x, batch_size: int | None = None, **kwargs) -> np.ndarray:
        """What `call` makes of data; arguments and result are those of `keras.Model.predict`."""
        x = self._checked(x, None, batch_size or 32, shuffle=False)
        return super().predict(_dataset(x), **kwargs)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        """Nothing: all is built. Keras would take the first batch's mean over the replicas, which
        fails where their parts differ in size."""

    def _split(self, x, y, fraction: float):
        """Arrays without their last part, and that part."""
        arrays = self._arrays(x, y)
        if arrays is None or not 0.0 < fraction < 1.0:
            raise ValueError(
                f"validation_split must be between 0 and 1, and x arrays; got {fraction} and "
                f"{type(x).__name__}."
            )
        kept = len(arrays["x"]) - int(len(arrays["x"]) * fraction)
        return {k: v[:kept] for k, v in arrays.items()}, {k: v[kept:] for k, v in arrays.items()}

    def _checked(self, x, y, batch_size: int, shuffle: bool, name: str = "x", training=False):
        """Data that the model can learn from: arrays as batches, other forms as they came."""
        if x is None or isinstance(x, data.Dataset):
            raise ValueError(
                f'{name} must be arrays or batches, such as dataset.batches("train", 128); got '
                f"{type(x).__name__}."
            )
        arrays = self._arrays(x, y)
        if arrays is not None:
            self.check_examples(arrays["x"], arrays.get("label"), name)
            index = training and self.uses_index
            return data.Batches(arrays, batch_size, shuffle, seed=self.seed, index=index)
        batches = [x[0]] if isinstance(x, keras.utils.PyDataset) else []
        if isinstance(x, (data.Batches, tf.data.Dataset)):
            batches = _dataset(x).take(1)
        for batch in batches:
            first, label = self.examples(batch)
            label = None if label is None else np.asarray(label)
            self.check_examples(np.asarray(first), label, name)
        return x

    def _arrays(self, x, y=None) -> dict[str, np.ndarray] | None:
        """Arrays as a dictionary of just what the model reads; None if x is no array."""
        x, y = self._entries(x, y)
        if not isinstance(x, (np.ndarray, list, tf.Tensor)):
            return None
        arrays = {"x": np.asarray(x)}
        if y is not None and len(y) != len(arrays["x"]):
            raise ValueError(f"y must be as long as x, which has {len(arrays['x'])}; got {len(y)}.")
        if self.uses_labels and y is not None:
            arrays["label"] = np.asarray(y)
        if arrays["x"].dtype == np.float64:
            arrays["x"] = arrays["x"].astype("float32")
        return arrays

    def check_examples(self, x: np.ndarray, label=None, name: str = "x") -> None:
        """Raises ValueError if the model cannot learn from these examples."""
        if x.shape[1:] != self.data_shape:
            raise ValueError(
                f"{name} has shape {x.shape}, but {type(self).__name__} is for (examples, "
                f"{', '.join(map(str, self.data_shape))})."
            )
        likelihoods.check_range(
            x,
            self.value_range,
            name,
            but=f"{type(self).__name__} generates values in",
            remedy="or make the model for data of that range",
        )

    # ---- generation ----------------------------------------------------------------------------

    def signatures(self) -> dict[str, tuple[Callable, Sequence[tf.TensorSpec]]]:
        """The functions that a SavedModel offers, by name: a function and its inputs."""
        raise NotImplementedError

    def run(self, signature: str, *arrays, batch_size: int = 512) -> np.ndarray:
        """The one output of a signature for arrays of equal length (or None), in batches.

        Raises:
            ValueError: if they are not what the signature takes.
        """
        graph = self._graph(signature)
        arrays = [np.asarray(array) for array in arrays if array is not None]
        self._check_inputs(signature, graph.input_signature, arrays)
        parts = [
            next(iter(graph(*(array[i : i + batch_size] for array in arrays)).values())).numpy()
            for i in range(0, max(1, len(arrays[0])), batch_size)
        ]
        return np.concatenate(parts)

    def _check_inputs(self, signature: str, wanted, arrays: Sequence[np.ndarray]) -> None:
        """Raises ValueError unless each array fits its `tf.TensorSpec`, and all are as long."""
        names = [spec.name for spec in wanted]
        if len(arrays) != len(wanted):
            raise ValueError(
                f"{signature} of {type(self).__name__} takes {' and '.join(names)}; "
                f"{len(arrays)} of them came."
            )
        for name, spec, array in zip(names, wanted, arrays, strict=True):
            if not spec.shape.is_compatible_with(array.shape) or len(array) != len(arrays[0]):
                sizes = ", ".join(map(str, (len(arrays[0]), *spec.shape[1:])))
                raise ValueError(f"{name} has shape {array.shape}, and should have ({sizes}).")
        label = arrays[names.index("label")] if "label" in names else None
        if "x" in names:
            self.check_examples(arrays[0], label)
        elif label is not None:
            self.check_labels(arrays[0], label, names[0])

    def _graph(self, name: str) -> Callable:
        if name not in self._graphs:
            function, inputs = self.signatures()[name]
            self._graphs[name] = tf.function(function, input_signature=inputs)
        return self._graphs[name]

    def export(self, filepath: str | os.PathLike, format: str = "tf_saved_model", verbose=None):
        """Writes a SavedModel with the model's signatures, for use without Keras.

        With it goes a `card.json`: the model, its paper and the versions that made it. (That of
        `keras-gen export` says more.) The folder appears complete or not at all.

        Args:
            filepath: the folder to write; an older SavedModel there is replaced.
            format: only `"tf_saved_model"`.
            verbose: whether to print the signatures, as in Keras.

        Raises:
            FileExistsError: before anything is written, if something else is there.
            ValueError: for another format.
        """
        if format != "tf_saved_model":
            raise ValueError(f'export writes format="tf_saved_model", not {format!r}.')
        final = Path(filepath)
        zoo.check_replaceable(final, "saved_model.pb")
        partial = final.with_name(f".{final.name}.partial-{os.getpid()}")
        archive = keras.export.ExportArchive()
        archive.track(self)
        for name, (function, inputs) in self.signatures().items():
            archive.add_endpoint(name, function, input_signature=inputs)
        try:
            archive.write_out(partial, verbose=verbose)
            (partial / "card.json").write_text(json.dumps(self._card(), indent=2) + "\n")
            if final.exists():
                shutil.rmtree(final)
            os.replace(partial, final)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _card(self) -> dict[str, Any]:
        versions = {
            "keras_gen": __version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        }
        return {
            "model": type(self).__name__,
            "paper": self.paper,
            "parameters": self.count_params(),
            "steps": int(self.step.numpy()),
            "versions": versions,
        }


def _part(x) -> Part | None:
    """The part of the global batch that this replica has in `x`, `(batch, ...)`; None if it is
    alone."""
    context = tf.distribute.get_replica_context()
    replicas = 1 if context is None else context.num_replicas_in_sync
    if replicas == 1:
        return None
    replica, size = context.replica_id_in_sync_group, x.shape[0]
    if size is not None:  # then it is that of every replica
        return Part(replica * size, replicas * size, size)
    # A last batch need not be a multiple of the replicas; some may even have none of it.
    size = tf.shape(x)[0]
    sizes = context.all_reduce("sum", tf.one_hot(replica, replicas) * tf.cast(size, tf.float32))
    sizes = tf.cast(sizes, tf.int32)
    return Part(tf.reduce_sum(sizes[:replica]), tf.reduce_sum(sizes), tf.maximum(size, 1))


def _share_of_mean(values):
    """What this replica adds to the mean of values per example, `(batch,)`, over all replicas."""
    part = _part(values)
    if part is None:
        return ops.mean(values)
    return ops.sum(values) / ops.cast(part.total, values.dtype)


def _dataset(x):
    """What Keras iterates over: a dataset of batches, other forms as they are."""
    if isinstance(x, data.Batches):
        return x.dataset
    if isinstance(x, tf.data.Dataset) and x.options().autotune.enabled is None:
        return data.pipeline.untuned(x)
    return x


class _Report:
    """The metrics of a model. They are no part of its state: hence not attributes of its own."""

    def __init__(self, names: Sequence[str]):
        self.means = {name: keras.metrics.Mean(name=name) for name in names}
        # Counts the batches of an evaluation; a metric, because Keras resets those at its start.
        self.batches = keras.metrics.Sum(name="batches")


class _Position(keras.callbacks.Callback):
    """Keeps the position in the data among the model's weights, and the data at that position.

    First in the list of callbacks: it runs before any that saves or restores the model.
    """

    def __init__(self, batches: data.Batches | None):
        super().__init__()
        self.batches = batches

    def on_train_begin(self, logs=None):
        self.model.epoch_start.assign(self.model.step)

    def on_epoch_begin(self, epoch, logs=None):
        if self.batches is not None:
            start = int(self.model.epoch_start.numpy())
            self.batches.seek(start, skip=int(self.model.step.numpy()) - start)

    def on_epoch_end(self, epoch, logs=None):
        self.model.epoch_start.assign(self.model.step)
