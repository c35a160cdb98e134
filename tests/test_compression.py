"""Lossless compression: exact, as short as the ELBO says, and nothing but what was compressed."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
from PIL import Image

import keras_gen
from keras_gen import cli, compression, data, likelihoods, models, networks
from keras_gen.compression import tables
from keras_gen.compression.bits_back import GRID_BITS, Codec
from keras_gen.compression.integer import BITS, IntegerNetwork
from keras_gen.compression.pixels import Levels

RNG = np.random.default_rng(0)
GRAY = data.Spec("gray", "image", (9, 8, 1), (0.0, 1.0))
COLOURS = data.Spec("colours", "image", (8, 10, 3), (0.0, 1.0))
CASES = {
    "bernoulli": (GRAY, {"network": "dense", "hidden": (12,), "activation": "tanh"}, "bool"),
    "conv": (GRAY, {"network": "conv", "filters": (4,), "hidden": (8,)}, "bool"),
    "logistic": (COLOURS, {"likelihood": "discretized_logistic", "filters": (4,)}, "uint8"),
    "mixture": (COLOURS, {"likelihood": "logistic_mixture", "filters": (4,)}, "uint8"),
    "17 levels": (GRAY, {"likelihood": "discretized_logistic:17", "network": "dense"}, "float32"),
}


def images(spec, dtype, n=21):
    if dtype == "bool":
        return RNG.uniform(size=(n, *spec.shape)) < 0.3
    if dtype == "uint8":
        return RNG.integers(0, 256, (n, *spec.shape), dtype="uint8")
    return (RNG.integers(0, 17, (n, *spec.shape)) / 16).astype("float32")


def model_of(case):
    spec, options, _ = CASES[case]
    return models.VAE.for_data(spec, latent_dim=5, seed=1, **options)


@pytest.fixture(scope="module")
def packed():
    """A model, images and what they are compressed to."""
    model, x = model_of("bernoulli"), images(GRAY, "bool")
    return model, x, compression.compress(model, x)


# ---- exact arithmetic --------------------------------------------------------------------------


def test_tables_are_rounded_correctly():
    a = np.arange(-40_000, 40_000, 37).astype("float64")
    grid = tables.rounded(a, 12 - tables.TANH_BITS) / 2**tables.TANH_BITS
    np.testing.assert_array_equal(tables.tanh(a, 12), np.rint(np.tanh(grid) * 2**12))
    x = np.arange(-20 * 256, 20 * 256 + 1) / 256
    np.testing.assert_allclose(tables.sigmoid(24), scipy.special.expit(x) * 2**24, atol=0.500001)
    logs = np.arange(-7 * 64, 7 * 64 + 1) / 64
    found = tables.exp(logs * 2**12, 12, -7, 7, 10)
    np.testing.assert_allclose(found, np.exp(logs) * 2**10, atol=0.500001)


@pytest.mark.parametrize(
    "network",
    [
        networks.dense.encoder((9, 8, 1), 6, hidden=(20, 20), activation="tanh", seed=0),
        networks.conv.encoder((9, 8, 3), 6, filters=(5, 4), hidden=(7,), seed=0),
        networks.conv.decoder(6, (9, 8, 3), filters=(5, 4), hidden=(7,), seed=0),
        networks.conv.decoder(6, (28, 28, 1), filters=(5, 4), hidden=(7,), seed=0),
        keras.Sequential([keras.Input((6,)), keras.layers.Dense(5), keras.layers.LeakyReLU(0.2)]),
    ],
    ids=["dense", "conv", "transposed", "cropped", "leaky"],
)
def test_integer_networks_compute_what_keras_does(network):
    x = RNG.normal(size=(7, *network.input_shape[1:]))
    fixed = np.rint(x * 2**BITS)
    exact = IntegerNetwork(network)
    found = exact(fixed)
    expected = keras.ops.convert_to_numpy(network((fixed / 2**BITS).astype("float32")))
    np.testing.assert_allclose(found / 2**BITS, expected, atol=1e-2)
    assert (found == np.rint(found)).all()
    # In any batch, and with the sums in any order.
    one_by_one = np.concatenate([exact(fixed[i : i + 1]) for i in range(7)])
    np.testing.assert_array_equal(one_by_one, found)


def test_networks_that_cannot_be_exact_are_refused_by_layer():
    x = keras.Input((4,))
    norm = keras.Model(x, keras.layers.LayerNormalization(name="norm")(x))
    with pytest.raises(ValueError, match=r"norm \(LayerNormalization\) cannot be computed"):
        IntegerNetwork(norm)
    h = keras.layers.Dense(4, name="first")(x)
    skip = keras.Model(x, keras.layers.Dense(4)(keras.layers.Add(name="skip")([x, h])))
    with pytest.raises(ValueError, match="does not follow the layer before it"):
        IntegerNetwork(skip)
    with pytest.raises(ValueError, match="the activation gelu of odd"):
        IntegerNetwork(keras.Model(x, keras.layers.Dense(4, "gelu", name="odd")(x)))
    large = keras.layers.Dense(4, name="large")
    network = keras.Model(x, large(x))
    large.set_weights([np.full((4, 4), 1e6), np.zeros(4)])
    with pytest.raises(ValueError, match="weights of large are too large"):
        IntegerNetwork(network)


@pytest.mark.parametrize(
    "likelihood", [likelihoods.DiscretizedLogistic(17), likelihoods.LogisticMixture(256, 3)]
)
def test_probabilities_are_those_of_the_likelihood(likelihood):
    k = likelihood.parameters_per_value
    parameters = RNG.uniform(-2, 1, size=(30, k))
    fixed = np.rint(parameters * 2**BITS)
    _, weights = Levels(likelihood).model(fixed)
    assert (weights == np.rint(weights)).all() and (weights >= 0).all()
    levels = np.linspace(0, 1, likelihood.levels, dtype="float32")
    x = np.broadcast_to(levels, (30, likelihood.levels))
    given = np.repeat((fixed / 2**BITS).astype("float32"), likelihood.levels, axis=0)
    expected = np.exp(likelihood.log_prob(x.reshape(-1, 1), given)).reshape(x.shape)
    np.testing.assert_allclose(weights / weights.sum(1, keepdims=True), expected, atol=2e-2)


# ---- round trips -------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_images_come_back_bit_for_bit(case):
    spec, _, dtype = CASES[case]
    model, x = model_of(case), images(spec, dtype)
    back = compression.decompress(model, compression.compress(model, x))
    assert back.dtype == x.dtype
    np.testing.assert_array_equal(back, x)


def test_a_last_axis_of_one_may_be_left_out(packed):
    model, x, _ = packed
    back = compression.decompress(model, compression.compress(model, x[..., 0]))
    np.testing.assert_array_equal(back, x[..., 0])


def test_the_length_is_the_negative_elbo():
    """Of many images: the header and the first latents' bits are paid once."""
    digits = data.load("digits")
    model, x = keras_gen.from_preset("vae_digits"), digits.arrays("test")["x"]
    model.compile()
    elbo = model.evaluate(x, return_dict=True, verbose=0)["elbo"]
    lengths = [8 * len(compression.compress(model, np.tile(x, (k, 1, 1, 1)))) for k in (1, 2)]
    bits = (lengths[1] - lengths[0]) / len(x)
    assert bits == pytest.approx(-elbo / np.log(2), rel=0.02)


