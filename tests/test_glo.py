"""Generative latent optimization where the answer is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import data, losses, models


def linear_glo(x, latent_dim, **options):
    """GLO with a linear generator without bias: with squared loss a principal component analysis
    of data whose mean is 0."""
    z = keras.Input((latent_dim,))
    initializer = keras.initializers.GlorotUniform(seed=0)
    dense = keras.layers.Dense(x.shape[1], use_bias=False, kernel_initializer=initializer)
    return models.GLO(keras.Model(z, dense(z)), len(x), seed=0, **options)


@pytest.fixture(scope="module")
def plane():
    """Points near a plane in five dimensions."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 5)) + 0.05 * rng.normal(size=(60, 5))
    return (x - x.mean(axis=0)).astype("float32")


@pytest.fixture(scope="module")
def fitted(plane):
    model = linear_glo(plane, 2)
    rates = {"latents": keras.optimizers.Adam(0.1), "generator": keras.optimizers.Adam(0.1)}
    model.compile(rates)
    # All examples are a batch, and 400 batches an epoch: epochs of one step would take longer.
    batch = {"x": plane, "index": np.arange(len(plane))}
    model.fit(tf.data.Dataset.from_tensors(batch).repeat(400), verbose=0)
    return model


def test_a_linear_generator_finds_the_principal_plane(plane, fitted):
    # The least squared error of any plane is the sum of the other squared singular values.
    singular = np.linalg.svd(plane, compute_uv=False)
    least = np.sum(singular[2:] ** 2) / len(plane)
    loss = fitted.fit(plane, batch_size=60, verbose=0).history["loss"][0]
    assert least <= loss * 1.0001
    assert loss < 1.1 * least + 1e-3


def test_represent_finds_the_latents_of_new_examples(plane, fitted):
    z = np.random.default_rng(1).normal(size=(10, 2)).astype("float32")
    z *= 0.5 / np.linalg.norm(z, axis=1, keepdims=True)
    x = fitted.decode(z)
    np.testing.assert_allclose(fitted.represent(x, steps=500), z, atol=0.02)
    np.testing.assert_allclose(fitted.reconstruct(x, steps=500), x, atol=0.1)


def test_latents_stay_in_the_unit_ball_and_samples_follow_them(plane, fitted):
    learned = fitted.latents.get_weights()[0]
    assert np.linalg.norm(learned, axis=1).max() <= 1 + 1e-5
    z = np.asarray(fitted.draw_latents(20_000, 0))
    inside = np.linalg.norm(z, axis=1) < 0.999
    assert inside.mean() > 0.5
    np.testing.assert_allclose(z.mean(axis=0), learned.mean(axis=0), atol=0.05)


def test_latents_start_as_whitened_principal_components(plane):
    model = linear_glo(plane, 2)
    model.adapt(plane)
    z = model.latents.get_weights()[0]
    singular = np.linalg.svd(plane, compute_uv=False)
    least = np.sum(singular[2:] ** 2)
    error = np.sum(np.square(plane - z @ np.linalg.lstsq(z, plane, rcond=None)[0]))
    inside = np.linalg.norm(z, axis=1) < 0.999  # the others are projected
    assert inside.mean() >= 0.98
    assert error == pytest.approx(least, rel=0.1)
    covariance = np.cov(z.T)
    np.testing.assert_allclose(covariance, covariance[0, 0] * np.eye(2), atol=0.01)
    # Of more dimensions than there are components, the rest stays as it was.
    wide = linear_glo(plane, 7)
    before = wide.latents.get_weights()[0]
    wide.adapt(plane[:50])
    after = wide.latents.get_weights()[0]
    np.testing.assert_array_equal(after[50:], before[50:])


def test_draws_of_a_mixture_follow_latents_in_clusters():
    rng = np.random.default_rng(0)
    centers = np.array([[0.6, 0.0], [-0.3, 0.5], [-0.3, -0.5]])
    z = centers[rng.integers(0, 3, 300)] + 0.05 * rng.normal(size=(300, 2))
    batch = {"x": np.zeros((300, 2), "float32"), "index": np.arange(300)}
    learned = {}
    for components in (1, 3):
        model = linear_glo(batch["x"], 2, components=components)
        model.latents.set_weights([z])
        if components > 1:
            model.density.means.assign(model.scale * z[:3])
        still = {player: keras.optimizers.SGD(1e-3) for player in model.players}
        model.compile(still | {"density": keras.optimizers.Adam(0.05)} if components > 1 else still)
        model.fit(tf.data.Dataset.from_tensors(batch).repeat(300), verbose=0)
        learned[components] = model.latents.get_weights()[0]
    # Nothing depends on the mixture.
    np.testing.assert_array_equal(learned[3], learned[1])
    drawn = np.asarray(model.draw_latents(10_000, 0))
    distance = np.linalg.norm(drawn[:, None] - learned[3][None], axis=-1).min(axis=1)
    assert np.quantile(distance, 0.99) < 0.1
    found = model.evaluate(batch["x"], verbose=0, return_dict=True)
    assert set(found) == {"loss", "density_loss"}


def test_only_the_latents_of_a_batch_move(plane):
    model = linear_glo(plane, 2)
    model.compile()
    for first in (0, 8):  # twice, as momentum would show only then
        before = model.latents.get_weights()[0]
        index = np.arange(first, first + 8)
        model.train_on_batch({"x": plane[index], "index": index})
        moved = (model.latents.get_weights()[0] != before).any(axis=1)
        np.testing.assert_array_equal(np.flatnonzero(moved), index)


def test_the_laplacian_distance():
    rng = np.random.default_rng(0)
    x, y = (tf.constant(rng.uniform(size=(3, 16, 16, 2)).astype("float32")) for _ in "xy")
    distance = losses.reconstruction.laplacian
    np.testing.assert_allclose(distance(x, x), 0.0)
    np.testing.assert_allclose(distance(x, y), distance(y, x), rtol=1e-5)
    assert (np.asarray(distance(x, y)) > 0).all()
    # A constant has no detail: only the last level, of 2x2 pixels at weight 4^3, sees it.
    np.testing.assert_allclose(distance(x, x + 0.5), 0.5 * 2 * 4 * 4.0**3, rtol=1e-3)
    levels = losses.reconstruction.laplacian_pyramid(x)
    assert [level.shape[1] for level in levels] == [16, 8, 4, 2]
    assert losses.reconstruction.laplacian_pyramid(x[:, :3, :3])[0].shape[1] == 3


def test_mistakes(plane):
    model = linear_glo(plane, 2)
    model.compile()
    more = np.concatenate([plane, plane[:1]])
    for x in (more, {"x": more}):
        with pytest.raises(ValueError, match="x has 61 examples, but num_examples is 60"):
            model.fit(x)
    with pytest.raises(ValueError, match=r"index=True"):
        model.fit(tf.data.Dataset.from_tensor_slices({"x": plane}).batch(60), verbose=0)
    with pytest.raises(ValueError, match="num_examples must be a positive integer, got 0"):
        linear_glo(plane[:0], 2)
    with pytest.raises(ValueError, match="Unknown reconstruction loss 'l1'"):
        linear_glo(plane, 2, loss="l1")
    spec = data.Spec("vector", "vector", (5,), (-9.0, 9.0))
    assert models.GLO.for_data(spec, 60).distance is losses.reconstruction.squared
