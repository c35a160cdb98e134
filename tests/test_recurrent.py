"""Recurrent networks and the models on them, against networks unrolled by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen import data, likelihoods, models
from keras_gen.networks import recurrent
from keras_gen.noise import Noise

LENGTH, CHANNELS, PADDING = 6, 2, -1.0
SHORT = 4
SEQUENCES = data.Spec("s", "sequence", (LENGTH, CHANNELS), (0.0, 1.0), num_classes=3)
TEXT = data.Spec("t", "text", (5, 1), (0.0, 2.0), vocabulary=("a", "b", "c"))


def sequences(n=8, length=LENGTH, channels=CHANNELS):
    return np.random.default_rng(0).uniform(size=(n, length, channels)).astype("float32")


def padded_pair(cls, **options):
    """A model for sequences of 6 steps with padding, one with the same weights for 4 steps, and
    the same examples of 4 steps for both."""
    pair = []
    for length in (LENGTH, SHORT):
        spec = data.Spec("s", "sequence", (length, CHANNELS), (0.0, 1.0), mask_value=PADDING)
        pair.append(cls.for_data(spec, latent_dim=3, hidden=(5,), seed=1, **options))
    x = sequences(length=SHORT)
    padded = np.pad(x, [(0, 0), (0, LENGTH - SHORT), (0, 0)], constant_values=PADDING)
    return zip(pair, (padded, x), strict=True)


# ---- networks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("logits", ["sequence", "step"])
def test_reading_backward_is_reading_the_reversed_sequence(logits):
    backward, forward = (
        recurrent.discriminator((LENGTH, CHANNELS), direction=direction, logits=logits, seed=1)
        for direction in ("backward", "forward")
    )
    x = sequences()
    found, expected = backward(x).numpy(), forward(x[:, ::-1]).numpy()
    expected = expected[:, ::-1] if logits == "step" else expected
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("direction", recurrent.DIRECTIONS)
def test_padding_is_not_read(direction):
    long, short = (
        recurrent.discriminator((length, CHANNELS), direction=direction, mask_value=PADDING, seed=1)
        for length in (LENGTH, SHORT)
    )
    x = sequences(length=SHORT)
    padded = np.pad(x, [(0, 0), (0, LENGTH - SHORT), (0, 0)], constant_values=PADDING)
    np.testing.assert_allclose(long(padded), short(x), rtol=1e-5)


@pytest.mark.parametrize("cell", recurrent.CELLS)
@pytest.mark.parametrize("feedback", [False, True])
def test_a_step_is_made_from_the_noise_up_to_it(cell, feedback):
    generator = recurrent.generator(
        LENGTH * 3, (LENGTH, CHANNELS), (0.0, 1.0), cell=cell, feedback=feedback, seed=1
    )
    z = np.random.default_rng(1).normal(size=(4, LENGTH * 3)).astype("float32")
    later = z.copy()
    later[:, 3 * 3 :] += 1.0
    before, after = generator(z).numpy(), generator(later).numpy()
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert (before[:, 3:] != after[:, 3:]).all()
    assert before.min() > 0.0 and before.max() < 1.0


def test_feedback_reads_the_last_output():
    generator = recurrent.generator(LENGTH * 3, (LENGTH, CHANNELS), feedback=True, seed=1)
    (rnn,) = (layer for layer in generator.layers if isinstance(layer, keras.layers.RNN))
    cell = rnn.cell
    z = np.random.default_rng(1).normal(size=(4, LENGTH, 3)).astype("float32")
    state, y, steps = [tf.zeros((4, 24)), tf.zeros((4, 24))], tf.zeros((4, CHANNELS)), []
    for t in range(LENGTH):
        h, state = cell.cell(tf.concat([z[:, t], y], axis=1), state)
        y = cell.head(h)
        steps.append(y)
    expected = np.stack(steps, axis=1)
    np.testing.assert_allclose(generator(z.reshape(4, -1)), expected, rtol=1e-4, atol=1e-6)


def test_static_noise_is_read_by_every_step():
    generator = recurrent.generator(LENGTH * 2 + 3, (LENGTH, CHANNELS), static_dim=3, seed=1)
    z = np.random.default_rng(1).normal(size=(4, LENGTH * 2 + 3)).astype("float32")
    static, last = z.copy(), z.copy()
    static[:, :3] += 1.0
    last[:, -2:] += 1.0
    before, all_steps, last_step = (generator(each).numpy() for each in (z, static, last))
    assert (before != all_steps).all()
    assert (before != last_step).any(axis=(0, 2)).tolist() == [False] * (LENGTH - 1) + [True]
    alone = recurrent.generator(3, (LENGTH, CHANNELS), static_dim=3, seed=1)
    assert alone(z[:, :3]).shape == (4, LENGTH, CHANNELS)
    with pytest.raises(ValueError, match="static_dim=2 plus a multiple of the"):
        recurrent.generator(LENGTH * 2 + 3, (LENGTH, CHANNELS), static_dim=2)


@pytest.mark.parametrize("cell", recurrent.CELLS)
@pytest.mark.parametrize("feedback", [False, True])
def test_static_noise_decides_what_the_layers_start_from(cell, feedback):
    options = {"hidden": (5,), "cell": cell, "static_dim": 3, "feedback": feedback, "seed": 1}
    generator = recurrent.generator(3, (LENGTH, CHANNELS), initial_state="noise", **options)
    (rnn,) = (layer for layer in generator.layers if isinstance(layer, keras.layers.RNN))
    dense = [layer for layer in generator.layers if isinstance(layer, keras.layers.Dense)]
    z = tf.constant(np.random.default_rng(1).normal(size=(4, 3)).astype("float32"))
    head = [] if feedback else [dense.pop()]
    h, steps = [layer(z) for layer in dense], []
    assert len(h) == (1 if cell == "gru" else 2) + feedback
    for _ in range(LENGTH):
        y, h = rnn.cell(z, h)
        steps.append(head[0](y) if head else y)
    np.testing.assert_allclose(generator(z), np.stack(steps, axis=1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("direction", recurrent.DIRECTIONS)
def test_deltas_are_changes_since_the_step_before(direction):
    reads, told = (
        recurrent.discriminator((LENGTH, channels), direction=direction, deltas=deltas, seed=1)
        for channels, deltas in ((CHANNELS, 4.0), (2 * CHANNELS, 0.0))
    )
    told.set_weights(reads.get_weights())
    x = sequences()
    change = np.diff(x, axis=1, prepend=x[:, :1])
    both = np.concatenate([x, 4.0 * change], axis=-1)
    np.testing.assert_allclose(reads(x), told(both), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "rnn"}, "Unknown cell 'rnn'. Known: gru, lstm"),
        ({"direction": "up"}, "Unknown direction 'up'"),
        ({"logits": "both"}, "Unknown logits 'both'"),
        ({"initial_state": "ones", "static_dim": 2}, "one of zeros, noise, .* got 'ones'"),
        ({"initial_state": "noise"}, "static_dim positive for noise"),
        ({"normalization": "spectral"}, "choose None or 'layer'"),
        (
            {"feedback": True, "generator_normalization": "layer"},
            "feedback=True has no normalization",
        ),
        ({"depth": 3}, "depth"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        models.CRGAN.for_data(SEQUENCES, **options)


def test_models_say_which_kinds_of_data_they_have_networks_for():
    with pytest.raises(ValueError, match="networks for data of kind sequence, not vector"):
        models.CRGAN.for_data(data.Spec("v", "vector", (3,), (0.0, 1.0)))
    with pytest.raises(ValueError, match="kind image, vector, not text"):
        models.VAE.for_data(TEXT)


# ---- CRGAN --------------------------------------------------------------------------------------


@pytest.mark.parametrize("logits", ["sequence", "step"])
def test_a_padded_step_changes_neither_loss_nor_gradient_of_the_game(logits):
    found = []
    for gan, x in padded_pair(models.CRGAN, logits=logits, r1=1.0, feature_matching=0.5):
        z = np.random.default_rng(2).normal(size=(len(x), LENGTH * 3)).astype("float32")
        x, z = tf.constant(x), tf.constant(z[:, : x.shape[1] * 3])
        with tf.GradientTape(persistent=True) as tape:
            fake = gan.generate_for(x, z)
            terms = [
                gan.discriminator_objective(x, fake, z, None, Noise(1), True).loss,
                gan.generator_objective(x, fake, z, None, Noise(1), True).loss,
            ]
        networks = (gan.discriminator, gan.generator)
        pairs = zip(terms, networks, strict=True)
        found.append(terms + [tape.gradient(a, b.trainable_variables) for a, b in pairs])
    for a, b in zip(*map(tf.nest.flatten, found), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_the_loss_of_a_logit_for_each_step_is_the_mean_over_the_steps():
    gan = models.CRGAN.for_data(SEQUENCES, logits="step", seed=1)
    x, z = sequences(), gan.draw_latents(8, seed=1)
    fake = gan.generate(z)
    terms = gan.discriminator_objective(x, fake, z, None, Noise(1), False)
    real, generated = (gan.discriminate(each).logits.numpy() for each in (x, fake))
    assert real.shape == (8, LENGTH)
    expected = np.logaddexp(0, -real) + np.logaddexp(0, generated)
    np.testing.assert_allclose(terms.loss, expected.mean(axis=1), rtol=1e-5)
    assert gan.predict(x, verbose=0).shape == (8, LENGTH)


def test_feature_matching_adds_the_squared_distance_of_features():
    without, with_it = (
        models.CRGAN.for_data(SEQUENCES, feature_matching=weight, seed=1) for weight in (0.0, 0.7)
    )
    x, z = sequences(), without.draw_latents(8, seed=1)
    losses, features = [], []
    for gan in (without, with_it):
        fake = gan.generate(z)
        losses.append(gan.generator_objective(x, fake, z, None, Noise(1), False).loss)
        features = [gan.discriminate(each).features.numpy() for each in (x, fake)]
    distance = np.square(features[0] - features[1]).sum(axis=1)
    np.testing.assert_allclose(losses[1] - losses[0], 0.7 * distance, rtol=1e-3, atol=1e-6)
    discriminator = keras.Model(without.discriminator.input, without.discriminator.outputs[0])
    with pytest.raises(ValueError, match=r"\[logit, features\]"):
        models.CRGAN(without.generator, discriminator, feature_matching=1.0)


def test_padding_is_never_out_of_range():
    gan, x = next(iter(padded_pair(models.CRGAN)))
    gan.check_examples(x)
    x[0, 0, 0] = -0.5
    with pytest.raises(ValueError, match=r"values from -0\.5"):
        gan.check_examples(x)


# ---- the recurrent VAE --------------------------------------------------------------------------


def autoregressive(a=0.5, b=1.0, scale=0.3, length=LENGTH):
    """A model whose decoder is x_t ~ N(a x_{t-1} + b z, scale^2), from x_0 = 0."""
    previous, z = keras.Input((1,)), keras.Input((1,))
    state = keras.Input((1,))
    mean = keras.layers.Dense(1, use_bias=False)
    decoder = keras.Model(
        [previous, z, state], [mean(keras.layers.Concatenate()([previous, z])), state]
    )
    mean.set_weights([np.array([[a], [b]], "float32")])
    encoder = recurrent.encoder((length, 1), 2, hidden=(3,), seed=1)
    return models.RecurrentVAE(encoder, decoder, likelihoods.Gaussian(scale), seed=1)


def test_teacher_forcing_gives_each_step_the_true_steps_before():
    vae = autoregressive()
    x, z = sequences(channels=1), np.linspace(-1, 1, 8, dtype="float32")[:, None]
    found = vae.log_prob_given(tf.constant(x), tf.constant(z), None, Noise(1), training=False)
    previous = np.concatenate([np.zeros((8, 1, 1)), x[:, :-1]], axis=1)
    expected = stats.norm(0.5 * previous + z[:, None], 0.3)
    np.testing.assert_allclose(found, expected.logpdf(x).sum(axis=(1, 2)), rtol=1e-4)


def test_free_running_draws_from_the_distribution():
    vae = autoregressive(a=0.8, b=0.5, scale=0.2)
    x = vae.sample(20_000, seed=3)[..., 0]
    # x_t is Gaussian: the sums of a^i b z, one z for all steps, and of a^i epsilon.
    powers = 0.8 ** np.arange(LENGTH)
    variance = np.cumsum(0.5 * powers) ** 2 + np.cumsum(0.2**2 * powers**2)
    np.testing.assert_allclose(x.var(axis=0), variance, rtol=0.04)
    np.testing.assert_allclose(x.mean(axis=0), 0.0, atol=4 * np.sqrt(variance.max() / len(x)))


def test_decode_writes_the_means():
    x = autoregressive(a=0.5, b=1.0).decode(np.array([[1.0], [-2.0]], "float32"))[..., 0]
    expected = np.outer([1.0, -2.0], 2 * (1 - 0.5 ** np.arange(1, LENGTH + 1)))
    np.testing.assert_allclose(x, expected, rtol=1e-5)


def test_importance_weights_find_the_marginal_likelihood():
    vae = autoregressive(a=0.5, b=1.0, scale=1.0, length=2)
    x = np.array([[[0.3], [-0.2]]], "float32")
    # x = L (z 1 + epsilon) with L the powers of a: a Gaussian of two dimensions.
    lower = np.array([[1.0, 0.0], [0.5, 1.0]])
    covariance = lower @ (np.ones((2, 2)) + np.eye(2)) @ lower.T
    expected = stats.multivariate_normal(np.zeros(2), covariance).logpdf(x.ravel())
    assert vae.log_likelihood(x, num_samples=20_000)[0] == pytest.approx(expected, abs=0.05)


def test_word_dropout_hides_the_steps_before_in_training_only():
    vae = models.RecurrentVAE.for_data(TEXT, latent_dim=2, hidden=(4,), word_dropout=1.0, seed=1)
    x = np.array([[[0], [1], [2], [0], [1]]], "float32")
    other = np.array([[[2], [1], [2], [0], [1]]], "float32")
    z = tf.ones((1, 2))

    def after_the_first(x, training):
        total = vae.log_prob_given(tf.constant(x), z, None, Noise(1), training)
        start = [tf.fill((1, 1), 3.0), z, tf.zeros((1, 4))]
        first = vae.decoder(start)[0]
        return float((total - vae.likelihood.log_prob(x[:, :1], first[:, None]))[0])

    assert after_the_first(x, True) == pytest.approx(after_the_first(other, True), abs=1e-5)
    assert after_the_first(x, False) != pytest.approx(after_the_first(other, False), abs=1e-5)


def test_a_padded_step_changes_neither_loss_nor_gradient_of_the_bound():
    found = []
    for vae, x in padded_pair(models.RecurrentVAE):
        with tf.GradientTape() as tape:
            objective = vae.objective(vae.examples(x), Noise(1), training=True)
        gradients = tape.gradient(objective.loss, vae.trainable_variables)
        found.append([objective.metrics, gradients])
    for a, b in zip(*map(tf.nest.flatten, found), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_text_is_sampled_as_strings(tmp_path):
    vae = models.RecurrentVAE.for_data(TEXT, latent_dim=2, hidden=(4,), seed=1)
    texts = vae.sample(6, seed=1)
    assert all(len(text) == 5 and set(text) <= set("abc") for text in texts)
    assert len(set(texts)) > 1
    vae.export(tmp_path / "vae", verbose=False)
    sample = tf.saved_model.load(str(tmp_path / "vae")).signatures["sample"]
    made = sample(n=tf.constant(6), seed=tf.constant(1))
    assert [text.decode() for text in made["text"].numpy()] == texts.tolist()
    assert vae.text(made["x"]).tolist() == texts.tolist()
    vae.compile()
    x = data.encode_text("abcab" * 4, TEXT.vocabulary).reshape(4, 5, 1)
    history = vae.fit(x, verbose=0).history
    elbo = np.array(history["elbo"])
    np.testing.assert_allclose(history["bits_per_dim"], -elbo / (5 * np.log(2)), rtol=1e-5)


def test_networks_that_do_not_fit_are_refused():
    vae = models.RecurrentVAE.for_data(TEXT, latent_dim=2, hidden=(4,), seed=1)
    with pytest.raises(ValueError, match=r"decoder must map \[previous, z, \*state\]"):
        models.RecurrentVAE(vae.encoder, vae.encoder, vae.likelihood)
    with pytest.raises(ValueError, match="2 symbols, but the likelihood has 3"):
        models.RecurrentVAE(vae.encoder, vae.decoder, vae.likelihood, vocabulary=("a", "b"))
    with pytest.raises(ValueError, match="word_dropout"):
        models.RecurrentVAE(vae.encoder, vae.decoder, vae.likelihood, word_dropout=2.0)


def test_text_of_few_symbols_is_embedded_without_loss_of_rank():
    """A table of k rows has a rank of at most k, so wider rows would only cost time."""
    vae = models.RecurrentVAE.for_data(
        TEXT, latent_dim=2, hidden=(40,), encoder_hidden=(6, 5), seed=1
    )
    size = min(40, len(TEXT.vocabulary) + 1)
    for network in (vae.encoder, vae.decoder):
        (embedding,) = (each for each in network.layers if isinstance(each, keras.layers.Embedding))
        assert embedding.embeddings.shape == (size, size)
    assert [tuple(each.shape[1:]) for each in vae.decoder.inputs] == [(1,), (2,), (40,)]
    widths = [
        layer.forward_layer.units
        for layer in vae.encoder.layers
        if isinstance(layer, keras.layers.Bidirectional)
    ]
    assert widths == [6, 5]
