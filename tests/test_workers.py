"""Several workers train as one: in processes of this machine, which meet on loopback addresses."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import worker_steps

from keras_gen import cli, runs
from keras_gen.cli import launch

pytestmark = [
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="several workers are TensorFlow's"
    ),
    pytest.mark.xdist_group("workers"),  # who share what the processes have made
]
ROOT = Path(__file__).resolve().parent.parent
SECONDS = 200  # a worker that waits for another would wait for ever


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), *sys.path])
    return os.environ | {"PYTHONPATH": path, "TF_NUM_INTRAOP_THREADS": "1"} | more


@pytest.fixture(scope="module", params=[2, pytest.param(3, marks=pytest.mark.slow)])
def workers(request, tmp_path_factory):
    """A folder with what some workers have made of `worker_steps`, and their number."""
    count, folder = request.param, tmp_path_factory.mktemp("workers")
    addresses = [f"127.0.0.1:{port}" for port in launch.free_ports(count)]
    processes = []
    for index in range(count):
        place = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        command = [sys.executable, str(ROOT / "tests" / "worker_steps.py"), str(folder)]
        env = environment(TF_CONFIG=json.dumps(place))
        processes.append(subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True))
    try:
        errors = [process.communicate(timeout=SECONDS)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert not any(process.returncode for process in processes), errors
    return folder, count


@pytest.mark.parametrize("case", worker_steps.CASES, ids="-".join)
def test_workers_train_as_one(workers, case):
    """By SGD to rounding; Adam divides rounding by the size of the gradient, which may be small."""
    if case not in worker_steps.cases(workers[1]):
        pytest.skip("told by two workers")
    found = dict(np.load(workers[0] / f"{'-'.join(case)}.npz"))
    model, history = worker_steps.trained(*case, runs.strategy("single"))
    tolerance = 1e-6 if "SGD" in case else 1e-2 * worker_steps.RATE
    for i, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(found[str(i)], weight, rtol=0, atol=tolerance)
    for name, values in history.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
    if case == worker_steps.CASES[0]:
        predicted = model.predict(worker_steps.examples(case[1])["x"][:10], verbose=0)
        np.testing.assert_allclose(found["predicted"], predicted, rtol=0, atol=10 * tolerance)


def test_each_example_is_read_by_one_worker_once_an_epoch(workers):
    folder, count = workers
    read = [dict(np.load(folder / f"indices-{worker}.npz")) for worker in range(count)]
    batches = len(read[0]) // 2
    assert batches == 3
    for epoch in range(2):
        names = [str(epoch * batches + i) for i in range(batches)]
        every = [np.concatenate([worker[name] for worker in read]) for name in names]
        assert sorted(np.concatenate(every)) == list(range(worker_steps.EXAMPLES))
        # The parts of a batch follow one another in the order of one worker's batch.
        one = worker_steps.data.Batches(
            worker_steps.examples("vector"), worker_steps.BATCH, seed=3, index=True
        )
        one.seek(epoch)
        for parts, batch in zip(every, one, strict=True):
            np.testing.assert_array_equal(parts, batch["index"])
        sizes = [[len(worker[name]) for worker in read] for name in names]
        assert all(max(each) - min(each) <= 1 for each in sizes)


# ---- launch --------------------------------------------------------------------------------------

SETTINGS = ["vae_digits", "--epochs", "6", "--set", "hidden=(32,)"]


def start(folder: Path, *words: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "keras_gen", "launch", "--workers", "2", *words],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def weights(run: Path) -> list[np.ndarray]:
    model = keras.models.load_model(run / "model.keras")
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    """A folder with a launched run, and what was printed."""
    folder = tmp_path_factory.mktemp("launched")
    process = start(folder, "train", *SETTINGS, "--run-dir", "whole")
    out, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    return folder, out


def test_launch(launched, tmp_path):
    folder, out = launched
    assert out.count("Epoch 6/6") == 1 and "finished whole" in out  # one worker shows its progress
    run = runs.Run(folder / "whole")
    assert run.content["workers"] == run.content["replicas"] == 2
    assert len(run.history) == 6
    command = ["train", *SETTINGS, "--run-dir", str(tmp_path / "one"), "--strategy", "single"]
    assert cli.main(command) == 0
    one = runs.Run(tmp_path / "one")
    for row, expected in zip(run.history, one.history, strict=True):
        assert float(row["val_loss"]) == pytest.approx(float(expected["val_loss"]), rel=1e-3)
    assert run.sample(2, seed=1).shape == (2, 8, 8, 1)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_worker_that_is_killed_costs_nothing(launched, victim):
    """The run goes on by itself, to the weights of a run without a failure."""
    folder, name = launched[0], f"killed-{victim}"
    process = start(folder, "train", *SETTINGS, "--run-dir", name)
    line = process.stdout.readline()
    victims = [int(each) for each in line.partition("processes ")[2].split(":")[0].split(", ")]
    while not any((folder / name).glob("checkpoints/epoch*")):
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(random.Random(victim).uniform(0, 1))
    os.kill(victims[victim], signal.SIGKILL)
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    assert f"worker {victim} was killed (SIGKILL): all start again" in errors
    for one, other in zip(weights(folder / "whole"), weights(folder / name), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_an_interrupted_launch_says_how_to_go_on(launched):
    folder = launched[0]
    process = start(folder, "train", *SETTINGS, "--run-dir", "interrupted")
    while not any((folder / "interrupted").glob("checkpoints/epoch*")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    words = "launch --workers 2 train --resume --run-dir interrupted"
    assert errors.strip().endswith(f"resume with: keras-gen {words}")
    process = start(folder, *words.split()[3:])
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    for one, other in zip(weights(folder / "whole"), weights(folder / "interrupted"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_worker_that_fails_ends_all_with_its_message(tmp_path):
    process = start(tmp_path, "train", "vae_digits", "--data", "nothing.npz")
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 2
    assert errors.startswith("keras-gen: error: ") and errors.count("\n") == 1
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["launch"], "say what to launch"),
        (["launch", "sample", "vae_digits"], "say what to launch"),
        (["launch", "train"], "name a PRESET"),
        (["launch", "train", "--resume"], "name the run to resume"),
        (["launch", "train", "vae_digits", "--dry-run"], "leave out launch"),
        (["launch", "train", "vae_digits", "--strategy", "tpu"], "not tpu"),
        (["launch", "train", "vae_digits", "--epoch"], "expected one argument"),
        (["launch", "--workers", "0", "train", "vae_digits"], "at least 1"),
        (["launch", "--restarts", "-1", "train", "vae_digits"], "must not be negative"),
        (["train", "vae_digits", "--strategy", "multiworker"], "keras-gen launch"),
    ],
)
def test_what_cannot_be_launched(words, problem, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert problem in error and error.count("\n") == 1
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "config",
    ["{", "{}", "[]", '{"cluster": {"worker": ["a:1"]}}',
     '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
     '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}'],
)  # fmt: skip
def test_a_wrong_tf_config(config, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match="TF_CONFIG"):
        runs.strategy("multiworker")
