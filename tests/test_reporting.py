"""The page on a trained model: what is on it, and that it needs nothing else."""

import base64
import importlib
import io
import re

import numpy as np
import pytest
from PIL import Image
from scipy.stats import entropy

from keras_gen import cli, data, reporting, runs


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The page of vae_digits."""
    out = tmp_path_factory.mktemp("report") / "page.html"
    assert cli.main(["report", "vae_digits", "--out", str(out)]) == 0
    return out.read_text(encoding="utf-8")


def titles(page):
    return re.findall("<h2>(.*?)</h2>", page)


def test_the_page_has_what_fits_the_model(digits):
    assert titles(digits) == [
        "Figures",
        "Samples",
        "Latents in use",
        "What each latent changes",
        "Interpolation",
        "Reconstructions",
        "Map of the latents",
        "Nearest training examples",
        "Card",
    ]


def test_the_page_needs_nothing_else(digits):
    assert "default-src 'none'" in digits and "<script" not in digits
    assert not re.search(r"""(src|href)="(?!data:)""", digits)
    pictures = re.findall(r'alt="(.+?)" src="data:image/png;base64,(.*?)"', digits)
    assert len(pictures) == 7
    for _, content in pictures:
        with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
            picture.verify()


def test_figures_are_the_cards(digits):
    card = runs.open("vae_digits").card["metrics"]["evaluation"]
    for name, figure in card.items():
        assert f"<td>{name}</td><td class=number>{figure['value']:.4g}</td>" in digits


def test_without_data_the_page_says_so():
    trained = runs.open("gan_mnist")
    page = reporting.page(trained)
    assert "Data" in titles(page) and "Reconstructions" not in titles(page)
    assert "Interpolation" in titles(page)


def test_names_are_escaped(monkeypatch):
    trained = runs.open("gan_ring")
    monkeypatch.setattr(trained, "name", "<img src=x onerror=alert(1)>")
    assert "<img src=x" not in reporting.page(trained)


def test_factors_are_shares_of_their_entropy():
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(0, 4, 5000), rng.integers(0, 3, 5000)], axis=1)
    z = np.stack([factors[:, 0] + 0.01 * rng.normal(size=5000), rng.normal(size=5000)], axis=1)
    # The package's `page` is the function of that name.
    sections = importlib.import_module("keras_gen.reporting.page")
    table = sections._factors(z, factors, ["shape", "size"])
    rows = re.findall("<tr><td>(.*?)</tr>", table)
    shares = [list(map(float, re.findall(r"number>([\d.]+)<", row))) for row in rows]
    np.testing.assert_allclose(shares, [[1, 0], [0, 0]], atol=0.02)
    assert entropy(np.bincount(factors[:, 0])) > 1, "each factor has some"


def test_a_runs_curves_are_on_its_page(tmp_path):
    run = runs.train("vae_digits", tmp_path / "run", epochs=1, verbose=0, hidden=(8,), latent_dim=2)
    assert "Training" in titles(reporting.page(run, data.load("digits")))


def test_mistakes_are_one_line(tmp_path, capsys):
    for arguments in (["no_such", "--out", "x.html"], ["vae_digits", "--out", "x.pdf"]):
        assert cli.main(["report", *arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1
