"""Human evaluation: what answers measure, the file they are in, the page that asks for them."""

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
from keras_gen.judging.answers import ALIKE, FASTEST
from keras_gen.judging.page import mixed, picture

TRAIN = "train vae_digits --epochs 1 --set hidden=(32,) --set latent_dim=3"
N, SEED = 12, 4
WARM_UP = 6
FILE = {
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


def page_of(where, n: int, seed: int = 0) -> str:
    trained = runs.open(where)
    return judging.page(trained, trained.dataset(), n, seed)


def truth(html: str) -> list[bool]:
    return decoded(content(html)["truth"])


def decoded(truth: str) -> list[bool]:
    return [bit == "1" for bit in base64.b64decode(truth).decode()]


# ---- error rates -------------------------------------------------------------------------------


def test_error_rates_and_their_intervals():
    # 5 of 10 real and 0 of 10 generated examples are answered wrongly.
    real = np.repeat([True, False], 10)
    answered_real = np.repeat([True, False, False], [5, 5, 10])
    errors = judging.human_errors(real, answered_real)
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
def test_error_rates_need_answers_about_both_kinds(real, answered_real, message):
    with pytest.raises(ValueError, match=message):
        judging.human_errors(real, answered_real)


# ---- files -------------------------------------------------------------------------------------


def test_reading_back(tmp_path):
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(FILE))
    answers = judging.read_answers(path)
    assert (answers.run, answers.preset, answers.seed) == ("gan-001", "gan", 3)
    assert answers.date == FILE["date"]
    np.testing.assert_array_equal(answers.real, [True, False, False])
    np.testing.assert_array_equal(answers.answered_real, [True, True, False])
    np.testing.assert_array_equal(answers.seconds, [1.5, 2, 0])
    assert judging.human_errors(answers.real, answers.answered_real).generated.value == 0.5
    path.write_text(json.dumps(with_second(without(SECOND, "seconds"))))
    np.testing.assert_array_equal(judging.read_answers(path).seconds, [1.5, np.nan, 0])


@pytest.mark.parametrize("timed", [True, False])
def test_a_file_of_version_0_1_is_read(timed, tmp_path):
    path = tmp_path / "judgements.json"
    old = [
        {"real": each["real"], "judged_real": each["answered_real"]}
        | ({"seconds": each["seconds"]} if timed else {})
        for each in FILE["answers"]
    ]
    path.write_text(json.dumps(without(FILE, "answers") | {"judgements": old}))
    answers = judging.read_answers(path)
    assert (answers.run, answers.preset, answers.seed) == ("gan-001", "gan", 3)
    np.testing.assert_array_equal(answers.real, [True, False, False])
    np.testing.assert_array_equal(answers.answered_real, [True, True, False])
    np.testing.assert_array_equal(answers.seconds, [1.5, 2, 0] if timed else [np.nan] * 3)
    assert judging.suspect(answers) is None

    old[1] = "real"
    path.write_text(json.dumps(without(FILE, "answers") | {"judgements": old}))
    with pytest.raises(ValueError, match=r"answers\[1\] must be an object"):
        judging.read_answers(path)


def answers_of(answered_real: list[bool], seconds: list[float]) -> judging.Answers:
    real = np.arange(len(answered_real)) % 2 == 0
    return judging.Answers("", "", 0, "", real, np.array(answered_real), np.array(seconds))


