"""Memorized and fresh examples in known shares."""

import numpy as np
import pytest

from keras_gen.evaluation.metrics.memorization import Memorization, check_memorization


def fresh(n: int, seed: int, d: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def test_by_hand():
    training, test = np.array([[0.0], [10.0]]), np.array([[1.0], [30.0]])
    # Distances to training 0, 1, .4, 5, 10; to test 1, 0, .6, 4, 10.
    generated = np.array([[0.0], [1.0], [0.4], [5.0], [20.0]])
    found = check_memorization(generated, training, test, threshold=0.5)
    assert found == Memorization(2.5 / 5, 2 / 5, 0.5)
    # Test examples are at 1 and 20 from training.
    assert check_memorization(generated, training, test).threshold == pytest.approx(0.1 * 10.5)


def test_training_examples_are_all_copies():
    training, test = fresh(300, 0), fresh(300, 1)
    found = check_memorization(training, training, test)
    assert (found.nearer_to_training, found.copies) == (1.0, 1.0)
    # Far from the origin, where products lose the digits of differences.
    assert check_memorization(training + 1e6, training + 1e6, test + 1e6).copies == 1.0
    noisy = training + 1e-3 * fresh(300, 2)
    assert check_memorization(noisy, training, test).copies == 1.0
    assert check_memorization(noisy, training, test, threshold=0.0).copies == 0.0


def test_test_examples_are_not_copies():
    found = check_memorization(fresh(300, 1), fresh(300, 0), fresh(300, 1))
    assert (found.nearer_to_training, found.copies) == (0.0, 0.0)


@pytest.mark.parametrize(("m", "k"), [(300, 300), (2000, 200), (200, 2000)])
def test_fresh_examples_are_as_near_to_either(m, k):
    shares = []
    for seed in range(20):
        found = check_memorization(fresh(200, seed), fresh(m, 100 + seed), fresh(k, 200 + seed))
        assert found.copies == 0.0
        shares.append(found.nearer_to_training)
    assert np.mean(shares) == pytest.approx(0.5, abs=4 * np.std(shares) / np.sqrt(20))
    assert np.std(shares) < 0.1


def test_examples_of_another_distribution_are_as_near_to_either():
    shares = [
        check_memorization(2 * fresh(200, s) + 1, fresh(200, 100 + s), fresh(200, 200 + s))
        for s in range(20)
    ]
    shares = [found.nearer_to_training for found in shares]
    assert np.mean(shares) == pytest.approx(0.5, abs=4 * np.std(shares) / np.sqrt(20))


def test_a_mixture_is_found_in_its_shares():
    training, test = fresh(1000, 0), fresh(1000, 1)
    generated = np.concatenate([training[:300], fresh(700, 2)])
    found = check_memorization(generated, training, test)
    assert found.copies == pytest.approx(0.3)
    assert found.nearer_to_training == pytest.approx(0.3 + 0.7 / 2, abs=0.08)


@pytest.mark.parametrize("d", [1, 2])
def test_fresh_examples_are_copies_by_chance_in_few_dimensions(d):
    found = check_memorization(fresh(8000, 0, d), fresh(3000, 1, d), fresh(3000, 2, d))
    assert found.copies == pytest.approx(1 - 2 ** -(0.1**d), rel=0.3)


def test_the_cut_is_seeded_and_leaves_the_copies():
    training, test = fresh(2000, 0), fresh(100, 1)
    generated = np.concatenate([training[:50], fresh(150, 2)])
    found = [check_memorization(generated, training, test, seed=seed) for seed in (0, 0, 1, 2)]
    assert found[0] == found[1]
    assert len({each.nearer_to_training for each in found}) > 1
    assert {each.copies for each in found} == {0.25}


def test_examples_of_any_shape_and_in_any_unit():
    generated, training, test = fresh(50, 0), fresh(60, 1), fresh(60, 2)
    found = check_memorization(generated, training, test)
    images = (x.reshape(-1, 2, 4) for x in (generated, training, test))
    assert check_memorization(*images) == found
    scaled = check_memorization(8 * generated, 8 * training, 8 * test)
    assert scaled == Memorization(
        found.nearer_to_training, found.copies, pytest.approx(8 * found.threshold)
    )


def test_data_that_repeat_themselves():
    x = np.repeat(np.eye(4), 10, axis=0)
    # Every example is as near to both, and an exact copy.
    assert check_memorization(x, x, x) == Memorization(0.5, 1.0, 0.0)
    assert check_memorization(x + 1e-9, x, x).copies == 0.0


@pytest.mark.parametrize(
    ("shapes", "threshold", "message"),
    [
        (((5, 3), (5, 3), (5, 4)), None, r"same shape .*, got \(5, 3\), \(5, 3\), \(5, 4\)"),
        (((), (5,), (5,)), None, r"generated must have shape \(n, ...\), got \(\)"),
        (((5, 0), (5, 0), (5, 0)), None, r"must have shape .* got \(5, 0\)"),
        (((0, 3), (5, 3), (5, 3)), None, "generated must have at least 2 examples, got 0"),
        (((5, 3), (5, 3), (1, 3)), None, "test must have at least 2 examples, got 1"),
        (((5, 3), (5, 3), (5, 3)), -1.0, "threshold must not be negative, got -1.0"),
    ],
)
def test_errors_name_what_does_not_fit(shapes, threshold, message):
    with pytest.raises(ValueError, match=message):
        check_memorization(*(np.zeros(shape) for shape in shapes), threshold)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="training holds NaN or inf"):
        check_memorization(np.zeros((5, 3)), np.full((5, 3), np.inf), np.zeros((5, 3)))
