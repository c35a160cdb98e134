"""What protocols measure, on models whose figures are known."""

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from keras_gen import data, evaluation, models
from keras_gen.evaluation import features

QUALITY = ("precision", "recall", "density", "coverage")
LENET = (
    *(f"{name}_lenet_10k" for name in ("fid", "kid", "class_score")),
    *(f"{name}_lenet_5k" for name in QUALITY),
)


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


def measured(protocol, model, dataset, **options):
    subject = evaluation.Subject(model, dataset, **options)
    return evaluation.PROTOCOLS[protocol].measure(subject)


def copier(dataset, part="test"):
    """A model whose samples are the data, in order."""
    x = dataset.arrays(part)["x"]
    return SimpleNamespace(sample=lambda n, seed: x[np.arange(n) % len(x)])


# ---- images ------------------------------------------------------------------------------------


def test_quality_of_the_test_images_themselves(digits):
    subject = evaluation.Subject(copier(digits), digits)
    found = {name: evaluation.PROTOCOLS[name].measure(subject) for name in LENET}
    assert found["fid_lenet_10k"].value == pytest.approx(0.0, abs=1e-6)
    assert found["fid_lenet_10k"].error == 0.0
    # Unbiased: for equal sets it is below zero.
    assert found["kid_lenet_10k"].value < 0
    for name in ("precision", "recall", "coverage"):
        assert found[f"{name}_lenet_5k"].value == 1.0
    assert 1.0 < found["class_score_lenet_10k"].value <= 10.0
    assert {result.n for result in found.values()} == {digits.size("test")}
    assert {result.unit for result in found.values()} == {"in lenet-digits"}


def test_each_damage_shows_in_its_own_figure(digits):
    test = digits.arrays("test")
    few = test["x"][test["label"] < 3]
    dropped = SimpleNamespace(sample=lambda n, seed: few[np.arange(n) % len(few)])
    # lenet-digits classifies other kinds of noise as something like a digit.
    checkers = np.indices((8, 8)).sum(axis=0)[None, :, :, None] % 2
    gray = np.random.default_rng(0).random((2000, 1, 1, 1))
    noise = SimpleNamespace(sample=lambda n, seed: (checkers * gray[:n]).astype("float32"))
    precision, recall = (f"{name}_lenet_5k" for name in ("precision", "recall"))
    assert measured(precision, dropped, digits).value > 0.9
    assert measured(recall, dropped, digits).value < 0.6
    assert measured(precision, noise, digits).value < 0.3
    for name in ("fid_lenet_10k", "fid_lenet_1k", "kid_lenet_10k", "sliced_wasserstein_10k"):
        floor = evaluation.floor(name, digits).value
        for model in (dropped, noise):
            assert measured(name, model, digits).value > 2 * max(floor, 0), name


def test_copies_of_training_examples_are_found(digits):
    for part, copies in (("train", 1.0), ("test", 0.0)):
        model = copier(digits, part)
        assert measured("copies_1k", model, digits).value == pytest.approx(copies, abs=0.02)
        nearer = measured("nearer_to_training_1k", model, digits).value
        # Only as many training examples count as there are test examples, a quarter of them.
        assert nearer > 0.55 if part == "train" else nearer < 0.1


def test_evaluate_gives_floors_deviations_and_times(digits):
    vae = models.VAE.for_data(digits.spec, latent_dim=2, network="dense", hidden=(8,), seed=0)
    vae.compile()
    results = evaluation.evaluate(vae, digits, ["fid_lenet_10k", "active_units"])
    fid, units, elbo = (results[name] for name in ("fid_lenet_10k", "active_units", "elbo"))
    assert fid.floor == evaluation.floor("fid_lenet_10k", digits).value
    assert 0 < fid.error < fid.value
    assert units.floor is None and elbo.floor is None
    assert all(result.seconds > 0 for result in results.values())


def test_real_data_of_given_classes(digits):
    real = evaluation.protocols.RealData(digits, "test")
    label = np.arange(200) % 10
    x = real.sample(200, 0, label)
    lenet = evaluation.load_features("lenet", "digits")
    assert np.mean(lenet.classify(x) == label) > 0.95


def test_real_data_names_a_class_without_examples(digits):
    with pytest.raises(ValueError, match="the test part of digits has no example of class 11"):
        evaluation.protocols.RealData(digits, "test").sample(2, 0, np.array([1, 11]))


