"""Every preset names things that exist, and nobody can change the registry."""

import dataclasses

import pytest

from keras_gen import evaluation, models, presets
from keras_gen.engine import options
from keras_gen.presets import citations
from keras_gen.runs import override

ALL = pytest.mark.parametrize("preset", presets.PRESETS.values(), ids=lambda preset: preset.name)


@ALL
def test_names_exist(preset):
    assert presets.PRESETS[preset.name] is preset
    model = models.get(preset.class_name)
    assert set(preset.network) <= options.network_options(model).keys()
    assert set(preset.model) <= options.model_options(model).keys()
    assert override(preset, preset.network | preset.model) == preset, "they are what they should be"
    assert set(preset.protocols) <= set(evaluation.PROTOCOLS)
    assert set(preset.target) <= set(preset.protocols)
    papers = [paper for name, paper in vars(citations).items() if name.isupper()]
    assert any(paper in preset.paper for paper in papers)
    assert preset.name in model.presets and preset.needs
    assert override(preset, {}) == preset


def test_the_promised_presets_are_there():
    names = "vae_digits vae_mnist conv_vae_mnist beta_vae_shapes cvae_mnist iwae_mnist"
    assert set(names.split()) <= set(presets.PRESETS)


def test_registry_is_immutable():
    with pytest.raises(TypeError):
        presets.PRESETS["new"] = presets.get("vae_digits")
    with pytest.raises(dataclasses.FrozenInstanceError):
        presets.get("vae_digits").epochs = 1
    presets.get("vae_digits").network["latent_dim"] = -1
    assert presets.get("vae_digits").network["latent_dim"] > 0


def test_unknown_name_offers_the_closest():
    with pytest.raises(
        ValueError,
        match=r"^unknown preset 'vae_digit'\. Did you mean 'vae_digits'\? See keras-gen list\.$",
    ):
        presets.get("vae_digit")


def test_override():
    preset = presets.get("vae_mnist")
    changed = override(
        preset, {"epochs": 3, "schedule": "stages", "latent_dim": 8, "data.shuffle": 1}
    )
    assert (changed.epochs, changed.schedule) == (3, "stages")
    assert changed.network == preset.network | {"latent_dim": 8}
    assert changed.model == preset.model
    assert override(preset, {"likelihood": "gaussian"}).model == {"likelihood": "gaussian"}
    assert changed.data_options == {"shuffle": 1}
    assert changed.target == preset.target
    assert override(preset, {"data": "digits"}).target == {}, "the target is of the old data"


def test_options_of_data_apply_to_another_path_of_the_same_kind():
    spoken = presets.get("conv_vae_spoken_digits")
    assert spoken.data_options["seconds"] == 0.64
    mine = override(spoken, {"data": "audio:mine"})
    assert (mine.data, mine.data_options) == ("audio:mine", spoken.data_options)
    assert override(spoken, {"data": "audio:mine", "data.seconds": 2.0}).data_options == {
        **spoken.data_options,
        "seconds": 2.0,
    }
    for other in ("photos", "text:audio:x", "audio"):
        assert spoken.options_for(other) == {}
    assert presets.get("beta_vae_shapes").options_for("mnist") == {}
    plays = presets.get("recurrent_vae_text")  # its data is text, by another name
    assert plays.data.startswith("tfds:") and plays.data_options
    assert plays.options_for("text:poems.txt") == plays.data_options
    assert plays.options_for("tfds:mnist") == plays.options_for("digits") == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent_dims": 8}, "Did you mean 'latent_dim'"),
        ({"name": "mine"}, "unknown setting 'name'"),
        ({"seed": 1}, "unknown setting 'seed'"),
        ({"epochs": 0}, "epochs must be a positive integer"),
        ({"batch_size": 2.5}, "batch_size must be a positive integer"),
        ({"learning_rate": -1}, "learning_rate must be a positive number"),
        ({"learning_rate": float("nan")}, "learning_rate must be a positive number"),
        ({"schedule": "linear"}, "known are constant, cosine, stages"),
        ({"learning_rate": float("inf")}, "learning_rate must be a positive number"),
        ({"adam": {"beta_1": 1.0}}, r"adam's beta_1 must be in \[0, 1\), got 1.0"),
        ({"adam": {"beta_3": 0.5}}, "got 'beta_3'. Did you mean 'beta_"),
        ({"adam": {"epsilon": float("nan")}}, "adam's epsilon must be a number, got nan"),
        ({"adam": {"epsilon": -1e-7}}, "adam's epsilon must be positive, got -1e-07"),
        ({"adam": {"clipnorm": 0}}, "adam's clipnorm must be positive, got 0"),
        ({"class_name": "GAM"}, "unknown model 'GAM'. Did you mean 'GAN'"),
        ({"data": 3}, "data and class_name are names"),
        ({"protocols": "mig_a"}, "protocols must be a list"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        override(presets.get("vae_mnist"), settings)
