"""Mistakes in arguments: one clear error before work starts, which names the argument."""

import inspect
import math
import os

import numpy as np
import pytest

from keras_gen import checks, data, latents, models
from keras_gen.engine import options

SPEC = data.Spec("vector", "vector", (3,), (0.0, 1.0))
NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def vae():
    return models.VAE.for_data(SPEC, latent_dim=2, hidden=(4,), seed=0)


@pytest.fixture(scope="module")
def gan():
    return models.GAN.for_data(SPEC, latent_dim=2, hidden=(4,), seed=0)


@pytest.fixture(scope="module")
def infogan():
    return models.InfoGAN.for_data(SPEC, latent_dim=2, hidden=(4,), network="dense", seed=0)


X = np.full((4, 3), 0.5, "float32")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.sample(-1), "n must be a positive integer, got -1"),
        (lambda m: m.sample(0), "n must be a positive integer, got 0"),
        (lambda m: m.sample(2.5), "n must be a positive integer, got 2.5"),
        (lambda m: m.sample("3"), "n must be a positive integer, got '3'"),
        (lambda m: m.sample(True), "n must be a positive integer, got True"),
        (lambda m: m.sample(2, seed=1.5), "seed must be an integer from -2147483648"),
        (lambda m: m.sample(2, seed=2**40), "seed must be an integer from -2147483648"),
        (lambda m: m.sample(2, batch_size=0), "batch_size must be a positive integer, got 0"),
        (lambda m: m.decode(np.full((2, 2), NAN)), "z holds NaN or infinite values"),
        (lambda m: m.decode(np.zeros((2, 2), complex)), "z must be an array of real numbers"),
        (lambda m: m.decode(np.array([[None, 1]])), "z must be an array of real numbers"),
        (lambda m: m.decode([[1, 2], [3]]), "z must be one array, but its rows differ"),
        (lambda m: m.decode(np.zeros((2, 3))), r"z has shape \(2, 3\), but should have \(2, 2\)"),
        (lambda m: m.fit(X, batch_size=-2), "batch_size must be a positive integer, got -2"),
        (lambda m: m.fit(X, batch_size=0), "batch_size must be a positive integer, got 0"),
        (lambda m: m.fit(X, epochs=-1), "epochs must be an integer of at least 0, got -1"),
        (lambda m: m.fit(X.astype(complex)), "x must be an array of real numbers"),
        (lambda m: m.fit(X.astype(object)), "x must be an array of real numbers"),
        (lambda m: m.fit(np.full((4, 3), INF)), "x holds NaN or infinite values"),
        (lambda m: m.evaluate(X, batch_size=0), "batch_size must be a positive integer, got 0"),
    ],
)
@pytest.mark.parametrize("model", ["vae", "gan"])
def test_numbers_and_arrays(call, message, model, request):
    model = request.getfixturevalue(model)
    model.compile()
    with pytest.raises(ValueError, match=message):
        call(model)
    assert int(model.step) == 0


@pytest.mark.parametrize("num_samples", [0, -1, 2.5])
def test_numbers_of_importance_samples(num_samples, vae):
    with pytest.raises(ValueError, match="num_samples must be a positive integer"):
        vae.log_likelihood(X, num_samples=num_samples)