SCRIPT = """
import sys, numpy as np, keras, keras_gen.models
from keras_gen import compression
folder = sys.argv[1]
model = keras.models.load_model(folder + "/model.keras")
print(model.predict(np.zeros((300, 9, 8, 1), "float32"), verbose=0).sum())
np.save(folder + f"/{sys.argv[2]}.npy", compression.decompress(model, open(folder + "/x.kgz", "rb").read()))
"""  # noqa: E501


@pytest.mark.slow
@pytest.mark.parametrize(("threads", "xla"), [(1, ""), (2, "2"), (4, "2")])
def test_another_process_restores_the_images(packed, tmp_path, threads, xla):
    model, x, content = packed
    model.save(tmp_path / "model.keras")
    (tmp_path / "x.kgz").write_bytes(content)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads))
    environment |= {"TF_XLA_FLAGS": f"--tf_xla_auto_jit={xla}"} if xla else {}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(threads)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / f"{threads}.npy"), x)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("preset", "bar", "n"),
    # Of 8 bits every fifth image: all would take minutes.
    [("vae_mnist", 0.18, 10_000), ("vae_mnist_8bit", 1.38, 2000)],
    ids=["binarized", "8 bits"],
)
def test_mnists_test_images_are_within_the_bar(preset, bar, n, shared_data):
    x = np.load(shared_data / "mnist.npz")["x_test"]
    x = (x > 127 if preset == "vae_mnist" else x)[:: len(x) // n]
    model = keras_gen.from_preset(preset)
    content = compression.compress(model, x)
    assert 8 * len(content) / x.size <= bar
    np.testing.assert_array_equal(compression.decompress(model, content), x)


# ---- with loss ---------------------------------------------------------------------------------


def test_rounded_latents_are_decoded():
    model, x = model_of("conv"), RNG.uniform(size=(15, *GRAY.shape)).astype("float32")
    back = compression.decompress(model, compression.compress(model, x, quality=4))
    z = np.rint(model.encode(x).astype("float64") * 4) / 4
    expected = np.rint(model.decode(z.astype("float32")) * 255)
    assert back.dtype == np.uint8
    np.testing.assert_allclose(back, expected, atol=1)


def test_finer_latents_are_longer_and_nearer():
    digits = data.load("digits")
    model, x = keras_gen.from_preset("vae_digits"), digits.arrays("test")["x"]
    sizes, errors = [], []
    for quality in (1, 4, 16):
        packed = compression.compress(model, x, quality)
        back = compression.decompress(model, packed)
        sizes.append(len(packed))
        errors.append(np.mean((back / 255 - x) ** 2))
    assert sizes == sorted(sizes) and errors == sorted(errors, reverse=True)
    assert errors[-1] == pytest.approx(np.mean((model.reconstruct(x) - x) ** 2), rel=0.02)
    # Latents that are not in use cost nothing: about the entropy of those that are.
    z = np.rint(model.encode(x) * 4)
    bits = sum(scipy.stats.entropy(np.unique(row, return_counts=True)[1], base=2) for row in z.T)
    assert 8 * sizes[1] / len(x) == pytest.approx(bits, rel=0.25)


def test_files_with_loss_are_checked_too():
    model, x = model_of("conv"), RNG.uniform(size=(5, *GRAY.shape)).astype("float32")
    content = compression.compress(model, x, quality=2)
    with pytest.raises(compression.CompressionError, match="damaged"):
        compression.decompress(model, content[:-1])
    other = models.VAE.for_data(GRAY, latent_dim=5, seed=9, filters=(4,), hidden=(8,))
    with pytest.raises(compression.CompressionError, match="another model"):
        compression.decompress(other, content)
    with pytest.raises(ValueError, match="GAN cannot compress with loss"):
        compression.compress(models.GAN.for_data(GRAY, hidden=(4,)), x, quality=2)
    with pytest.raises(ValueError, match="quality"):
        compression.compress(model, x, quality=0)


# ---- refusals ----------------------------------------------------------------------------------


def test_every_flipped_bit_is_noticed(packed):
    model, _, content = packed
    for place in RNG.choice(8 * len(content), 100, replace=False):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(compression.CompressionError):
            compression.decompress(model, bytes(damaged))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[:-1], "damaged or cut off"),
        (lambda c: c[:10], "not a file of keras-gen compress"),
        (lambda c: b"", "not a file of keras-gen compress"),
        (lambda c: b"PK" + c, "not a file of keras-gen compress"),
        (lambda c: c[:3] + b"\x09" + c[4:], "version 9 of the format, and this is version 1"),
    ],
)
def test_other_files_are_refused(packed, change, message):
    model, _, content = packed
    with pytest.raises(compression.CompressionError, match=message):
        compression.decompress(model, change(content))


