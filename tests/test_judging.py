"""Human evaluation: what answers measure, the file they come in, the page that asks for them."""

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

from keras_gen import cli, data, judging, runs
from keras_gen.judging import human_errors, read_answers, suspect
from keras_gen.judging.page import WARM_UP, mixed, picture

TRAIN = "train vae_digits --epochs 1 --set hidden=(32,) --set latent_dim=3"
N, SEED = 12, 4
GIVEN = {
    "run": "gan-001",
    "preset": "gan",
    "protocol": "hype_infinity",
    "seed": 3,
    "answers": [
        {"real": True, "answered_real": True, "seconds": 1.5},
        {"real": False, "answered_real": True, "seconds": 2},
        {"real": False, "answered_real": False, "seconds": 0.0},
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


def truth(html: str, name: str = "truth") -> list[bool]:
    return [bit == "1" for bit in base64.b64decode(content(html)[name]).decode()]


# ---- error rates -------------------------------------------------------------------------------


def test_error_rates_and_their_intervals():
    # 5 of 10 real and 0 of 10 generated examples are answered wrongly.
    real = np.repeat([True, False], 10)
    answered_real = np.repeat([True, False, False], [5, 5, 10])
    errors = human_errors(real, answered_real)
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
    ("real", "answered_real", "message"),
    [
        ([True, False], [True], r"bool \(2,\) and bool \(1,\)"),
        ([1, 0], [True, False], "must both be"),
        ([], [], "must both be"),
        ([True, True], [True, False], "got 2 real of 2"),
        ([False], [True], "got 0 real of 1"),
    ],
)
def test_error_rates_need_answers_of_both_kinds(real, answered_real, message):
    with pytest.raises(ValueError, match=message):
        human_errors(real, answered_real)


# ---- files -------------------------------------------------------------------------------------


def test_reading_back(tmp_path):
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(GIVEN))
    given = read_answers(path)
    assert (given.run, given.preset, given.seed) == ("gan-001", "gan", 3)
    assert given.date == GIVEN["date"]
    np.testing.assert_array_equal(given.real, [True, False, False])
    np.testing.assert_array_equal(given.answered_real, [True, True, False])
    np.testing.assert_array_equal(given.seconds, [1.5, 2, 0])
    assert human_errors(given.real, given.answered_real).generated.value == 0.5


def without(fields: dict, name: str) -> dict:
    return {key: value for key, value in fields.items() if key != name}


def with_second(answer) -> dict:
    """The file whose second answer is another."""
    first, _, third = GIVEN["answers"]
    return GIVEN | {"answers": [first, answer, third]}


SECOND = GIVEN["answers"][1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        *((without(GIVEN, name), f"{name} is missing") for name in GIVEN),
        *(
            (with_second(without(SECOND, n)), rf"answers\[1\].{n} is missing")
            for n in ("real", "answered_real")
        ),
        ([], "the content must be an object"),
        (GIVEN | {"run": 3}, "run must be text, got 3"),
        (GIVEN | {"preset": None}, "preset must be text, got null"),
        (GIVEN | {"protocol": "hype_time"}, 'must be "hype_infinity", got "hype_time"'),
        (GIVEN | {"seed": True}, "seed must be an integer, got true"),
        (GIVEN | {"seed": 0.5}, "seed must be an integer, got 0.5"),
        (GIVEN | {"answers": []}, r"answers must be a list that is not empty, got \[\]"),
        (GIVEN | {"answers": {}}, "answers must be a list"),
        (with_second("real"), r'answers\[1\] must be an object, got "real"'),
        (with_second(SECOND | {"real": 1}), r"\[1\].real must be true or false, got 1"),
        (with_second(SECOND | {"answered_real": "yes"}), 'true or false, got "yes"'),
        (with_second(SECOND | {"seconds": -1}), r"\[1\].seconds must be a number of at least 0"),
        (with_second(SECOND | {"seconds": float("nan")}), "a number of at least 0, got NaN"),
        (with_second(SECOND | {"seconds": True}), "a number of at least 0, got true"),
        (GIVEN | {"date": 0}, "date must be text"),
    ],
)
def test_a_bad_file_is_one_error_that_names_the_field(content, message, tmp_path):
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: .*{message}"):
        read_answers(path)


@pytest.mark.parametrize("text", [b"", b"<html>", b"\xff\xfe{"])
def test_a_file_of_something_else(text, tmp_path):
    path = tmp_path / "answers.json"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))} is not JSON"):
        read_answers(path)


