"""Models by the names of presets, with the weights that come with the package."""

from __future__ import annotations

import keras

from keras_gen import data, presets
from keras_gen.engine.optimizers import adam
from keras_gen.presets import released


def from_preset(
    cls: type, name: str, spec: data.Spec | None = None, load_weights: bool = True, **options
):
    """Returns the model of a preset; see `GenerativeModel.from_preset`.

    Args:
        cls: the class of the model, or a base class of it.
        name, spec, load_weights, **options: as in `GenerativeModel.from_preset`.

    Raises:
        ValueError: as in `GenerativeModel.from_preset`.
    """
    preset = presets.get(name)
    model_class = keras.saving.get_registered_object(f"keras_gen>{preset.class_name}")
    if not issubclass(model_class, cls):
        raise ValueError(
            f"preset {name!r} is of class {preset.class_name}, not {cls.__name__}: use "
            f"keras_gen.from_preset({name!r})."
        )
    if load_weights:
        if spec is not None or options:
            raise ValueError(
                f"the trained weights of {name!r} are for its own data and options: for others, "
                "make an untrained model with load_weights=False."
            )
        model = keras.models.load_model(released.model_file(name))
    else:
        spec = spec or data.spec(preset.data, **preset.data_options)
        model = model_class.for_data(spec, **(preset.network | preset.model | options))
    model.compile(optimizer=adam(preset.learning_rate, model.players, **preset.adam))
    return model