# ---- statistics --------------------------------------------------------------------------------

DIFFERENCES = ("mean_difference_10k", "variance_difference_10k", "quantile_difference_10k")
P_VALUES = ("energy_test_500", "mmd_test_500")
STATISTICS = (*DIFFERENCES, "ks_rejected_10k", *P_VALUES)


@pytest.fixture(scope="module")
def normal():
    """Standard normal data of three features."""
    rng = np.random.default_rng(0)
    arrays = {"x_train": rng.normal(size=(4000, 3)), "x_test": rng.normal(size=(4000, 3))}
    return data.load({name: x.astype("float32") for name, x in arrays.items()})


def changed(change):
    """A model that samples a function of standard normal numbers."""
    return SimpleNamespace(
        sample=lambda n, seed: change(np.random.default_rng(9).normal(size=(n, 3)))
    )


def statistics(model, dataset):
    subject = evaluation.Subject(model, dataset)
    results = {name: evaluation.PROTOCOLS[name].measure(subject) for name in STATISTICS}
    assert {results[name].n for name in STATISTICS[:4]} == {min(10_000, dataset.size("test"))}
    assert {results[name].n for name in P_VALUES} == {min(500, dataset.size("test"))}
    return {name: result.value for name, result in results.items()}


def test_statistics_of_the_distribution_itself_are_at_their_floors(normal):
    found = statistics(changed(lambda x: x), normal)
    for name in DIFFERENCES:
        assert 0 < found[name] < 0.05
        assert 0 < evaluation.floor(name, normal).value < 0.05
    assert found["ks_rejected_10k"] == 0.0
    assert min(found[name] for name in P_VALUES) > 0.05


@pytest.mark.parametrize(
    ("shift", "scale"), [(1.0, 1.0), (0.0, 2.0), (-0.5, 0.5)], ids=["shift", "scale", "both"]
)
def test_statistics_of_a_changed_distribution_have_closed_forms(normal, shift, scale):
    found = statistics(changed(lambda x: shift + scale * x), normal)
    deviation = np.sqrt((1 + scale**2) / 2 + shift**2 / 4)
    quantiles = shift + (scale - 1) * norm.ppf([0.05, 0.25, 0.5, 0.75, 0.95])
    expected = (
        abs(shift) / deviation,
        abs(scale**2 - 1) / (scale**2 + 1),
        np.mean(np.abs(quantiles)) / deviation,
    )
    for name, value in zip(DIFFERENCES, expected, strict=True):
        assert found[name] == pytest.approx(value, abs=0.05), name
    assert found["ks_rejected_10k"] == 1.0
    assert [found[name] for name in P_VALUES] == [0.001, 0.001]


def test_dependence_alone_shows_in_the_tests_of_whole_examples(normal):
    found = statistics(changed(lambda x: np.repeat(x[:, :1], 3, axis=1)), normal)
    assert max(found[name] for name in DIFFERENCES) < 0.05
    assert found["ks_rejected_10k"] == 0.0
    assert [found[name] for name in P_VALUES] == [0.001, 0.001]


def test_statistics_of_images_do_not_see_less_than_a_pixel_stores(digits):
    stored = np.round(digits.arrays("test")["x"] * 255) / 255
    noise = np.random.default_rng(0).uniform(-0.4, 0.4, size=stored.shape) / 255
    faint = np.clip(stored + noise, 0, 1)
    found = statistics(SimpleNamespace(sample=lambda n, seed: faint[:n]), digits)
    assert found == statistics(SimpleNamespace(sample=lambda n, seed: stored[:n]), digits)
    assert [found[name] for name in DIFFERENCES] == pytest.approx([0, 0, 0], abs=1e-12)
    assert found["ks_rejected_10k"] == 0.0


def test_protocols_share_their_samples(normal):
    drawn = []

    def sample(n, seed):
        drawn.append((n, seed))
        return np.zeros((n, 3))

    statistics(SimpleNamespace(sample=sample), normal)
    assert drawn == [(4000, 0), (500, 0)]


def test_statistics_refuse_text():
    text = data.Spec("letters", "text", (9, 1), (0, 25))
    for name in STATISTICS:
        with pytest.raises(ValueError, match=f"{name} needs data with measured values, not text"):
            evaluation.check([name], text)


