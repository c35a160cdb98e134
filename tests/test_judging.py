"""Judging by eye: what judgements measure, the file they come in, the page that asks for them."""

import base64
import io
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from keras_gen import cli, data, judging, training
from keras_gen.evaluation import human

TRAIN = "train vae_digits --epochs 1 --set hidden=(32,) --set latent_dim=3"
N, SEED = 12, 4
JUDGED = {
    "run": "gan-001",
    "preset": "gan",
    "protocol": "hype_infinity",
    "seed": 3,
    "judgements": [
        {"real": True, "judged_real": True, "seconds": 1.5},
        {"real": False, "judged_real": True, "seconds": 2},
        {"real": False, "judged_real": False, "seconds": 0.0},
    ],
    "date": "2020-02-29T12:00:00.000Z",
}


def run(command: str) -> int:
    return cli.main(shlex.split(command))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "vae_digits-001"
    assert run(f"{TRAIN} --run-dir {path}") == 0
    return path


@pytest.fixture(scope="module")
def page_file(trained) -> Path:
    path = trained.parent / "page.html"
    assert run(f"judge {trained} -n {N} --seed {SEED} --out {path}") == 0
    return path


def content(html: str) -> dict:
    """What a page holds for its script."""
    script = re.search(r'<script type="application/json" id="content">(.*?)</script>', html, re.S)
    return json.loads(script[1])


def truth(html: str) -> list[bool]:
    return [bit == "1" for bit in base64.b64decode(content(html)["truth"]).decode()]


# ---- error rates -------------------------------------------------------------------------------


def test_error_rates_and_their_intervals():
    # 5 of 10 real and 0 of 10 generated examples are judged wrongly.
    real = np.repeat([True, False], 10)
    judged_real = np.repeat([True, False, False], [5, 5, 10])
    errors = human.human_errors(real, judged_real)
    assert (errors.overall.value, errors.overall.n) == (0.25, 20)
    assert (errors.real.value, errors.real.n) == (0.5, 10)
    assert (errors.generated.value, errors.generated.n) == (0.0, 10)
    # Wilson 1927: a share p is in the interval if (p - value)² <= z² p (1 - p) / n.
    z = stats.norm.isf(0.025)
    for rate in (errors.overall, errors.real, errors.generated):
        for end in (rate.low, rate.high):
            distance = (end - rate.value) ** 2
            assert distance == pytest.approx(z**2 * end * (1 - end) / rate.n, abs=1e-12)
    assert errors.real.low == pytest.approx(0.2366, abs=5e-5)
    assert errors.generated.high == pytest.approx(0.2775, abs=5e-5)


@pytest.mark.parametrize(
    ("real", "judged_real", "message"),
    [
        ([True, False], [True], r"bool \(2,\) and bool \(1,\)"),
        ([1, 0], [True, False], "must both be"),
        ([], [], "must both be"),
        ([True, True], [True, False], "2 of 2 are of real ones"),
        ([False], [True], "0 of 1 are of real ones"),
    ],
)
def test_error_rates_need_judgements_of_both_kinds(real, judged_real, message):
    with pytest.raises(ValueError, match=message):
        human.human_errors(real, judged_real)


# ---- files -------------------------------------------------------------------------------------


def test_reading_back(tmp_path):
    path = tmp_path / "judged.json"
    path.write_text(json.dumps(JUDGED))
    judged = human.read_judgements(path)
    assert (judged.run, judged.preset, judged.seed) == ("gan-001", "gan", 3)
    assert judged.date == JUDGED["date"]
    np.testing.assert_array_equal(judged.real, [True, False, False])
    np.testing.assert_array_equal(judged.judged_real, [True, True, False])
    np.testing.assert_array_equal(judged.seconds, [1.5, 2, 0])
    assert human.human_errors(judged.real, judged.judged_real).generated.value == 0.5


def without(fields: dict, name: str) -> dict:
    return {key: value for key, value in fields.items() if key != name}


def with_second(judgement) -> dict:
    """The file whose second judgement is another."""
    first, _, third = JUDGED["judgements"]
    return JUDGED | {"judgements": [first, judgement, third]}