def test_a_file_without_times_or_of_version_0_1(tmp_path):
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(with_second(without(SECOND, "seconds"))))
    np.testing.assert_array_equal(read_answers(path).seconds, [1.5, np.nan, 0])
    old = [{"real": a["real"], "judged_real": a["answered_real"]} for a in GIVEN["answers"]]
    path.write_text(json.dumps(without(GIVEN, "answers") | {"judgements": old}))
    given = read_answers(path)
    np.testing.assert_array_equal(given.real, [True, False, False])
    np.testing.assert_array_equal(given.answered_real, [True, True, False])
    assert np.isnan(given.seconds).all() and suspect(given) is None


@pytest.mark.parametrize(
    ("answered_real", "seconds", "reason"),
    [
        ([True, False] * 4, [1.0] * 8, None),
        ([True] * 8, [1.0] * 8, "all 8 answers are 'real'"),
        ([False] * 8, [1.0] * 8, "all 8 answers are 'generated'"),
        ([True] * 4, [1.0] * 4, None),
        ([True, False] * 4, [0.1] * 5 + [9.0] * 3, r"less than 0.10 s, too fast"),
        ([True, False] * 4, [0.1] * 3 + [0.5] * 5, None),
    ],
)
def test_answers_of_nobody_who_looked_are_suspect(answered_real, seconds, reason, tmp_path):
    answers = [
        {"real": i < 4, "answered_real": each, "seconds": time}
        for i, (each, time) in enumerate(zip(answered_real, seconds, strict=True))
    ]
    (tmp_path / "answers.json").write_text(json.dumps(GIVEN | {"answers": answers}))
    found = suspect(read_answers(tmp_path / "answers.json"))
    assert found is None if reason is None else re.search(reason, found)


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

    shown = np.stack([image[::14, ::14, :1] / 255 for image in images])
    assert shown.shape == (N, 8, 8, 1)
    for image, small in zip(images, shown, strict=True):
        enlarged = small.repeat(14, axis=0).repeat(14, axis=1).repeat(3, axis=2)
        np.testing.assert_array_equal(image, np.rint(255 * enlarged))
    assert tiles(shown[real]) <= tiles(data.load("digits").arrays("test")["x"])
    assert len(tiles(shown[real])) == N // 2
    samples = runs.open(trained).sample(N // 2, seed=SEED)
    assert tiles(shown[~real]) == tiles(samples)

    # The warm-up shows others, of both kinds.
    assert sorted(truth(html, "warmUpTruth")) == [False] * (WARM_UP // 2) + [True] * (WARM_UP // 2)
    assert not set(content(html)["warmUpImages"]) & set(content(html)["images"])


def page_of(trained, n: int, seed: int = 0) -> str:
    opened = runs.open(trained)
    return judging.page(opened, opened.dataset(), n, seed)


def test_the_seed_decides_all(trained, page_file):
    page = page_file.read_text()
    assert page_of(trained, N, SEED) == page
    other = page_of(trained, N, SEED + 1)
    assert content(page)["digest"] != content(other)["digest"]
    assert not set(content(page)["images"]) & set(content(other)["images"])
    _, order = mixed(np.zeros(50), np.ones(50), 1)
    _, other_order = mixed(np.zeros(50), np.ones(50), 2)
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
    html = page_of(odd, 2)
    assert html.count("<script") == html.count("</script>") == 2
    assert content(html)["run"] == odd.name


def test_a_spectrogram_is_upright():
    spec = data.Spec("sounds", "audio", (3, 2, 1), (0.0, 1.0))
    x = np.zeros((3, 2, 1), np.float32)
    x[2, 1] = 1.0  # the last frame, the highest band
    image = picture(x, spec)
    assert image.shape == (74, 111, 3)
    np.testing.assert_array_equal(np.argwhere(image[::37, ::37, 0]), [[0, 2]])


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
def test_other_data_cannot_be_shown(kind, shape, tmp_path, capsys):
    spec = {"name": "mine", "kind": kind, "shape": shape, "value_range": (0, 1)}
    (tmp_path / "config.json").write_text(json.dumps({"preset": {}, "seed": 0, "spec": spec}))
    (tmp_path / "model.keras").touch()
    out = tmp_path / "page.html"
    assert run(f"judge {tmp_path} --out {out}") == 2
    error = capsys.readouterr().err
    assert "mine cannot be shown to a person: only images and spectrograms can" in error
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
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(GIVEN | {"run": "vae_digits-001", "preset": "vae_digits"}))
    before = json.loads((trained / "metrics.json").read_text())
    assert run(f"evaluate {trained} --human {path} --json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert list(figures) == ["hype_infinity", "hype_infinity_real", "hype_infinity_generated"]
    assert [figure["value"] for figure in figures.values()] == [pytest.approx(1 / 3), 0.0, 0.5]
    assert [figure["n"] for figure in figures.values()] == [3, 1, 2]
    assert not any("suspect" in figure for figure in figures.values())
    assert {figure["unit"] for figure in figures.values()} == {"of 1"}
    assert json.loads((trained / "metrics.json").read_text()) == before | {"human": figures}

    assert run(f"evaluate {trained} --human {path} --metrics elbo") == 2
    assert "leave out --metrics" in capsys.readouterr().err
    assert run(f"evaluate {trained} --human {path}") == 0
    table = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"hype_infinity +0.33333 +0.061 to 0.792 +of 1 +3", table[1])


def test_evaluate_human_says_what_is_suspect(trained, tmp_path, capsys):
    answers = [{"real": i < 3, "answered_real": True, "seconds": 1} for i in range(6)]
    about = {"run": "vae_digits-001", "preset": "vae_digits", "answers": answers}
    (tmp_path / "answers.json").write_text(json.dumps(GIVEN | about))
    assert run(f"evaluate {trained} --human {tmp_path / 'answers.json'} --json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert {figure["suspect"] for figure in figures.values()} == {"all 6 answers are 'real'"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"run": "vae_digits-002"},
            "is about vae_digits-002 (vae_digits), not about vae_digits-001",
        ),
        ({"preset": "gan_mnist"}, "is about vae_digits-001 (gan_mnist), not about vae_digits-001"),
        ({"seed": "0"}, 'seed must be an integer, got "0"'),
        ({"answers": GIVEN["answers"][:1]}, "got 1 real of 1"),
        (None, "No such file"),
    ],
)
def test_evaluate_human_refuses(changed, message, trained, tmp_path, capsys):
    path = tmp_path / "answers.json"
    if changed is not None:
        given = GIVEN | {"run": "vae_digits-001", "preset": "vae_digits"} | changed
        path.write_text(json.dumps(given))
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


