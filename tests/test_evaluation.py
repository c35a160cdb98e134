"""Latents, arrays and `evaluate` against known answers."""

import numpy as np
import pytest

from keras_gen import data, evaluation, models
from keras_gen.evaluation import arrays

RNG = np.random.default_rng(0)
# Every combination of two factors equally often, so that they share no information.
FACTORS = np.tile(np.indices((4, 6)).reshape(2, -1).T, (200, 1))
N = len(FACTORS)


def test_mig_of_a_perfect_representation_is_one():
    latents = np.concatenate([FACTORS, np.zeros((N, 1))], axis=1).astype(float)
    assert evaluation.mutual_information_gap(latents, FACTORS) == pytest.approx(1.0)


def test_mig_of_a_useless_representation_is_near_zero():
    latents = RNG.normal(size=(N, 4))
    # Histograms of finite samples have some mutual information, but its gap is small.
    assert 0.0 <= evaluation.mutual_information_gap(latents, FACTORS) < 0.01


def test_mig_of_a_duplicated_representation_is_zero():
    latents = np.repeat(FACTORS, 2, axis=1).astype(float)
    assert evaluation.mutual_information_gap(latents, FACTORS) == pytest.approx(0.0, abs=1e-12)


def test_mig_of_one_found_factor_is_a_half():
    latents = np.stack([FACTORS[:, 0], RNG.normal(size=N), RNG.normal(size=N)], axis=1)
    assert evaluation.mutual_information_gap(latents, FACTORS) == pytest.approx(0.5, abs=0.01)


def test_mig_ignores_the_scale_and_order_of_the_latents_and_constant_factors():
    latents = RNG.normal(size=(N, 3)) + FACTORS[:, [0, 1, 0]]
    value = evaluation.mutual_information_gap(latents, FACTORS)
    again = evaluation.mutual_information_gap(latents[:, ::-1] * [7.0, 0.1, -3.0] + 5.0, FACTORS)
    assert again == pytest.approx(value, abs=0.02)
    padded = np.concatenate([FACTORS, np.ones((N, 1), int)], axis=1)
    assert evaluation.mutual_information_gap(latents, padded) == pytest.approx(value)


@pytest.mark.parametrize(
    "latents, factors, message",
    [
        ((10, 3), (9, 2), "same length"),
        ((10, 1), (10, 2), "at least 2, got 1"),
    ],
)
def test_mig_names_what_does_not_fit(latents, factors, message):
    with pytest.raises(ValueError, match=message):
        evaluation.mutual_information_gap(np.zeros(latents), np.zeros(factors, int))
    with pytest.raises(ValueError, match="factors must vary"):
        evaluation.mutual_information_gap(np.zeros((10, 3)), np.zeros((10, 2), int))


def test_active_units_refuse_invalid_latents():
    for latents, message in ((np.full((5, 2), np.nan), "holds NaN or inf"), (np.zeros(5), "shape")):
        with pytest.raises(ValueError, match=f"latents .*{message}"):
            evaluation.active_units(latents)


def test_active_units_are_those_that_vary():
    latents = RNG.normal(size=(2000, 5)) * [1.0, 0.2, 0.05, 0.0, 1e-6]
    assert evaluation.active_units(latents) == 2
    np.testing.assert_allclose(evaluation.latent_variances(latents), latents.var(axis=0))


def test_code_error_of_more_and_of_fewer_codes_than_classes():
    labels = np.repeat(np.arange(4), 10)
    split = labels * 2 + np.arange(40) % 2  # two codes for each class, one of which counts
    assert evaluation.code_error(split, labels) == 0.5
    assert evaluation.code_error(labels // 2, labels) == 0.5
    assert evaluation.code_error(-labels, labels) == 0.0  # only a name for a code
    for codes in (labels / 1.0, labels[:, None]):
        with pytest.raises(ValueError, match=r"codes must (have shape|hold integers)"):
            evaluation.code_error(codes, labels)


@pytest.mark.parametrize(
    ("shape", "x", "message"),
    [
        ("(n, d)", np.zeros(3), r"x must have shape \(n, d\), got \(3,\)\."),
        ("(n, d)", np.zeros((3, 0)), r"x must have shape \(n, d\), got \(3, 0\)\."),
        ("(n, 8, 1 or 3)", np.zeros((5, 8, 2)), r"got \(5, 8, 2\)"),
        ("(n, 8, 1 or 3)", np.zeros((5, 7, 3)), r"got \(5, 7, 3\)"),
        ("(n, ...)", np.float64(1.0), r"got \(\)"),
        ("(n, ...)", np.zeros((0, 3)), "x must have at least 1 example, got 0"),
        ("(n,)", [1.0, np.inf], "x holds NaN or infinite values"),
        ("(n,)", [1.0, 1j], "x must be an array of real numbers, got dtype complex128"),
        ("(n,)", np.array([1.0, None]), "got dtype object"),
    ],
)
def test_arrays_are_checked(shape, x, message):
    with pytest.raises(ValueError, match=message):
        arrays.checked(shape, x=x)


def test_arrays_that_fit_are_converted():
    for shape, x in (("(n, 8, 1 or 3)", np.zeros((5, 8, 3), "float32")), ("(n, ...)", [True, 0])):
        (found,) = arrays.checked(shape, x=x)
        assert found.dtype == "float64"
        np.testing.assert_array_equal(found, x)
    (whole,) = arrays.checked("(n,)", dtype="int64", x=np.array([3, 4], "uint8"))
    assert whole.dtype == "int64"
    with pytest.raises(ValueError, match="x must hold integers, got float64"):
        arrays.checked("(n,)", dtype="int64", x=np.zeros(3))
    with pytest.raises(ValueError, match=r"lenet: x must have shape \(n, 2\), got \(2, 3\)"):
        arrays.checked("(n, 2)", owner="lenet", x=np.zeros((2, 3)))


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
    with pytest.raises(ValueError, match="Did you mean 'fid_lenet_1k'"):
        evaluation.evaluate(vae, digits, ["fid"])
    with pytest.raises(ValueError, match="known factors"):
        evaluation.evaluate(vae, digits, ["mig_a"])
