"""The trained models that come with the package: small, whole, and what their cards say."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_gen
from keras_gen import data, evaluation, models, presets, runs
from keras_gen.presets import released as zoo
from keras_gen.runs import releasing

ROOT = Path(__file__).resolve().parent.parent
# Trained weights of data that is always at hand; their figures are measured again here.
REMEASURED = ("vae_digits", "gan_ring")
EXACT = 1e-3  # how far another machine's rounding may take a figure, as a share of it


# ---- rounding ----------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", releasing.MANTISSAS)
def test_rounding_keeps_the_significant_bits(bits):
    x = np.random.default_rng(0).normal(size=10_000).astype("float32")
    half = releasing.rounded_half(x, bits)
    assert half.dtype == np.float16
    assert np.max(np.abs(half - x) / np.abs(x)) <= 2.0 ** -(bits + 1)
    mantissas = np.unique(np.frexp(np.float64(half))[0] * 2 ** (bits + 1))
    np.testing.assert_array_equal(mantissas, np.rint(mantissas))
    exact = np.float32([0, 1, -2, 0.75])
    np.testing.assert_array_equal(releasing.rounded_half(exact, bits), exact)


def test_rounding_leaves_what_float16_cannot_hold():
    x = np.float32([1.0, 1e6])
    assert releasing.rounded_half(x, 7) is x


@pytest.mark.parametrize("name", ["VAE", "GAN", "InfoGAN", "VAEGAN", "ConditionalGAN"])
def test_a_model_for_use_samples_as_the_trained_one(name, tmp_path):
    digits = data.load("digits")
    options = {"ema": 0.9} if "GAN" in name else {"network": "dense"}
    options |= {"codes": "categorical:10"} if name == "InfoGAN" else {}
    model = models.get(name).for_data(digits.spec, hidden=(24,), seed=0, **options)
    model.compile(run_eagerly=True)
    x = digits.arrays("train", limit=32)
    model.fit(x, batch_size=16, verbose=0)
    copy = model.for_use()
    np.testing.assert_array_equal(copy.sample(5, seed=1), model.sample(5, seed=1))
    assert copy.count_params() <= model.count_params()
    assert int(copy.step) == int(model.step)
    path = tmp_path / "model.keras"
    releasing.save_rounded(copy, path, 7)
    rounded = keras.models.load_model(path)
    assert path.stat().st_size < 1.6 * copy.count_params() + 60_000
    np.testing.assert_allclose(rounded.sample(5, seed=1), model.sample(5, seed=1), atol=0.05)


# ---- releasing ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    preset = dataclasses.replace(presets.get("vae_digits"), epochs=1)
    command = "keras-gen train vae_digits --epochs 1 --run-dir somewhere --data-dir=else --seed 3"
    config = runs.Config(preset, seed=3, command=command)
    run = runs.train(config, folder / "run", verbose=0)
    card = runs.release(run.path, folder / "saved" / "vae_digits")
    return folder / "saved", card


def test_a_release_is_a_model_a_card_and_samples(released):
    folder, card = released
    files = sorted(path.name for path in (folder / "vae_digits").iterdir())
    assert files == ["card.json", "model.keras", "samples.png"]
    assert json.loads((folder / "vae_digits" / "card.json").read_text()) == card
    assert card["command"] == "keras-gen train vae_digits --epochs 1 --seed 3"
    assert card["bytes"] == (folder / "vae_digits" / "model.keras").stat().st_size
    assert {path.name for path in folder.iterdir()} == {"vae_digits"}


def test_nothing_else_is_replaced(released, tmp_path):
    """Neither by a release nor by an export: only what they wrote themselves."""
    folder, _ = released
    model = models.VAE.for_data(data.spec("digits"), latent_dim=2, network="dense", hidden=(4,))
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("years of work")
    for write in (model.export, lambda dest: runs.release(folder.parent / "run", dest)):
        for dest in (tmp_path, thesis):
            with pytest.raises(FileExistsError, match="exists and is not a folder of this kind"):
                write(dest)
    assert [(path, path.read_text()) for path in tmp_path.iterdir()] == [(thesis, "years of work")]
    for _ in range(2):
        model.export(tmp_path / "model", verbose=False)
    assert (tmp_path / "model" / "saved_model.pb").is_file()


def test_a_cards_figures_are_those_of_the_file(released):
    folder, card = released
    model = keras.models.load_model(folder / "vae_digits" / "model.keras")
    model.compile()
    found = evaluation.evaluate(model, data.load("digits"), card["protocols"])
    for name, figure in card["metrics"]["evaluation"].items():
        assert found[name].value == pytest.approx(figure["value"], rel=1e-6), name


def test_from_preset_loads_the_trained_model(released, monkeypatch):
    folder, _ = released
    monkeypatch.setattr(zoo, "folder", lambda: folder)
    model = models.VAE.from_preset("vae_digits")
    assert int(model.step) == 22, "the steps of an epoch"
    x = data.load("digits").arrays("train", limit=64)["x"]
    model.fit(x, verbose=0)  # compiled: training may go on
    untrained = models.VAE.from_preset("vae_digits", load_weights=False, latent_dim=3)
    assert (int(untrained.step), untrained.latent.dim) == (0, 3)
    with pytest.raises(ValueError, match="load_weights=False"):
        models.VAE.from_preset("vae_digits", latent_dim=3)
    with pytest.raises(ValueError, match="'vae_digits' is of class VAE, not GAN"):
        models.GAN.from_preset("vae_digits")
    assert type(keras_gen.from_preset("vae_digits")) is models.VAE
    assert keras_gen.list_presets("VAE", released=True) == ("vae_digits",)
    with pytest.raises(
        ValueError, match="no trained weights of 'vae_mnist' come with the package: train it"
    ):
        models.VAE.from_preset("vae_mnist")


def test_a_card_tells_what_the_data_is(released, monkeypatch):
    monkeypatch.setattr(zoo, "folder", lambda: released[0])
    assert runs.open("vae_digits").spec == data.load("digits").spec
    with pytest.raises(ValueError, match="no card of 'vae_mnist' comes with the package"):
        zoo.card("vae_mnist")


def test_damaged_weights_are_refused(released, tmp_path, monkeypatch):
    copy = tmp_path / "saved"
    shutil.copytree(released[0], copy)
    monkeypatch.setattr(zoo, "folder", lambda: copy)
    path = copy / "vae_digits" / "model.keras"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not the file that was released: its SHA-256 is"):
        models.VAE.from_preset("vae_digits")
    path.unlink()
    with pytest.raises(ValueError, match=r"model\.keras is missing"):
        models.VAE.from_preset("vae_digits")


# ---- what is committed -------------------------------------------------------------------------

CARDS = zoo.cards()
# Of a preset: what its weights depend on.
RECIPE = (
    "class_name",
    "data",
    "data_options",
    "network",
    "model",
    "epochs",
    "batch_size",
    "learning_rate",
    "adam",
    "schedule",
)


def test_the_zoo_is_small_enough():
    sizes = [zoo.model_file(name).stat().st_size for name in zoo.names()]
    assert max(sizes) <= releasing.LARGEST
    assert sum(sizes) <= 60_000_000
    strays = {path.name for path in zoo.folder().glob("*/*")}
    strays = {name for name in strays if not re.fullmatch(r"card-.*\.json", name)}
    assert strays <= {"card.json", "model.keras", "samples.png", "samples.txt"}


@pytest.mark.parametrize("name", CARDS)
def test_each_card_is_of_a_preset_as_it_is(name):
    card, preset = CARDS[name], presets.get(name)
    assert card["preset"] == name
    for field in RECIPE:
        now = json.loads(json.dumps(getattr(preset, field)))
        assert card[field] == now, f"{field}: release it again, or restore the preset"
    measured = preset.protocols if "sha256" in card else preset.target
    assert set(card["metrics"]["evaluation"]) >= set(measured)
    for figure in card["metrics"]["evaluation"].values():
        network = re.fullmatch(r"in (lenet|vgg)-(\w+)", figure["unit"])
        known = network and evaluation.load_features(*network.groups()).hash
        assert figure.get("hash") == known, "measured in features that are no more"
    assert not re.search(r"/tmp|/work|/home|--run-dir|--data-dir", json.dumps(card))


@pytest.mark.parametrize("name", zoo.names())
def test_trained_models_load_and_sample(name):
    trained = runs.open(name)
    model, spec = keras_gen.from_preset(name), trained.spec
    assert type(model) is type(trained.model) is models.get(presets.get(name).class_name)
    samples = model.sample(3, seed=0)
    assert len(samples) == 3
    assert [len(x) for x in samples] == [spec.shape[0]] * 3
    if spec.kind == "audio":
        assert np.isfinite(data.waveform(samples, spec)).all()


@pytest.mark.parametrize("name", REMEASURED)
def test_figures_have_not_drifted(name):
    """Measured again, a card's figures agree within their deviation."""
    preset = presets.get(name)
    model = models.GenerativeModel.from_preset(name)
    found = evaluation.evaluate(model, data.load(preset.data), preset.protocols)
    for metric, figure in CARDS[name]["metrics"]["evaluation"].items():
        tolerance = max(figure["error"] or 0.0, EXACT * abs(figure["value"]))
        assert found[metric].value == pytest.approx(figure["value"], abs=tolerance), metric
    for metric, value in preset.target.items():
        lower = metric.startswith(("reverse_kl", "nll"))
        assert found[metric].value <= value if lower else found[metric].value >= value


def test_the_readmes_table_is_that_of_the_cards():
    result = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "zoo.py", "--check"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_zoo_lies_in_the_package_or_beside_it(tmp_path, monkeypatch):
    assert zoo.folder() == Path(keras_gen.__file__).parent.parent / "saved_models"
    package = tmp_path / "keras_gen"
    (package / "saved_models").mkdir(parents=True)
    monkeypatch.setattr(zoo, "__file__", str(package / "presets" / "released.py"))
    assert zoo.folder() == package / "saved_models"
