"""The sliders: the picture is what the model makes of z, and follows at once."""

import io
import time

import numpy as np
import pytest
from PIL import Image

import keras_gen
from keras_gen import data, models

SPEC = data.Spec("gray", "image", (8, 8, 1), (0.0, 1.0), num_classes=3)


def shown(explorer):
    with Image.open(io.BytesIO(explorer.picture.value)) as picture:
        return np.asarray(picture)


def expected(model, z, *label):
    x = np.rint(255 * np.clip(model.decode(z, *label)[0], 0, 1)).astype("uint8")
    return x[..., 0].repeat(35, axis=0).repeat(35, axis=1)


def test_a_slider_changes_the_picture_to_that_of_its_z():
    model = models.VAE.for_data(SPEC, latent_dim=3, network="dense", hidden=(8,), seed=0)
    explorer = keras_gen.explore(model, seed=4)
    z = model.draw_latents(1, seed=4)
    np.testing.assert_array_equal(shown(explorer), expected(model, z))
    by_name = {each.description: each for each in explorer.controls}
    by_name["latent 1"].value = 2.5
    z = np.float32([[by_name[f"latent {i}"].value for i in range(3)]])
    assert z[0, 1] == 2.5
    np.testing.assert_array_equal(shown(explorer), expected(model, z))
    explorer.new_seed.click()
    np.testing.assert_array_equal(shown(explorer), expected(model, model.draw_latents(1, seed=5)))
    explorer.reset.click()
    assert [each.value for each in explorer.controls] == [0, 0, 0]
    np.testing.assert_array_equal(shown(explorer), expected(model, np.zeros((1, 3), "float32")))


def test_codes_come_first_and_categories_are_chosen():
    gan = models.InfoGAN.for_data(SPEC, hidden=(4,), codes="categorical:3,uniform:1", seed=0)
    explorer = keras_gen.explore(gan, units=2)
    category, slider = explorer.controls
    assert list(category.options) == [0, 1, 2]
    category.value = (category.value + 1) % 3
    width = gan.latent.units(7)[-2][1].shape[1]
    place = gan.latent.units(7)[-2][0]
    assert explorer.z[0, place : place + width].argmax() == category.value
    assert explorer.z[0, place : place + width].sum() == 1
    np.testing.assert_array_equal(shown(explorer), expected(gan, explorer.z))
    assert slider.min == -1 and slider.max == 1


def test_a_conditional_model_has_its_classes():
    model = models.ConditionalVAE.for_data(SPEC, latent_dim=2, network="dense", seed=0)
    explorer = keras_gen.explore(model)
    explorer.label.value = 2
    np.testing.assert_array_equal(shown(explorer), expected(model, explorer.z, np.array([2])))


def test_the_picture_follows_within_a_tenth_of_a_second():
    explorer = keras_gen.explore(keras_gen.from_preset("vae_digits"))
    explorer.controls[0].value = 1.0
    times = []
    for value in np.linspace(-2, 2, 11):
        start = time.perf_counter()
        explorer.controls[0].value = value
        times.append(time.perf_counter() - start)
    assert np.median(times) < 0.1


def test_models_that_cannot_be_explored():
    vector = data.Spec("vector", "vector", (3,), (0.0, 1.0))
    with pytest.raises(ValueError, match="explore shows images of 1 or 3 channels; VAE"):
        keras_gen.explore(models.VAE.for_data(vector, hidden=(4,)))


def test_latents_of_a_latent_search_go_as_far_as_its_draws():
    glo = models.GLO.for_data(SPEC, num_examples=4, latent_dim=2, width=2, seed=0)
    explorer = keras_gen.explore(glo, seed=1)
    z = glo.draw_latents(1000, seed=0)
    for control in explorer.controls:
        place = int(control.description.removeprefix("latent "))
        inside = (z[:, place] >= control.min) & (z[:, place] <= control.max)
        assert inside.mean() == pytest.approx(0.99, abs=0.002)
    explorer.controls[0].value = explorer.controls[0].max
    np.testing.assert_array_equal(shown(explorer), expected(glo, explorer.z))
