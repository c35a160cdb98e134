"""Mode coverage against known answers."""

import dataclasses

import numpy as np
import pytest

from keras_gen import data, evaluation, models
from keras_gen.evaluation import ModeCoverage, class_coverage, mode_coverage

RING, GRID = data.spec("ring"), data.spec("grid")
WITHIN_3_SIGMA = 1 - np.exp(-4.5)  # of an isotropic Gaussian in the plane


def coverage(x, spec=RING):
    return mode_coverage(np.asarray(x), spec.modes, spec.sigma)


def test_samples_at_one_mode_find_it_alone():
    found = coverage(np.repeat(RING.modes[3:4], 100, axis=0))
    assert found == ModeCoverage(1, 1.0, pytest.approx(np.log(8)))


@pytest.mark.parametrize("covered", [1, 2, 4, 8])
def test_an_even_cover_of_some_modes_is_as_far_from_uniform_as_its_log_share(covered):
    found = coverage(np.repeat(RING.modes[:covered], 10, axis=0))
    assert (found.modes, found.high_quality) == (covered, 1.0)
    assert found.reverse_kl == pytest.approx(np.log(8 / covered), abs=1e-12)


def test_an_uneven_cover_has_its_closed_form():
    found = mode_coverage([[0.0], [0.0], [0.0], [1.0]], [[0.0], [1.0]], 0.1)
    assert found.reverse_kl == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5))


@pytest.mark.parametrize("spec", [RING, GRID], ids=lambda spec: spec.name)
def test_a_perfect_sampler_finds_all(spec):
    n, trials, modes = 2500, 40, np.array(spec.modes)
    rng = np.random.default_rng(0)
    found = [
        coverage(modes[rng.integers(len(modes), size=n)] + rng.normal(0, spec.sigma, (n, 2)), spec)
        for _ in range(trials)
    ]
    assert {each.modes for each in found} == {len(modes)}
    share = np.mean([each.high_quality for each in found])
    error = np.sqrt(WITHIN_3_SIGMA * (1 - WITHIN_3_SIGMA) / (n * trials))
    assert share == pytest.approx(WITHIN_3_SIGMA, abs=4 * error)
    # 2 n KL has a chi-squared distribution with (number of modes - 1) degrees of freedom.
    freedom = len(modes) - 1
    divergence = np.mean([2 * n * each.reverse_kl for each in found])
    assert divergence == pytest.approx(freedom, abs=4 * np.sqrt(2 * freedom / trials))


def test_three_sigma_are_within_and_more_are_not():
    # These numbers are exact in binary.
    modes, sigma = [[0.0, 0.0], [4.0, 0.0]], 0.25
    for x, good in (([0.75, 0.0], True), ([0.0, -0.75], True), ([0.76, 0.0], False)):
        found = mode_coverage([x], modes, sigma)
        assert found == ModeCoverage(int(good), float(good), pytest.approx(np.log(2)))
    # The distance counts, not the coordinates.
    assert mode_coverage([[0.7, 0.7]], modes, sigma).high_quality == 0


def test_samples_far_away_find_no_mode_but_have_a_nearest():
    found = coverage(100 * np.array(RING.modes))
    assert found == ModeCoverage(0, 0.0, pytest.approx(0.0, abs=1e-12))
    mixed = coverage([*RING.modes[:2], (50.0, 0.0), (0.0, -50.0)])
    assert mixed == ModeCoverage(2, 0.5, pytest.approx(np.log(8) - 1.5 * np.log(2)))


@pytest.mark.parametrize(
    ("x", "modes", "sigma", "message"),
    [
        (np.zeros((5, 3)), np.zeros((8, 2)), 0.1, r"same shape .*\(5, 3\), \(8, 2\)"),
        (np.zeros(5), np.zeros((8, 2)), 0.1, r"\(5,\)"),
        (np.zeros((0, 2)), np.zeros((8, 2)), 0.1, "x must have at least 1 example"),
        (np.zeros((5, 2)), np.zeros((0, 2)), 0.1, "modes must have at least 1 example"),
        (
            [[0.0, np.nan], [np.inf, 0.0], [0.0, 0.0]],
            np.zeros((8, 2)),
            0.1,
            "x holds NaN or infinite",
        ),
        (np.zeros((5, 2)), np.zeros((8, 2)), 0.0, "sigma must be positive, got 0.0"),
    ],
)
def test_mode_coverage_names_what_does_not_fit(x, modes, sigma, message):
    with pytest.raises(ValueError, match=message):
        mode_coverage(x, modes, sigma)


