"""Scores of quality and coverage, against known answers and closed forms."""

import tracemalloc

import numpy as np
import pytest

from keras_gen.evaluation.metrics import quality
from keras_gen.evaluation.metrics.quality import (
    density_coverage,
    inception_score,
    precision_recall,
)

BOTH = pytest.mark.parametrize("score", [precision_recall, density_coverage])


@pytest.fixture(scope="module")
def known():
    """The sets and the logits of the reference values."""
    rng = np.random.RandomState(0)
    return rng.randn(1000, 16), rng.randn(1000, 16) * 1.2 + 0.3, rng.randn(1000, 10) * 3


def test_known_answers(known):
    real, generated, logits = known
    assert inception_score(logits) == pytest.approx((3.8126324522, 0.0), rel=1e-9)
    expected = pytest.approx((3.7152626386, 0.1638081726), rel=1e-9)
    assert inception_score(logits, splits=10) == expected
    assert precision_recall(real, generated) == pytest.approx((0.421, 0.937), rel=1e-9)
    assert density_coverage(real, generated) == pytest.approx((0.319, 0.650), rel=1e-9)


@pytest.mark.parametrize("size", [1.0, 50.0, 1e6])
def test_inception_score_of_balanced_classes(size):
    logits = size * np.tile(np.eye(7), (5, 1))
    p = np.exp(size - np.logaddexp(size, np.log(6)))
    information = np.log(7) + p * np.log(p) + (1 - p) * np.log(max(1 - p, 1e-300) / 6)
    assert inception_score(logits) == pytest.approx((np.exp(information), 0.0), rel=1e-9)
    if size > 1:
        assert inception_score(logits, splits=5) == pytest.approx((7.0, 0.0), abs=1e-9)


def test_inception_score_of_classes_never_seen():
    logits = np.full((4, 5), -1e4)
    logits[:, 0] = 0.0
    logits[2:, 1] = 1e4
    assert inception_score(logits) == pytest.approx((2.0, 0.0))
    assert inception_score(logits, splits=2) == pytest.approx((1.0, 0.0))
    # Parts of 3 and 2 examples, each scored by itself: classes 0, 1, 1, and only class 0.
    entropy = np.log(3) - 2 / 3 * np.log(2)
    assert inception_score(logits[[0, 2, 2, 0, 0]], splits=2) == pytest.approx(
        ((np.exp(entropy) + 1) / 2, (np.exp(entropy) - 1) / 2)
    )


def test_inception_score_ignores_order_and_an_added_constant(known):
    logits = known[2]
    score = inception_score(logits)
    assert inception_score(np.random.default_rng(0).permutation(logits)) == pytest.approx(score)
    assert inception_score(logits + 1000.0) == pytest.approx(score)
    assert inception_score(logits[:, ::-1]) == pytest.approx(score)


@pytest.mark.parametrize(
    ("logits", "splits", "message"),
    [
        (np.zeros(5), 1, r"shape \(n, classes\), got \(5,\)"),
        (np.zeros((0, 5)), 1, "at least 1 example, got 0"),
        (np.zeros((5, 2)), 6, r"splits must be an integer from 1 to 5, got 6"),
        (np.zeros((5, 2)), 0, "got 0"),
        (np.full((5, 2), np.nan), 1, "logits holds NaN or inf"),
    ],
)
def test_inception_score_names_what_does_not_fit(logits, splits, message):
    with pytest.raises(ValueError, match=message):
        inception_score(logits, splits)


def test_scores_by_hand():
    # On the line, with k = 1: real balls end at 1, 1, 3 from 0, 1, 4; generated at .5, .5, 9.5.
    real, generated = np.array([[0.0], [1.0], [4.0]]), np.array([[1.5], [2.0], [11.5]])
    assert precision_recall(real, generated, k=1) == pytest.approx((2 / 3, 2 / 3))
    # Ball of 0: none; of 1: 1.5 and, on its border, 2; of 4: 1.5 and 2.
    assert density_coverage(real, generated, k=1) == pytest.approx((4 / 3, 2 / 3))


def test_sets_that_agree_and_sets_apart(known):
    x = known[0]
    assert precision_recall(x, x) == (1.0, 1.0)
    density, coverage = density_coverage(x, x)
    # A ball holds its centre and k others.
    assert (density, coverage) == (pytest.approx(6 / 5), 1.0)
    for score in (precision_recall, density_coverage):
        assert score(x, x + 100.0) == (0.0, 0.0)


def test_sets_of_one_distribution():
    rng = np.random.default_rng(0)
    found = np.array([density_coverage(*rng.normal(size=(2, 300, 2))) for _ in range(20)])
    mean, error = found.mean(axis=0), found.std(axis=0) / np.sqrt(20)
    # The chance that the k nearest of both sets together are all real.
    expected = 1 - np.prod([(299 - i) / (599 - i) for i in range(5)])
    assert np.all(np.abs(mean - [1.0, expected]) < 4 * error + 1e-3)


def test_a_collapsed_set_is_precise_and_covers_nothing(known):
    x = known[0]
    # At the mean of the data, with an outlier that only recall believes.
    centre = x.mean(axis=0) + 1e-3 * np.random.default_rng(0).normal(size=(500, 16))
    precision, recall = precision_recall(x, centre)
    assert precision == 1.0 and recall == 0.0
    density, coverage = density_coverage(x, centre)
    assert density > 1.0 and coverage < 0.5
    centre[:4] += 30.0 * np.eye(16)[:4]
    assert precision_recall(x, centre)[1] > 0.8
    assert density_coverage(x, centre)[1] == pytest.approx(coverage, abs=0.01)


@BOTH
def test_copies_count_where_the_data_hold_a_value_often(score):
    x = np.repeat(np.eye(3), 20, axis=0)
    assert score(x, x[::7])[1] == 1.0
    assert score(x, np.zeros((20, 3))) == (0.0, 0.0)


@BOTH
def test_blind_to_rotation_scale_order_and_blocks(score, known, monkeypatch):
    real, generated = known[0][:300], known[1][:450]
    rng = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(rng.normal(size=(16, 16)))
    value = score(real, generated)
    assert score(3.0 * real @ rotation + 1.0, 3.0 * generated @ rotation + 1.0) == value
    assert score(rng.permutation(real), rng.permutation(generated)) == value
    monkeypatch.setattr(quality, "BLOCK", 64)
    assert score(real, generated) == value


def test_precision_is_recall_with_the_sets_exchanged(known):
    real, generated = known[0][:300], known[1][:450]
    assert precision_recall(real, generated) == precision_recall(generated, real)[::-1]


@BOTH
def test_never_holds_all_distances(score, monkeypatch):
    monkeypatch.setattr(quality, "BLOCK", 200)
    x = np.random.default_rng(0).normal(size=(2000, 2))
    tracemalloc.start()
    score(x, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All 2000² are 32 MB, a block is 3.2.
    assert peak < 16e6


@BOTH
@pytest.mark.parametrize(
    ("real", "generated", "k", "message"),
    [
        (np.zeros((9, 3)), np.zeros((9, 4)), 1, "same shape"),
        (np.zeros((9, 3)), np.full((9, 3), np.inf), 1, "generated holds NaN or inf"),
        (np.zeros((9, 3)), np.zeros((3, 3)), 3, "got 3 for 9 real and 3 generated"),
        (np.zeros((9, 3)), np.zeros((9, 3)), 0, "k must be a positive integer, got 0"),
    ],
)
def test_errors_name_what_does_not_fit(score, real, generated, k, message):
    with pytest.raises(ValueError, match=message):
        score(real, generated, k)