SECOND = JUDGED["judgements"][1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        *((without(JUDGED, name), f"{name} is missing") for name in JUDGED),
        *((with_second(without(SECOND, n)), rf"judgements\[1\].{n} is missing") for n in SECOND),
        ([], "the content must be an object"),
        (JUDGED | {"run": 3}, "run must be a text, got 3"),
        (JUDGED | {"preset": None}, "preset must be a text, got null"),
        (JUDGED | {"protocol": "hype_time"}, 'must be "hype_infinity", got "hype_time"'),
        (JUDGED | {"seed": True}, "seed must be a whole number, got true"),
        (JUDGED | {"seed": 0.5}, "seed must be a whole number, got 0.5"),
        (JUDGED | {"judgements": []}, r"judgements must be a list of at least one, got \[\]"),
        (JUDGED | {"judgements": {}}, "judgements must be a list"),
        (with_second("real"), r'judgements\[1\] must be an object, got "real"'),
        (with_second(SECOND | {"real": 1}), r"\[1\].real must be true or false, got 1"),
        (with_second(SECOND | {"judged_real": "yes"}), 'true or false, got "yes"'),
        (with_second(SECOND | {"seconds": -1}), r"\[1\].seconds must be a number from 0 on"),
        (with_second(SECOND | {"seconds": float("nan")}), "a number from 0 on, got NaN"),
        (with_second(SECOND | {"seconds": True}), "a number from 0 on, got true"),
        (JUDGED | {"date": 0}, "date must be a text"),
    ],
)
def test_a_bad_file_is_one_error_that_names_the_field(content, message, tmp_path):
    path = tmp_path / "judged.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: .*{message}"):
        human.read_judgements(path)


@pytest.mark.parametrize("text", [b"", b"<html>", b"\xff\xfe{"])
def test_a_file_of_something_else(text, tmp_path):
    path = tmp_path / "judged.json"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))} holds no JSON"):
        human.read_judgements(path)


# ---- the page ----------------------------------------------------------------------------------