# ---- the table of the documentation ------------------------------------------------------------


def test_the_documentation_lists_all_protocols():
    text = (Path(__file__).parent.parent / "docs" / "evaluation.md").read_text()
    table = [re.split(r"(?<!\\)\|", line) for line in text.splitlines() if line.startswith("| `")]
    rows = {cells[1].split("`")[1]: cells for cells in table}
    assert list(rows) == list(evaluation.PROTOCOLS)
    for name, (_, title, what, unit, n, needs, *_) in rows.items():
        protocol = evaluation.PROTOCOLS[name]
        assert title.endswith("* ") == (protocol.floor is not None), name
        assert protocol.needed in needs, name
        assert all(cell.strip() for cell in (what, unit, n, needs)), name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("fid", " Did you mean 'fid_lenet_1k'?"),
        ("fid_lenet_10", " Did you mean 'fid_lenet_10k'?"),
        ("MIG", ""),
    ],
)
def test_an_unknown_protocol_has_one_short_message(name, hint):
    with pytest.raises(ValueError, match=f"Protocol '{name}' is unknown") as caught:
        evaluation.check([name], data.spec("digits"))
    message = str(caught.value)
    assert hint in message and "keras-gen evaluate --help" in message
    assert len(message) < 150


# ---- latents and factors ------------------------------------------------------------------------

FACTORS = {
    "mig_a": 1.0,
    "factor_vae_score": 1.0,
    "beta_vae_score": 1.0,
    "dci_disentanglement": 1.0,
    "dci_completeness": 1.0,
    "sap": 1.0,
}


