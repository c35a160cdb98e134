"""Games against closed forms: losses, penalties, bounds, averages, and what the options do."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy.special import expit, log_expit

from keras_gen import augmentation, data, latents, losses, models
from keras_gen.noise import Noise

SPEC = data.Spec("vector", "vector", (2,), (-math.inf, math.inf), num_classes=3)
IMAGES = data.Spec("image", "image", (8, 8, 1), (0.0, 1.0), num_classes=3)
LOGITS = np.array([-30.0, -2.0, -0.1, 0.0, 0.7, 3.0, 40.0])
# Each pair of losses in NumPy, from the papers' formulas for D = sigmoid(logit).
REFERENCE = {
    "minimax": (lambda r, f: -log_expit(r) - log_expit(-f), lambda r, f: log_expit(-f)),
    "non_saturating": (lambda r, f: -log_expit(r) - log_expit(-f), lambda r, f: -log_expit(f)),
    "least_squares": (lambda r, f: ((r - 1) ** 2 + f**2) / 2, lambda r, f: (f - 1) ** 2 / 2),
    "hinge": (lambda r, f: np.maximum(0, 1 - r) + np.maximum(0, 1 + f), lambda r, f: -f),
    "wasserstein": (lambda r, f: f - r, lambda r, f: -f),
    "relativistic": (lambda r, f: -log_expit(r - f), lambda r, f: -log_expit(f - r)),
}


def points(n=64, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 2)).astype("float32")


def linear(slope, bias=0.0):
    """A discriminator whose logit is slope . x + bias."""
    x = keras.Input((len(slope),))
    dense = keras.layers.Dense(1)
    network = keras.Model(x, dense(x))
    dense.set_weights([np.array(slope, "float32")[:, None], np.array([bias], "float32")])
    return network


def tiny_gan(**options):
    options = {"hidden": (8,), "latent_dim": 3, "generator_normalization": None} | options
    return models.GAN.for_data(SPEC, seed=1, **options)


# ---- losses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", losses.adversarial.LOSSES)
def test_values_and_gradients_of_each_pair(name):
    pair = losses.adversarial.get(name)
    real, fake = np.meshgrid(LOGITS, LOGITS[::-1] + 0.05)
    real, fake = real.ravel(), fake.ravel()
    pairs = zip((pair.discriminator, pair.generator), REFERENCE[name], strict=True)
    for function, reference in pairs:
        r, f = tf.constant(real), tf.constant(fake)
        with tf.GradientTape() as tape:
            tape.watch([r, f])
            values = function(r, f)
        np.testing.assert_allclose(values, reference(real, fake), rtol=1e-6, atol=1e-12)
        h = 1e-6
        slopes = [
            (reference(real + h, fake) - reference(real - h, fake)) / (2 * h),
            (reference(real, fake + h) - reference(real, fake - h)) / (2 * h),
        ]
        found = tape.gradient(values, [r, f], unconnected_gradients="zero")
        for a, b in zip(found, slopes, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_minimax_value_where_the_discriminator_cannot_tell():
    half = np.zeros(5)
    np.testing.assert_allclose(losses.adversarial.value(half, half), -math.log(4.0))
    minimax = losses.adversarial.get("minimax")
    np.testing.assert_allclose(minimax.discriminator(half, half), math.log(4.0))


def test_the_best_discriminator_reaches_the_jensen_shannon_divergence():
    # Goodfellow et al. 2014, proposition 1 and theorem 1, on two laws over four points.
    p, q = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.4, 0.4, 0.1, 0.1])
    middle = (p + q) / 2
    divergence = (np.sum(p * np.log(p / middle)) + np.sum(q * np.log(q / middle))) / 2

    def value(logits):
        terms = -np.log1p(np.exp(-logits)), -np.log1p(np.exp(logits))
        by_pair = losses.adversarial.value(logits, logits)
        np.testing.assert_allclose(by_pair, sum(terms), rtol=1e-12)
        return np.sum(p * terms[0]) + np.sum(q * terms[1])

    best = np.log(p / q)
    assert value(best) == pytest.approx(2 * divergence - math.log(4.0))
    for seed in range(20):
        other = best + np.random.default_rng(seed).normal(size=4)
        assert value(other) < value(best)


def test_label_smoothing_moves_the_best_discriminator_to_the_smoothed_label():
    pair = losses.adversarial.get("non_saturating")
    logits = np.linspace(-6, 6, 24_001)
    for smoothing in (0.0, 0.1, 0.3):
        loss = pair.smoothed_discriminator(logits, np.zeros_like(logits), smoothing)
        expected = -(1 - smoothing) * log_expit(logits) - smoothing * log_expit(-logits)
        np.testing.assert_allclose(loss, expected + math.log(2.0))
        if smoothing:
            assert expit(logits[np.argmin(loss)]) == pytest.approx(1 - smoothing, abs=1e-3)


def test_penalties_of_a_linear_discriminator():
    # Its gradient is its slope (3, 4) everywhere: of length 5.
    x, fake = points(), points(seed=1)
    model = tiny_gan()
    for options, expected in (
        ({"r1": 2.0}, 2.0 * 25 / 2),
        ({"r2": 3.0}, 3.0 * 25 / 2),
        ({"r1": 2.0, "r2": 3.0}, 5.0 * 25 / 2),
        ({"wgan_gp": 10.0}, 10.0 * (5 - 1) ** 2),
        ({"r1": 1.0, "wgan_gp": 1.0}, 25 / 2 + 16),
        ({}, 0.0),
    ):
        gan = models.GAN(model.generator, linear((3.0, 4.0)), **options)
        *_, penalty = gan.penalized(tf.constant(x), tf.constant(fake), None, Noise(0), True)
        np.testing.assert_allclose(penalty, np.full(len(x), expected), rtol=1e-6, atol=1e-7)
    # R1 looks at real examples and R2 at generated ones.
    square = keras.Input((2,))
    quadratic = keras.Model(square, ops.sum(square * square, axis=1, keepdims=True))
    for options, at in (({"r1": 1.0}, x), ({"r2": 1.0}, fake)):
        gan = models.GAN(model.generator, quadratic, **options)
        *_, penalty = gan.penalized(tf.constant(x), tf.constant(fake), None, Noise(0), True)
        np.testing.assert_allclose(penalty, 2 * np.sum(at**2, axis=1), rtol=1e-5)


def test_the_gradient_penalty_has_a_gradient_where_the_slope_is_zero():
    dense = tf.Variable([[0.0], [0.0]])
    with tf.GradientTape() as outer:
        x = tf.constant(points())
        with tf.GradientTape() as tape:
            tape.watch(x)
            logit = x @ dense
        loss = ops.sum(losses.penalties.one_centered(tape.gradient(logit, x)))
    assert np.isfinite(outer.gradient(loss, dense)).all()


def test_interpolated_points_lie_between():
    real, fake = points(), points(seed=1)
    for weight in (0.0, 0.25, 1.0):
        between = losses.penalties.interpolated(real, fake, np.full(len(real), weight, "float32"))
        np.testing.assert_allclose(between, (1 - weight) * real + weight * fake, atol=1e-6)


def test_the_information_bound_of_a_perfect_and_of_a_useless_recognition():
    code = latents.Categorical(10)
    c = code.sample((1000,), Noise(0))

    def bound(logits):
        log_q = code.log_prob(c, logits)
        return float(np.mean(losses.information.mutual_information_bound(log_q, code.entropy)))

    assert bound(200.0 * c) == pytest.approx(math.log(10.0), rel=1e-5)
    assert bound(0.0 * c) == pytest.approx(0.0, abs=1e-5)
    # Right nine times in ten, and certain as often: I = log 10 - H(0.9, 0.1/9, ...).
    q = 0.9 * c + 0.1 / 9 * (1 - c)
    wrong = np.arange(1000) % 10 == 0
    told = np.where(wrong[:, None], np.roll(q, 1, axis=1), q)
    entropy = -0.9 * math.log(0.9) - 0.1 * math.log(0.1 / 9)
    assert bound(np.log(told)) == pytest.approx(math.log(10.0) - entropy, abs=1e-5)


# ---- latents -----------------------------------------------------------------------------------


def test_uniform_and_categorical_latents_against_their_laws():
    z = np.asarray(latents.Uniform(3).sample((20_000,), Noise(0)))
    assert z.min() >= -1 and z.max() <= 1
    np.testing.assert_allclose(z.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(z.var(0), 1 / 3, atol=0.01)
    np.testing.assert_allclose(latents.Uniform(3).log_prob(z[:5]), -3 * math.log(2), rtol=1e-6)
    c = np.asarray(latents.Categorical(4).sample((20_000,), Noise(0)))
    assert set(np.unique(c)) == {0.0, 1.0} and (c.sum(1) == 1).all()
    np.testing.assert_allclose(c.mean(0), 0.25, atol=0.015)
    logits = np.log([0.1, 0.2, 0.3, 0.4]).astype("float32")
    drawn = latents.Categorical(4).sample((20_000,), Noise(1), np.tile(logits, (20_000, 1)))
    np.testing.assert_allclose(np.mean(drawn, axis=0), np.exp(logits), atol=0.015)
    kl = latents.Categorical(4).kl(logits[None])[0]
    assert float(kl) == pytest.approx(np.sum(np.exp(logits) * (logits + math.log(4))), rel=1e-5)


def test_a_product_of_latents_is_its_parts_beside_each_other():
    product = latents.get("categorical:10,uniform:2,gaussian:3")
    assert (product.dim, product.parameter_size) == (15, 10 + 2 + 6)
    entropies = math.log(10), 2 * math.log(2), 1.5 * (1 + math.log(2 * math.pi))
    assert product.entropy == pytest.approx(sum(entropies))
    z = product.sample((100,), Noise(0))
    parts = z[:, :10], z[:, 10:12], z[:, 12:]
    expected = sum(p.log_prob(v) for p, v in zip(product.parts, parts, strict=True))
    np.testing.assert_allclose(product.log_prob(z), expected, rtol=1e-6)
    joined = product.join([np.argmax(parts[0], 1), parts[1], parts[2]])
    np.testing.assert_array_equal(joined, z)
    again = latents.Product.from_config(product.get_config())
    np.testing.assert_array_equal(again.sample((100,), Noise(0)), z)
    assert [place for place, _ in product.units()] == [0, 10, 11, 12, 13, 14]
    with pytest.raises(ValueError, match="FAMILY:DIM"):
        latents.get("categorical:10,normal:2")


# ---- options -----------------------------------------------------------------------------------


def test_the_moving_average_follows_its_recursion():
    gan = tiny_gan(ema=0.9)
    gan.compile(keras.optimizers.SGD(0.1))
    expected = [w.copy() for w in gan.generator.get_weights()]
    for _ in range(3):
        gan.train_on_batch(points())
        weights = gan.generator.get_weights()
        expected = [0.9 * e + 0.1 * w for e, w in zip(expected, weights, strict=True)]
    for found, wanted in zip(gan.average.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)
    z = gan.draw_latents(4, seed=0)
    np.testing.assert_allclose(gan.sample(4, seed=0), gan.average(z), rtol=1e-5)
    assert not np.allclose(gan.sample(4, seed=0), gan.generator(z))
    assert not any("average" in w.path for w in gan.trainable_weights)


def test_packing_shows_the_discriminator_groups_of_examples():
    gan = tiny_gan(packing=3)
    x = points(8)
    packs = gan.discriminator_view(tf.constant(x), Noise(0))
    np.testing.assert_array_equal(packs, x[[0, 1, 2, 3, 4, 5, 6, 7, 0]].reshape(3, 6))
    np.testing.assert_array_equal(gan.discriminator_view(tf.constant(x[:6]), Noise(0)), packs[:2])
    assert gan.discriminate(packs).logits.shape == (3,)
    gan.compile()
    # The last batch has one example, which is a pack of its own.
    history = gan.fit(points(17), batch_size=8, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    images = tf.random.stateless_uniform((4, 8, 8, 1), (1, 2))
    packed = models.GAN.for_data(IMAGES, packing=2, seed=1).discriminator_view(images, Noise(0))
    for i in range(2):
        np.testing.assert_array_equal(packed[:, ..., i], images[i::2, ..., 0])


def test_a_pack_has_the_labels_of_its_members(two_replicas):
    def conditional(packing=3):
        return models.ConditionalGAN.for_data(
            SPEC, seed=1, latent_dim=4, hidden=(8,), packing=packing
        )

    gan = conditional()
    x, label = points(5), np.array([0, 2, 1, 1, 2])
    packs = x[[0, 1, 2, 3, 4, 0]].reshape(2, 6)
    members = np.eye(3, dtype="float32")[[0, 2, 1, 1, 2, 0]].reshape(2, 9)
    expected = gan.discriminator([packs, members])[:, 0]
    np.testing.assert_allclose(gan({"x": x, "label": label}), expected, rtol=1e-6)
    x, label = points(36), np.arange(36) % 3

    def trained():
        gan = conditional()
        gan.compile(keras.optimizers.SGD(1e-2))
        return gan.fit(x, label, batch_size=12, epochs=2, verbose=0).history, gan

    expected, alone = trained()
    with two_replicas.scope():
        found, together = trained()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)
    for a, b in zip(together.weights, alone.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-5)
    assert gan.sample(2, seed=0, label=[1, 2]).shape == (2, 2)
    with pytest.raises(ValueError, match="the discriminator 2 times as many"):
        models.ConditionalGAN(gan.generator, conditional(1).discriminator, packing=2)


def test_several_moves_of_the_discriminator_for_one_of_the_generator():
    gan = tiny_gan(discriminator_steps=3)
    gan.compile()
    gan.fit(points(), batch_size=16, verbose=0)
    iterations = {name: int(o.iterations) for name, o in gan.optimizer.players.items()}
    assert iterations == {"discriminator": 12, "generator": 4}
    assert int(gan.step) == 4


def test_spectral_normalization_bounds_the_slope():
    gan = tiny_gan(normalization="spectral", hidden=(32, 32))
    x = points(256)
    for _ in range(50):  # power iterations
        gan.discriminator(x, training=True)
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        logits = gan.discriminator(tensor)
    slopes = np.linalg.norm(tape.gradient(logits, tensor), axis=1)
    assert slopes.max() <= 1.01


def test_spectral_normalization_keeps_float32_under_mixed_precision(mixed):
    with mixed("mixed_float16"):
        gan = tiny_gan(normalization="spectral", hidden=(32, 32), r1=0.1)
    gan.compile()
    gan.fit(points(256), batch_size=16, verbose=0)
    kernels = [w for w in gan.discriminator.trainable_weights if len(w.shape) == 2]
    for kernel in kernels:
        assert kernel.dtype == "float32"
        # Rounding a kernel to float16 would leave it on that coarser grid.
        assert not np.array_equal(kernel, np.float16(kernel))
        # Divided by its largest singular value, as of a few steps ago.
        assert np.linalg.norm(kernel, ord=2) == pytest.approx(1.0, abs=0.1)


def test_augmentation_keeps_what_it_should():
    x = np.random.default_rng(0).uniform(size=(32, 8, 8, 3)).astype("float32")
    shifted = np.asarray(augmentation.translation(x, Noise(0)))
    for before, after in zip(x, shifted, strict=True):
        # Some shift by at most one pixel, the same for all channels, with zeros coming in.
        candidates = [
            np.pad(before, ((1, 1), (1, 1), (0, 0)))[1 + i : 9 + i, 1 + j : 9 + j]
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
        ]
        assert any(np.allclose(after, candidate, atol=1e-6) for candidate in candidates)
    cut = np.asarray(augmentation.cutout(x, Noise(0)))
    holes = (cut == 0).all(axis=3)
    assert ((cut == x) | (cut == 0)).all()
    assert holes.sum(axis=(1, 2)).max() == 16 and holes.any(axis=(1, 2)).all()
    colored = np.asarray(augmentation.color(x, Noise(0)))
    # Brightness, saturation and contrast are affine: gray images stay gray.
    gray = np.repeat(x[..., :1], 3, axis=-1)
    grayed = np.asarray(augmentation.color(gray, Noise(0)))
    np.testing.assert_allclose(grayed, np.repeat(grayed[..., :1], 3, axis=-1), atol=1e-5)
    assert not np.allclose(colored, x)
    with pytest.raises(ValueError, match="Unknown augmentation 'turn'"):
        augmentation.policies("color,turn")


def test_half_of_the_images_are_mirrored():
    x = np.random.default_rng(0).uniform(-1, 1, (400, 4, 5, 2)).astype("float32")
    flipped = np.asarray(augmentation.flip(x, Noise(0)))
    same, mirrored = ((flipped == y).all(axis=(1, 2, 3)) for y in (x, x[:, :, ::-1]))
    assert (same ^ mirrored).all()
    assert 160 < mirrored.sum() < 240


def test_affine_augmentation_maps_planes_to_planes():
    # Bilinear interpolation is exact for a plane; away from the border what is left of it is the
    # map itself: a plane again, with another slope, of the height that the shift gives it.
    rows, columns = np.mgrid[:33, :33].astype("float32")
    planes = np.tile((2 * rows - 3 * columns)[None, :, :, None], (64, 1, 1, 1))
    mapped = np.asarray(augmentation.affine(planes, Noise(0)))[:, 8:-8, 8:-8, 0]
    np.testing.assert_allclose(np.diff(mapped, n=2, axis=1), 0, atol=1e-3)
    np.testing.assert_allclose(np.diff(mapped, n=2, axis=2), 0, atol=1e-3)
    down = np.diff(mapped, axis=1).mean(axis=(1, 2))
    across = np.diff(mapped, axis=2).mean(axis=(1, 2))
    assert down.std() > 0.1 and across.std() > 0.1
    # On average over the symmetric law the slopes stay near what they were, and so does the middle.
    np.testing.assert_allclose([down.mean(), across.mean()], [2, -3], atol=0.4)
    assert abs(mapped[:, 8, 8].mean() - planes[0, 16, 16, 0]) < 4
    constant = np.full((4, 9, 7, 2), 0.3, "float32")
    np.testing.assert_allclose(augmentation.affine(constant, Noise(1)), constant, rtol=1e-6)


@pytest.mark.parametrize("policy", augmentation.POLICIES)
def test_augmentation_is_linear_in_each_image(policy):
    # So it has the derivative that finite differences show.
    x = tf.constant(np.random.default_rng(0).uniform(size=(2, 8, 8, 1)).astype("float32"))
    direction = tf.random.stateless_normal(x.shape, (1, 2))
    weights = tf.random.stateless_normal(x.shape, (3, 4))

    def value(x):
        return tf.reduce_sum(weights * augmentation.augment(x, [policy], Noise(3)))

    with tf.GradientTape() as tape:
        tape.watch(x)
        result = value(x)
    slope = float(tf.reduce_sum(tape.gradient(result, x) * direction))
    assert slope == pytest.approx(float(value(x + direction) - value(x)), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "relativistic", "r1": 0.1, "r2": 0.1, "ema": 0.9},
        {"loss": "wasserstein", "wgan_gp": 10.0, "discriminator_steps": 2},
        {"loss": "hinge", "normalization": "spectral"},
        {"loss": "least_squares", "packing": 2},
        {"loss": "minimax", "label_smoothing": 0.1, "r1": 0.1, "packing": 2},
        {"network": "conv", "width": 4, "r1": 0.1, "augment": "color,translation,cutout,affine"},
        {"network": "conv", "width": 4, "generator_normalization": "batch", "r2": 0.1},
        {"network": "conv", "width": 4, "normalization": "batch"},
        {"network": "conv", "width": 4, "normalization": "layer", "wgan_gp": 1.0},
    ],
    ids=lambda options: "-".join(f"{k}={v}" for k, v in options.items()),
)
def test_options_survive_saving_replicas_and_xla(options, two_replicas, tmp_path):
    x = np.random.default_rng(0).uniform(size=(32, 8, 8, 1)).astype("float32")

    def trained(**how):
        base = {"hidden": (8,)} if "network" not in options else {}
        gan = models.GAN.for_data(IMAGES, seed=1, latent_dim=4, **(base | options))
        gan.compile(keras.optimizers.SGD(1e-2), **how)
        history = gan.fit(x, batch_size=8, epochs=2, verbose=0).history
        return gan, history

    alone, expected = trained(run_eagerly=True)
    _, compiled = trained(jit_compile=True)
    with two_replicas.scope():
        together, replicated = trained()
    for other in (compiled, replicated):
        for name, values in expected.items():
            np.testing.assert_allclose(other[name], values, rtol=2e-3, atol=1e-4, err_msg=name)
    for a, b in zip(together.weights, alone.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-2, atol=1e-4)
    alone.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(again.sample(3, seed=0), alone.sample(3, seed=0))
    np.testing.assert_array_equal(again.optimizer.iterations, alone.optimizer.iterations)


# ---- players and optimizers --------------------------------------------------------------------


def test_each_player_has_its_optimizer():
    gan = tiny_gan()
    gan.compile()  # DCGAN's
    assert [float(o.learning_rate) for o in gan.optimizer.players.values()] == [
        pytest.approx(2e-4)
    ] * 2
    gan.compile("sgd")
    kinds = {type(o) for o in gan.optimizer.players.values()}
    assert kinds == {keras.optimizers.SGD}
    shared = keras.optimizers.Adam(3e-4)
    gan.compile({"discriminator": shared, "generator": shared})
    gan.train_on_batch(points())
    gan.compile(shared)
    one, other = gan.optimizer.players.values()
    assert one is not other and float(other.learning_rate) == pytest.approx(3e-4)
    gan.compile({"discriminator": "sgd", "generator": keras.optimizers.Adam(1e-3)})
    assert isinstance(gan.optimizer.of(gan.discriminator), keras.optimizers.SGD)
    assert isinstance(gan.optimizer.of(gan.generator), keras.optimizers.Adam)
    with pytest.raises(ValueError, match="players discriminator, generator"):
        gan.compile({"generator": "adam"})


def test_learning_rate_callbacks_move_all_players():
    gan = tiny_gan()
    rates = {"discriminator": keras.optimizers.SGD(0.02), "generator": keras.optimizers.SGD(0.01)}
    gan.compile(rates)
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = gan.fit(points(), epochs=2, callbacks=[halve], verbose=0).history
    np.testing.assert_allclose(history["learning_rate"], [0.005, 0.0025], rtol=1e-6)
    found = {name: float(o.learning_rate) for name, o in gan.optimizer.players.items()}
    assert found == {"discriminator": pytest.approx(0.005), "generator": pytest.approx(0.0025)}


def test_a_rate_of_zero_does_not_forget_the_players_ratios():
    gan = tiny_gan()
    rates = {"discriminator": keras.optimizers.SGD(0.02), "generator": keras.optimizers.SGD(0.01)}
    gan.compile(rates)
    for rate in (0.0, 0.1):
        gan.optimizer.learning_rate = rate
    assert float(gan.optimizer.players["discriminator"].learning_rate) == pytest.approx(0.2)


def test_schedules_count_each_players_moves(tmp_path):
    gan = tiny_gan(discriminator_steps=2)
    rates = {
        "discriminator": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, 16)),
        "generator": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, 8)),
    }
    gan.compile(rates)
    gan.fit(points(), batch_size=16, verbose=0)
    one, other = (float(o.learning_rate) for o in gan.optimizer.players.values())
    assert one == pytest.approx(other) == pytest.approx(5e-4)
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert again.optimizer.get_config() == gan.optimizer.get_config()


def test_the_generators_gradient_has_only_its_own_loss():
    # One SGD step of the generator is the gradient of its loss alone, by hand.
    gan = tiny_gan()
    rates = {"discriminator": keras.optimizers.SGD(0.0), "generator": keras.optimizers.SGD(1.0)}
    gan.compile(rates)
    x = points()
    noise = gan.noise(x)
    before = [tf.identity(w) for w in gan.generator.trainable_weights]
    z = gan.draw(len(x), noise)
    with tf.GradientTape() as tape:
        logit = gan.discriminator(gan.generator(z, training=True), training=True)[:, 0]
        loss = tf.reduce_mean(tf.nn.softplus(-logit))
    expected = tape.gradient(loss, gan.generator.trainable_weights)
    gan.train_on_batch(x)
    for old, new, slope in zip(before, gan.generator.trainable_weights, expected, strict=True):
        np.testing.assert_allclose(old - new, slope, rtol=1e-4, atol=1e-7)


# ---- mistakes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "minmax"}, "Unknown adversarial loss 'minmax'"),
        ({"r1": -1.0}, "r1 must be a number, at least 0; got -1.0"),
        ({"packing": 0}, "packing must be a positive integer, got 0"),
        ({"ema": 1.0}, "ema must be a number, at least 0 and less than 1; got 1.0"),
        ({"loss": "hinge", "label_smoothing": 0.1}, "label_smoothing has no meaning"),
        ({"augment": "color"}, "augment is for images"),
        ({"normalization": "batch", "r1": 1.0}, "batch normalization"),
        ({"normalization": "instance"}, "Unknown normalization 'instance'"),
        ({"network": "deep"}, "Unknown network 'deep'"),
        ({"width": 8}, "network='conv'"),
    ],
    ids=str,
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        tiny_gan(**options)


def test_networks_that_do_not_fit():
    gan = tiny_gan()
    with pytest.raises(ValueError, match=r"discriminator must map \(batch, 2\)"):
        models.GAN(gan.generator, linear((1.0, 2.0, 3.0)))
    logit = gan.discriminator.outputs[0]
    squashed = keras.Model(gan.discriminator.inputs, keras.layers.Activation("sigmoid")(logit))
    with pytest.raises(ValueError, match="ends with sigmoid"):
        models.GAN(gan.generator, squashed)
    with pytest.raises(ValueError, match=r"generator must take z \(batch, 5\)"):
        models.GAN(gan.generator, gan.discriminator, latent=latents.Gaussian(5))
    with pytest.raises(ValueError, match="the second a one-hot label"):
        models.ConditionalGAN(gan.generator, gan.discriminator)
    with pytest.raises(ValueError, match=r"\[logit, features\]"):
        models.InfoGAN(
            models.GAN.for_data(SPEC, latent_dim=20).generator, gan.discriminator, linear((1.0,))
        )


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.UpSampling2D(interpolation="bilinear"),
        keras.layers.Resizing(4, 4),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_without_a_correct_second_derivative_are_refused_under_a_penalty(layer):
    x = keras.Input((8, 8, 1))
    network = keras.Model(x, keras.layers.Dense(1)(keras.layers.Flatten()(layer(x))))
    generator = models.GAN.for_data(IMAGES, hidden=(8,)).generator
    models.GAN(generator, network)
    with pytest.raises(ValueError, match="no correct second derivative"):
        models.GAN(generator, network, r1=1.0)