def test_answers_that_are_suspect():
    both = [i % 3 == 0 for i in range(ALIKE)]
    slow, fast = [2.0] * ALIKE, [FASTEST / 2] * ALIKE
    assert judging.suspect(answers_of(both, slow)) is None
    assert judging.suspect(answers_of([True] * ALIKE, slow)) == f"all {ALIKE} are 'real'"
    assert judging.suspect(answers_of([False] * ALIKE, slow)) == f"all {ALIKE} are 'generated'"
    assert judging.suspect(answers_of([True] * (ALIKE - 1), slow[1:])) is None, "may be chance"
    assert "too fast to look at an image" in judging.suspect(answers_of(both, fast))
    assert judging.suspect(answers_of(both, [FASTEST] * ALIKE)) is None
    some = fast[: ALIKE // 2 - 1] + slow[: ALIKE // 2 + 1]
    assert judging.suspect(answers_of(both, some)) is None, "few fast answers do no harm"


def without(fields: dict, name: str) -> dict:
    return {key: value for key, value in fields.items() if key != name}


def with_second(answer) -> dict:
    """The file whose second answer is another."""
    first, _, third = FILE["answers"]
    return FILE | {"answers": [first, answer, third]}


SECOND = FILE["answers"][1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        *((without(FILE, name), f"{name} is missing") for name in FILE),
        *(
            (with_second(without(SECOND, n)), rf"answers\[1\].{n} is missing")
            for n in ("real", "answered_real")
        ),
        ([], "the content must be an object"),
        (FILE | {"run": 3}, "run must be text, got 3"),
        (FILE | {"preset": None}, "preset must be text, got null"),
        (FILE | {"protocol": "hype_time"}, 'must be "hype_infinity", got "hype_time"'),
        (FILE | {"seed": True}, "seed must be an integer, got true"),
        (FILE | {"seed": 0.5}, "seed must be an integer, got 0.5"),
        (FILE | {"answers": []}, r"answers must be a list that is not empty, got \[\]"),
        (FILE | {"answers": {}}, "answers must be a list"),
        (with_second("real"), r'answers\[1\] must be an object, got "real"'),
        (with_second(SECOND | {"real": 1}), r"\[1\].real must be true or false, got 1"),
        (with_second(SECOND | {"answered_real": "yes"}), 'true or false, got "yes"'),
        (with_second(SECOND | {"seconds": -1}), r"\[1\].seconds must be a number of at least 0"),
        (with_second(SECOND | {"seconds": float("nan")}), "a number of at least 0, got NaN"),
        (with_second(SECOND | {"seconds": True}), "a number of at least 0, got true"),
        (FILE | {"date": 0}, "date must be text"),
    ],
)
def test_a_bad_file_is_one_error_that_names_the_field(content, message, tmp_path):
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: .*{message}"):
        judging.read_answers(path)


@pytest.mark.parametrize("text", [b"", b"<html>", b"\xff\xfe{"])
def test_a_file_of_something_else(text, tmp_path):
    path = tmp_path / "answers.json"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))} is not JSON"):
        judging.read_answers(path)


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

    shown = np.stack(images) / 255
    assert shown.shape == (N, 8, 8, 3)
    assert (shown == shown[..., :1]).all(), "gray"
    assert tiles(shown[real]) <= tiles(data.load("digits").arrays("test")["x"])
    assert len(tiles(shown[real])) == N // 2
    samples = runs.open(trained).sample(N // 2, seed=SEED)
    assert tiles(shown[~real]) == tiles(samples)

    warm_up = np.stack([pixels(uri) for uri in content(html)["warmUpImages"]]) / 255
    warm_up_real = np.array(decoded(content(html)["warmUpTruth"]))
    assert len(warm_up) == len(warm_up_real) == WARM_UP
    assert warm_up_real.sum() == WARM_UP // 2
    assert tiles(warm_up[warm_up_real]) <= tiles(data.load("digits").arrays("test")["x"])
    assert not tiles(warm_up) & tiles(shown), "none is asked that was told"


def test_the_seed_decides_all(trained, page_file):
    page = page_file.read_text()
    assert page_of(trained, N, SEED) == page
    assert content(page)["page"] != content(page_of(trained, N - 2, SEED))["page"]
    other = page_of(trained, N, SEED + 1)
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
    assert image.shape == (2, 3, 3)
    np.testing.assert_array_equal(np.argwhere(image), [[0, 2, 0], [0, 2, 1], [0, 2, 2]])


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
    assert (
        "mine cannot be shown to a person: only images and spectrograms can"
        in capsys.readouterr().err
    )
    assert not out.exists()


def test_a_page_of_a_released_model_by_its_name(tmp_path, capsys):
    out = tmp_path / "page.html"
    assert run(f"judge vae_digits -n 2 --out {out}") == 0
    assert "2 images of vae_digits" in capsys.readouterr().out
    shown = content(out.read_text())
    assert (shown["run"], shown["preset"]) == ("vae_digits", "vae_digits")
    assert len(shown["images"]) == 2

    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps(FILE | {"run": "vae_digits", "preset": "vae_digits"}))
    assert run(f"evaluate vae_digits --human {answers} --json") == 0
    assert json.loads(capsys.readouterr().out)["hype_infinity"]["n"] == 3


