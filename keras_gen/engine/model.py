"""The base class of every model: configuration, presets, generation."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any, ClassVar

import keras
import numpy as np

from keras_gen import checks, data, networks, presets, quiet
from keras_gen.engine import options, pretrained, serving
from keras_gen.engine.trainer import Trainer
from keras_gen.noise import Noise


class GenerativeModel(Trainer):
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
        mixes_batch: whether an example's loss depends on the rest of its batch. Replicas, and parts
            of an accumulated step, then mix their own examples.
        sets_itself: options of base classes that a class does not take but sets.
        step: number of training steps taken, a weight: it is saved and restored with the others.
    """

    paper = ""
    kinds: ClassVar[dict[str, str]] = {}
    mixes_batch = False
    sets_itself: ClassVar[tuple[str, ...]] = ()

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
            dtype="int",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    # ---- configuration ---------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serialized."""
        arguments = self._arguments | {"name": self.name, "dtype": self.dtype_policy}
        with quiet.quiet():  # Keras imports TensorFlow here, if it is installed
            return {k: keras.saving.serialize_keras_object(v) for k, v in arguments.items()}

    def save(self, filepath, *args, **kwargs) -> None:
        """Saves the model as a `.keras` file; arguments are those of `keras.Model.save`."""
        with quiet.quiet():  # as above
            super().save(filepath, *args, **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects=None) -> GenerativeModel:
        config = networks.common.repaired(config)
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

    # ---- generation ------------------------------------------------------------------------------

    def draw(self, n, noise: Noise):
        """Returns z ~ p(z), `(n, latent_dim)`."""
        raise NotImplementedError

    def draw_latents(self, n: int, seed: int | None = None) -> np.ndarray:
        """Returns the z that `sample` decodes, `(n, latent_dim)`; None draws a seed."""
        checks.integer("n", n)
        seed = random.randrange(2**31) if seed is None else checks.seed(seed)
        return data.pipeline.as_array(self.draw(int(n), Noise(seed).at("sample")))

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