def pixels(uri: str) -> np.ndarray:
    png = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_page_shows_test_examples_and_samples(trained, page_file):
    html = page_file.read_text()
    real, images = np.array(truth(html)), [pixels(uri) for uri in content(html)["images"]]
    assert len(images) == N
    assert real.sum() == N // 2
    assert content(html)["run"] == "vae_digits-001"

    def tiles(x):
        return {np.rint(255 * each[..., 0]).astype(int).tobytes() for each in x}

    shown = np.stack([image[::7, ::7, :1] / 255 for image in images])
    assert shown.shape == (N, 8, 8, 1)
    for image, small in zip(images, shown, strict=True):
        enlarged = small.repeat(7, axis=0).repeat(7, axis=1).repeat(3, axis=2)
        np.testing.assert_array_equal(image, np.rint(255 * enlarged))
    assert tiles(shown[real]) <= tiles(data.load("digits").arrays("test")["x"])
    assert len(tiles(shown[real])) == N // 2
    samples = training.load(trained)[2].sample(N // 2, seed=SEED)
    assert tiles(shown[~real]) == tiles(samples)


def test_the_seed_decides_all(trained, page_file):
    page = page_file.read_text()
    assert judging.judging_page(trained, N, SEED) == page
    other = judging.judging_page(trained, N, SEED + 1)
    assert not set(content(page)["images"]) & set(content(other)["images"])
    _, order = judging.mixed(np.zeros(50), np.ones(50), 1)
    _, other_order = judging.mixed(np.zeros(50), np.ones(50), 2)
    assert order.sum() == other_order.sum() == 50
    assert (order != other_order).any()


def test_the_page_is_one_file(page_file):
    html = page_file.read_text()
    assert "//" not in re.sub(r"^ *//.*$|data:image/png;base64,[\w+/=]+", "", html, flags=re.M)
    assert not re.findall(r"""(?:src|href)="(?!data:)""", html)
    assert "url(" not in html
    assert "@CONTENT@" not in html
    # Not beside the images, and not in words.
    assert not re.findall(r"true|false", json.dumps(content(html)))


def test_a_name_cannot_end_the_script(trained):
    odd = trained.parent / "<!--<script>"
    shutil.copytree(trained, odd)
    html = judging.judging_page(odd, 2)
    assert html.count("<script") == html.count("</script>") == 2
    assert content(html)["run"] == odd.name


def test_a_spectrogram_is_upright():
    spec = data.Spec("sounds", "audio", (3, 2, 1), (0.0, 1.0))
    x = np.zeros((3, 2, 1), np.float32)
    x[2, 1] = 1.0  # the last frame, the highest band
    image = judging.picture(x, spec)
    assert image.shape == (36, 54, 3)
    np.testing.assert_array_equal(np.argwhere(image[::18, ::18, 0]), [[0, 2]])


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("vector", (2,)),
        ("image", (8, 8, 2)),
        ("sequence", (24, 6)),
        ("text", (20, 1)),
        ("audio", (800, 1)),
    ],
)
def test_other_data_cannot_be_judged(kind, shape, tmp_path, capsys):
    spec = {"name": "mine", "kind": kind, "shape": shape, "value_range": (0, 1)}
    (tmp_path / "config.json").write_text(json.dumps({"preset": {}, "seed": 0, "spec": spec}))
    (tmp_path / "model.keras").touch()
    out = tmp_path / "page.html"
    assert run(f"judge {tmp_path} --out {out}") == 2
    assert (
        "mine cannot be judged by eye: only images and spectrograms can" in capsys.readouterr().err
    )
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("-n 3 --out page.html", "argument -n: must be even"),
        ("-n 0 --out page.html", "argument -n: must be at least 1"),
        ("-n 100000 --out page.html", "n must be even, from 2 to 718, as digits has 359"),
        ("--out page.txt", "--out page.txt must end in .html"),
        ("--out no/page.html", "there is no directory no"),
        ("", "required: --out"),
    ],
)
def test_bad_usage_is_one_line(options, message, trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(f"judge {trained} {options}") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


# ---- evaluate --human --------------------------------------------------------------------------


def test_evaluate_human(trained, tmp_path, capsys):
    path = tmp_path / "judged.json"
    path.write_text(json.dumps(JUDGED | {"run": "vae_digits-001", "preset": "vae_digits"}))
    before = json.loads((trained / "metrics.json").read_text())
    assert run(f"evaluate {trained} --human {path} --json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert list(figures) == ["hype_infinity", "hype_infinity_real", "hype_infinity_generated"]
    assert [figure["value"] for figure in figures.values()] == [pytest.approx(1 / 3), 0.0, 0.5]
    assert [figure["n"] for figure in figures.values()] == [3, 1, 2]
    assert {figure["unit"] for figure in figures.values()} == {"of 1"}
    assert json.loads((trained / "metrics.json").read_text()) == before | {"human": figures}

    assert run(f"evaluate {trained} --human {path} --metrics elbo") == 2
    assert "leave out --metrics" in capsys.readouterr().err
    assert run(f"evaluate {trained} --human {path}") == 0
    table = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"hype_infinity +0.33333 +0.061 to 0.792 +of 1 +3", table[1])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"run": "vae_digits-002"},
            "of the run vae_digits-002 (vae_digits), not of vae_digits-001",
        ),
        ({"preset": "gan_mnist"}, "of the run vae_digits-001 (gan_mnist), not of vae_digits-001"),
        ({"seed": "0"}, 'seed must be a whole number, got "0"'),
        ({"judgements": JUDGED["judgements"][:1]}, "1 of 1 are of real ones"),
        (None, "No such file"),
    ],
)
def test_evaluate_human_refuses(changed, message, trained, tmp_path, capsys):
    path = tmp_path / "judged.json"
    if changed is not None:
        judged = JUDGED | {"run": "vae_digits-001", "preset": "vae_digits"} | changed
        path.write_text(json.dumps(judged))
    before = (trained / "metrics.json").read_text()
    assert run(f"evaluate {trained} --human {path}") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert (trained / "metrics.json").read_text() == before


# ---- in a browser ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("needs Debian's chromium, to see the page in a browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("needs the package playwright, to see the page in a browser")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable)
        yield started
        started.close()