def test_class_coverage_has_its_closed_forms():
    assert class_coverage(np.full(50, 7), 1000) == (1, pytest.approx(np.log(1000)))
    assert class_coverage(np.arange(1000), 1000) == (1000, pytest.approx(0.0, abs=1e-12))
    assert class_coverage(np.repeat(np.arange(0, 1000, 2), 3), 1000) == (
        500,
        pytest.approx(np.log(2)),
    )
    assert class_coverage(np.array([0, 0, 0, 2], np.uint64), 3) == (
        2,
        pytest.approx(0.75 * np.log(2.25) + 0.25 * np.log(0.75)),
    )


def test_a_perfect_sampler_of_1000_classes_has_the_divergence_of_chance():
    n, classes, trials = 26_000, 1000, 20
    rng = np.random.default_rng(0)
    found = [class_coverage(rng.integers(classes, size=n), classes) for _ in range(trials)]
    assert {occurring for occurring, _ in found} == {classes}
    # The mean of chi-squared over 2 n; the next term of its series is 5 % of its standard error.
    expected = (classes - 1) / (2 * n)
    assert expected == pytest.approx(0.0192, abs=5e-5)
    error = np.sqrt(2 * (classes - 1) / trials) / (2 * n)
    assert np.mean([kl for _, kl in found]) == pytest.approx(expected, abs=5 * error)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([0, 3], r"in 0\.\.2, got 0 to 3"),
        ([-1, 0], "got -1 to 0"),
        ([0.0, 1.0], "integer.*float64"),
        (np.zeros((2, 3), int), r"\(2, 3\)"),
        (np.zeros(0, int), "at least 1 example"),
    ],
)
def test_class_coverage_names_what_does_not_fit(classes, message):
    with pytest.raises(ValueError, match=message):
        class_coverage(classes, 3)


# ---- protocols ----------------------------------------------------------------------------------

PROTOCOLS = ("modes_2500", "high_quality_2500", "reverse_kl_2500")


def test_protocols_measure_2500_samples():
    ring = data.load("ring", size=100, test_size=100)
    vae = models.VAE.for_data(ring.spec, latent_dim=2, hidden=(8,), seed=0)

    def measure(samples):
        vae.sample = samples
        return [evaluation.measure(name, vae, ring) for name in PROTOCOLS]

    # Three quarters at two modes, and a quarter in the middle, where the first mode is nearest.
    places = np.array([*RING.modes[:2], RING.modes[1], (0.0, 0.0)], "float32")
    modes, quality, kl = measure(lambda n, seed: places[(np.arange(n) + seed) % 4])
    assert (modes.value, modes.unit, modes.n) == (2, "of 8 modes", 2500)
    assert (quality.value, quality.unit, quality.n) == (0.75, "of 1", 2500)
    assert quality.error == pytest.approx(np.sqrt(0.75 * 0.25 / 2499))
    assert (kl.value, kl.unit, kl.n) == (pytest.approx(np.log(4)), "nats", 2500)
    assert modes.error is None and kl.error is None


def test_protocols_repeat_on_a_model():
    ring = data.load("ring", size=100, test_size=100)
    vae = models.VAE.for_data(ring.spec, latent_dim=2, hidden=(8,), seed=0)
    vae.compile()
    results = evaluation.evaluate(vae, ring, PROTOCOLS)
    found = coverage(vae.sample(2500, seed=0))
    assert [results[name].value for name in PROTOCOLS] == list(dataclasses.astuple(found))
    assert evaluation.evaluate(vae, ring, PROTOCOLS) == results


def test_protocols_refuse_data_without_modes():
    for name in PROTOCOLS:
        evaluation.check([name], GRID)
        message = f"Protocol {name} needs data with known modes.*; digits has none"
        with pytest.raises(ValueError, match=message):
            evaluation.check([name], data.spec("digits"))
        with pytest.raises(ValueError, match="known modes"):
            evaluation.check([name], dataclasses.replace(RING, sigma=None))
    with pytest.raises(ValueError, match=r"mig_a needs data with known factors.*; ring has none"):
        evaluation.check(["mig_a"], RING)
    evaluation.check(["mig_a"], data.spec("shapes"))