@pytest.fixture(scope="module")
def factors():
    """Data whose two features are its two factors."""
    label = np.stack([np.arange(4000) % 4, np.arange(4000) // 4 % 5], axis=1)
    spec = data.Spec("pairs", "vector", (2,), (0.0, 4.0), factors={"a": 4, "b": 5})
    part = {"x": label.astype("float32"), "label": label}
    return data.Dataset(spec, part, part)


@pytest.mark.parametrize("protocol", FACTORS)
def test_scores_of_latents_that_are_the_factors(protocol, factors):
    perfect = SimpleNamespace(conditional=False, encode=lambda x, label=None: x)
    result = measured(protocol, perfect, factors)
    assert result.value == pytest.approx(FACTORS[protocol], abs=0.25 if protocol == "sap" else 0.01)
    assert (result.unit, result.n) == ("of 1", 4000)
    useless = SimpleNamespace(
        conditional=False,
        encode=lambda x, label=None: np.random.default_rng(0).normal(size=x.shape),
    )
    assert measured(protocol, useless, factors).value < 0.6
    inferred = SimpleNamespace(infer_codes=lambda x: x)  # an InfoGAN's codes count as well
    assert measured(protocol, inferred, factors).value == result.value


def test_mig_b_reads_the_posterior(factors):
    narrow = np.full((4000, 2), -9.0)

    def posterior(x):
        return np.concatenate([x, narrow[: len(x)]], axis=1)

    model = SimpleNamespace(conditional=False, encode=lambda x, label=None: x, posterior=posterior)
    assert measured("mig_b", model, factors).value == pytest.approx(1.0, abs=0.02)


# ---- Inception ---------------------------------------------------------------------------------


def frozen_graph(path):
    """A graph with the names of the FID network's: the mean colour, and two classes."""
    graph = tf.Graph()
    with graph.as_default():
        image = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3], "image")
        expanded = tf.identity(image, "ExpandDims")
        resized = tf.compat.v1.image.resize_bilinear(expanded, [8, 8], name="ResizeBilinear")
        pooled = tf.reduce_mean(resized / 255.0, [1, 2], keepdims=True, name="pool_3")
        weights = tf.constant([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        tf.matmul(tf.reshape(pooled, [1, 3]), weights, name="softmax/logits/MatMul")
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def test_the_fid_networks_own_graph(tmp_path):
    network = evaluation.inception_features(frozen_graph(tmp_path / "graph.pb"))
    x = np.random.default_rng(0).random((7, 16, 12, 3)).astype("float32")
    np.testing.assert_allclose(network(x[..., :1]), network(np.repeat(x[..., :1], 3, -1)))
    flat = np.tile(x[:, :1, :1], (1, 16, 12, 1))
    np.testing.assert_allclose(network(flat, batch_size=3), flat[:, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(network.logits(flat), flat[:, 0, 0, :2], rtol=1e-5)
    assert (network.name, len(network.hash)) == ("inception-fid", 64)
    with pytest.raises(ValueError, match=r"x must have shape \(n, height, width, 1 or 3\), got"):
        network(x[..., :2])


def test_protocols_of_inception(tmp_path, digits):
    graph = frozen_graph(tmp_path / "graph.pb")
    result = measured("fid_inception_10k", copier(digits), digits, inception=graph)
    assert (result.value, result.unit) == (pytest.approx(0.0, abs=1e-9), "in inception-fid")
    evaluation.check(["kid_inception_10k", "inception_score_10k"], digits.spec)
    with pytest.raises(ValueError, match="images of 1 or 3 channels"):
        evaluation.check(["fid_inception_10k"], data.spec("ring"))


def test_files_that_are_not_the_graph(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.pb does not exist"):
        evaluation.inception_features(tmp_path / "none.pb")
    (tmp_path / "text.pb").write_text("no graph")
    (tmp_path / "other.pb").write_bytes(tf.Graph().as_graph_def().SerializeToString())
    for name in ("text.pb", "other.pb"):
        with pytest.raises(ValueError, match=f"{name} is not the FID network's graph"):
            evaluation.inception_features(tmp_path / name)


@pytest.fixture
def no_cached_inception():
    features._imagenet.cache_clear()
    yield
    features._imagenet.cache_clear()


def test_imagenet_weights_say_that_they_are_not_comparable(monkeypatch, no_cached_inception):
    x = keras.Input((75, 75, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    network = keras.Model(x, keras.layers.Dense(5)(pooled))
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda **options: network)
    loaded = evaluation.inception_features()
    assert "no published FID" in loaded.name
    gray = np.full((2, 8, 8, 1), 0.75, "float32")
    np.testing.assert_allclose(loaded(gray), 0.5, rtol=1e-6)  # pixels in [-1, 1]
    assert loaded.probabilities(gray).shape == (2, 5)


def test_imagenet_weights_that_cannot_be_downloaded(monkeypatch, no_cached_inception):
    def fail(**options):
        raise Exception("URL fetch failure\nand more")

    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    with pytest.raises(OSError, match=r"cannot download .*\(URL fetch failure\): give the path"):
        evaluation.inception_features()


# ---- while training ----------------------------------------------------------------------------


def test_monitor_measures_every_few_epochs_and_keeps_the_best(digits, tmp_path, monkeypatch):
    values = iter([3.0, 4.0, 1.0, 2.0])
    protocol = dataclasses.replace(
        evaluation.PROTOCOLS["fid_lenet_1k"],
        measure=lambda subject: evaluation.Result(next(values), "", 1),
    )
    monkeypatch.setitem(evaluation.PROTOCOLS, "fid_lenet_1k", protocol)
    vae = models.VAE.for_data(digits.spec, latent_dim=2, network="dense", hidden=(8,), seed=0)
    vae.compile(run_eagerly=True)
    saved = keras.callbacks.ModelCheckpoint(
        tmp_path / "best-{epoch}.keras", monitor="fid_lenet_1k", mode="min", save_best_only=True
    )
    monitor = evaluation.ProtocolMonitor(digits, ["fid_lenet_1k"], every=2)
    x = digits.arrays("train", limit=32)["x"]
    history = vae.fit(x, epochs=6, callbacks=[monitor, saved], verbose=0).history
    np.testing.assert_array_equal(history["fid_lenet_1k"], [3, 4, 4, 1, 1, 2])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best-1.keras", "best-4.keras"]


def test_monitor_refuses_before_training(digits):
    vae = models.VAE.for_data(digits.spec, latent_dim=2, network="dense", hidden=(8,), seed=0)
    vae.compile()
    monitor = evaluation.ProtocolMonitor(digits, ["modes_2500"])
    with pytest.raises(ValueError, match="needs data with known modes"):
        vae.fit(digits.arrays("train", limit=32)["x"], callbacks=[monitor], verbose=0)
    monitor = evaluation.ProtocolMonitor(digits, [])
    monitor.on_epoch_end(0)  # some loops pass no logs
    with pytest.raises(ValueError, match="every must be a positive integer, got 0"):
        evaluation.ProtocolMonitor(digits, [], every=0)