@pytest.fixture
def open_page(browser, page_file):
    """A function that opens the page in a new window, offline, and collects what goes wrong."""
    contexts, problems = [], []

    def opened(width: int, height: int, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda request: requests.append(request.url))
        requests = page.requests = []
        page.goto(page_file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not problems


def assert_fits(page) -> None:
    """Nothing lies beside the window, and an answer needs no scrolling."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ("image", "real", "generated", "undo"):
        if page.is_visible(f"#{name}"):
            box, size = page.locator(f"#{name}").bounding_box(), page.viewport_size
            assert min(box["width"], box["height"]) >= 32
            assert box["y"] + box["height"] <= size["height"]
            assert box["x"] + box["width"] <= size["width"]


def assert_result(page, trained: Path, answers: list[bool], tmp_path: Path, capsys) -> None:
    """The numbers shown, the file downloaded and `evaluate --human` agree."""
    with page.expect_download() as download:
        page.click("#download")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "judgements-vae_digits-001.json"
    judged = human.read_judgements(path)
    assert (judged.run, judged.preset, judged.seed) == ("vae_digits-001", "vae_digits", SEED)
    assert judged.judged_real.tolist() == answers
    assert judged.seconds.max() < 60

    errors = human.human_errors(judged.real, judged.judged_real)
    text = page.inner_text("#result")
    overall = errors.overall
    assert f"{100 * overall.value:.1f} %" in text
    assert f"95 % interval {100 * overall.low:.1f} % to {100 * overall.high:.1f} %" in text
    for name, rate in (
        ("Real taken for generated", errors.real),
        ("Generated taken for real", errors.generated),
    ):
        low, high = 100 * rate.low, 100 * rate.high
        assert f"{name}: {100 * rate.value:.1f} % ({low:.1f} % to {high:.1f} %)" in text

    capsys.readouterr()
    assert run(f"evaluate {trained} --human {path} --json") == 0
    assert json.loads(capsys.readouterr().out)["hype_infinity"]["value"] == overall.value
    assert all(url.startswith(("file:", "data:", "blob:")) for url in page.requests)


def test_by_keyboard(open_page, page_file, trained, tmp_path, capsys):
    page = open_page(1280, 800)
    assert_fits(page)
    assert page.is_disabled("#undo")
    page.keyboard.press("u")
    page.keyboard.press("Control+r")
    page.keyboard.press("x")
    assert page.inner_text("#position") == f"Image 1 of {N}", "these are no answers"
    images = content(page_file.read_text())["images"]
    answers = [i % 3 == 0 for i in range(N)]
    for i, answer in enumerate(answers):
        assert page.inner_text("#position") == f"Image {i + 1} of {N}"
        assert page.get_attribute("#image", "src") == images[i]
        assert page.get_attribute("#image", "alt") == f"image {i + 1}, to be judged"
        if i == 5:
            for key in ("u", "Backspace"):
                page.keyboard.press(key)
            assert page.inner_text("#position") == f"Image 4 of {N}"
            for again in answers[3:5]:
                page.keyboard.press("R" if again else "G")
        keys = ("r", "ArrowLeft") if answer else ("g", "ArrowRight")
        page.keyboard.press(keys[i % 2])
    assert page.is_hidden("#judging")
    page.keyboard.press("u")
    assert page.is_hidden("#judging"), "who has seen the result cannot answer again"
    assert page.evaluate("document.activeElement.id") == "download"
    assert_fits(page)
    assert_result(page, trained, answers, tmp_path, capsys)


def test_by_touch_on_a_phone(open_page, page_file, trained, tmp_path, capsys):
    page = open_page(375, 667, has_touch=True, is_mobile=True, color_scheme="dark")
    answers = [not real for real in truth(page_file.read_text())]
    assert_fits(page)
    page.tap("#real" if not answers[0] else "#generated")
    page.tap("#undo")
    for answer in answers:
        page.tap("#real" if answer else "#generated")
    assert "100.0 %" in page.inner_text("#result"), "all are wrong"
    assert_fits(page)
    assert_result(page, trained, answers, tmp_path, capsys)


@pytest.mark.parametrize(("width", "height"), [(320, 480), (667, 375), (2560, 1440)])
def test_windows_of_other_sizes(open_page, width, height):
    page = open_page(width, height)
    assert_fits(page)
    for _ in range(N):
        page.keyboard.press("r")
    assert page.locator("#result h2").is_visible()
    assert page.evaluate("scrollY") == 0, "the result comes first"
    assert_fits(page)


def test_by_tab_and_enter(open_page):
    """Without the page's own keys, as a screen reader's user does it; a held key answers once."""
    page = open_page(1280, 800)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "real"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "generated"
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    assert page.inner_text("#position") == f"Image 2 of {N}"
    page.keyboard.down("r")
    page.keyboard.down("r")
    page.keyboard.up("r")
    assert page.inner_text("#position") == f"Image 3 of {N}"
    assert page.evaluate("judgements.map((each) => each.judged_real)") == [False, True]


def test_the_page_s_interval_is_python_s(open_page):
    page = open_page(1280, 800)
    for wrong, n in ((0, 7), (7, 7), (3, 10), (31, 100), (1, 1000)):
        interval = stats.binomtest(wrong, n).proportion_ci(0.95, method="wilson")
        assert page.evaluate("([k, n]) => wilson(k, n)", [wrong, n]) == pytest.approx(
            list(interval), abs=1e-12
        )
