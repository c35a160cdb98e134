"""Discrete latents so few that everything can be summed over them."""

import itertools

import keras
import numpy as np
import pytest
import scipy.stats
from keras import ops
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from keras_gen import compression, data, models, representation
from keras_gen.data.pipeline import as_array

SPEC = data.Spec("images", "image", (4, 4, 1), (0.0, 1.0), num_classes=3)
K, PLACES = 3, 4
EVERY = np.array(list(itertools.product(range(K), repeat=PLACES)), "float32")


def make(model=models.VQVAE, spec=SPEC, **options):
    settings = {"num_vectors": K, "vector_size": 2, "depth": 1, "width": 4, "hidden": (5,)}
    settings["normalization"] = None  # whose statistics would differ in training
    model = model.for_data(spec, seed=1, **settings | options)
    rng = np.random.default_rng(0)
    # Far from uniform, so that a step that is mixed up with another shows.
    model.prior.set_weights([2 * rng.normal(size=w.shape) for w in model.prior.get_weights()])
    return model


def images(n, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, 4, 4, 1)).astype("float32")


def log_prior(model, z, label=None):
    return as_array(model.grid.log_prob(ops.convert_to_tensor(z), label)).astype("float64")


@pytest.mark.parametrize("model", [models.VQVAE, models.ConditionalVQVAE])
def test_the_prior_sums_to_one(model):
    made = make(model)
    for label in range(3) if made.conditional else [None]:
        labels = None if label is None else np.full(len(EVERY), label)
        assert logsumexp(log_prior(made, EVERY, labels)) == pytest.approx(0.0, abs=1e-5)


def test_the_prior_is_told_the_index_to_the_left_and_the_one_above():
    """Against its network called step by step."""
    model = make()
    z = EVERY[[5, 40, 77]]
    state, expected = [np.zeros((3, 5), "float32")] * 2, 0.0
    for place in range(PLACES):
        row, column = divmod(place, 2)
        left = z[:, place - 1] if place else np.full(3, K)
        above = z[:, place - 2] if row else np.full(3, K)
        where = np.concatenate([np.eye(2)[row], np.eye(2)[column]])
        given = [np.stack([left, above], 1), np.tile(where, (3, 1)), *state]
        logits, *state = map(as_array, model.prior([each.astype("float32") for each in given]))
        logits = logits.astype("float64")
        expected += logits[range(3), z[:, place].astype(int)] - logsumexp(logits, axis=1)
    np.testing.assert_allclose(log_prior(model, z), expected, rtol=1e-4)


def test_the_last_index_depends_on_each_before_it():
    model = make()
    logits = log_prior(model, EVERY).reshape((K,) * PLACES)
    given = logits - logsumexp(logits, axis=-1, keepdims=True)  # log p(z_4 | z_1, z_2, z_3)
    for axis in range(PLACES - 1):
        assert np.ptp(given, axis=axis).max() > 0.01


def test_the_network_sees_both_neighbours():
    prior = make().prior
    state = [np.zeros((1, 5), "float32")] * 2
    where = np.array([[0, 1, 0, 1]], "float32")

    def logits(left, above):
        return as_array(prior([np.array([[left, above]], "float32"), where, *state])[0])

    assert np.abs(logits(0, 1) - logits(2, 1)).max() > 0.01
    assert np.abs(logits(0, 1) - logits(0, 2)).max() > 0.01


@pytest.mark.parametrize("label", [None, 2])
def test_written_latents_follow_the_prior(label):
    model = make(models.VQVAE if label is None else models.ConditionalVQVAE)
    labels = None if label is None else np.full(20_000, label)
    z = model.draw_latents(20_000, 5, labels)
    which = (z @ K ** np.arange(PLACES)[::-1]).astype(int)
    every = None if label is None else np.full(len(EVERY), label)
    expected = 20_000 * np.exp(log_prior(model, EVERY, every))
    counts = np.bincount(which, minlength=len(EVERY))
    often = expected > 5
    found = np.append(counts[often], counts[~often].sum())
    wanted = np.append(expected[often], expected[~often].sum())
    assert scipy.stats.chisquare(found, wanted * found.sum() / wanted.sum()).pvalue > 1e-3


def test_each_vector_is_replaced_by_the_nearest_of_the_codebook():
    model = make(num_vectors=7)
    vectors = np.random.default_rng(3).normal(size=(5, 2, 2, 2)).astype("float32")
    codebook = as_array(model.codebook.embeddings)
    expected = cdist(vectors.reshape(-1, 2), codebook).argmin(1)
    z = as_array(model.quantized(ops.convert_to_tensor(vectors)))
    np.testing.assert_array_equal(z.ravel(), expected)
    np.testing.assert_array_equal(as_array(model.vectors(z)).reshape(-1, 2), codebook[expected])


