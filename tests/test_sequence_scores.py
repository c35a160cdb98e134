"""Scores of sequences on known cases, with few iterations and one shape: XLA compiles once."""

import dataclasses
import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from keras_gen import data, evaluation
from keras_gen.evaluation import discriminative_score, predictive_score
from keras_gen.evaluation.protocols import sequences as protocols

N, LENGTH, CHANNELS = 1500, 10, 2


def noise(seed, n=N):
    return np.random.RandomState(seed).uniform(size=(n, LENGTH, CHANNELS))


def waves(seed, n=N):
    frequency, phase = np.random.RandomState(seed).uniform(0, 1, size=(2, n, 1, CHANNELS))
    return (np.sin(frequency * np.arange(LENGTH)[:, None] + phase) + 1) / 2


def echoes(seed):
    """The last channel repeats the first a step later, at 0.6 of its size."""
    x = noise(seed)
    x[:, 1:, -1] = 0.2 + 0.6 * x[:, :-1, 0]
    return x


def discriminate(real, generated, seed=0):
    return discriminative_score(real, generated, units=8, refits=2, iterations=400, seed=seed)


def predict(real, generated, seed=0):
    return predictive_score(real, generated, units=8, refits=2, iterations=1200, seed=seed)


# ---- discriminative ----------------------------------------------------------------------------


def test_one_distribution_cannot_be_told_apart():
    assert discriminate(waves(0), waves(1)).mean < 0.05


def test_noise_is_told_from_waves():
    assert discriminate(waves(0), noise(1)).mean > 0.45


def test_a_shift_of_one_channel_is_detected():
    assert discriminate(waves(0), waves(1) + np.array([0.0, 0.2])).mean > 0.1


def test_the_score_repeats_for_a_seed_and_summarizes_the_refits():
    found, again, other = (discriminate(waves(0), waves(1) + 0.1, seed) for seed in (3, 3, 4))
    assert found == again
    assert found != other
    assert len(set(found.refits)) == 2, "each refit has its own split and initial weights"
    assert (found.mean, found.std) == (np.mean(found.refits), np.std(found.refits))


def test_the_larger_set_is_cut():
    assert discriminate(waves(0), noise(1, N + 7)) == discriminate(waves(0), noise(1, N + 7)[:N])


# ---- predictive --------------------------------------------------------------------------------


def test_a_predictor_from_the_same_distribution_predicts_well():
    score = predict(echoes(0), echoes(1))
    assert score.mean < 0.03
    assert predict(echoes(0), echoes(1)) == score
    assert predict(echoes(0), echoes(1), seed=1) != score


def test_a_predictor_from_noise_has_the_mean_deviation_as_its_error():
    # The mean deviation of uniform numbers in [0.2, 0.8] from 0.5, the best constant prediction.
    assert predict(echoes(0), noise(1)).mean == pytest.approx(0.15, abs=0.01)


def test_a_single_channel_is_predicted_from_itself():
    levels = np.random.RandomState(0).uniform(0.2, 0.8, (2, N, 1, 1))
    real, generated = np.repeat(levels, LENGTH, axis=2)
    assert predict(real, generated).mean < 0.03


# ---- mistakes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("score", [discriminative_score, predictive_score])
@pytest.mark.parametrize(
    ("real", "generated", "options", "message"),
    [
        (noise(0)[..., 0], noise(0), {}, r"\(n, length, channels\).*got \(1500, 10\)"),
        (noise(0), noise(0)[:, :9], {}, r"got \(1500, 10, 2\), \(1500, 9, 2\)"),
        (noise(0), noise(0)[:1], {}, "generated must have at least 2 examples, got 1"),
        (noise(0), noise(0) + np.inf, {}, "generated holds NaN or inf"),
        (noise(0), noise(0), {"units": 0}, "units must be a positive integer, got 0"),
        (noise(0), noise(0), {"refits": 0}, "refits must be"),
        (noise(0), noise(0), {"iterations": 0}, "iterations must be"),
    ],
)
def test_errors_name_what_does_not_fit(score, real, generated, options, message):
    with pytest.raises(ValueError, match=message):
        score(real, generated, **options)


def test_errors_name_what_cannot_be_predicted():
    with pytest.raises(ValueError, match=r"must be in \[0, 1\], got values in \[-1, 1\]"):
        predictive_score(np.sign(noise(0) - 0.5), noise(0))
    with pytest.raises(ValueError, match="at least 2 steps"):
        predictive_score(noise(0)[:, :1], noise(0)[:, :1])


# ---- protocols ---------------------------------------------------------------------------------

