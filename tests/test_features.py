"""Feature networks: the shipped ones, their cards and training, the protocols that use them."""

import json
import shlex
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from keras_gen import cli, data, evaluation, models
from keras_gen.evaluation import classifiers, features
from keras_gen.evaluation.protocols import modes


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


@pytest.fixture(scope="module")
def lenet():
    return evaluation.load_features("lenet", "digits")


@pytest.fixture(scope="module")
def halves():
    """Images that are brighter on the left (class 0) or on the right (class 1)."""
    rng = np.random.default_rng(0)
    label = rng.integers(2, size=600)
    x = rng.uniform(0.0, 0.6, size=(600, 9, 8, 2)).astype("float32")
    x[label == 0, :, :4] += 0.4
    x[label == 1, :, 4:] += 0.4
    return data.load((x, label))


@pytest.fixture
def copied(tmp_path):
    """A copy of the shipped file and its card."""
    for suffix in (".keras", ".json"):
        shutil.copy(features.WEIGHTS / f"lenet-digits{suffix}", tmp_path)
    return tmp_path / "lenet-digits.keras"


def sampler(sample):
    """A model that only samples."""
    return SimpleNamespace(sample=sample, conditional=False)


def measured(protocol, model, dataset=None):
    return evaluation.PROTOCOLS[protocol].measure(evaluation.Subject(model, dataset))


# ---- the shipped ones --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_cards_of_the_shipped_features(name):
    card = features.shipped()[name]
    path = features.WEIGHTS / f"lenet-{name}.keras"
    loaded = evaluation.load_features("lenet", name)
    assert (loaded.name, loaded.hash) == (f"lenet-{name}", card["sha256"])
    assert tuple(card["shape"]) == loaded.shape == data.spec(name).shape
    assert card["command"] == (
        f"keras-gen features {name} --out keras_gen/evaluation/weights/lenet-{name}.keras"
    )
    assert card["versions"].keys() == {"keras_gen", "keras", "tensorflow", "python"}
    assert path.stat().st_size < 700_000
    assert evaluation.load_features("lenet", name) is loaded, "a second time it is at hand"


def test_accuracy_on_digits(lenet, digits):
    test = digits.arrays("test")
    accuracy = np.mean(lenet.classify(test["x"]) == test["label"])
    assert accuracy == pytest.approx(lenet.accuracy, abs=0.5 / len(test["x"]))
    assert accuracy > 0.97


def test_accuracy_on_mnist_and_the_floor(shared_data):
    mnist = data.load("mnist", shared_data / "tfds")
    test = mnist.arrays("test")
    lenet = evaluation.load_features()
    accuracy = np.mean(lenet.classify(test["x"]) == test["label"])
    # Rounding on another machine may change an image or two.
    assert accuracy == pytest.approx(lenet.accuracy, abs=3e-4)
    assert accuracy >= 0.99
    floor = evaluation.floor("fid_lenet_10k", mnist)
    assert (floor.n, floor.unit) == (10_000, "in lenet-mnist")
    assert floor.value == pytest.approx(0.82, abs=0.1)


def test_outputs(lenet, digits):
    x = digits.arrays("test", limit=40)["x"]
    f, p, c = lenet(x), lenet.probabilities(x), lenet.classify(x)
    assert (f.dtype, f.shape) == (np.float64, (40, classifiers.DIMENSION))
    assert (p.dtype, p.shape) == (np.float64, (40, 10))
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_array_equal(p.argmax(axis=1), c)
    assert (f >= 0).all()
    assert (f.std(axis=0) > 0).sum() > 30, "most features vary"


def test_outputs_do_not_depend_on_the_batch_size(lenet, digits):
    x = digits.arrays("test")["x"]
    for output in (lenet, lenet.probabilities):
        expected = output(x)
        for size in (1, 7, 100, 1000):
            np.testing.assert_allclose(output(x[:150], size), expected[:150], atol=1e-4)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            np.zeros((3, 28, 28, 1)),
            r"lenet-digits: x must have shape \(n, 8, 8, 1\), got \(3, 28, 28, 1\)",
        ),
        (np.zeros((8, 8, 1)), r"got \(8, 8, 1\)"),
        (np.zeros((0, 8, 8, 1)), "at least 1 example, got 0"),
        (np.full((1, 8, 8, 1), np.nan), "x holds NaN or infinite"),
    ],
)
def test_images_that_do_not_fit(lenet, x, message):
    with pytest.raises(ValueError, match=message):
        lenet(x)