def warm_up(page) -> None:
    for _ in range(WARM_UP):
        page.keyboard.press("r")
        page.keyboard.press("Enter")


def assert_fits(page) -> None:
    """Nothing lies beside the window, and an answer needs no scrolling."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ("image", "real", "generated", "next", "undo", "restart"):
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
    assert path.name == "answers-vae_digits-001.json"
    given = read_answers(path)
    assert (given.run, given.preset, given.seed) == ("vae_digits-001", "vae_digits", SEED)
    assert given.answered_real.tolist() == answers
    assert given.seconds.max() < 60

    errors = human_errors(given.real, given.answered_real)
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
    page.keyboard.press("Enter")
    assert page.inner_text("#position").startswith(f"Warm-up 1 of {WARM_UP}."), "not answers"
    html = page_file.read_text()
    for i, (image, real) in enumerate(
        zip(content(html)["warmUpImages"], truth(html, "warmUpTruth"), strict=True)
    ):
        assert page.get_attribute("#image", "src") == image
        page.keyboard.press("g" if i % 2 else "r")
        page.keyboard.press("r")
        word = "Right" if real == (i % 2 == 0) else "Wrong"
        kind = "real" if real else "generated"
        assert page.inner_text("#feedback").startswith(f"{word}: this one is {kind}.")
        assert page.get_attribute("#image", "src") == image, "it stays with its truth"
        assert_fits(page)
        page.keyboard.press("n" if i % 2 else "Enter")
        assert page.inner_text("#feedback") == ""
    assert page.inner_text("#position") == f"Image 1 of {N}"
    assert page.is_disabled("#undo"), "the warm-up does not count"
    images = content(html)["images"]
    answers = [i % 3 == 0 for i in range(N)]
    for i, answer in enumerate(answers):
        assert page.inner_text("#position") == f"Image {i + 1} of {N}"
        assert page.get_attribute("#image", "src") == images[i]
        assert page.get_attribute("#image", "alt") == f"image {i + 1}"
        if i == 5:
            for key in ("u", "Backspace"):
                page.keyboard.press(key)
            assert page.inner_text("#position") == f"Image 4 of {N}"
            for again in answers[3:5]:
                page.keyboard.press("R" if again else "G")
        keys = ("r", "ArrowLeft") if answer else ("g", "ArrowRight")
        page.keyboard.press(keys[i % 2])
    assert page.is_hidden("#asking")
    page.keyboard.press("u")
    assert page.is_hidden("#asking"), "who has seen the result cannot answer again"
    assert page.evaluate("document.activeElement.id") == "download"
    assert_fits(page)
    assert_result(page, trained, answers, tmp_path, capsys)


def test_by_touch_on_a_phone(open_page, page_file, trained, tmp_path, capsys):
    page = open_page(375, 667, has_touch=True, is_mobile=True, color_scheme="dark")
    html = page_file.read_text()
    answers = [not real for real in truth(html)]
    assert_fits(page)
    for _ in range(WARM_UP):
        page.tap("#generated")
        assert_fits(page)
        page.tap("#next")
    page.tap("#real" if not answers[0] else "#generated")
    page.tap("#undo")
    for answer in answers:
        page.tap("#real" if answer else "#generated")
    assert "100.0 %" in page.inner_text("#result"), "all are wrong"
    items = page.locator("#mistakes li").all()
    assert [item.locator("img").get_attribute("src") for item in items] == content(html)["images"]
    assert [item.inner_text().split(",")[0] for item in items] == [
        "real" if real else "generated" for real in truth(html)
    ]
    assert_fits(page)
    assert_result(page, trained, answers, tmp_path, capsys)


@pytest.mark.parametrize(("width", "height"), [(320, 480), (667, 375), (2560, 1440)])
def test_windows_of_other_sizes(open_page, width, height):
    page = open_page(width, height)
    assert_fits(page)
    warm_up(page)
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
    for _ in range(WARM_UP):
        assert page.evaluate("document.activeElement.id") == "real"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "next"
        page.keyboard.press("Enter")
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
    assert page.evaluate("answers.map((each) => each.answered_real)") == [False, True]


def test_a_reload_keeps_the_answers(open_page, page_file):
    page = open_page(1280, 800)
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    page.reload()
    assert page.inner_text("#position").startswith(f"Warm-up 2 of {WARM_UP}.")
    for _ in range(WARM_UP - 1):
        page.keyboard.press("r")
        page.keyboard.press("Enter")
    given = [i % 3 == 0 for i in range(N)]
    for i, answer in enumerate(given):
        if i == 4:
            page.reload()
        assert page.inner_text("#position") == f"Image {i + 1} of {N}"
        page.keyboard.press("r" if answer else "g")
    result, mistakes = page.inner_text("#result"), page.inner_text("#mistakes")
    wrong = sum(real != answer for real, answer in zip(truth(page_file.read_text()), given))  # noqa: B905
    assert f"{wrong} of {N};" in result and mistakes.count("taken for") == wrong
    page.reload()
    assert page.inner_text("#result") == result and page.inner_text("#mistakes") == mistakes
    assert page.evaluate("answers.map((each) => each.answered_real)") == given
    page.evaluate("localStorage.setItem(place, '{')")
    page.reload()
    assert page.inner_text("#position").startswith("Warm-up 1 of"), "damaged: from the start"


def test_starting_over(open_page):
    page = open_page(1280, 800)
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.accept()))
    assert page.is_disabled("#restart")
    warm_up(page)
    page.keyboard.press("r")
    page.click("#restart")
    assert page.inner_text("#position").startswith(f"Warm-up 1 of {WARM_UP}.")
    warm_up(page)
    for _ in range(N):
        page.keyboard.press("r")
    page.click("#again")
    assert len(dialogs) == 2
    page.reload()
    assert page.inner_text("#position").startswith(f"Warm-up 1 of {WARM_UP}.")
    assert page.is_hidden("#saving") and page.is_hidden("#mistakes")
    assert page.inner_text("#result") == ""


def test_the_page_says_what_is_suspect(open_page):
    page = open_page(1280, 800)
    reasons = []
    for answered, seconds in (("r", 1), ("rg", 0.1), ("rg", 1)):
        given = [
            {"real": i < N // 2, "answered_real": answered[i % len(answered)] == "r"}
            | {"seconds": seconds}
            for i in range(N)
        ]
        page.evaluate("given => { answers = given; store(); }", given)
        reasons.append(page.evaluate("suspect()"))
        page.reload()
        assert page.locator(".warning").count() == (reasons[-1] is not None)
    assert reasons[0] == "All answers are the same"
    assert reasons[1] == "Half of the answers took less than 0.10 s, too fast to look at an image"
    assert reasons[2] is None


def test_without_storage_the_page_works_and_asks_before_it_is_left(open_page):
    page = open_page(1280, 800)
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error(); }; }")
    warm_up(page)
    assert page.inner_text("#position") == f"Image 1 of {N}"
    page.keyboard.press("r")
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.accept()))
    page.reload()
    assert dialogs == ["beforeunload"]


def test_the_page_s_interval_is_python_s(open_page):
    page = open_page(1280, 800)
    for wrong, n in ((0, 7), (7, 7), (3, 10), (31, 100), (1, 1000)):
        interval = stats.binomtest(wrong, n).proportion_ci(0.95, method="wilson")
        assert page.evaluate("([k, n]) => wilson(k, n)", [wrong, n]) == pytest.approx(
            list(interval), abs=1e-12
        )
