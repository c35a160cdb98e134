"""Whatever is given: a documented error of one line, and nothing written; never a traceback."""

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_gen import data, presets, runs, tuning
from keras_gen.cli.main import main
from keras_gen.engine import options
from keras_gen.presets import released

FUZZ = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
VALUES = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(max_size=8),
    st.lists(st.integers(-3, 300), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(-3, 3), max_size=2),
)
PRESETS = ("vae_digits", "gan_ring", "beta_vae_shapes", "crgan_sines")


# ---- the command line ----------------------------------------------------------------------------

COMMANDS = [
    *(f"{name} " for name in ("sample", "show", "explore", "evaluate", "report", "export", "judge",
                              "distill", "release", "compress", "decompress", "features", "info",
                              "train", "tune", "recommend", "compare")),
    *(f"{name} no_such_model {rest}" for name, rest in (
        ("sample", "-n 4 --out x.png"), ("show", "--what map --out x.png"),
        ("explore", "--out x.html"), ("evaluate", ""), ("report", "--out x.html"),
        ("export", "x"), ("distill", "--out x"), ("compress", "x.npy x.kgz"),
        ("decompress", "x.kgz x.npy"), ("info", ""), ("train", ""), ("compare", "vae_digits"),
        ("tune", "--metric loss --out x"))),
    "sample vae_digits -n 0 --out x.png",
    "sample vae_digits -n -4 --out x.png",
    "sample vae_digits -n four --out x.png",
    "sample vae_digits -n 4 --out x.gif",
    "sample vae_digits -n 4 --out no/where/x.png",
    "sample vae_digits -n 4 --label 3 --out x.png",
    "sample vae_digits -n 4 --seed -1 --out x.png",
    "sample vae_digits -n 4 --seed 99999999999 --out x.png",
    "sample cvae_mnist -n 4 --label 10 --out x.png",
    "sample cvae_mnist -n 4 --label x --out x.png",
    "show vae_digits --what dream --out x.png",
    "show vae_digits --what map --out x.bmp",
    "show vae_digits --what training --out x.gif",
    "show vae_digits --what map --data nothing --out x.png",
    "explore vae_digits --out x.png",
    "explore vae_digits --units 0 --out x.html",
    "explore gan_ring --out x.html",
    "evaluate vae_digits --metrics fid",
    "evaluate vae_digits --metrics modes_2500",
    "evaluate vae_digits --data ring",
    "export vae_digits x --format tensorrt",
    "export vae_digits x.onnx --format onnx --quantize int4",
    "distill vae_digits --width 0 --out x",
    "distill vae_digits --width two --out x",
    "distill gan_ring --epochs 0 --out x",
    "compress vae_digits none.npy x.kgz",
    "compress gan_ring none.npy x.kgz",
    "decompress vae_digits none.kgz x.npy",
    "features nothing --out x.keras",
    "features ring --out x.keras",
    "train vae_digits --epochs 0",
    "train vae_digits --epochs 1.5",
    "train vae_digits --batch-size 100000",
    "train vae_digits --learning-rate 0",
    "train vae_digits --learning-rate nan",
    "train vae_digits --set latent_dim",
    "train vae_digits --set latent_dim=0",
    "train vae_digits --set latent_dim=many",
    "train vae_digits --set likelihood=normal",
    "train vae_digits --set data.size=3",
    "train vae_digits --set network=transformer",
    "train vae_digits --strategy everywhere",
    "train vae_digits --dtype int8",
    "train vae_digits --data nothing",
    "train vae_digits --data .",
    "train vae_digits --config none.json",
    "train --resume",
    "train --resume --run-dir none",
    "train gan_ring --set packing=3",
    "train gan_ring --set ema=1",
    "train gan_ring --set loss=lossless",
    "tune vae_digits --metric loss --trials 0 --out x",
    "tune vae_digits --metric loss --budget 0 --out x",
    "tune vae_digits --metric loss --space latent_dim=4 --out x",
    "recommend --data digits --goal win",
    "recommend --data digits --budget never",
]  # fmt: skip