def test_a_page_of_a_model_file_needs_data(trained, tmp_path, capsys):
    model, out = tmp_path / "mine.keras", tmp_path / "page.html"
    shutil.copy(trained / "model.keras", model)
    assert run(f"judge {model} -n 2 --out {out}") == 2
    assert "does not say what its data is" in capsys.readouterr().err
    assert run(f"judge {model} -n 2 --data digits --out {out}") == 0
    assert content(out.read_text())["run"] == "mine"


def test_without_enough_test_examples_there_is_no_warm_up(trained):
    everything = content(page_of(trained, 718))
    assert len(everything["images"]) == 718
    assert everything["warmUpImages"] == []


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
    path.write_text(json.dumps(FILE | {"run": "vae_digits-001", "preset": "vae_digits"}))
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


def test_evaluate_human_warns_of_suspect_answers(trained, tmp_path, capsys):
    path = tmp_path / "answers.json"
    given = [{"real": i % 2 == 0, "answered_real": True, "seconds": 1.0} for i in range(ALIKE)]
    ours = FILE | {"run": "vae_digits-001", "preset": "vae_digits"}
    path.write_text(json.dumps(ours | {"answers": given}))
    assert run(f"evaluate {trained} --human {path} --json") == 0
    captured = capsys.readouterr()
    reason = f"all {ALIKE} are 'real'"
    assert captured.err == f"The answers in {path} are suspect: {reason}.\n"
    assert {each["suspect"] for each in json.loads(captured.out).values()} == {reason}

    path.write_text(json.dumps(ours))
    assert run(f"evaluate {trained} --human {path} --json") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert not any("suspect" in each for each in json.loads(captured.out).values())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"run": "vae_digits-002"},
            "is about vae_digits-002 (vae_digits), not about vae_digits-001 (vae_digits)",
        ),
        ({"preset": "gan_mnist"}, "is about vae_digits-001 (gan_mnist), not about vae_digits-001"),
        ({"seed": "0"}, 'seed must be an integer, got "0"'),
        ({"answers": FILE["answers"][:1]}, "got 1 real of 1"),
        (None, "No such file"),
    ],
)
def test_evaluate_human_refuses(changed, message, trained, tmp_path, capsys):
    path = tmp_path / "answers.json"
    if changed is not None:
        judged = FILE | {"run": "vae_digits-001", "preset": "vae_digits"} | changed
        path.write_text(json.dumps(judged))
    before = (trained / "metrics.json").read_text()
    assert run(f"evaluate {trained} --human {path}") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert (trained / "metrics.json").read_text() == before


# ---- in a browser ------------------------------------------------------------------------------


@pytest.fixture
def open_page(browser, page_file):
    """A function that opens the page in a new window, offline, and collects what goes wrong.

    The warm-up is done, unless `warm_up=True`.
    """
    contexts, problems = [], []

    def opened(width: int, height: int, *, warm_up=False, script="", **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, offline=True, **options
        )
        contexts.append(context)
        context.add_init_script(script)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda request: requests.append(request.url))
        requests = page.requests = []
        page.goto(page_file.as_uri())
        for _ in range(0 if warm_up else 2 * WARM_UP):
            page.keyboard.press("g")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not problems


