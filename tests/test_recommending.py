"""Recommendations: the facts of data, the rules, and times that were measured."""

import numpy as np
import pytest
from PIL import Image

from keras_gen import data, presets, recommending, runs
from keras_gen.cli.main import main
from keras_gen.recommending import Facts, fitting

RNG = np.random.default_rng(0)


def images(levels, shape=(40, 16, 16, 1), label=None):
    x = RNG.integers(0, levels, shape) / (levels - 1)
    arrays = {"x": x.astype("float32")}
    if label:
        arrays["label"] = np.arange(len(x)) % label
    return data.load(arrays)


@pytest.mark.parametrize(
    ("dataset", "values", "levels"),
    [
        (images(2), "binary", 2),
        (images(17), "levels", 17),
        (images(256), "bytes", 256),
        (data.load(RNG.uniform(size=(40, 16, 16, 1)).astype("float32")), "real", None),
    ],
)
def test_facts(dataset, values, levels):
    facts = recommending.facts_of(dataset)
    assert (facts.values, facts.levels) == (values, levels)
    assert (facts.kind, facts.side, facts.channels, facts.classes) == ("image", 16, 1, 0)
    assert facts.examples == dataset.size("train")


def facts(kind="image", shape=(28, 28, 1), examples=60_000, classes=0, factors=False,
          value_range=(0.0, 1.0), values="bytes", levels=256):  # fmt: skip
    return Facts(kind, shape, examples, classes, factors, value_range, values, levels)


@pytest.mark.parametrize(
    ("given", "goal", "first"),
    [
        (facts(), "generate", "dgan_mnist"),
        (facts(shape=(8, 8, 1), values="levels", levels=17), "generate", "vae_digits"),
        (facts(shape=(32, 32, 3)), "generate", "dgan_cifar10"),
        (facts(shape=(64, 64, 3)), "generate", "dgan_64"),
        (facts(examples=300), "generate", "dgan_64"),
        (facts(kind="sequence", shape=(24, 5), values="real"), "generate", "crgan_sines"),
        (facts(kind="text", shape=(64, 1), values="levels"), "generate", "recurrent_vae_text"),
        (facts(kind="vector", shape=(2,), values="real"), "generate", "gan_ring"),
        (facts(kind="audio", shape=(64, 64, 1), classes=10), "generate", "conv_vae_spoken_digits"),
        (facts(factors=True), "represent", "beta_vae_shapes"),
        (facts(), "represent", "conv_vae_mnist"),
        (facts(values="binary", levels=2), "compress", "vae_mnist"),
        (facts(), "compress", "vae_mnist_8bit"),
        (facts(shape=(32, 32, 3)), "compress", "conv_vae_cifar10"),
        (facts(classes=10), "label", "cgan_mnist"),
        (facts(), "label", "infogan_mnist"),
    ],
)
def test_the_first_rule(given, goal, first):
    assert fitting(given, goal)[0].preset == first


def test_likelihoods_follow_the_values():
    rule = next(rule for rule in fitting(facts(), "represent") if rule.preset == "conv_vae_mnist")
    for given, expected in (
        (facts(), "discretized_logistic"),
        (facts(values="levels", levels=17), "discretized_logistic:17"),
        (facts(values="binary", levels=2), "bernoulli"),
        (facts(values="real", levels=None), "bernoulli"),
        (facts(values="real", value_range=(-1.0, 1.0)), "gaussian"),
        (facts(values="real", value_range=(-np.inf, np.inf)), "gaussian"),
    ):
        assert rule.settings(given)["likelihood"] == expected


@pytest.mark.parametrize("rule", recommending.RULES, ids=lambda rule: f"{rule.goal}-{rule.preset}")
def test_every_rule_makes_a_model_that_trains(rule):
    candidates = [
        data.load("digits"),
        images(256, (150, 28, 28, 1), label=3),
        images(256, (150, 28, 28, 1)),
        images(256, (150, 32, 32, 3), label=3),
        images(2, (150, 28, 28, 1)),
        data.load("shapes", train_examples=200, test_examples=50, image_size=16),
        data.load({"x": RNG.normal(size=(150, 2)), "label": np.arange(150) % 3}),
        data.load("sines"),
        data.Dataset(
            data.Spec("letters", "text", (16, 1), (0, 3), vocabulary=tuple("abcd")),
            *({"x": RNG.integers(0, 4, (150, 16, 1))} for _ in range(2)),
        ),
        data.Dataset(
            data.Spec("sounds", "audio", (16, 16, 1), (0.0, 1.0), num_classes=3),
            *({"x": RNG.uniform(size=(150, 16, 16, 1)).astype("float32"),
               "label": np.arange(150) % 3} for _ in range(2)),
        ),
    ]  # fmt: skip
    dataset = next(each for each in candidates if rule.fits(recommending.facts_of(each)))
    settings = rule.settings(recommending.facts_of(dataset))
    preset = runs.override(presets.get(rule.preset), settings | {"batch_size": 50})
    job = runs.build(runs.Config(preset), dataset)
    assert job.model.data_shape == dataset.spec.shape


def test_times_are_measured_and_a_budget_is_kept(monkeypatch):
    monkeypatch.setattr(recommending.recommend.__globals__["Stopwatch"], "__init__",
                        lambda self, seconds: quick(self))  # fmt: skip
    found = recommending.recommend("digits", "represent", most=1)[0]
    assert found.preset == "conv_vae_mnist"
    assert found.seconds > 0 and found.epochs == found.full_epochs == 200
    epoch = found.seconds / found.epochs
    short = recommending.recommend("digits", "represent", budget=3 * epoch, most=1)[0]
    assert 1 <= short.epochs < 200 == short.full_epochs, "the machine's speed varies"
    command = short.command("digits")
    assert (f"--epochs {short.epochs}" in command) == (short.epochs != 20)
    assert "--set likelihood=discretized_logistic:17" in command


def quick(self):
    import keras

    keras.callbacks.Callback.__init__(self)
    self.seconds, self.start, self.per_step = 0.2, None, None


def test_what_nothing_is_known_for():
    with pytest.raises(ValueError, match=r"label text data.*without labels.*--goal generate"):
        fitting(facts(kind="text", shape=(64, 1), values="levels"), "label")
    with pytest.raises(ValueError, match="unknown goal 'dream'"):
        fitting(facts(), "dream")


def test_a_folder_of_photos_of_several_sizes(tmp_path, capsys):
    for i in range(30):
        pixels = RNG.integers(0, 256, (40 + i, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    command = ["recommend", "--data", str(tmp_path), "--goal", "represent", "--most", "1"]
    assert main([*command, "--image-size", "16"]) == 0
    out = capsys.readouterr().out
    assert "images of 16x16x3, 8 bits, no labels" in out
    assert "--set data.image_size=16" in out and "--set batch_size=" in out


def test_the_command(capsys):
    assert main(["recommend", "--data", "digits", "--goal", "compress", "--budget", "30s"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("digits: 1,438 images of 8x8x1, 17 levels, 10 classes")
    assert "keras-gen train vae_mnist_8bit --data digits" in out and "on this machine" in out
    assert main(["recommend", "--data", "nothing_like_it"]) == 2
    assert "is not the name of a data set" in capsys.readouterr().err