@pytest.mark.parametrize("line", COMMANDS)
def test_a_wrong_command_is_one_line(line, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(line.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("keras-gen: error: ") and captured.err.count("\n") == 1
    assert len(captured.err) < 700
    assert not list(tmp_path.iterdir())


def keys():
    found = {"data.validation", "data.seed", "no_such_key", ""}
    for name in PRESETS:
        cls = __import__("keras_gen.models").models.get(presets.get(name).class_name)
        found |= {*options.network_options(cls), *options.model_options(cls)}
    return sorted({*found, *runs.config.OVERRIDABLE})


@FUZZ
@given(st.sampled_from(PRESETS), st.sampled_from(keys()), VALUES)
def test_any_setting_is_taken_or_refused(name, key, value):
    preset = presets.get(name)
    try:
        changed = runs.override(preset, {key: value})
    except ValueError as error:
        assert str(error)
    else:
        assert changed.name == name


@FUZZ
@given(st.dictionaries(st.text(max_size=6), st.text(alphabet="0123456789.,:-elogabn ", max_size=9),
                       max_size=2))  # fmt: skip
def test_any_space_is_read_or_refused(space):
    try:
        parsed = tuning.parse(space)
    except ValueError as error:
        assert str(error)
    else:
        assert parsed.keys() == space.keys()


# ---- files ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good_npz():
    out = io.BytesIO()
    np.savez_compressed(out, x=np.zeros((9, 8, 8, 1), "uint8"), label=np.arange(9) % 3)
    return out.getvalue()


@FUZZ
@given(st.sampled_from([".npz", ".npy", ".csv"]), st.binary(max_size=200))
def test_any_bytes_are_data_or_refused(tmp_path, suffix, content):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    try:
        data.load(path)
    except data.DataError as error:
        assert str(error) and "\n" not in str(error)


@FUZZ
@given(st.integers(0, 10**6), st.integers(1, 255), st.booleans())
def test_a_damaged_file_of_arrays_is_refused_or_the_same(tmp_path, good_npz, place, flip, cut):
    content = bytearray(good_npz)
    place %= len(content)
    content = content[:place] if cut else content
    if not cut:
        content[place] ^= flip
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    try:
        data.load(path)
    except data.DataError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_no_code_is_run_from_arrays(suffix, tmp_path):
    """An array of objects is a pickle."""
    path = tmp_path / f"x{suffix}"
    x = np.array([{"a": 1}, None], dtype=object)
    (np.savez(path, x=x) if suffix == ".npz" else np.save(path, x, allow_pickle=True))
    with pytest.raises(data.DataError):
        data.load(path)


@pytest.fixture(scope="module")
def model_bytes():
    return released.model_file("vae_digits").read_bytes()


@settings(FUZZ, max_examples=40)
@given(st.integers(0, 10**9), st.integers(1, 255), st.booleans())
def test_a_damaged_model_is_refused_or_the_same(tmp_path, model_bytes, place, flip, cut):
    content = bytearray(model_bytes)
    place %= len(content)
    content = content[:place] if cut else content
    if not cut:
        content[place] ^= flip
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    try:
        runs.open(path).model  # noqa: B018
    except ValueError as error:
        assert str(path) in str(error) or "model" in str(error)


def test_layers_with_code_in_a_model_are_refused(tmp_path, model_bytes, capsys):
    """A Lambda layer holds Python bytecode; a foreign class would be imported."""
    for name, layer in (
        ("neither", None),
        ("lambda", {"module": "keras.layers", "class_name": "Lambda", "registered_name": None,
                    "config": {"name": "l", "function": {
                        "class_name": "__lambda__",
                        "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}}}),
        ("foreign", {"module": "os", "class_name": "system", "registered_name": None,
                     "config": {"command": "touch owned"}}),
    ):  # fmt: skip
        path = tmp_path / f"{name}.keras"
        with zipfile.ZipFile(io.BytesIO(model_bytes)) as old, zipfile.ZipFile(path, "w") as new:
            for entry in old.namelist():
                content = old.read(entry)
                if entry == "config.json" and layer:
                    config = json.loads(content)
                    config["config"]["encoder"]["config"]["layers"].insert(1, layer | {
                        "name": "l", "inbound_nodes": []})  # fmt: skip
                    content = json.dumps(config)
                new.writestr(entry, content)
        code = main(["sample", str(path), "-n", "1", "--out", str(tmp_path / f"{name}.png")])
        assert code == (2 if layer else 0)
        assert capsys.readouterr().err.count("\n") == bool(layer)
        assert not (tmp_path / "owned").exists()
        assert (tmp_path / f"{name}.png").exists() == (not layer)


# ---- run directories -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def config_json():
    preset = runs.override(presets.get("vae_digits"), {"epochs": 1})
    return json.dumps(runs.Config(preset).as_json() | {"spec": {}})


@FUZZ
@given(place=st.integers(0, 10**6), value=VALUES)
def test_any_change_of_a_config_is_taken_or_refused(tmp_path, config_json, place, value):
    content = json.loads(config_json)
    spots = [(content, key) for key in content]
    spots += [(content["preset"], key) for key in content["preset"]]
    where, key = spots[place % len(spots)]
    where[key] = value
    (tmp_path / "config.json").write_text(json.dumps(content))
    try:
        runs.Run(tmp_path).config  # noqa: B018
    except (ValueError, FileNotFoundError) as error:
        assert "config.json" in str(error)


@FUZZ
@given(st.binary(max_size=60))
def test_a_config_of_any_bytes_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"config\.json"):
        runs.Run(tmp_path).content  # noqa: B018