def assert_fits(page) -> None:
    """Nothing lies beside the window, and an answer needs no scrolling."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ("image", "real", "generated", "next", "undo"):
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
    read = judging.read_answers(path)
    assert (read.run, read.preset, read.seed) == ("vae_digits-001", "vae_digits", SEED)
    assert read.answered_real.tolist() == answers
    assert read.seconds.max() < 60

    errors = judging.human_errors(read.real, read.answered_real)
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
    page = open_page(1280, 800, warm_up=True)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "real"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "generated"
    for i in range(WARM_UP):
        assert page.inner_text("#position").startswith(f"Warm-up {i + 1} of {WARM_UP}")
        page.keyboard.down("Enter")
        page.keyboard.down("Enter")
        page.keyboard.up("Enter")
        assert page.evaluate("document.activeElement.id") == "next"
        page.keyboard.press("Enter")
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


def test_the_warm_up_tells_the_truth_and_does_not_count(open_page, page_file):
    page = open_page(1280, 800, warm_up=True)
    shown = content(page_file.read_text())
    for i, real in enumerate(decoded(shown["warmUpTruth"])):
        assert page.inner_text("#position").startswith(f"Warm-up {i + 1} of {WARM_UP}")
        assert page.get_attribute("#image", "src") == shown["warmUpImages"][i]
        assert page.inner_text("#feedback") == ""
        assert_fits(page)
        page.click("#real")
        right, kind = ("Right", "real") if real else ("Wrong", "generated")
        assert page.inner_text("#feedback") == f"{right}: this one is {kind}."
        assert page.get_attribute("#image", "src") == shown["warmUpImages"][i], "look again"
        assert page.is_hidden("#real")
        assert_fits(page)
        page.keyboard.press("u")
        assert page.is_visible("#next"), "a warm-up has nothing to undo"
        page.click("#next")
    assert page.inner_text("#position") == f"Image 1 of {N}"
    assert page.inner_text("#feedback") == "From here on, answers count."
    assert page.evaluate("answers.length") == 0
    assert page.is_disabled("#undo")


def test_a_reload_keeps_the_answers(open_page, trained):
    page = open_page(1280, 800, warm_up=True)
    page.keyboard.press("r")
    page.keyboard.press("r")
    page.reload()
    assert page.inner_text("#position").startswith(f"Warm-up 2 of {WARM_UP}")
    for _ in range(2 * (WARM_UP - 1)):
        page.keyboard.press("r")
    for key in "rgr":
        page.keyboard.press(key)
    page.reload()
    assert page.inner_text("#position") == f"Image 4 of {N}"
    assert page.evaluate("answers.map((each) => each.answered_real)") == [True, False, True]

    # Another page in the same place has its own answers.
    first, other = page.url, trained.parent / "other.html"
    other.write_text(page_of(trained, N, SEED + 1))
    page.goto(other.as_uri())
    assert page.inner_text("#position").startswith("Warm-up 1 of")
    page.goto(first)
    for _ in range(N - 3):
        page.keyboard.press("g")
    text, date = page.inner_text("#result"), page.evaluate("card.date")
    page.reload()
    assert page.inner_text("#result") == text
    assert page.evaluate("card.date") == date
    page.evaluate("localStorage.setItem(place, '{')")
    page.goto("about:blank")
    page.goto(first)
    assert page.inner_text("#position").startswith("Warm-up 1 of"), "damaged: from the start"


def test_start_over(open_page):
    page = open_page(1280, 800)
    questions = []

    def reply(dialog):
        questions.append(dialog.message)
        dialog.accept() if len(questions) > 1 else dialog.dismiss()

    page.on("dialog", reply)
    for _ in range(3):
        page.keyboard.press("r")
    page.click("#restart")
    assert page.inner_text("#position") == f"Image 4 of {N}", "the person said no"
    page.click("#restart")
    assert page.inner_text("#position").startswith("Warm-up 1 of")
    assert page.is_disabled("#restart")
    page.reload()
    assert page.inner_text("#position").startswith("Warm-up 1 of")
    # At the end, for another person.
    for _ in range(2 * WARM_UP + N):
        page.keyboard.press("r")
    assert page.is_hidden("#asking")
    page.click("#again")
    assert len(questions) == 3
    assert page.inner_text("#position").startswith("Warm-up 1 of")
    for _ in range(2 * WARM_UP + N):
        page.keyboard.press("g")
    assert page.locator("h2").all_inner_texts() == ["Wrong answers", "Your mistakes"]


def test_the_gallery_shows_the_mistakes_with_the_truth(open_page, page_file):
    page = open_page(1280, 800)
    shown, real = content(page_file.read_text()), truth(page_file.read_text())
    wrong = [i for i in range(N) if i % 5 < 2]
    for i in range(N):
        page.keyboard.press("r" if real[i] != (i in wrong) else "g")
    sections = page.locator("#mistakes .gallery").evaluate_all(
        "all => all.map((each) => [each.previousSibling.textContent,"
        " [...each.children].map((image) => image.src)])"
    )
    kinds = (("Real taken for generated", True), ("Generated taken for real", False))
    assert sections == [
        [name, [shown["images"][i] for i in wrong if real[i] == kind]] for name, kind in kinds
    ]


def test_without_mistakes_there_is_no_gallery(open_page, page_file):
    page = open_page(1280, 800)
    for real in truth(page_file.read_text()):
        page.keyboard.press("r" if real else "g")
    assert "0.0 %" in page.inner_text("#result")
    assert page.inner_text("#mistakes") == ""


@pytest.mark.parametrize("reason", ["fast", "alike", None])
def test_the_page_says_what_is_suspect(reason, open_page):
    page = open_page(1280, 800)
    later = 0 if reason == "fast" else 400  # milliseconds that the page thinks have passed
    page.evaluate(
        "later => { const now = performance.now.bind(performance); let passed = 0;"
        " performance.now = () => now() + (passed += later); }",
        later,
    )
    for i in range(N):
        page.keyboard.press("r" if reason == "alike" or i % 3 else "g")
    read = answers_of(
        *page.evaluate(
            "[answers.map((each) => each.answered_real), answers.map((each) => each.seconds)]"
        )
    )
    ours = judging.suspect(read)
    warnings = [
        each.replace("“", "'").replace("”", "'")
        for each in page.locator(".warning").all_inner_texts()
    ]
    assert warnings == ([f"These answers are suspect: {ours}."] if ours else [])
    assert (ours is None) == (reason is None)
    assert reason != "alike" or "all 12 are 'real'" in ours
    assert reason != "fast" or "too fast" in ours


def test_without_storage(open_page):
    """A browser may deny storage to files: then the answers end with the page, and it warns."""
    deny = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } })"
    page = open_page(1280, 800, script=deny)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    for key in "rg":
        page.keyboard.press(key)
    assert page.inner_text("#position") == f"Image 3 of {N}"
    page.reload()
    assert asked == ["beforeunload"]
    assert page.inner_text("#position") == f"Image 3 of {N}", "the history has them"
    for _ in range(N - 2):
        page.keyboard.press("r")
    with page.expect_download():
        page.click("#download")
    page.reload()
    assert asked == ["beforeunload"], "the answers are downloaded"


def test_names_are_text(open_page, trained):
    odd = trained.parent / "<img src=x onerror=alert(1)>&amp;'\""
    shutil.copytree(trained, odd)
    file = trained.parent / "odd.html"
    file.write_text(page_of(odd, 2))
    page = open_page(1280, 800)
    page.goto(file.as_uri())
    for _ in range(2 * WARM_UP + 2):
        page.keyboard.press("r")
    assert f"keras-gen evaluate {odd.name} --human" in page.inner_text("#command")


def test_the_page_s_interval_is_python_s(open_page):
    page = open_page(1280, 800)
    for wrong, n in ((0, 7), (7, 7), (3, 10), (31, 100), (1, 1000)):
        interval = stats.binomtest(wrong, n).proportion_ci(0.95, method="wilson")
        assert page.evaluate("([k, n]) => wilson(k, n)", [wrong, n]) == pytest.approx(
            list(interval), abs=1e-12
        )