def test_unknown_features_name_the_known_ones():
    for name, of in (("lenet", "cifar10"), ("inception", "mnist")):
        with pytest.raises(
            ValueError, match=f"No features {name}-{of} .*has lenet-digits, lenet-m"
        ):
            evaluation.load_features(name, of)
    with pytest.raises(ValueError, match="keras-gen features DATA --out"):
        evaluation.load_features("lenet", "cifar10")


def test_a_changed_file_is_refused(copied, lenet, digits):
    x = digits.arrays("test", limit=9)["x"]
    np.testing.assert_array_equal(evaluation.read_features(copied)(x), lenet(x))
    content = bytearray(copied.read_bytes())
    content[len(content) // 2] ^= 1
    copied.write_bytes(content)
    with pytest.raises(ValueError, match="not the file that its card describes: its SHA-256 is"):
        evaluation.read_features(copied)


@pytest.mark.parametrize("suffix", [".keras", ".json"])
def test_a_missing_file_is_named(copied, suffix):
    copied.with_suffix(suffix).unlink()
    with pytest.raises(FileNotFoundError, match=rf"lenet-digits\{suffix} does not exist"):
        evaluation.read_features(copied)


# ---- training ----------------------------------------------------------------------------------


def test_training_learns_repeats_and_is_saved(halves, tmp_path):
    networks = [evaluation.train_features(halves, epochs=5, seed=seed) for seed in (1, 1, 2)]
    kernels = [network.get_weights()[0] for network in networks]
    np.testing.assert_allclose(kernels[0], kernels[1], atol=1e-5)
    assert np.abs(kernels[0] - kernels[2]).max() > 0.01

    path = tmp_path / "mine.keras"
    saved = evaluation.save_features(networks[0], halves, path, "a command")
    assert saved.accuracy > 0.95
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.json", "mine.keras"]
    card = json.loads((tmp_path / "mine.json").read_text())
    assert (card["command"], card["data"], card["test_examples"]) == ("a command", "arrays", 60)
    x = halves.arrays("test")["x"]
    np.testing.assert_allclose(
        evaluation.read_features(path)(x),
        features.Features("", "", 0.0, networks[0])(x),
        rtol=1e-6,
    )
    with pytest.raises(ValueError, match=r"must end in \.keras"):
        evaluation.save_features(networks[0], halves, tmp_path / "mine.h5")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((20, 8, 8, 1), "uint8"), "needs class labels, but arrays has none"),
        (
            (np.zeros((20, 8, 7, 1), "uint8"), np.arange(20) % 2),
            "at least 8x8, but arrays has images",
        ),
        (np.zeros((20, 9), "float32"), r"but arrays has vectors of shape \(9,\)"),
    ],
)
def test_data_that_lenet_cannot_learn_from(source, message):
    with pytest.raises(ValueError, match=message):
        evaluation.train_features(data.load(source))


