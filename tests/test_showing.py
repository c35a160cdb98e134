"""Figures of what a model has learned: what is drawn, and what is refused."""

import re

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import cdist
from scipy.stats import norm
from sklearn.decomposition import PCA

import keras_gen
from keras_gen import cli, data, models, plotting, representation
from keras_gen.plotting import models as drawing

RNG = np.random.default_rng(0)
SPEC = data.Spec("gray", "image", (8, 8, 1), (0.0, 1.0), num_classes=3)


@pytest.fixture(scope="module")
def vae():
    return models.VAE.for_data(SPEC, latent_dim=4, network="dense", hidden=(8,), seed=0)


@pytest.fixture
def drawn(monkeypatch):
    """What is handed on to be drawn: rows and names, or a sheet."""
    found = {}

    def rows(samples, spec, names):
        found.update(rows=[np.asarray(x) for x in samples], names=list(names))

    monkeypatch.setattr(drawing, "draw_comparison", rows)
    monkeypatch.setattr(
        drawing, "draw_samples", lambda x, spec, **given: found.update(x=x, **given)
    )
    return found


def test_a_manifold_is_decoded_at_the_priors_quantiles(vae, drawn):
    plotting.draw_manifold(vae, SPEC, dimensions=(2, 0), side=5)
    at = norm.ppf(np.linspace(0.02, 0.98, 5))
    z = np.zeros((25, 4), "float32")
    z[:, 2] = np.tile(at, 5)
    z[:, 0] = np.repeat(at[::-1], 5)
    np.testing.assert_allclose(drawn["x"], vae.decode(z), atol=1e-6)
    assert drawn["columns"] == 5


def test_a_traversal_varies_one_latent_a_row_the_most_used_first(vae, drawn):
    x = RNG.uniform(size=(30, *SPEC.shape)).astype("float32")
    plotting.draw_traversal(vae, SPEC, x, rows=3, steps=5)
    kl = representation.kl_per_latent(vae, x)
    order = np.argsort(-kl)[:3]
    assert drawn["names"] == [f"{i}, {kl[i]:.1f} nats" for i in order]
    for row, place in zip(drawn["rows"], order, strict=True):
        z = np.zeros((5, 4), "float32")
        z[:, place] = np.linspace(-3, 3, 5)
        np.testing.assert_allclose(row, vae.decode(z), atol=1e-6)


def test_the_kl_of_each_latent_sums_to_the_models(vae):
    x = RNG.uniform(size=(30, *SPEC.shape)).astype("float32")
    vae.compile()
    metrics = vae.evaluate(x, batch_size=30, return_dict=True, verbose=0)
    kl = representation.kl_per_latent(vae, x, batch_size=7)
    assert kl.sum() == pytest.approx(metrics["kl"], rel=1e-4)


def test_infogans_codes_come_first(drawn):
    gan = models.InfoGAN.for_data(SPEC, hidden=(4,), codes="categorical:3,uniform:1", seed=0)
    plotting.draw_traversal(gan, SPEC, rows=2, steps=5, seed=1)
    assert [len(row) for row in drawn["rows"]] == [5, 5]
    assert drawn["names"] == ["code 0", "code 1"]
    start, units = gan.draw_latents(1, seed=1), gan.latent.units(5)[-2:]
    for row, (place, values) in zip(drawn["rows"], units, strict=True):
        z = np.repeat(start, len(values), axis=0)
        z[:, place : place + values.shape[1]] = values
        np.testing.assert_allclose(row[: len(z)], gan.decode(z), atol=1e-6)


