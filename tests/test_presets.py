"""Every preset names things that exist, and nobody can change the registry."""

import dataclasses

import pytest
from keras_gen.training.config import model_options_of, override

from keras_gen import evaluation, models, presets

ALL = pytest.mark.parametrize("preset", presets.PRESETS.values(), ids=lambda preset: preset.name)


@ALL
def test_names_exist(preset):
    assert presets.PRESETS[preset.name] is preset
    assert issubclass(models.get(preset.model), models.GenerativeModel)
    assert set(preset.model_options) <= model_options_of(preset.model).keys()
    assert override(preset, dict(preset.model_options)) == preset, "they are what they should be"
    assert set(preset.protocols) <= set(evaluation.PROTOCOLS)
    assert set(preset.target) <= set(preset.protocols)
    assert preset.paper
    assert override(preset, {}) == preset


def test_the_promised_presets_are_there():
    names = "vae_digits vae_mnist conv_vae_mnist beta_vae_shapes cvae_mnist iwae_mnist"
    assert set(names.split()) <= set(presets.PRESETS)


def test_registry_is_immutable():
    with pytest.raises(TypeError):
        presets.PRESETS["new"] = presets.get("vae_digits")
    with pytest.raises(dataclasses.FrozenInstanceError):
        presets.get("vae_digits").epochs = 1
    presets.get("vae_digits").model_options["latent_dim"] = -1
    assert presets.get("vae_digits").model_options["latent_dim"] > 0


def test_unknown_name_offers_the_closest():
    with pytest.raises(ValueError, match="did you mean 'vae_digits'"):
        presets.get("vae_digit")


def test_override():
    preset = presets.get("vae_mnist")
    changed = override(
        preset, {"epochs": 3, "schedule": "stages", "latent_dim": 8, "data.shuffle": 1}
    )
    assert (changed.epochs, changed.schedule) == (3, "stages")
    assert changed.model_options == preset.model_options | {"latent_dim": 8}
    assert changed.data_options == {"shuffle": 1}
    assert changed.target == preset.target
    assert override(preset, {"data": "digits"}).target == {}, "the target is of the old data"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent_dims": 8}, "did you mean 'latent_dim'"),
        ({"name": "mine"}, "unknown setting 'name'"),
        ({"seed": 1}, "unknown setting 'seed'"),
        ({"epochs": 0}, "epochs must be a positive whole number"),
        ({"batch_size": 2.5}, "batch_size must be a positive whole number"),
        ({"learning_rate": -1}, "learning_rate must be a positive number"),
        ({"learning_rate": float("nan")}, "learning_rate must be a positive number"),
        ({"schedule": "linear"}, "known are constant, cosine, stages"),
        ({"model": "GAM"}, "GAM"),
        ({"data": 3}, "data and model are names"),
        ({"protocols": "mig_a"}, "protocols must be a list"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        override(presets.get("vae_mnist"), settings)