@pytest.mark.parametrize(
    ("cls", "settings", "message"),
    [
        ("BetaVAE", {"beta": NAN}, "beta must be a number, at least 0; got nan"),
        ("BetaVAE", {"beta": INF}, "beta must be a number"),
        ("BetaVAE", {"capacity": -1.0}, "capacity must be a number, at least 0"),
        ("BetaVAE", {"warmup_steps": 0.5}, "warmup_steps must be an integer of at least 0"),
        ("GAN", {"r1": INF}, "r1 must be a number"),
        ("GAN", {"wgan_gp": NAN}, "wgan_gp must be a number"),
        ("GAN", {"packing": 2.5}, "packing must be a positive integer, got 2.5"),
        ("GAN", {"latent_dim": 2.5}, "latent_dim must be a positive integer, got 2.5"),
        ("GAN", {"ema": NAN}, "ema must be a number, at least 0 and less than 1; got nan"),
        ("VAE", {"latent_dim": 2.5}, "latent_dim must be a positive integer, got 2.5"),
        ("VAE", {"seed": 1.5}, "seed must be an integer"),
        ("IWAE", {"num_samples": 1.5}, "num_samples must be a positive integer"),
        ("VampVAE", {"components": -1}, "components must be a positive integer"),
        ("VAEGAN", {"gamma": NAN}, "gamma must be a number"),
        ("InfoGAN", {"information_weight": -1.0}, "information_weight must be a number, at least"),
        ("InfoGAN", {"codes": []}, r"latents must be a description such as .*got \[\]"),
        ("InfoGAN", {"codes": ["categorical:3"]}, "latents must be a description"),
        (
            "InfoGAN",
            {"codes": "categorical:1"},
            "categorical latent must be an integer",
        ),
        ("InfoGAN", {"codes": "bernoulli:1"}, "Unknown latent 'bernoulli:1'"),
    ],
)
def test_hyperparameters(cls, settings, message):
    with pytest.raises(ValueError, match=message):
        models.get(cls).for_data(SPEC, **({"hidden": (4,), "network": "dense"} | settings))


def test_unknown_options_are_named_with_the_nearest(gan):
    for call, message in (
        (
            lambda: models.GAN.for_data(SPEC, latentdim=3),
            r"GAN\.for_data has no option 'latentdim'\. Did you mean 'latent_dim'\?",
        ),
        (
            lambda: models.VAE.for_data(SPEC, betta=3),
            r"VAE\.for_data has no option 'betta'",
        ),
        (
            lambda: models.GAN(gan.generator, gan.discriminator, r3=1.0),
            r"GAN has no option 'r3'\. Did you mean 'r[12]'\?",
        ),
        (
            lambda: models.InfoGAN.for_data(SPEC, latent="uniform:3"),
            r"InfoGAN\.for_data has no option 'latent'",
        ),
    ):
        with pytest.raises(TypeError, match=message):
            call()


@pytest.mark.parametrize("cls", models.MODELS, ids=lambda cls: cls.__name__)
def test_signatures_show_what_a_model_takes(cls):
    constructor, for_data = inspect.signature(cls), inspect.signature(cls.for_data)
    for signature in (constructor, for_data):
        kinds = {parameter.kind for parameter in signature.parameters.values()}
        assert not kinds & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
        assert {"seed", "name", "dtype"} <= signature.parameters.keys()
    assert options.model_options(cls).keys() <= for_data.parameters.keys()
    assert options.network_options(cls).keys() <= for_data.parameters.keys()
    assert {"latent_dim", "num_vectors"} & options.network_options(cls).keys()
    assert not options.network_options(cls).keys() & options.model_options(cls).keys()


def test_simple_types_of_options_are_checked():
    hints = options.model_options(models.BetaVAE) | options.network_options(models.GAN)
    for name, value in (("beta", 3), ("capacity", None), ("depth", 2), ("hidden", (3, 4))):
        options.check_value(name, value, hints[name])
    for name, value, wanted in (
        ("beta", "x", "a number"),
        ("capacity", "x", "a number"),
        ("depth", 2.5, "an integer"),
        ("depth", True, "an integer"),
        ("activation", 3, "text"),
    ):
        with pytest.raises(ValueError, match=f"{name} must be {wanted}, got"):
            options.check_value(name, value, hints[name])


def test_checks_return_what_is_right():
    assert checks.number("x", 0, least=0) == 0
    assert checks.number("x", np.float32(0.5), below=1) == 0.5
    assert checks.integer("x", np.int64(3)) == 3
    assert checks.seed(-5) == -5
    with pytest.raises(ValueError, match="x must be a number, greater than 0; got 0"):
        checks.number("x", 0, above=0)
    with pytest.raises(ValueError, match="x must be a number, finite; got nan"):
        checks.number("x", math.nan)
    with pytest.raises(ValueError, match="x must be an integer from 1 to 3, got 4"):
        checks.integer("x", 4, most=3)


