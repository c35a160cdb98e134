"""A network like another one, with fewer units in its hidden layers."""

from __future__ import annotations

import math

import keras

# Layers by the entry of their configuration that says how wide they are.
WIDTHS = {"Dense": "units", "Conv2DTranspose": "filters", "Conv2D": "filters", "GRU": "units",
          "LSTM": "units"}  # fmt: skip
UNCHANGED = ("InputLayer", "Activation", "BatchNormalization", "LayerNormalization", "LeakyReLU",
             "Cropping2D", "Concatenate", "Rescaling", "Flatten", "RepeatVector")  # fmt: skip


def narrowed(network: keras.Model, width: float) -> keras.Model:
    """Returns a network with a share of the units of each hidden layer, with new weights.

    Args:
        network: of dense, convolutional or recurrent layers that follow one another.
        width: share of the units, above 0; at least one unit stays.

    Raises:
        ValueError: if it has a layer of another kind; the message names it.
    """
    sizes = _sizes(network, width)

    def made(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config() | sizes.get(layer.name, {})
        return type(layer).from_config(config)

    return keras.models.clone_model(network, clone_function=made)


def _sizes(network: keras.Model, width: float) -> dict[str, dict]:
    """Returns what changes of each layer's configuration, by the layer's name."""
    changes, before = {}, None  # the layer whose width is not known yet
    for layer in network.layers:
        name = type(layer).__name__
        if name in WIDTHS:
            entry = WIDTHS[name]
            changes[layer.name] = {entry: max(1, round(width * getattr(layer, entry)))}
            before = layer
        elif name == "Reshape":
            *places, channels = layer.target_shape
            if before is None or not places or layer is network.layers[-1]:
                continue
            kept = max(1, round(width * channels))
            changes[layer.name] = {"target_shape": (*places, kept)}
            changes[before.name] = {WIDTHS[type(before).__name__]: math.prod(places) * kept}
        elif name not in UNCHANGED:
            raise ValueError(f"{layer.name} is a {name}, which cannot be made narrower.")
    if before is None:
        raise ValueError(f"{network.name} has no layers that can be made narrower.")
    del changes[before.name]  # the output stays what it is
    return changes
