"""Distances between sets of features, against known answers and closed forms."""

import numpy as np
import pytest

from keras_gen.evaluation.metrics import distances
from keras_gen.evaluation.metrics.distances import frechet_distance, kernel_distance

BOTH = pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])


@pytest.fixture(scope="module")
def known():
    """The sets of the reference values."""
    rng = np.random.RandomState(0)
    return rng.randn(1000, 16), rng.randn(1000, 16) * 1.2 + 0.3


def gaussian(n: int, mean, deviations, seed: int = 0) -> np.ndarray:
    """A set with exactly this mean and the diagonal covariance of these standard deviations."""
    x = np.random.default_rng(seed).normal(size=(n, len(mean)))
    q, _ = np.linalg.qr(x - x.mean(axis=0))
    return q * np.sqrt(n - 1) * deviations + mean


def test_known_answers(known):
    assert frechet_distance(*known) == pytest.approx(2.4156632258, rel=1e-9)
    assert kernel_distance(*known) == pytest.approx(0.4133232882, rel=1e-9)


def test_known_answer_for_covariances_without_full_rank():
    rng = np.random.RandomState(0)
    real, generated = rng.randn(32, 64), rng.randn(32, 64)
    assert frechet_distance(real, generated) == pytest.approx(56.62466, rel=1e-6)
    # With a constant dimension, and each dimension twice.
    real, generated = (np.repeat(np.pad(x, ((0, 0), (0, 1))), 2, axis=1) for x in (real, generated))
    assert frechet_distance(real, generated) == pytest.approx(2 * 56.62466, rel=1e-6)


def test_a_set_is_at_no_distance_from_itself(known):
    for x in (*known, known[0][:10], np.ones((5, 3)), 1e4 * known[0]):
        assert 0.0 <= frechet_distance(x, x) <= 1e-12 * np.sum(x**2)
        assert frechet_distance(x, x[::-1]) <= 1e-12 * np.sum(x**2)


def test_frechet_distance_of_gaussians_in_closed_form():
    means, deviations = ([1.0, -2.0, 0.0], [4.0, 0.0, 0.5]), ([1.0, 3.0, 0.2], [2.0, 0.5, 0.0])
    sets = [gaussian(n, m, d, n) for n, m, d in zip((50, 80), means, deviations, strict=True)]
    # Covariances that commute: the squared distance of the means and of the deviations.
    expected = sum(np.sum(np.subtract(*pair) ** 2) for pair in (means, deviations))
    assert frechet_distance(*sets) == pytest.approx(expected, rel=1e-12)


def test_frechet_distance_grows_by_the_square_of_a_translation(known):
    x, y = known
    y = y - y.mean(axis=0) + x.mean(axis=0)
    shift = np.linspace(-3.0, 5.0, 16)
    assert frechet_distance(x, y + shift) == pytest.approx(
        frechet_distance(x, y) + np.sum(shift**2), rel=1e-12
    )


def test_kernel_distance_by_hand():
    x, y = np.array([[1.0], [2.0], [0.0]]), np.array([[-1.0], [1.0]])
    # Pairs: 1·2, 1·0, 2·0 within x; -1·1 within y.
    within = (3.0**3 + 1.0 + 1.0) / 3 + 0.0
    across = (0.0 + 8.0 - 1.0 + 27.0 + 1.0 + 1.0) / 6
    assert kernel_distance(x, y) == pytest.approx(within - 2 * across)


def test_kernel_distance_is_unbiased():
    rng = np.random.default_rng(0)
    values = [kernel_distance(*rng.normal(size=(2, 20, 4))) for _ in range(500)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(500)
    assert min(values) < 0


def test_kernel_distance_does_not_depend_on_the_blocks(known, monkeypatch):
    x, y = known[0], known[1][:700]
    monkeypatch.setattr(distances, "BLOCK", 64)
    in_blocks = kernel_distance(x, y)
    monkeypatch.undo()
    assert in_blocks == pytest.approx(kernel_distance(x, y), rel=1e-12)


@BOTH
def test_symmetric_and_blind_to_rotation_and_order(distance, known):
    rng = np.random.default_rng(0)
    x, y = known[0], known[1][:400]
    value = distance(x, y)
    rotation, _ = np.linalg.qr(rng.normal(size=(16, 16)))
    for other in (
        (y, x),
        (x @ rotation, y @ rotation),
        (rng.permutation(x), rng.permutation(y)),
        (x.astype("float32").astype("float64"), y),
    ):
        assert distance(*other) == pytest.approx(value, rel=1e-6)


@BOTH
def test_computes_in_float64(distance, known):
    x, y = (each.astype("float32") for each in known)
    assert distance(x, y) == distance(x.astype("float64"), y.astype("float64"))
    assert distance(x + 1000, y + 1000) >= 0


@BOTH
@pytest.mark.parametrize(
    ("real", "generated", "message"),
    [
        (np.zeros((5, 3)), np.zeros((5, 4)), r"same shape .*, got \(5, 3\), \(5, 4\)"),
        (np.zeros(5), np.zeros(5), r"real must have shape \(n, d\), got \(5,\)"),
        (np.zeros((5, 8, 8, 1)), np.zeros((5, 8, 8, 1)), r"must have shape \(n, d\)"),
        (np.zeros((1, 3)), np.zeros((5, 3)), "real must have at least 2 examples, got 1"),
        (np.zeros((5, 3)), np.zeros((0, 3)), "generated must have at least 2 examples, got 0"),
        (np.zeros((5, 3)), np.full((5, 3), np.nan), "generated holds NaN or inf"),
        (np.full((5, 3), np.inf), np.zeros((5, 3)), "real holds NaN or inf"),
    ],
)
def test_errors_name_what_does_not_fit(distance, real, generated, message):
    with pytest.raises(ValueError, match=message):
        distance(real, generated)