def test_another_model_is_refused(packed):
    _, _, content = packed
    spec, options, _ = CASES["bernoulli"]
    other = models.VAE.for_data(spec, latent_dim=5, seed=2, **options)
    with pytest.raises(compression.CompressionError, match="compressed by another model"):
        compression.decompress(other, content)


def test_the_fingerprint_is_of_the_weights():
    first, second = model_of("conv"), model_of("conv")
    assert Codec(first).fingerprint == Codec(second).fingerprint
    weights = second.decoder.get_weights()
    weights[0][0, 0] += 1e-2
    second.decoder.set_weights(weights)
    assert Codec(first).fingerprint != Codec(second).fingerprint
    assert GRID_BITS < BITS, "z are whole numbers for the decoder"


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 8, 8, 1), bool), r"shape \(n, 9, 8, 1\) .* got \(2, 8, 8, 1\)"),
        (np.zeros((0, 9, 8, 1), bool), "n at least 1"),
        (np.zeros((2, 9, 8, 1), "uint8"), "bool or float32 for a model of 2 levels, got uint8"),
        (np.full((2, 9, 8, 1), 0.5, "float32"), r"2 levels .* compress x > 0.5 \(--binarize\)"),
        (np.full((2, 9, 8, 1), 3.0, "float32"), "2 levels from 0 to 1"),
    ],
)
def test_images_that_do_not_fit_are_refused(packed, x, message):
    with pytest.raises(ValueError, match=message):
        compression.compress(packed[0], x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: models.GAN.for_data(GRAY, hidden=(4,)), "GAN cannot compress"),
        (lambda: models.VampVAE.for_data(GRAY, hidden=(4,)), "whose prior is N"),
        (lambda: models.MixtureVAE.for_data(GRAY, hidden=(4,)), "whose prior is N"),
        (lambda: models.VAE.for_data(GRAY, likelihood="gaussian"), "likelihood Gaussian cannot be"),
        (lambda: models.VAE.for_data(GRAY, likelihood="categorical:2"), "cannot be coded"),
    ],
)
def test_models_that_cannot_compress(make, message):
    with pytest.raises(ValueError, match=message):
        compression.compress(make(), np.zeros((1, 9, 8, 1), bool))