def test_command(tmp_path, capsys):
    command = f"features digits --epochs 1 --seed 3 --out {tmp_path / 'd.keras'}"
    assert cli.main(shlex.split(command)) == 0
    assert "of 359 test examples classified correctly" in capsys.readouterr().out
    card = json.loads((tmp_path / "d.json").read_text())
    assert card["command"] == f"keras-gen {command}"
    assert evaluation.read_features(tmp_path / "d.keras").name == "lenet-digits"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("features", "required: DATA, --out"),
        ("features digits --out f.h5", "--out f.h5 must end in .keras"),
        ("features digits --out no/f.keras", "there is no directory no"),
        ("features digits --epochs 0 --out f.keras", "--epochs: must be at least 1"),
        ("features digit --out f.keras", "Did you mean 'digits'"),
        ("features shapes --out f.keras", "needs class labels, but shapes has none"),
    ],
)
def test_bad_usage_is_one_line(command, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(shlex.split(command)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("keras-gen: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not list(tmp_path.iterdir())


# ---- protocols ---------------------------------------------------------------------------------


def test_fid_of_real_images_is_near_the_floor_and_of_a_model_above(digits):
    test = digits.arrays("test")["x"]
    perfect = measured("fid_lenet_10k", sampler(lambda n, seed: test[:n]), digits)
    assert (perfect.n, perfect.unit) == (len(test), "in lenet-digits")
    assert perfect.value == pytest.approx(0.0, abs=1e-6)
    floor = evaluation.floor("fid_lenet_10k", digits)
    assert floor == evaluation.floor("fid_lenet_10k", digits)
    assert floor.n == len(test)
    assert 0 < floor.error < floor.value < 10

    vae = models.VAE.for_data(digits.spec, latent_dim=2, network="dense", hidden=(8,), seed=0)
    vae.compile()
    untrained = evaluation.evaluate(vae, digits, ["fid_lenet_10k"])["fid_lenet_10k"]
    assert untrained.value > 10 * floor.value
    assert untrained.floor == floor.value


def test_own_features_replace_the_shipped_ones(digits, tmp_path):
    np.savez(tmp_path / "mine.npz", **digits.arrays("train"))
    own = data.load(tmp_path / "mine.npz")
    vae = models.VAE.for_data(own.spec, latent_dim=2, network="dense", hidden=(8,), seed=0)
    vae.compile()
    with pytest.raises(ValueError, match="needs data with lenet features"):
        evaluation.evaluate(vae, own, ["fid_lenet_1k"])
    network = evaluation.train_features(own, epochs=1)
    features = evaluation.save_features(network, own, tmp_path / "mine.keras")
    found = evaluation.evaluate(vae, own, ["fid_lenet_1k"], features)["fid_lenet_1k"]
    assert (found.unit, found.hash) == ("in lenet-mine", features.hash)
    assert found.value > 2 * found.floor
    others = evaluation.evaluate(vae, digits, ["fid_lenet_1k"])["fid_lenet_1k"]
    assert others.hash == evaluation.load_features("lenet", "digits").hash != found.hash
    with pytest.raises(ValueError, match="features lenet-mine are of images"):
        evaluation.check(["fid_lenet_1k"], data.spec("mnist"), features=features)


def test_stacked_protocols_classify_each_channel(shared_data, monkeypatch):
    test = data.load("mnist", shared_data / "tfds").arrays("test", limit=3000)
    images = [test["x"][test["label"] == digit] for digit in range(10)]
    few = 2000
    monkeypatch.setattr(modes, "STACKED_SAMPLES", few)

    def sample(n, seed):
        """Twice each of the numbers 0 to 999, or n of them, as three digits."""
        digits = [[int(character) for character in f"{i % 1000:03}"] for i in range(n)]
        return np.stack(
            [np.concatenate([images[d][i % 90] for d in row], -1) for i, row in enumerate(digits)]
        )

    results = {
        name: measured(name, sampler(sample)) for name in ("stacked_modes_26k", "stacked_kl_26k")
    }
    assert results["stacked_modes_26k"].value >= 990
    assert 0 <= results["stacked_kl_26k"].value < 0.02
    collapsed = sampler(lambda n, seed: sample(40, seed)[np.arange(n) % 40])
    assert measured("stacked_modes_26k", collapsed).value == pytest.approx(40, abs=2)
    kl = measured("stacked_kl_26k", collapsed).value
    assert kl == pytest.approx(np.log(1000 / 40), abs=0.1)


@pytest.mark.parametrize(
    ("protocol", "spec", "message"),
    [
        (
            "fid_lenet_10k",
            data.spec("shapes"),
            "lenet features.*digits and mnist.*; shapes has none",
        ),
        ("fid_lenet_10k", data.spec("mnist", image_size=14), "lenet features for its images"),
        ("stacked_modes_26k", data.spec("mnist"), "stacked_mnist; mnist has none"),
        ("stacked_kl_26k", data.spec("digits"), "stacked_mnist; digits has none"),
    ],
)
def test_protocols_that_the_data_does_not_allow(protocol, spec, message):
    with pytest.raises(ValueError, match=f"Protocol {protocol} needs data with.*{message}"):
        evaluation.check([protocol], spec)


def test_protocols_that_the_data_allows():
    evaluation.check(["fid_lenet_10k"], data.spec("digits"))
    evaluation.check(["fid_lenet_10k"], data.spec("mnist"))
    evaluation.check(["stacked_modes_26k", "stacked_kl_26k"], data.spec("stacked_mnist"))
