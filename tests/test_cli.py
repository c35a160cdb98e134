"""The command line: what it prints, where it writes, how it fails."""

import dataclasses
import errno
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_gen import cli, evaluation, presets
from keras_gen.runs import callbacks

ROOT = Path(__file__).resolve().parent.parent
TRAIN = "train vae_digits --epochs 2 --set hidden=(32,) --set latent_dim=3 --seed 5"


def run(command: str) -> int:
    return cli.main(shlex.split(command))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "vae_digits-001"
    assert run(f"{TRAIN} --run-dir {path}") == 0
    return path


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory) -> Path:
    """A run that was interrupted (control-C) in its second epoch."""
    path = tmp_path_factory.mktemp("runs") / "vae_digits-001"

    def interrupt(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(callbacks.StopWhenDiverged, "on_epoch_end", interrupt)
        assert run(f"{TRAIN} --run-dir {path}") == 130
    return path


# ---- without TensorFlow ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    ["--help", "train --help", "list", "list --json", "info dgan_mnist", "--version"],
)
def test_answers_at_once(arguments):
    code = (
        "import sys\n"
        "from keras_gen import cli\n"
        "try: cli.main(sys.argv[1:])\n"
        "except SystemExit as done: assert not done.code\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert seconds < 1


def test_a_reader_that_has_enough_is_no_error():
    command = [sys.executable, "-m", "keras_gen", "list"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_list(capsys):
    assert run("list") == 0
    out = capsys.readouterr().out
    assert all(name in out for name in presets.PRESETS)
    (row,) = (line for line in out.splitlines() if line.startswith("dgan_mnist "))
    assert row.split()[:6] == ["dgan_mnist", "DGAN", "1.9", "MB", "26", "min"]
    assert run("list --json") == 0
    entries = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert entries.keys() == presets.PRESETS.keys()
    assert entries["vae_mnist"]["target"] == {"nll_iw5000": 89.6}
    assert entries["crgan_notes"]["weights"] is None
    assert "notes:FILE" in entries["crgan_notes"]["needs"]
    assert run("list --released --model VAE --json") == 0
    names = [each["name"] for each in json.loads(capsys.readouterr().out)]
    assert names == [
        "vae_digits",
        "vae_mnist",
        "conv_vae_mnist",
        "vae_mnist_8bit",
        "conv_vae_cifar10",
    ]


def test_info(capsys):
    assert run("info vae_mnist") == 0
    out = capsys.readouterr().out
    for text in ("Burda", "saved_models/vae_mnist/samples.png", "nll_iw5000", "89.6", "mnist of"):
        assert text in out
    assert run("info vae_mnist --json") == 0
    known = json.loads(capsys.readouterr().out)
    assert known["card"]["metrics"]["epochs"] == 115
    assert run("info crgan_notes") == 0
    assert "none: train it" in capsys.readouterr().out
    assert run("info vae_mnits") == 2
    assert "Did you mean 'vae_mnist'" in capsys.readouterr().err


# ---- silence -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        "-c 'import keras_gen.models'",
        "-c 'import keras_gen.latents'",
        "-c 'import keras_gen as kg; kg.from_preset(\"gan_ring\").sample(2)'",
        "-m keras_gen sample gan_ring -n 2 --out {out}",
        "-m keras_gen train vae_digits --backend jax --epochs 1 --run-dir {out}.run",
    ],
)
def test_nothing_of_tensorflows_start_is_shown(arguments, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    command = shlex.split(arguments.format(out=tmp_path / "x.npz"))
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_of_tensorflows_import_is_shown(tmp_path):
    (tmp_path / "tensorflow.py").write_text(
        "import os\n"
        "os.write(2, b'I0000 00:00:1.2 3 cudart_stub.cc:31] no GPU\\nlibz is broken\\n')\n"
        "1 / 0\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    code = "import keras_gen.quiet"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 1
    assert "libz is broken" in done.stderr and "ZeroDivisionError" in done.stderr
    assert "cudart_stub" not in done.stderr


def test_errors_of_devices_are_shown_and_start_up_is_not(tmp_path):
    (tmp_path / "tensorflow.py").write_text(
        "import os\n"
        "class config:\n"
        "    def list_physical_devices():\n"
        "        os.write(2, open(os.environ['LINES'], 'rb').read())\n"
    )
    (tmp_path / "keras.py").write_text("import tensorflow\n")
    place = "00:00:1795746234.205499   22070 cuda_platform.cc:52]"
    start_up = [
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        f"I0000 {place} Could not find cuda drivers on your machine, GPU will not be used.",
        "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.",
        f"W0000 {place} Cannot dlopen some GPU libraries.",
        f"E0000 {place} failed call to cuInit: Failed call to cuInit: UNKNOWN ERROR (303)",
        "2026-11-27 01:22:03.456789: I tensorflow/core/util/port.cc:153] oneDNN is on.",
    ]
    errors = [
        f"E0000 {place} failed call to cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        "2026-11-27 01:22:03.456789: E tensorflow/core/gpu_device.cc:1] no memory is left",
        "a library failed",
    ]
    (tmp_path / "lines").write_text("\n".join([*start_up, *errors]))
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", "import keras_gen.quiet"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path, "LINES": str(tmp_path / "lines")},
    )
    assert done.returncode == 0
    assert done.stderr.splitlines() == errors