# ---- files and commands ------------------------------------------------------------------------


def test_commands_restore_files(tmp_path, capsys):
    x = (RNG.uniform(size=(30, 28, 28)) < 0.1).astype("uint8") * 255
    np.save(tmp_path / "x.npy", x)
    folder = tmp_path / "images"
    folder.mkdir()
    for i, image in enumerate(x):
        Image.fromarray(image).save(folder / f"{i:03d}.png")
    for source in ("x.npy", "images"):
        out = tmp_path / f"{source}.kgz"
        code = cli.main(["compress", "vae_mnist", str(tmp_path / source), str(out), "--binarize"])
        assert code == 0
        assert f"30 images, {out.stat().st_size:,} bytes" in capsys.readouterr().out
        for dest in ("back.npz", "pngs"):
            place = tmp_path / f"{source}-{dest}"
            assert cli.main(["decompress", "vae_mnist", str(out), str(place)]) == 0
            back = compression.read_images(place, (28, 28, 1)).reshape(x.shape)
            np.testing.assert_array_equal(back > 0, x > 0)


def test_mistakes_are_one_line_and_nothing_is_written(tmp_path, capsys):
    gray = tmp_path / "gray.npy"
    np.save(gray, RNG.integers(0, 256, (3, 28, 28), dtype="uint8"))
    damaged = tmp_path / "damaged.kgz"
    damaged.write_bytes(b"KGZ\x01" + bytes(60))
    before = set(tmp_path.iterdir())
    for arguments, message in (
        (["compress", "vae_mnist", str(gray), str(tmp_path / "o.kgz")], "--binarize"),
        (["compress", "gan_mnist", str(gray), str(tmp_path / "o.kgz")], "GAN cannot compress"),
        (["compress", "vae_mnist", str(gray), str(tmp_path / "o.zip")], "must end in .kgz"),
        (["compress", "vae_mnist", str(tmp_path / "no.npy"), str(tmp_path / "o.kgz")], "no.npy"),
        (["decompress", "vae_mnist", str(damaged), str(tmp_path / "o.npy")], "damaged or cut off"),
        (["decompress", "vae_mnist", str(damaged), str(tmp_path / "a" / "o.npy")], "a writable"),
    ):
        assert cli.main(arguments) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and message in error
    assert set(tmp_path.iterdir()) == before
