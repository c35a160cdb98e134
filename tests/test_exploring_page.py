"""The page with sliders: it computes what Keras computes, and follows its controls."""

import base64
import json

import keras
import numpy as np
import pytest
from keras import layers

from keras_gen import data, exploring, likelihoods, models, representation, runs
from keras_gen.cli.main import main

GRAY = data.Spec("gray", "image", (9, 10, 1), (-1.0, 1.0), num_classes=3)
COLOUR = data.Spec("colour", "image", (16, 16, 3), (0.0, 1.0))


# Of five pictures; other processes may hold up some of them.
TIME = """() => [1, 2, 3, 4, 5].map(() => {
  const start = performance.now();
  show();
  return performance.now() - start;
})"""


class Trained:
    """What a page asks of a trained model."""

    def __init__(self, model, spec):
        self.model, self.spec = model, spec
        self.name, self.card = "a <model>", {"description": "of a test", "paper": "A & B"}


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens a page offline and collects what goes wrong."""
    context = browser.new_context(viewport={"width": 1000, "height": 800}, offline=True)
    problems, requests = [], []

    def open_page(path):
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    context.close()
    assert not problems
    assert all(url.startswith(("file:", "data:")) for url in requests)


def computed(page, z, label=0):
    return np.array(page.evaluate("([z, label]) => [...decode(z, label)]", [z.tolist(), label]))


def assert_equals_keras(page, model, n=4):
    z = model.draw_latents(n, seed=3)
    labels = np.arange(n) % model.num_classes if model.conditional else np.zeros(n, int)
    x = model.decode(z, *([labels] if model.conditional else []))
    for i in range(n):
        ours = computed(page, z[i], int(labels[i])).reshape(model.data_shape)
        np.testing.assert_allclose(ours, x[i], atol=1e-4)


def randomized(model):
    """Gives a model the statistics and weights that training would: none of them is special."""
    rng = np.random.default_rng(0)
    for variable in model.variables:
        shape = variable.shape
        if "variance" in variable.path or "gamma" in variable.path:
            variable.assign(rng.uniform(0.5, 1.5, shape))
        elif (len(shape) == 1 and "bias" in variable.path) or "mean" in variable.path \
                or "beta" in variable.path:  # fmt: skip
            variable.assign(rng.normal(size=shape) / 4)
    return model


@pytest.mark.parametrize(
    ("make", "spec"),
    [
        (lambda: models.VAE.for_data(GRAY, latent_dim=3, network="dense", hidden=(8,)), GRAY),
        (lambda: models.ConditionalVAE.for_data(GRAY, latent_dim=3, network="conv"), GRAY),
        (lambda: models.DGAN.for_data(COLOUR, latent_dim=5, width=4), COLOUR),
        (lambda: models.DGAN.for_data(GRAY, latent_dim=5, width=4, ema=0.9), GRAY),
        (lambda: models.GAN.for_data(GRAY, latent_dim=5, hidden=(6,)), GRAY),
        (lambda: models.GLO.for_data(GRAY, num_examples=4, latent_dim=3, width=2), GRAY),
        (lambda: models.InfoGAN.for_data(GRAY, hidden=(4,), codes="categorical:3,uniform:2"), GRAY),
        (
            lambda: models.VAE.for_data(
                COLOUR, latent_dim=3, network="conv",
                likelihood=likelihoods.DiscretizedLogistic(256, (0.0, 1.0)),
            ),
            COLOUR,
        ),
        (
            lambda: models.VAE.for_data(
                COLOUR, latent_dim=3, network="dense",
                likelihood=likelihoods.LogisticMixture(256, 3, (0.0, 1.0)),
            ),
            COLOUR,
        ),
        (
            lambda: models.VAE.for_data(
                GRAY, latent_dim=3, network="dense", likelihood=likelihoods.Gaussian("learned")
            ),
            GRAY,
        ),
    ],
)  # fmt: skip
def test_the_page_computes_what_keras_computes(make, spec, opened, tmp_path):
    keras.utils.set_random_seed(0)
    model = randomized(make())
    path = tmp_path / "page.html"
    exploring.write_page(Trained(model, spec), path)
    assert_equals_keras(opened(path), model)


def test_any_order_of_the_layers_that_it_knows(opened, tmp_path):
    z = keras.Input((4,))
    h = layers.Dense(2 * 3 * 6, activation="silu")(z)
    h = layers.LayerNormalization()(h)
    h = layers.Reshape((2, 3, 6))(layers.LeakyReLU(0.3)(h))
    h = layers.Conv2DTranspose(5, (3, 5), (2, 3), "same", activation="elu")(h)
    h = layers.LayerNormalization(axis=[1, 2, 3])(h)
    h = layers.Conv2DTranspose(4, 2, 1, "same", use_bias=False)(h)
    h = layers.BatchNormalization()(h)
    h = layers.Cropping2D(((1, 0), (2, 1)))(h)
    x = layers.Conv2DTranspose(1, 5, 2, "same", activation="tanh")(h)
    generator = keras.Model(z, x)
    spec = data.Spec("odd", "image", (6, 12, 1), (-1.0, 1.0))
    discriminator = keras.Sequential([keras.Input(spec.shape), layers.Flatten(), layers.Dense(1)])
    model = models.GAN(generator, discriminator, value_range=(-1.0, 1.0))
    path = tmp_path / "page.html"
    exploring.write_page(Trained(randomized(model), spec), path)
    assert_equals_keras(opened(path), model)


@pytest.mark.parametrize("name", ["vae_digits", "infogan_mnist", "conv_vae_spoken_digits"])
def test_released_models(name, opened, tmp_path):
    path = tmp_path / f"{name}.html"
    assert main(["explore", name, "--out", str(path)]) == 0
    page = opened(path)
    model = runs.open(name).model
    assert_equals_keras(page, model)
    took = page.evaluate(TIME)
    assert min(took) < 100, "milliseconds"


def picture(page):
    return page.evaluate("canvas.toDataURL()")


@pytest.fixture
def page(opened, tmp_path):
    path = tmp_path / "page.html"
    main(["explore", "infogan_mnist", "--out", str(path)])
    return opened(path)


def test_controls_change_the_picture(page):
    before = picture(page)
    assert page.inner_text(".control >> nth=0").startswith("code 0")
    page.select_option("#control-0", "3")
    page.wait_for_function("before => canvas.toDataURL() !== before", arg=before)
    place = page.evaluate("controls[0].place")
    assert page.evaluate("[...z]")[place : place + 10] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]

    before = picture(page)
    page.focus("#control-1")
    page.keyboard.press("Home")
    page.wait_for_function("before => canvas.toDataURL() !== before", arg=before)
    assert page.evaluate("z[controls[1].place]") == -1
    assert page.inner_text(".control >> nth=1 >> output") == "-1.00"

    model = runs.open("infogan_mnist").model
    z = np.float32(page.evaluate("[...z]"))
    shown = page.evaluate(
        "() => [...canvas.getContext('2d').getImageData(0, 0, width, height).data]"
    )
    x = model.decode(z[None])[0, ..., 0]
    np.testing.assert_allclose(
        np.reshape(shown, (28, 28, 4))[..., 1] / 255, np.clip(x, 0, 1), atol=0.6 / 255
    )


def test_seed_and_reset(page):
    model = runs.open("infogan_mnist").model
    drawn = model.draw_latents(256, seed=0)
    np.testing.assert_array_equal(np.float32(page.evaluate("[...z]")), drawn[0])
    first = picture(page)
    page.click("#seed")
    np.testing.assert_array_equal(np.float32(page.evaluate("[...z]")), drawn[1])
    assert picture(page) != first
    assert page.inner_text("#status").startswith("Draw 2 of 256")
    page.click("#reset")
    z = page.evaluate("[...z]")
    assert sum(z) == 1 and z[page.evaluate("controls[0].place")] == 1


def test_the_pad_moves_two_latents(page):
    names = page.eval_on_selector_all("#across option", "all => all.map((o) => o.textContent)")
    assert names[:2] == ["code 1", "code 2"], "a category has no place on an axis"
    before = picture(page)
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    page.mouse.up()
    values = page.evaluate("axes().map(({ place }) => z[place])")
    np.testing.assert_allclose(values, [0.5, 0.5], atol=0.03)
    assert picture(page) != before
    page.focus("#pad")
    page.keyboard.press("ArrowLeft")
    moved = page.evaluate("axes().map(({ place }) => z[place])")
    np.testing.assert_allclose(np.subtract(moved, values), [-0.1, 0], atol=1e-6)
    np.testing.assert_allclose(float(page.input_value("#control-1")), moved[0])


def test_names_are_escaped(tmp_path):
    model = models.GAN.for_data(GRAY, latent_dim=2, hidden=(2,), seed=0)
    text = exploring.page(Trained(model, GRAY))
    assert "<model>" not in text and "a &lt;model&gt;" in text and "A &amp; B" in text
    content = text.split('id="content">')[1].split("</script>")[0]
    draws = np.frombuffer(base64.b64decode(json.loads(content)["draws"]), "<f4").reshape(-1, 2)
    np.testing.assert_array_equal(draws, model.draw_latents(256, seed=0))


def test_weights_that_float16_holds_take_half_the_bytes(opened, tmp_path):
    model = models.GAN.for_data(GRAY, latent_dim=4, hidden=(32,), generator_normalization=None)
    model.generator.set_weights([
        np.float32(np.float16(10.0 ** -np.arange(w.size).reshape(w.shape) % 9 * w))
        for w in model.generator.get_weights()
    ])  # fmt: skip
    half, path = exploring.page(Trained(model, GRAY)), tmp_path / "page.html"
    path.write_text(half)
    assert_equals_keras(opened(path), model)
    model.generator.set_weights([w * (1 + 1e-4) for w in model.generator.get_weights()])
    whole = exploring.page(Trained(model, GRAY))
    assert len(whole) - len(half) == pytest.approx(4 / 3 * 2 * 32 * (4 + 90), rel=0.1)


def test_latents_come_in_the_order_of_their_effect():
    model = models.GAN.for_data(GRAY, latent_dim=3, hidden=(2,), seed=0)
    kernel = next(v for v in model.generator.variables if v.shape == (3, 2))
    kernel.assign(np.float32([[0.1, 0.1], [0, 0], [2, 2]]))
    found = [each.name for each in representation.controls(model)]
    assert found == ["latent 2", "latent 0", "latent 1"]
    assert len(representation.controls(model, units=2)) == 2


def test_models_that_a_page_cannot_run(tmp_path, capsys):
    path = tmp_path / "page.html"
    assert main(["explore", "crgan_sines", "--out", str(path)]) == 2
    assert "explore shows images of 1 or 3 channels; CRGAN generates" in capsys.readouterr().err
    assert not path.exists()
    z = keras.Input((4,))
    x = layers.Conv2D(1, 3, padding="same", name="last")(
        layers.Reshape((6, 6, 1))(layers.Dense(36)(z))
    )
    spec = data.Spec("odd", "image", (6, 6, 1), (0.0, 1.0))
    discriminator = keras.Sequential([keras.Input(spec.shape), layers.Flatten(), layers.Dense(1)])
    model = models.GAN(keras.Model(z, x), discriminator)
    with pytest.raises(ValueError, match="last is a Conv2D"):
        exploring.write_page(Trained(model, spec), path)
    assert not path.exists()