def test_commands_show_only_our_output(tmp_path):
    commands = (
        "evaluate gan_ring --metrics modes_2500",
        "compare gan_ring --out both.png",
        "export gan_ring served",
        "judge vae_digits -n 2 --out judge.html",
        "train gan_ring --dry-run",
        "train gan_ring --epochs 1 --set data.size=200 --set data.test_size=100 --run-dir run",
        "sample run -n 2 --out x.npz",
    )
    code = (
        "import sys\n"
        "from keras_gen import cli\n"
        "for command in sys.argv[1:]: assert cli.main(command.split()) == 0, command\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code, *commands],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "keras-gen: figures of the released model gan_ring\n"


# ---- mistakes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "required: COMMAND"),
        ("trian", "invalid choice: 'trian'"),
        ("train", "name a PRESET"),
        ("train --resume", "name a PRESET"),
        ("train vae_digit", "Did you mean 'vae_digits'"),
        ("train vae_digits --epochs many", "argument --epochs: invalid int value: 'many'"),
        ("train vae_digits --epochs 0", "epochs must be a positive integer, got 0"),
        ("train vae_digits --batch-size -1", "batch_size must be a positive integer"),
        ("train vae_digits --learning-rate 0", "learning_rate must be a positive number"),
        ("train vae_digits --seed -1", "argument --seed: must be between 0 and"),
        ("train vae_digits --strategy moon", "argument --strategy: invalid choice: 'moon'"),
        ("train vae_digits --set latent_dim", "--set latent_dim: write KEY=VALUE"),
        ("train vae_digits --set latent=3", "Did you mean 'latent_dim'"),
        ("train vae_digits --set latent_dim=2.5", "latent_dim must be an integer, got 2.5"),
        (
            "train glo_mnist --data digits --set latent_dim=0",
            "latent_dim must be a positive integer, got 0",
        ),
        (
            "train vae_digits --set adam={'beta_1':'x'}",
            "adam must be a dictionary of Adam's arguments",
        ),
        ("train beta_vae_shapes --set beta=x", "beta must be a number, got 'x'"),
        ("train vae_digits --set hidden=abc", "sizes of layers must be positive whole numbers"),
        ("train vae_digits --set schedule=linear", "known are constant, cosine, stages"),
        ("train vae_digits --set latent_dim=many", "many"),
        ("train vae_digits --set data.moon=3", "moon"),
        ("train vae_digits --data no_such_set", "no_such_set"),
        ("train vae_digits --data no/such/folder", "no/such/folder"),
        ("train vae_digits --resume", "no unfinished run of vae_digits"),
        ("train vae_digits --resume --dry-run", "leave out --resume"),
        ("train --resume --run-dir nowhere", "nowhere is not a run directory: it does not exist"),
        ("train --resume --run-dir .", ". is not a run directory: it has no config.json"),
        ("train vae_digits --unknown 3", "unrecognized arguments: --unknown"),
        ("list --model Vae", "--model Vae: classes of presets are VAE, BetaVAE"),
        ("evaluate nowhere", "nowhere is not a run directory, a released folder"),
        ("sample dgan_mnits -n 4 --out x.png", "Did you mean 'dgan_mnist'"),
        ("sample crgan_notes -n 4 --out x.npz", "no trained weights of 'crgan_notes'"),
        ("sample cgan_mnist -n 4 --label a --out x.png", "--label a: write a class"),
        ("sample cgan_mnist -n 4 --label 12 --out x.png", "labels must be in 0..9"),
        ("sample cgan_mnist -n 4 --label 5-3 --out x.png", "--label 5-3 lists no class"),
        ("sample gan_mnist -n 4 --label 1 --out x.png", "takes no labels"),
        ("evaluate vae_digits --out no/x.json", "there is no directory no"),
        ("evaluate gan_ring --data digits", "is for vector data of shape (2,)"),
        ("sample nowhere -n 4 --out x.png", "nowhere is not a run directory"),
        ("sample nowhere -n 0 --out x.png", "argument -n: must be at least 1"),
        ("sample nowhere -n 4 --out no/x.png", "there is no directory no"),
        ("export nowhere there", "nowhere is not a run directory"),
    ],
)
def test_bad_usage_is_one_line(command, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("keras-gen: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not list(tmp_path.iterdir()), "an error writes nothing"


# ---- with a run --------------------------------------------------------------------------------


def test_dry_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(f"{TRAIN} --batch-size 100 --set schedule=stages --dry-run") == 0
    resolved = json.loads(capsys.readouterr().out)
    preset = resolved["preset"]
    assert (preset["epochs"], preset["batch_size"], preset["schedule"]) == (2, 100, "stages")
    assert preset["network"] == {"network": "dense", "hidden": [32], "latent_dim": 3}
    assert preset["model"] == {"likelihood": "discretized_logistic:17"}
    assert resolved["seed"] == 5
    assert resolved["steps_per_epoch"] == resolved["training_examples"] // 100
    assert resolved["steps"] == 2 * resolved["steps_per_epoch"]
    # 64-32-6 and 3-32-128 (a pixel has a mean and a scale), biases included
    assert resolved["parameters"] - 65 * 32 - 33 * 6 - 4 * 32 - 33 * 128 in range(3)
    assert not list(tmp_path.iterdir())


def test_default_run_directories_and_other_data(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).random((200, 8, 8, 1), dtype=np.float32)
    np.savez(tmp_path / "mine.npz", x=x)
    for number in (1, 2):
        assert run(f"{TRAIN} --data mine.npz") == 0
        path = tmp_path / "runs" / f"vae_digits-00{number}"
        assert (path / "model.keras").is_file()
    assert "finished runs/vae_digits-002" in capsys.readouterr().out
    config = json.loads((path / "config.json").read_text())
    assert config["preset"]["data"] == str(tmp_path / "mine.npz")
    assert config["command"] == "keras-gen " + shlex.join(shlex.split(f"{TRAIN} --data mine.npz"))
    assert run("sample runs/vae_digits-002 -n 4 --out x.png") == 0


def test_a_terminated_run_says_how_to_resume(tmp_path, capsys, monkeypatch):
    def terminate(self, epoch, logs=None):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(callbacks.StopWhenDiverged, "on_epoch_end", terminate)
    before = signal.getsignal(signal.SIGTERM)
    assert run(f"{TRAIN} --run-dir {tmp_path / 'r'}") == 130
    assert f"--resume --run-dir {tmp_path / 'r'}" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == before


def test_evaluate(trained, capsys):
    assert run(f"evaluate {trained} --json") == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert {"elbo", "reconstruction", "kl"} <= figures.keys()
    assert figures["elbo"]["unit"] == "nats"
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["evaluation"] == figures
    assert metrics["epochs"] == 2, "what training wrote is kept"

    assert run(f"evaluate {trained}") == 0
    table = capsys.readouterr().out.splitlines()
    header = ["METRIC", "VALUE", "FLOOR", "TARGET", "UNIT", "N", "SECONDS"]
    assert table[0].split() == header
    assert len(table) == 1 + len(figures)


def test_evaluate_by_metrics_of_ones_own(trained, capsys):
    assert run(f"evaluate {trained} --metrics fid_lenet_1k,recall_lenet_5k") == 0
    table = capsys.readouterr().out
    row = next(line for line in table.splitlines() if line.startswith("fid_lenet_1k"))
    value, floor = row.split()[1:3]
    assert float(value) > float(floor) > 0
    known = json.loads((trained / "metrics.json").read_text())["evaluation"]
    assert {"fid_lenet_1k", "recall_lenet_5k"} <= known.keys()
    assert run(f"evaluate {trained} --metrics active_units --json") == 0
    assert "fid_lenet_1k" not in json.loads(capsys.readouterr().out)
    later = json.loads((trained / "metrics.json").read_text())["evaluation"]
    assert later.keys() == known.keys() | {"active_units"}
    assert run(f"evaluate {trained} --metrics fid") == 2
    assert "Protocol 'fid' is unknown. Did you mean" in capsys.readouterr().err
    assert run(f"evaluate {trained} --metrics fid_inception_10k --inception none.pb") == 2
    assert "none.pb does not exist" in capsys.readouterr().err


def test_evaluate_keeps_what_it_measured_before_it_is_stopped(trained, monkeypatch):
    def stopped(subject):
        raise KeyboardInterrupt

    assert run(f"evaluate {trained} --metrics active_units") == 0
    slow = dataclasses.replace(evaluation.PROTOCOLS["recall_lenet_5k"], measure=stopped)
    monkeypatch.setitem(evaluation.PROTOCOLS, "recall_lenet_5k", slow)
    before = json.loads((trained / "metrics.json").read_text())["evaluation"]["active_units"]
    assert run(f"evaluate {trained} --metrics active_units,recall_lenet_5k") == 130
    after = json.loads((trained / "metrics.json").read_text())["evaluation"]["active_units"]
    assert after == before | {"seconds": after["seconds"]}
    assert after["seconds"] != before["seconds"], "it is the new figure"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("sample {run} -n 1 --out {dir}", "is a directory"),
        ("features digits --out {dir}/mine.keras", "mine.json, which is not a card"),
        ("evaluate {run} --metrics fid_inception_10k --inception {dir}/none", "does not exist"),
        ("export {run} {dir}/mine.json/x", "mine.json"),
    ],
)
def test_where_nothing_can_be_written_or_read(command, problem, trained, tmp_path, capsys):
    folder = tmp_path / "a.png"
    folder.mkdir()
    (folder / "mine.json").write_text('{"my": "data"}')
    assert run(command.format(run=trained, dir=folder)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("keras-gen: error: ")
    assert problem in error
    assert (folder / "mine.json").read_text() == '{"my": "data"}'


def test_a_full_disk_says_how_to_resume(tmp_path, capsys, monkeypatch):
    def full(self, epoch, logs=None):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(callbacks.StopWhenDiverged, "on_epoch_end", full)
    assert run(f"{TRAIN} --run-dir {tmp_path / 'r'}") == 1
    error = capsys.readouterr().err
    assert "No space left on device; resume with: keras-gen train --resume" in error


def test_a_full_disk_does_not_lose_figures(trained, tmp_path, capsys, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    from keras_gen import files

    expected = f"evaluate {trained} --metrics active_units"
    assert run(expected) == 0
    table = capsys.readouterr().out
    write = files.write_json
    out = tmp_path / "figures.json"
    monkeypatch.setattr(
        files, "write_json", lambda path, *rest: (full if path == out else write)(path, *rest)
    )
    assert run(f"{expected} --out {out}") == 2
    captured = capsys.readouterr()
    names = [line.split()[0] for line in table.splitlines()]
    assert [line.split()[0] for line in captured.out.splitlines()] == names
    assert "No space left on device" in captured.err.splitlines()[-1]


def test_files_of_another_shape_are_named(trained, tmp_path, capsys):
    path = shutil.copytree(trained, tmp_path / "r")
    (path / "metrics.json").write_text("[]")
    assert run(f"evaluate {path} --metrics active_units") == 2
    assert "metrics.json is damaged: it does not hold a JSON object" in capsys.readouterr().err
    config = json.loads((path / "config.json").read_text())
    del config["data_dir"]
    (path / "config.json").write_text(json.dumps(config))
    assert run(f"evaluate {path} --metrics active_units") == 2
    assert "config.json is damaged: KeyError 'data_dir'" in capsys.readouterr().err


def test_a_damaged_history_is_found_before_training_goes_on(unfinished, tmp_path, capsys):
    path = tmp_path / "r"
    shutil.copytree(unfinished, path)
    (path / "history.csv").write_bytes(bytes(range(256)))
    assert run(f"train --resume --run-dir {path}") == 2
    assert "history.csv is lost or damaged" in capsys.readouterr().err


def test_a_copy_without_empty_folders_resumes(unfinished, tmp_path):
    path = tmp_path / "r"
    shutil.copytree(unfinished, path)
    shutil.rmtree(path / "samples")
    assert run(f"train --resume --run-dir {path}") == 0


def test_compare(trained, tmp_path, capsys):
    other = tmp_path / "other"
    assert run(f"{TRAIN} --epochs 1 --run-dir {other}") == 0
    assert run(f"evaluate {trained} --json") == 0
    assert run(f"compare {trained} {other}") == 2
    assert f"first run keras-gen evaluate {other}" in capsys.readouterr().err
    assert run(f"evaluate {other} --metrics fid_lenet_1k --json") == 0
    capsys.readouterr()
    out = tmp_path / "c.png"
    assert run(f"compare {trained} {other} -n 7 --out {out}") == 0
    header, *rows, last = capsys.readouterr().out.splitlines()
    assert header.split() == ["METRIC", "vae_digits-001", "other", "FLOOR", "UNIT"]
    cells = {row.split()[0]: row.split() for row in rows}
    assert cells["nll_iw100"][4] == "-", "the second run was not measured by it"
    elbo = [json.loads((path / "metrics.json").read_text())["evaluation"]["elbo"]["value"]
            for path in (trained, other)]  # fmt: skip
    assert cells["elbo"][1:3] == [f"{value:.5g}" for value in elbo]
    assert str(out) in last and f"the run {trained}, the run {other}" in last
    with Image.open(out) as picture:
        width, height = picture.size
    assert 2.5 < width / height < 4.5, "two rows of seven tiles, and names"
    assert run(f"compare {trained} --out c.txt") == 2
    assert "must end in .png" in capsys.readouterr().err
    namesake = tmp_path / trained.name
    shutil.copytree(trained, namesake)
    assert run(f"compare {trained} {namesake} --out {out}") == 0
    assert capsys.readouterr().out.split()[1:3] == [str(trained), str(namesake)]


def test_compare_refuses_data_of_different_shapes(trained, tmp_path, capsys):
    other = tmp_path / "ring"
    assert run(f"train gan_ring --epochs 1 --set data.size=200 --set data.test_size=100 "
               f"--run-dir {other}") == 0  # fmt: skip
    for path in (trained, other):
        assert run(f"evaluate {path} --json") == 0
    assert run(f"compare {trained} {other} --out {tmp_path / 'c.png'}") == 2
    assert "one picture cannot hold both" in capsys.readouterr().err


def test_sample(trained, tmp_path, capsys):
    def drawn(name: str, seed: int) -> np.ndarray:
        out = tmp_path / name
        assert run(f"sample {trained} -n 5 --seed {seed} --out {out}") == 0
        with np.load(out) as arrays:
            assert arrays.files == ["x"]
            return arrays["x"]

    x = drawn("one.npz", 1)
    assert x.shape == (5, 8, 8, 1)
    assert x.min() >= 0
    assert x.max() <= 1
    np.testing.assert_array_equal(x, drawn("again.npz", 1))
    assert not np.array_equal(x, drawn("other.npz", 2))

    assert run(f"sample {trained} -n 5 --out {tmp_path / 'grid.png'}") == 0
    with Image.open(tmp_path / "grid.png") as picture:
        assert 1.3 < picture.width / picture.height < 1.6, "two rows of three tiles"
    assert f"grid.png: 5 samples of the run {trained}, seed 0" in capsys.readouterr().out
    assert len(list(tmp_path.iterdir())) == 4


def test_export(trained, tmp_path, capsys):
    """The SavedModel in a process that knows only TensorFlow; the card beside it."""
    path = tmp_path / "saved" / "vae"
    assert run(f"export {trained} {path}") == 0
    assert run(f"export {trained} {path}") == 2, "an existing one is not overwritten"
    assert f"{path} exists" in capsys.readouterr().err
    assert [p.name for p in path.parent.iterdir()] == ["vae"]

    card = json.loads((path / "card.json").read_text())
    assert (card["preset"], card["data"], card["seed"]) == ("vae_digits", "digits", 5)
    assert "Kingma" in card["paper"]
    assert card["metrics"]["epochs"] == 2
    assert card["versions"].keys() == {"keras_gen", "keras", "tensorflow", "python"}
    assert card["command"] == f"keras-gen {shlex.join(shlex.split(TRAIN))} --run-dir {trained}"
    assert "commit" in card

    code = (
        "import sys, numpy as np, tensorflow as tf\n"
        "model = tf.saved_model.load(sys.argv[1]).signatures\n"
        "def sample(n, seed):\n"
        "    return model['sample'](n=tf.constant(n), seed=tf.constant(seed))['x'].numpy()\n"
        "one = sample(5, 1)\n"
        "assert (one == sample(5, 1)).all() and (one != sample(5, 2)).any()\n"
        "assert sample(1, 1).shape == (1, 8, 8, 1)\n"
        "z = model['encode'](x=tf.constant(one))['z']\n"
        "assert z.shape == (5, 3)\n"
        "assert 'keras_gen' not in sys.modules\n"
        "np.save(sys.argv[2], one)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(path), str(tmp_path / "fresh.npy")],
        cwd=tmp_path,
        check=True,
    )
    assert run(f"sample {trained} -n 5 --seed 1 --out {tmp_path / 'here.npz'}") == 0
    here = np.load(tmp_path / "here.npz")["x"]
    np.testing.assert_allclose(np.load(tmp_path / "fresh.npy"), here, atol=1e-6)


def test_interrupted_run(unfinished, capsys):
    """It says how to go on; until then there is nothing to evaluate, sample or export."""
    resume = f"keras-gen train --resume --run-dir {unfinished}"
    for command in (
        f"evaluate {unfinished}",
        f"sample {unfinished} -n 1 --out {unfinished / 'x.png'}",
        f"export {unfinished} {unfinished / 'export'}",
    ):
        assert run(command) == 2
        assert capsys.readouterr().err == (
            f"keras-gen: error: {unfinished} is unfinished: first run {resume}\n"
        )


def test_a_folder_that_cannot_be_written_is_one_line(unfinished, tmp_path, capsys, monkeypatch):
    path = shutil.copytree(unfinished, tmp_path / "r")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    assert run(f"train --resume --run-dir {path}") == 2
    assert capsys.readouterr().err == f"keras-gen: error: {path} is not writable\n"


def test_resume(unfinished, monkeypatch, capsys):
    root = unfinished.parent.parent
    for command, message in (
        (f"train vae_mnist --resume --run-dir {unfinished}", "is a run of vae_digits"),
        (f"train --resume --run-dir {unfinished} --epochs 3", "without epochs"),
        (f"train --resume --run-dir {unfinished} --seed 6", "has seed 5"),
        (f"{TRAIN} --run-dir {unfinished}", "continue it with --resume"),
    ):
        assert run(command) == 2
        assert message in capsys.readouterr().err

    # Without --run-dir: the newest unfinished one under runs/. The first command may be repeated.
    (root / "runs").symlink_to(unfinished.parent)
    monkeypatch.chdir(root)
    assert run(f"{TRAIN} --resume") == 0
    assert "resuming runs/vae_digits-001 after epoch 1 of 2" in capsys.readouterr().out
    assert run(f"train --resume --run-dir {unfinished}") == 0
    assert "finished already (epochs: 2): nothing to do" in capsys.readouterr().out


def test_divergence_names_what_to_change(tmp_path, capsys):
    command = f"{TRAIN} --learning-rate 1e5 --run-dir {tmp_path / 'run'}"
    assert run(command) == 1
    error = capsys.readouterr().err
    assert re.match(r"keras-gen: error: \w+ became ", error)
    assert "lower --learning-rate" in error
    assert error.count("\n") == 1


def test_other_data_leaves_out_the_protocols_that_are_not_for_it(capsys):
    assert run("train beta_vae_shapes --data digits --dry-run") == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["preset"]["protocols"] == ["active_units"]
    assert re.search(r"mig_a.* left out: not for digits", output.err)
    # What is asked for is not left out, but refused.
    for command, message in (
        ("train beta_vae_shapes --data digits --set \"protocols=('mig_a',)\"", "known factors"),
        ("train gan_ring --set \"protocols=('nll_iw100',)\"", "method log_likelihood"),
    ):
        assert run(command) == 2
        assert message in capsys.readouterr().err


def test_a_game_from_the_command_line(tmp_path, capsys):
    rates = "{'discriminator':1e-3,'generator':5e-4}"
    command = f'train gan_ring --epochs 1 --set data.size=2000 --set "learning_rate={rates}"'
    assert run(f"{command} --run-dir {tmp_path / 'run'}") == 0
    assert run(f"evaluate {tmp_path / 'run'}") == 0
    output = capsys.readouterr().out
    assert re.search(r"^modes_2500 +\d", output, re.MULTILINE)
    assert re.search(r"^discriminator_accuracy +\S+ +- +- +of 1", output, re.MULTILINE)
    assert run(f"sample {tmp_path / 'run'} -n 10 --out {tmp_path / 'x.npz'}") == 0
    assert np.load(tmp_path / "x.npz")["x"].shape == (10, 2)
    assert run(f"export {tmp_path / 'run'} {tmp_path / 'saved'}") == 0
    assert run("train gan_ring --dry-run --set \"learning_rate={'critic':1e-3}\"") == 2
    assert "players discriminator, generator" in capsys.readouterr().err


def test_a_trained_model_by_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("sample gan_ring -n 50 --seed 3 --out ring.npz") == 0
    assert "50 samples of the released model gan_ring, seed 3" in capsys.readouterr().out
    file = presets.released.model_file("gan_ring")
    for where, what in (
        (file.parent, "the released model gan_ring"),
        (file, f"the model file {file}"),
    ):
        assert run(f"sample {where} -n 50 --seed 3 --out again.npz") == 0
        assert what in capsys.readouterr().out
        np.testing.assert_array_equal(np.load("ring.npz")["x"], np.load("again.npz")["x"])
    assert run("evaluate gan_ring --metrics modes_2500 --json --out figures.json") == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert figures["modes_2500"]["value"] == 8
    assert captured.err == "keras-gen: figures of the released model gan_ring\n"
    assert json.loads(Path("figures.json").read_text()) == figures
    assert run(f"evaluate {file} --metrics modes_2500") == 2
    assert "name it (--data)" in capsys.readouterr().err
    assert run(f"evaluate {file} --data ring --metrics modes_2500 --json") == 0
    assert json.loads(capsys.readouterr().out)["modes_2500"]["value"] == 8
    assert run("export gan_ring served") == 0
    assert json.loads(Path("served/card.json").read_text())["preset"] == "gan_ring"
    assert run("compare gan_ring gan_ring --out both.png") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "again.npz", "both.png", "figures.json", "ring.npz", "served"]  # fmt: skip


def test_a_folder_wins_over_a_preset_of_its_name(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained, "gan_ring")
    assert run("sample gan_ring -n 2 --out x.npz") == 0
    assert "2 samples of the run gan_ring, seed 0" in capsys.readouterr().out
    assert np.load("x.npz")["x"].shape == (2, 8, 8, 1)


def test_labels_are_taken_in_turn():
    from keras_gen.cli import sample

    assert sample.labels("3", 3) == [3, 3, 3]
    assert sample.labels("0-9", 12) == [*range(10), 0, 1]
    assert sample.labels("7, 1-2", 4) == [7, 1, 2, 7]
    assert sample.labels(f"4-{10**15}", 2) == [4, 5], "a long range is not written out"
