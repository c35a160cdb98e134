"""Scores of disentanglement on latents whose scores are known."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from keras_gen.evaluation.metrics import factors as module
from keras_gen.evaluation.metrics.factors import (
    DCI,
    beta_vae_score,
    dci,
    factor_vae_score,
    mutual_information_gap_samples,
    separated_attribute_predictability,
)

# Every combination of two factors equally often: they share no information at all.
FACTORS = np.tile(np.indices((4, 6)).reshape(2, -1).T, (50, 1))
N = len(FACTORS)


def noise(latents: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(N, latents))


def mig(latents: np.ndarray, factors: np.ndarray, seed: int = 0) -> float:
    return mutual_information_gap_samples(latents, np.full_like(latents, -6.0), factors, seed)


PERFECT = FACTORS.astype(float)
DUPLICATED = np.repeat(PERFECT, 2, axis=1)
# Each latent depends on both factors, and only both together determine them.
ROTATED = (PERFECT - PERFECT.mean(axis=0)) / PERFECT.std(axis=0) @ [[1.0, -1.0], [1.0, 1.0]]
GROUPED = pytest.mark.parametrize("score", [factor_vae_score, beta_vae_score])
SCORES = pytest.mark.parametrize(
    "score",
    [
        factor_vae_score,
        beta_vae_score,
        lambda *a, **k: dci(*a, **k).disentanglement,
        lambda *a, **k: dci(*a, **k).completeness,
        separated_attribute_predictability,
        mig,
    ],
    ids=["factor_vae", "beta_vae", "disentanglement", "completeness", "sap", "mig"],
)


def test_a_perfect_representation():
    latents = np.concatenate([np.zeros((N, 1)), PERFECT, np.zeros((N, 1))], axis=1)
    assert factor_vae_score(latents, FACTORS) == 1.0
    assert beta_vae_score(latents, FACTORS) == 1.0
    assert dci(latents, FACTORS) == DCI(pytest.approx(1.0), pytest.approx(1.0), 1.0)
    # The second latent has the accuracy of chance.
    expected = 1 - (1 / 4 + 1 / 6) / 2
    assert separated_attribute_predictability(latents, FACTORS) == pytest.approx(expected)
    assert mig(latents, FACTORS) == pytest.approx(1.0, abs=1e-6)


def test_a_perfect_representation_beside_useless_latents():
    latents = np.concatenate([noise(3), PERFECT], axis=1)
    assert factor_vae_score(latents, FACTORS) == 1.0
    assert beta_vae_score(latents, FACTORS) == 1.0
    assert dci(latents, FACTORS) == DCI(pytest.approx(1.0), pytest.approx(1.0), 1.0)
    assert separated_attribute_predictability(latents, FACTORS) == pytest.approx(0.79, abs=0.05)
    assert mig(latents, FACTORS) == pytest.approx(1.0, abs=0.05)


def test_noise_in_a_representation_gives_useless_latents_no_importance():
    latents = np.concatenate([PERFECT + 0.4 * noise(2), noise(3, seed=1)], axis=1)
    found = dci(latents, FACTORS)
    assert found.informativeness < 0.9
    assert found.disentanglement > 0.8 and found.completeness > 0.8


@pytest.mark.parametrize("latents", [noise(4), np.ones((N, 4))], ids=["noise", "constant"])
def test_a_useless_representation_is_at_chance(latents):
    for score in (factor_vae_score, beta_vae_score):
        assert score(latents, FACTORS) == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 1000))
    found = dci(latents, FACTORS)
    assert 0 <= found.disentanglement < 0.01 and 0 <= found.completeness < 0.01
    assert found.informativeness == pytest.approx((1 / 4 + 1 / 6) / 2, abs=0.04)
    assert 0 <= separated_attribute_predictability(latents, FACTORS) < 0.03
    assert -1e-9 <= mig(latents, FACTORS) < 0.01


def test_a_duplicated_representation_is_disentangled_and_not_compact():
    assert factor_vae_score(DUPLICATED, FACTORS) == 1.0
    assert beta_vae_score(DUPLICATED, FACTORS) == 1.0
    found = dci(DUPLICATED, FACTORS)
    # Two of four latents for each factor: 1 - log 2 / log 4.
    assert found == DCI(pytest.approx(1.0), pytest.approx(0.5, abs=0.05), 1.0)
    assert separated_attribute_predictability(DUPLICATED, FACTORS) == 0.0
    assert mig(DUPLICATED, FACTORS) == pytest.approx(0.0, abs=0.01)


def test_a_rotated_representation_is_informative_only():
    latents = np.concatenate([ROTATED, noise(2)], axis=1)
    assert factor_vae_score(latents, FACTORS) < 0.7
    found = dci(latents, FACTORS)
    assert found.informativeness > 0.9
    assert found.disentanglement < 0.5
    assert separated_attribute_predictability(latents, FACTORS) < 0.3
    assert mig(latents, FACTORS) < 0.3


def test_one_latent_for_two_factors_is_complete_and_not_disentangled():
    # One latent counts through all combinations.
    latents = np.stack([FACTORS @ [6.0, 1.0], *noise(3).T], axis=1)
    found = dci(latents, FACTORS)
    assert found.disentanglement < 0.05
    assert found.completeness > 0.9


def test_dci_of_known_importances():
    # Three latents and two factors. The last latent has no importance.
    importance = np.array([[0.75, 0.0], [0.25, 1.0], [0.0, 0.0]])
    of_latents, of_factors = module._concentration(importance), module._concentration(importance.T)
    entropy = -0.2 * np.log2(0.2) - 0.8 * np.log2(0.8)
    np.testing.assert_allclose(of_latents, [1.0, 1 - entropy, 0.0], atol=1e-12)
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(3)
    np.testing.assert_allclose(of_factors, [1 - entropy, 1.0], atol=1e-12)


def test_sap_takes_factors_as_categories():
    # No threshold in the order of the values, but two in the latent.
    latents = np.stack([np.array([0.0, 2.0, 3.0, 1.0])[FACTORS[:, 0]], np.zeros(N)], axis=1)
    assert separated_attribute_predictability(latents, FACTORS[:, :1]) == pytest.approx(3 / 4)
    # Half of the values are distinguished: a balanced accuracy of 1/2, however rare they are.
    latents[:, 0] = FACTORS[:, 0] // 2
    rare = np.flatnonzero((FACTORS[:, 0] < 2) | (np.arange(N) % 5 == 0))
    found = separated_attribute_predictability(latents[rare], FACTORS[rare, :1])
    assert found == pytest.approx(1 / 2 - 1 / 4, abs=0.01)


def test_mig_of_samples_against_quadrature():
    # Two equally probable values at ±a with deviation s; the other latent is constant.
    a, s, n = 0.8, 0.7, 3000
    factor = np.arange(n) % 2
    means = np.stack([a * (2 * factor - 1), np.zeros(n)], axis=1)

    def integrand(z):
        p, q = norm.pdf(z, a, s), norm.pdf(z, -a, s)
        return p * np.log(2 * p / (p + q))

    information = quad(integrand, a - 8 * s, a + 8 * s)[0]
    deviation = np.sqrt(
        quad(lambda z: integrand(z) ** 2 / max(norm.pdf(z, a, s), 1e-300), a - 8 * s, a + 8 * s)[0]
        - information**2
    )
    log_variances = np.full_like(means, 2 * np.log(s))
    found = mutual_information_gap_samples(means, log_variances, factor[:, None])
    error = deviation / np.sqrt(n) / np.log(2)
    assert found == pytest.approx(information / np.log(2), abs=4 * error)


def test_mig_of_samples_falls_with_the_width_of_the_posterior():
    latents = np.concatenate([PERFECT, np.zeros((N, 1))], axis=1)
    found = [
        mutual_information_gap_samples(latents, np.full_like(latents, log_variance), FACTORS)
        for log_variance in (-8.0, -1.0, 1.0, 6.0)
    ]
    assert np.all(np.diff(found) < 0)
    assert found[0] == pytest.approx(1.0, abs=1e-6) and abs(found[-1]) < 0.05


def test_mig_of_samples_does_not_depend_on_the_blocks(monkeypatch):
    latents = PERFECT + 0.5 * noise(2)
    value = mig(latents, FACTORS)
    monkeypatch.setattr(module, "BLOCK", 7 * N + 1)
    assert mig(latents, FACTORS) == pytest.approx(value, rel=1e-12)


@SCORES
def test_seeded_and_blind_to_scale_order_values_and_factors_that_do_not_vary(score):
    latents = np.concatenate([PERFECT + 0.5 * noise(2), noise(1, seed=1)], axis=1)
    value = score(latents, FACTORS)
    assert score(latents, FACTORS) == value
    padded = np.concatenate([FACTORS, np.full((N, 1), 3)], axis=1)
    assert score(latents, padded) == value
    # Gaps between the values, and negative ones; unsigned integers.
    assert score(latents, 3 * FACTORS - 5) == value
    assert score(latents, FACTORS.astype("uint8")) == value
    if score is not mig:
        assert score(latents * 8.0, FACTORS) == pytest.approx(value, abs=1e-6)
    assert score(latents[:, ::-1], FACTORS) == pytest.approx(value, abs=0.05)
    assert score(latents, FACTORS, seed=1) == pytest.approx(value, abs=0.08)


@GROUPED
def test_groups_share_their_factor_and_nothing_else(score, monkeypatch):
    labels, groups = module._groups(FACTORS, 600, 64, 0)
    assert np.array_equal(np.bincount(labels), [300, 300])
    for label, group in zip(labels, groups, strict=True):
        assert len(np.unique(FACTORS[group, label])) == 1
        assert len(np.unique(FACTORS[group, 1 - label])) > 2
    # All examples of a value, and all values, are drawn.
    assert len(np.unique(groups)) == N
    assert score(PERFECT, FACTORS, 4, 8) == 1.0


@SCORES
@pytest.mark.parametrize(
    ("latents", "factors", "message"),
    [
        (
            np.zeros((10, 3)),
            np.zeros((9, 2), int),
            r"same length, got shapes \(10, 3\) and \(9, 2\)",
        ),
        (np.zeros((10, 3)), np.zeros(10, int), r"shape \(n, number of factors\), got \(10,\)"),
        (np.zeros((10, 3)), np.zeros((10, 2)), "factors must hold integers, got float64"),
        (np.full((10, 3), np.nan), np.zeros((10, 2), int), "NaN or infinite"),
        (np.zeros((10, 3)), np.zeros((10, 2), int), "of the factors must vary.*, got 0"),
        (np.zeros((0, 3)), np.zeros((0, 2), int), "at least 1 example, got 0"),
    ],
)
def test_errors_name_what_does_not_fit(score, latents, factors, message):
    with pytest.raises(ValueError, match=message):
        score(latents, factors)


def test_errors_name_what_a_score_needs():
    for score in (dci, separated_attribute_predictability, mig):
        with pytest.raises(ValueError, match="latents must be at least 2, got 1"):
            score(PERFECT[:, :1], FACTORS)
    for score in (dci, factor_vae_score, beta_vae_score):
        with pytest.raises(ValueError, match=r"at least 2 of the factors must vary.*, got 1"):
            score(PERFECT, FACTORS[:, :1])
    for score in (factor_vae_score, beta_vae_score):
        with pytest.raises(ValueError, match=r"2 factors need at least 4 groups .*, got 3 groups"):
            score(PERFECT, FACTORS, 3)
        with pytest.raises(ValueError, match="got 2000 groups of 0"):
            score(PERFECT, FACTORS, size=0)
    with pytest.raises(ValueError, match=r"same shape .*, got \(1200, 2\), \(1200, 1\)"):
        mutual_information_gap_samples(PERFECT, PERFECT[:, :1], FACTORS)
