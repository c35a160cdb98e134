"""On JAX and PyTorch nothing needs TensorFlow but what says so."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_gen.data.pipeline import as_array

BACKEND = keras.backend.backend()
pytestmark = pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow is there")
# TensorFlow, where it is installed, cannot be imported.
BLOCKED = "import sys; sys.modules['tensorflow'] = sys.modules['tensorflow_datasets'] = None\n"
COMMAND = BLOCKED + "from keras_gen.cli import main; sys.exit(main(sys.argv[1:]))"
TRAIN = ("train", "vae_digits", "--epochs", "3", "--set", "hidden=16")


def start(script: str, *arguments) -> subprocess.Popen:
    environment = os.environ | {"KERAS_BACKEND": BACKEND}
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen) -> str:
    out, err = process.communicate(timeout=250)
    assert process.returncode == 0, err
    return out


def test_a_run_is_trained_measured_and_sampled(tmp_path):
    run = tmp_path / "run"
    output(start(COMMAND, *TRAIN, "--run-dir", run))
    assert "nll_iw100" in output(start(COMMAND, "evaluate", run, "--metrics", "nll_iw100"))
    output(start(COMMAND, "sample", run, "-n", "4", "--out", tmp_path / "four.npz"))
    assert np.load(tmp_path / "four.npz")["x"].shape == (4, 8, 8, 1)
    assert (run / "samples" / "epoch-0003.png").exists()
    compared = start(COMMAND, "compare", run, "vae_digits", "--out", tmp_path / "both.png")
    assert "elbo" in output(compared)
    assert (tmp_path / "both.png").exists()


def test_a_killed_run_ends_as_if_never_interrupted(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    output(start(COMMAND, *TRAIN, "--run-dir", whole))
    process = start(COMMAND, *TRAIN, "--run-dir", killed)
    while process.poll() is None and not (killed / "checkpoints" / "epoch-0001.keras").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    output(start(COMMAND, "train", "--resume", "--run-dir", killed))
    models = [keras.models.load_model(run / "model.keras") for run in (whole, killed)]
    variables = [[*model.weights, *model.optimizer.variables] for model in models]
    for a, b in zip(*variables, strict=True):
        np.testing.assert_array_equal(as_array(a.value), as_array(b.value))


def test_trained_models_are_used_by_name():
    script = BLOCKED + (
        "import keras_gen as kg\n"
        "for name in ('vae_digits', 'dgan_mnist', 'crgan_sines', 'infogan_mnist'):\n"
        "    print(kg.from_preset(name).sample(3, seed=1).shape)\n"
    )
    shapes = "(3, 8, 8, 1)\n(3, 28, 28, 1)\n(3, 24, 5)\n(3, 28, 28, 1)\n"
    assert output(start(script)) == shapes


def test_what_needs_tensorflow_says_so(tmp_path):
    script = BLOCKED + (
        "import keras_gen as kg\n"
        "digits = kg.data.load('digits')\n"
        "for use in (lambda: kg.data.load('mnist'), lambda: digits.train,\n"
        "            lambda: kg.from_preset('vae_digits').export(sys.argv[1])):\n"
        "    try: use()\n"
        "    except ImportError as error: print(error)\n"
    )
    lines = output(start(script, tmp_path / "saved")).splitlines()
    assert len(lines) == 3
    assert all(line.endswith("needs TensorFlow: pip install tensorflow.") for line in lines)


def test_tensorflow_is_not_imported():
    script = (
        "import sys, keras_gen as kg\n"
        "digits = kg.data.load('digits')\n"
        "vae = kg.models.VAE.for_data(digits.spec, hidden=(8,), network='dense')\n"
        "vae.compile(); vae.fit(digits, verbose=0); vae.sample(2)\n"
        "print('tensorflow' in sys.modules)\n"
    )
    assert output(start(script)) == "False\n"


@pytest.mark.skipif(BACKEND != "jax", reason="there is no TensorFlow beside PyTorch")
def test_a_saved_model_is_written_by_tensorflow(tmp_path):
    import keras_gen as kg

    model = kg.from_preset("vae_digits")
    model.export(tmp_path / "saved")
    script = (
        "import sys, tensorflow as tf\n"
        "served = tf.saved_model.load(sys.argv[1]).signatures['sample']\n"
        "x = served(n=tf.constant(2), seed=tf.constant(1))['x']\n"
        "import numpy as np; np.save(sys.argv[2], x)\n"
    )
    output(start(script, tmp_path / "saved", tmp_path / "x.npy"))
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), model.sample(2, seed=1), atol=1e-5)


@pytest.mark.slow
def test_the_benchmark_of_a_gpu_runs_to_its_last_line():
    script = Path(__file__).resolve().parent.parent / "benchmarks" / "gpu.py"
    command = [sys.executable, str(script), "--small"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    who = [line[7:47].strip() for line in lines[1:]]
    expected = 8 if importlib.util.find_spec("torch") else 5
    assert len(set(who)) == expected - 1 and len(who) == expected  # one of them for two networks
    assert all(float(line.split()[-1].replace(",", "")) > 0 for line in lines[1:])