def test_nothing_is_exported_to_where_nothing_can_be_written(vae, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file is a file, not a folder"):
        vae.export(tmp_path / "file" / "vae")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(PermissionError, match="is not writable"):
        vae.export(tmp_path / "vae")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_replica_without_examples_is_told_before_training(two_replicas):
    with two_replicas.scope():
        model = models.VAE.for_data(SPEC, latent_dim=2, hidden=(4,), seed=0)
        model.compile()
    with pytest.raises(ValueError, match=r"last batch of x has 1 example.* 2 replicas"):
        model.fit(np.tile(X, (3, 1))[:9], batch_size=8, verbose=0)
    assert int(model.step.numpy()) == 0


# ---- verbs of games ----------------------------------------------------------------------------


def test_games_decode_and_interpolate(gan, infogan):
    z = gan.draw_latents(5, seed=1)
    np.testing.assert_allclose(gan.decode(z), gan.sample(5, seed=1), rtol=1e-6)
    with pytest.raises(ValueError, match=r"must have shape \(batch, 2\).*got \(2,\) and \(2,\)"):
        gan.interpolate(z[0], z[1])
    paths = gan.interpolate(z[:2], z[2:4], steps=5)
    assert paths.shape == (2, 5, 3)
    np.testing.assert_allclose(paths[:, 0], gan.decode(z[:2]), rtol=1e-4)
    np.testing.assert_allclose(paths[:, -1], gan.decode(z[2:4]), rtol=1e-4)
    z = infogan.draw_latents(4, seed=1)
    assert infogan.interpolate(z[:2], z[2:], steps=3).shape == (2, 3, 3)


def test_gaussian_paths_lie_on_great_circles():
    gaussian = latents.Gaussian(3)
    rng = np.random.default_rng(0)
    start, end = rng.normal(size=(2, 6, 3))
    end[0] = 2 * start[0]  # the same direction
    path = gaussian.interpolate(start, end, 7)
    np.testing.assert_allclose(path[:, 0], start, rtol=1e-5)
    np.testing.assert_allclose(path[:, -1], end, rtol=1e-5)
    lengths = np.linalg.norm(path, axis=-1)
    ends = [np.linalg.norm(z, axis=1) for z in (start, end)]
    np.testing.assert_allclose(lengths, np.linspace(*ends, 7).T, rtol=1e-5)
    # Equal angles between successive points, all in the plane of both ends.
    units = path / lengths[..., None]
    cosines = np.sum(units[:, 1:] * units[:, :-1], axis=-1)
    np.testing.assert_allclose(cosines, cosines[:, :1] * np.ones(6), atol=1e-5)
    volumes = np.linalg.det(np.stack([path[1:, 3], start[1:], end[1:]], axis=1))
    np.testing.assert_allclose(volumes, 0.0, atol=1e-5)
    straight = latents.Uniform(3).interpolate(start, end, 3)
    np.testing.assert_allclose(straight[:, 1], (start + end) / 2)
    product = latents.get("gaussian:2,uniform:1").interpolate(start, end, 4)
    np.testing.assert_allclose(product[..., :2], latents.Gaussian(2).interpolate(
        start[:, :2], end[:, :2], 4))  # fmt: skip


# ---- data sets ---------------------------------------------------------------------------------


def test_fit_takes_a_data_set_and_shuffles_it():
    digits = data.load("digits")

    def made():
        model = models.VAE.for_data(digits.spec, latent_dim=2, network="dense", hidden=(4,), seed=3)
        model.compile(run_eagerly=True)
        return model

    whole, by_batches = made(), made()
    history = whole.fit(digits, validation_data=digits, batch_size=128, verbose=0).history
    expected = by_batches.fit(
        digits.batches("train", 128, seed=3),
        validation_data=digits.batches("test", 128, shuffle=False),
        verbose=0,
    ).history
    assert history == expected
    assert whole.evaluate(digits, batch_size=128, verbose=0, return_dict=True) == {
        name.removeprefix("val_"): values[-1]
        for name, values in history.items()
        if name.startswith("val_")
    }
    assert whole.predict(digits, verbose=0).shape == (digits.size("test"), 8, 8, 1)
    glo = models.GLO.for_data(digits.spec, digits.size("train"), network="dense", hidden=(4,))
    glo.compile(run_eagerly=True)
    glo.fit(digits, batch_size=512, verbose=0)
    assert int(glo.step) == math.ceil(digits.size("train") / 512)