SCORES = {
    "discriminative_score_10": (discriminative_score, "of 0.5", None),
    "discriminative_score_32_10": (discriminative_score, "of 0.5", 32),
    "predictive_score_10": (predictive_score, "mean absolute error", None),
    "predictive_score_32_10": (predictive_score, "mean absolute error", 32),
}


def sequences(x_train, x_test=None):
    arrays = {"x_train": x_train, "x_test": x_train[:9] if x_test is None else x_test}
    return data.load({name: x.astype("float32") for name, x in arrays.items()})


@pytest.mark.parametrize("protocol", SCORES)
def test_each_protocol_has_its_score(protocol):
    # Not measured, which takes minutes each. What they share is tested below.
    pinned = inspect.getclosurevars(evaluation.PROTOCOLS[protocol].measure).nonlocals
    assert tuple(pinned[name] for name in ("score", "unit", "units")) == SCORES[protocol]


def test_a_protocol_scores_samples_against_the_training_examples(monkeypatch):
    monkeypatch.setattr(protocols, "REFITS", 1)
    train, made = noise(0, 300)[:, :4], waves(1, 400)[:, :4]
    model = SimpleNamespace(sample=lambda n, seed: made[seed : seed + n])
    subject = evaluation.Subject(model, sequences(train))
    result = evaluation.PROTOCOLS["predictive_score_10"].measure(subject)
    expected = predictive_score(train, made[:300], refits=1)
    assert result == evaluation.Result(expected.mean, "mean absolute error", 300, 0.0)


def scored(train, made):
    """The arguments that a protocol passes to its score, and its result."""
    calls = []

    def record(*sets, **options):
        calls.append((*sets, options))
        return evaluation.SequenceScore((0.1, 0.3))

    model = SimpleNamespace(sample=lambda n, seed: made[:n])
    subject = evaluation.Subject(model, sequences(train))
    result = protocols.score_sequences(record, "of 1", units=7)(subject)
    return *calls[0], result


def test_protocols_bring_data_of_another_range_to_the_unit_interval():
    train, made = 4 * noise(0) - 1, 4 * noise(1) - 1
    train[0, 0] = -1, 3
    real, generated, options, result = scored(train, made)
    np.testing.assert_allclose(real, (train + 1) / 4, atol=1e-6)
    np.testing.assert_allclose(generated, (made + 1) / 4, atol=1e-6)
    assert options == {"units": 7, "refits": 10, "seed": 0}
    assert result == evaluation.Result(pytest.approx(0.2), "of 1", N, pytest.approx(0.1))


def test_protocols_leave_data_in_the_unit_interval_as_it_is():
    train = 0.2 + noise(0) / 2
    real, generated, *_ = scored(train, noise(1))
    np.testing.assert_array_equal(real, train.astype("float32"))
    np.testing.assert_array_equal(generated, noise(1))


def test_fewer_samples_are_compared_with_random_training_examples():
    """Windows are in the order of time, and the first are the farthest from the test part."""
    train = np.linspace(0, 1, 1000)[:, None, None] * np.ones((1, 4, 2))
    real, generated, *_, result = scored(train, train[:100])
    assert len(real) == len(generated) == 100
    assert result.n == 100
    assert len(np.unique(real[:, 0, 0])) == 100
    assert real.mean() == pytest.approx(0.5, abs=0.1)


def test_the_floor_is_of_test_examples(monkeypatch):
    found = {}

    def record(subject):
        found["x"] = subject.sample(10_000)
        return evaluation.Result(0.0, "", len(found["x"]))

    name = "predictive_score_10"
    protocol = dataclasses.replace(evaluation.PROTOCOLS[name], measure=record)
    monkeypatch.setitem(evaluation.PROTOCOLS, name, protocol)
    test = noise(1, 50).astype("float32")
    dataset = sequences(noise(0), test)
    assert evaluation.floor(name, dataset).n == 50
    assert not np.array_equal(found["x"], test)
    np.testing.assert_array_equal(np.sort(found["x"], axis=0), np.sort(test, axis=0))
    assert evaluation.floor("nll_iw100", dataset) is None, "not about samples"


@pytest.mark.parametrize("protocol", SCORES)
def test_protocols_refuse_other_data(protocol):
    spec = sequences(noise(0)).spec
    evaluation.check([protocol], spec)
    for other in (data.spec("digits"), dataclasses.replace(spec, shape=(1, CHANNELS))):
        with pytest.raises(ValueError, match=f"{protocol} needs data with sequences"):
            evaluation.check([protocol], other)