def test_interpolations_start_and_end_at_the_same_draws(vae, drawn):
    plotting.draw_interpolation(vae, SPEC, pairs=2, steps=7, seed=3)
    assert drawn["names"] == ["straight", "spherical"] * 2
    z = vae.draw_latents(4, seed=3)
    ends = vae.decode(z)
    for i, row in enumerate(drawn["rows"]):
        assert len(row) == 7
        np.testing.assert_allclose(row[[0, -1]], ends[[i // 2, 2 + i // 2]], atol=1e-5)
    middle = vae.decode(((z[0] + z[2]) / 2)[None])
    np.testing.assert_allclose(drawn["rows"][0][3], middle[0], atol=1e-5)


def test_a_map_is_that_of_scikit_learn(vae):
    x, label = RNG.uniform(size=(40, *SPEC.shape)).astype("float32"), np.arange(40) % 3
    figure = plotting.draw_map(vae, x, label)
    expected = PCA(2, random_state=0).fit_transform(vae.encode(x))
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["0", "1", "2"]
    for i, line in enumerate(lines):
        np.testing.assert_allclose(line.get_xydata(), expected[label == i], atol=1e-5)
    assert [ax.get_title() for ax in figure.axes] == ["PCA", "t-SNE"]


def test_neighbours_are_the_nearest(drawn):
    x, training = RNG.uniform(size=(12, 8, 8, 1)), RNG.uniform(size=(50, 8, 8, 1))
    plotting.draw_neighbours(x, training, SPEC)
    nearest = cdist(x[:10].reshape(10, -1), training.reshape(50, -1)).argmin(axis=1)
    np.testing.assert_array_equal(drawn["rows"][1], training[nearest])


def test_reconstructions_are_below_the_originals(vae, drawn):
    x = RNG.uniform(size=(12, *SPEC.shape)).astype("float32")
    plotting.draw_reconstruction(vae, SPEC, x)
    np.testing.assert_array_equal(drawn["rows"][0], x[:10])
    np.testing.assert_array_equal(drawn["rows"][1], vae.reconstruct(x[:10]))


def test_curves_of_a_history():
    rows = [{"epoch": str(i + 1), "loss": str(3.0 - i), "val_loss": str(3.5 - i), "seconds": "1"}
            for i in range(3)]  # fmt: skip
    (ax,) = plotting.draw_training(rows).axes
    training, test = ax.get_lines()
    np.testing.assert_array_equal(training.get_xydata(), [[1, 3], [2, 2], [3, 1]])
    np.testing.assert_array_equal(test.get_ydata(), [3.5, 2.5, 1.5])
    with pytest.raises(ValueError, match="no epochs"):
        plotting.draw_training([])


def test_an_animation_has_a_frame_for_each_epoch(tmp_path):
    for epoch, shade in ((1, 0), (2, 120), (10, 255)):
        Image.new("L", (40, 30), shade).save(tmp_path / f"epoch-{epoch:04d}.png")
    plotting.animate(list(tmp_path.glob("*.png")), tmp_path / "all.gif")
    with Image.open(tmp_path / "all.gif") as gif:
        assert gif.n_frames == 3
        shades = []
        for i in range(3):
            gif.seek(i)
            shades.append(gif.convert("L").getpixel((20, 40)))
    np.testing.assert_allclose(shades, [0, 120, 255], atol=3)
    with pytest.raises(ValueError, match="no pictures"):
        plotting.animate([], tmp_path / "none.gif")
    assert not (tmp_path / "none.gif").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vae_digits", "--what", "training"], "not a run directory"),
        (["gan_ring", "--what", "map"], "GAN infers no latents"),
        (["gan_ring", "--what", "manifold"], "drawn of pictures, not of vector data"),
        (["gan_ring", "--what", "reconstruction"], "GAN does not reconstruct"),
        (["recurrent_vae_text", "--what", "manifold"], "drawn of pictures, not of text data"),
    ],
)
def test_verbs_that_do_not_fit_are_one_line(arguments, message, tmp_path, capsys):
    assert cli.main(["show", *arguments, "--out", str(tmp_path / "x.png")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and re.search(message, error)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("what", ["traversal", "map", "neighbours"])
def test_the_command_writes_pictures(what, tmp_path):
    out = tmp_path / "x.png"
    assert cli.main(["show", "vae_digits", "--what", what, "--out", str(out)]) == 0
    with Image.open(out) as picture:
        assert min(picture.size) > 100


def test_text_is_drawn_as_lines(tmp_path, monkeypatch):
    drawn = {}

    def text(figure, x, y, line, **options):
        drawn.setdefault(line, []).append((x, y))

    monkeypatch.setattr("matplotlib.figure.Figure.text", text)
    out = tmp_path / "x.png"
    command = ["show", "recurrent_vae_text", "--what", "interpolation", "--out", str(out)]
    assert cli.main(command) == 0
    model = keras_gen.from_preset("recurrent_vae_text")
    z = model.draw_latents(8, seed=0)
    ends = model.text(model.decode(z))
    blocks = [each.split("\n") for each in drawn if "\n" in each]
    straight, spherical = blocks[:2]
    assert len(drawn["straight"]) == len(drawn["spherical"]) == 4
    for block in (straight, spherical):
        assert len(block) == 9
        assert block[0] == ends[0].replace("\n", "\u21b5")
        assert block[-1] == ends[4].replace("\n", "\u21b5")


def test_the_nearest_text_has_the_most_characters_in_common(monkeypatch):
    spec = data.Spec("letters", "text", (4, 1), (0, 3), vocabulary=tuple("abcz"))
    kept = {}
    monkeypatch.setattr("keras_gen.plotting.models.draw_comparison",
                        lambda rows, *rest: kept.update(rows=rows))  # fmt: skip
    x = np.array([[0, 0, 0, 0]])[..., None]
    training = np.array([[1, 1, 1, 1], [0, 0, 0, 3], [1, 0, 1, 0]])[..., None]
    plotting.draw_neighbours(x, training, spec)
    assert kept["rows"][1][0].ravel().tolist() == [0, 0, 0, 3]
