"""Whether the networks and options of an adversarial model fit together."""

from __future__ import annotations

import keras

SQUASHING = (keras.activations.sigmoid, keras.activations.tanh, keras.activations.softmax)


def check(model) -> None:
    """Checks an `AdversarialModel`.

    Raises:
        ValueError: if its networks do not fit together, or an option does not fit them.
    """
    if model.label_smoothing and not model.loss_pair.logistic:
        raise ValueError(
            f"label_smoothing has no meaning for loss={model.loss_pair.name!r}, which has no "
            "labels: use loss='non_saturating' or 'minimax'."
        )
    check_augmentations(model, model.augmentations)
    check_shapes(model)
    check_logits(model.discriminator)
    if model.r1 or model.r2 or model.wgan_gp:
        check_second_derivatives(model.discriminator)


def check_augmentations(model, augmentations: list[str]) -> None:
    """Raises ValueError if data that is not images should be augmented."""
    if augmentations and len(model.data_shape) != 3:
        raise ValueError(
            f"augment is for images (height, width, channels), not for {model.data_shape}."
        )


def check_shapes(model) -> None:
    """Raises ValueError unless z, generator and discriminator fit together."""
    if model.generator.inputs[0].shape[1:] != (model.latent.dim,):
        raise ValueError(
            f"generator must take z (batch, {model.latent.dim}), as `latent` is; it takes "
            f"{model.generator.inputs[0].shape}."
        )
    packed = (*model.data_shape[:-1], model.data_shape[-1] * model.packing)
    taken, output = model.discriminator.inputs[0].shape, model.discriminator.outputs[0]
    if taken[1:] != packed or not model.has_logit_shape(output):
        raise ValueError(
            f"discriminator must map (batch, {', '.join(map(str, packed))}), what the generator "
            f"returns{' in packs' * (model.packing > 1)}, to a logit (batch, 1); it maps {taken} "
            f"to {output.shape}."
        )


def check_logits(discriminator: keras.Model) -> None:
    """Raises ValueError if a discriminator returns probabilities."""
    last = discriminator.outputs[0]._keras_history.operation
    if getattr(last, "activation", None) in SQUASHING:
        raise ValueError(
            f"discriminator must return a logit, but its last layer {last.name!r} ends with "
            f"{last.activation.__name__}: leave the activation out; the loss has its own."
        )


def check_second_derivatives(discriminator: keras.Model) -> None:
    """Raises ValueError if penalties on a discriminator's gradient would be wrong."""
    if has(discriminator, keras.layers.BatchNormalization):
        raise ValueError(
            "A penalty is on the gradient of each example's logit, which batch normalization makes "
            "depend on all others: use normalization None, 'layer' or 'spectral' in the "
            "discriminator, or no r1, r2 and wgan_gp."
        )
    for layer in discriminator._flatten_layers():
        smooth = (
            isinstance(layer, (keras.layers.UpSampling2D, keras.layers.UpSampling3D))
            and getattr(layer, "interpolation", "nearest") != "nearest"
        )
        cudnn = isinstance(layer, (keras.layers.LSTM, keras.layers.GRU)) and layer.use_cudnn
        if smooth or isinstance(layer, keras.layers.Resizing) or cudnn:
            raise ValueError(
                f"The discriminator's layer {layer.name!r} has no correct second derivative, which "
                "r1, r2 and wgan_gp need: upsample by interpolation='nearest' or a transposed "
                "convolution, and give LSTM and GRU use_cudnn=False."
            )


def has(network: keras.Model, kind: type) -> bool:
    """Returns whether a network has a layer of a kind."""
    return any(isinstance(layer, kind) for layer in network._flatten_layers())
