"""The default networks of models, chosen by the kind of data that a spec describes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType

import keras

from keras_gen import checks, data, latents, likelihoods, networks
from keras_gen.likelihoods import Likelihood
from keras_gen.suggestions import nearest

# Each network's seeds are out of the reach of the others', which have one for each layer.
SECOND, THIRD = 1000, 2000


def module(cls: type, spec: data.Spec, network: str | None = None) -> ModuleType:
    """Returns the module of `keras_gen.networks` that suits the data, or the one named.

    Args:
        cls: a model class; its `kinds` say which networks it has for which kind of data.
        spec: of a data set.
        network: name of a module.

    Raises:
        ValueError: if none suits, or there is none of that name.
        TypeError: if `spec` is something else.
    """
    if not isinstance(spec, data.Spec):
        raise TypeError(
            f"spec must be a keras_gen.data.Spec, as dataset.spec; got {type(spec).__name__}."
        )
    known = ", ".join(networks.BY_NAME)
    kind = "image" if spec.is_picture else spec.kind
    if network is None and kind not in cls.kinds:
        raise ValueError(
            f"{cls.__name__} has default networks for data of kind {', '.join(cls.kinds)}, not "
            f"{kind}: pass your own networks, or choose `network` among {known}."
        )
    if network is not None and network not in networks.BY_NAME:
        close = nearest(network, networks.BY_NAME)
        raise ValueError(f"Unknown network {network!r}.{close} Known: {known}.")
    return networks.BY_NAME[network or cls.kinds[kind]]


def label_settings(cls: type, spec: data.Spec) -> dict[str, int]:
    """Returns `num_classes` for the networks of a conditional model, nothing for other models.

    Raises:
        ValueError: if labels are needed and there are none.
    """
    if not cls.conditional:
        return {}
    if not spec.num_classes:
        raise ValueError(f"{cls.__name__} needs class labels, and data {spec.name!r} has none.")
    return {"num_classes": spec.num_classes}


def seeded(seed: int | None, offset: int = 0) -> int | None:
    """Returns the seed of a network, `offset` after the model's; None stays None."""
    return None if seed is None else checks.seed(seed) + offset


def generated_range(spec: data.Spec) -> tuple[float, float]:
    """Returns the range that a generator fills: one of the usual scales, else all numbers.

    Other bounds are only those of the examples that were seen.
    """
    usual = spec.value_range in ((0.0, 1.0), (-1.0, 1.0))
    return spec.value_range if usual else (-math.inf, math.inf)


def likelihood_of(spec: data.Spec, given: str | Likelihood | None) -> Likelihood:
    """Returns the likelihood given; by default Bernoulli for data in [0, 1], else Gaussian."""
    default = "bernoulli" if spec.value_range == (0.0, 1.0) else "gaussian"
    return likelihoods.get(default if given is None else given)


def encoder_decoder(
    cls: type,
    spec: data.Spec,
    latent_dim: int,
    likelihood: str | Likelihood | None,
    network: str | None = None,
    hidden: int | Sequence[int] | None = None,
    filters: int | Sequence[int] | None = None,
    activation: str = "relu",
    seed: int | None = None,
    remat: bool = False,
) -> tuple[keras.Model, keras.Model, Likelihood]:
    """Returns the encoder and the decoder of a VAE, and its likelihood; see `VAE.for_data`."""
    kind = module(cls, spec, network)
    likelihood = likelihood_of(spec, likelihood)
    settings = {"activation": activation} | label_settings(cls, spec)
    if filters is not None:
        if kind is not networks.conv:
            raise ValueError("`filters` are for convolutional networks: network='conv'.")
        settings["filters"] = networks.layer_sizes(filters)
    mirrored = settings.copy()
    if hidden is not None:
        sizes = networks.layer_sizes(hidden)
        settings["hidden"], mirrored["hidden"] = sizes, sizes[::-1]
    parameters = latents.Gaussian(latent_dim).parameter_size
    shape = likelihood.parameter_shape(spec.shape)
    with networks.rematerialized(remat):
        encoder = kind.encoder(spec.shape, parameters, seed=seeded(seed), **settings)
        decoder = kind.decoder(latent_dim, shape, seed=seeded(seed, SECOND), **mirrored)
    return encoder, decoder, likelihood


def generator(
    cls: type,
    spec: data.Spec,
    latent_dim: int,
    network: str | None = None,
    hidden: int | Sequence[int] | None = None,
    depth: int | None = None,
    width: int | None = None,
    normalization: str | None = "batch",
    seed: int | None = None,
    remat: bool = False,
) -> keras.Model:
    """Returns a generator; see `AdversarialModel.for_data`."""
    checks.integer("latent_dim", latent_dim)
    kind, settings = _stages(cls, spec, network, depth, width)
    if hidden is not None:
        settings["hidden"] = networks.layer_sizes(hidden)
    with networks.rematerialized(remat):
        return kind.generator(
            latent_dim,
            spec.shape,
            generated_range(spec),
            normalization=normalization,
            seed=seeded(seed),
            **settings,
        )


def discriminator(
    cls: type,
    spec: data.Spec,
    network: str | None = None,
    hidden: int | Sequence[int] | None = None,
    depth: int | None = None,
    width: int | None = None,
    activation: str | None = None,
    normalization: str | None = None,
    packing: int = 1,
    features: bool = False,
    seed: int | None = None,
    remat: bool = False,
) -> keras.Model:
    """Returns a discriminator; see `AdversarialModel.for_data`."""
    checks.integer("packing", packing)
    kind, settings = _stages(cls, spec, network, depth, width)
    if "num_classes" in settings:
        settings["num_classes"] *= packing  # The labels of a pack, side by side.
    if activation is not None:
        settings["activation"] = activation
    if hidden is not None:
        settings["hidden"] = networks.layer_sizes(hidden)
    with networks.rematerialized(remat):
        return kind.discriminator(
            (*spec.shape[:-1], spec.shape[-1] * packing),
            generated_range(spec),
            normalization=normalization,
            features=features,
            seed=seeded(seed, SECOND),
            **settings,
        )


def _stages(cls, spec, network, depth, width) -> tuple[ModuleType, dict]:
    """The module of the networks, and the settings that generator and discriminator share."""
    kind = module(cls, spec, network)
    settings = {k: v for k, v in {"depth": depth, "width": width}.items() if v is not None}
    if settings and kind is not networks.conv:
        raise ValueError("`depth` and `width` are for convolutional networks: network='conv'.")
    return kind, settings | label_settings(cls, spec)