def test_the_elbo_is_a_bound_of_the_likelihood():
    """log p(x) = log sum_z p(x|z) p(z), over all 81 z; the bound has the term of one z."""
    model = make()
    x = images(6)
    parameters = model.decoder(model.vectors(ops.convert_to_tensor(EVERY)))
    logits = as_array(parameters).astype("float64").reshape(1, len(EVERY), -1)
    bits = x.reshape(len(x), 1, -1)
    log_prob = (bits * logits - np.logaddexp(0, logits)).sum(-1)
    terms = log_prob + log_prior(model, EVERY)
    z = model.encode(x).astype(int)
    model.compile()
    for i, example in enumerate(x):
        found = model.evaluate(example[None], return_dict=True, verbose=0)
        index = int(z[i] @ K ** np.arange(PLACES)[::-1])
        assert found["elbo"] == pytest.approx(terms[i, index], rel=1e-4)
        assert found["elbo"] <= logsumexp(terms[i]) + 1e-5


def test_the_encoder_gets_the_decoders_gradient():
    """A step of SGD moves the encoder as if nothing had been quantized."""
    x = images(8)
    model = make(commitment=0.0)
    before = as_array(model.encoder.layers[-1].bias.value).copy()
    model.compile(keras.optimizers.SGD(1e-3))
    model.train_on_batch(x)
    moved = (as_array(model.encoder.layers[-1].bias.value) - before) / -1e-3
    # The bias of the last layer is added to every vector, so that its gradient is the sum over all
    # places of the decoder's: here by differences, with the chosen vectors moved.
    again = make(commitment=0.0)
    chosen = as_array(again.vectors(again.encode(x))).astype("float64")
    for j in range(2):
        losses = []
        for change in (-1e-2, 1e-2):
            vectors = chosen.copy()
            vectors[..., j] += change
            logits = as_array(again.decoder(vectors.astype("float32"))).astype("float64")
            losses.append((np.logaddexp(0, logits) - x * logits).sum() / len(x))
        assert moved[j] == pytest.approx((losses[1] - losses[0]) / 2e-2, rel=2e-2, abs=1e-3)


def test_much_of_the_codebook_is_used():
    digits = data.load("digits")
    model = models.VQVAE.for_data(
        digits.spec, num_vectors=32, depth=1, width=8, hidden=(16,), seed=0
    )
    model.compile(keras.optimizers.Adam(5e-3))
    x = digits.arrays("train")["x"]
    model.fit(x, batch_size=64, epochs=20, verbose=0)
    assert len(np.unique(model.encode(x[:400]))) >= 20


def test_learns_bars_and_writes_them():
    """Images of which one row is full: their ELBO nears log 1/4, and samples are such images."""
    x = np.zeros((400, 4, 4, 1), "float32")
    x[np.arange(400), np.arange(400) % 4] = 1.0
    model = models.VQVAE.for_data(
        SPEC, num_vectors=8, vector_size=4, depth=1, width=16, hidden=(16,), seed=0
    )
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(x, batch_size=40, epochs=60, verbose=0)
    elbo = model.evaluate(x, return_dict=True, verbose=0)["elbo"]
    assert -np.log(4) - 0.3 < elbo <= -np.log(4) + 1e-3
    samples = np.round(model.sample(200, seed=1)).reshape(200, 16)
    real = np.unique(x.reshape(400, 16), axis=0)
    right = (samples[:, None] == real).all(-1)
    assert right.any(1).mean() > 0.95
    assert (right.sum(0) > 20).all()


def test_networks_that_do_not_fit_are_told():
    model = make()
    with pytest.raises(ValueError, match="prior must map"):
        models.VQVAE(model.encoder, model.decoder, make(models.ConditionalVQVAE).prior)
    with pytest.raises(ValueError, match="prior must take row, column and label"):
        models.ConditionalVQVAE(model.encoder, model.decoder, model.prior)
    with pytest.raises(ValueError, match="encoder must return"):
        models.VQVAE(model.encoder, model.encoder, model.prior)
    with pytest.raises(ValueError, match="default networks"):
        models.VQVAE.for_data(data.Spec("v", "vector", (6,), (0.0, 1.0)))


def test_indices_cannot_be_changed_by_degrees():
    for made in (make(), make(models.ConditionalVQVAE)):
        given = [np.arange(6) % 3] if made.conditional else []
        found = representation.latents(made, images(6), *given)
        assert found.shape == (6, PLACES * 2)  # the vectors of the indices
        with pytest.raises(ValueError, match="no latents that can be varied"):
            representation.controls(made)
        with pytest.raises(ValueError, match="does not infer all"):
            representation.with_attribute(made, images(6), found[0], label=(given or [None])[0])
        with pytest.raises(ValueError, match="cannot compress with loss"):
            compression.lossy.check(made)
