"""Evaluation code against known answers."""

import numpy as np
import pytest

from keras_gen import data, evaluation, models

RNG = np.random.default_rng(0)
# Every combination of two factors equally often: they share no information at all.
FACTORS = np.tile(np.indices((4, 6)).reshape(2, -1).T, (200, 1))
N = len(FACTORS)


def test_mig_of_a_perfect_code_is_one():
    codes = np.concatenate([FACTORS, np.zeros((N, 1))], axis=1).astype(float)
    assert evaluation.mutual_information_gap(codes, FACTORS) == pytest.approx(1.0)


def test_mig_of_a_useless_code_is_near_zero():
    codes = RNG.normal(size=(N, 4))
    # Histograms of finite samples have some mutual information; the gap of it is small.
    assert 0.0 <= evaluation.mutual_information_gap(codes, FACTORS) < 0.01


def test_mig_of_a_duplicated_code_is_zero():
    codes = np.repeat(FACTORS, 2, axis=1).astype(float)
    assert evaluation.mutual_information_gap(codes, FACTORS) == pytest.approx(0.0, abs=1e-12)


def test_mig_of_one_found_factor_is_a_half():
    codes = np.stack([FACTORS[:, 0], RNG.normal(size=N), RNG.normal(size=N)], axis=1)
    assert evaluation.mutual_information_gap(codes, FACTORS) == pytest.approx(0.5, abs=0.01)


def test_mig_ignores_the_scale_and_order_of_the_latents_and_constant_factors():
    codes = RNG.normal(size=(N, 3)) + FACTORS[:, [0, 1, 0]]
    value = evaluation.mutual_information_gap(codes, FACTORS)
    again = evaluation.mutual_information_gap(codes[:, ::-1] * [7.0, 0.1, -3.0] + 5.0, FACTORS)
    assert again == pytest.approx(value, abs=0.02)
    padded = np.concatenate([FACTORS, np.ones((N, 1), int)], axis=1)
    assert evaluation.mutual_information_gap(codes, padded) == pytest.approx(value)


@pytest.mark.parametrize(
    "codes, factors, message",
    [
        ((10, 3), (9, 2), "as long"),
        ((10, 1), (10, 2), "2 latents"),
    ],
)
def test_mig_names_what_does_not_fit(codes, factors, message):
    with pytest.raises(ValueError, match=message):
        evaluation.mutual_information_gap(np.zeros(codes), np.zeros(factors, int))
    with pytest.raises(ValueError, match="factors must vary"):
        evaluation.mutual_information_gap(np.zeros((10, 3)), np.zeros((10, 2), int))


def test_codes_that_are_none_have_no_active_units():
    for codes in (np.full((5, 2), np.nan), np.zeros(5)):
        with pytest.raises(ValueError, match="codes must be finite"):
            evaluation.active_units(codes)


def test_active_units_are_those_that_move():
    codes = RNG.normal(size=(2000, 5)) * [1.0, 0.2, 0.05, 0.0, 1e-6]
    assert evaluation.active_units(codes) == 2
    np.testing.assert_allclose(evaluation.latent_variances(codes), codes.var(axis=0))


def test_protocols_measure_the_whole_test_set_and_repeat():
    digits = data.load("digits")
    vae = models.VAE.for_data(digits.spec, latent_dim=3, network="dense", hidden=(16,), seed=0)
    vae.compile()
    protocols = ("nll_iw100", "active_units")
    results = evaluation.evaluate(vae, digits, protocols)
    n = digits.size("test")
    assert {r.n for r in results.values()} == {n}
    nll = -vae.log_likelihood(digits.arrays("test")["x"], 100).astype("float64")
    assert results["nll_iw100"].value == pytest.approx(nll.mean())
    assert results["nll_iw100"].error == pytest.approx(nll.std(ddof=1) / np.sqrt(n))
    # The bound of 100 samples is tighter than the ELBO.
    assert results["nll_iw100"].value < -results["elbo"].value
    assert evaluation.evaluate(vae, digits, protocols) == results
    with pytest.raises(ValueError, match=r"Protocol fid is unknown; known are nll_iw100"):
        evaluation.evaluate(vae, digits, ["fid"])
    with pytest.raises(ValueError, match="known factors"):
        evaluation.evaluate(vae, digits, ["mig_a"])
