"""Kills training, export and release at random instants, and checks what is left.

    python tests/kill_runs.py FOLDER --kills 60 --seed 0

Each process trains one of five models and is killed (SIGKILL): in its first second, in a step,
while a file is written, or at the end of an epoch; the next one resumes. When a run is finished, it
is exported and released, and those processes are killed too. A run must end with the weights and
optimizer slots of one that was never killed, bit for bit, and nothing may be left half-written.
"""

import argparse
import collections
import csv
import io
import itertools
import json
import os
import random
import signal
import sys
import threading
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import h5py
import keras
import numpy as np

# All is imported here, and nothing computed: each process is forked, and starts at once.
from keras_gen import files, presets, runs

MODELS = {
    "vae_digits": {"hidden": (8,)},
    "gan_ring": {"hidden": (8, 8), "data.size": 2000, "data.test_size": 50},
    "infogan_mnist": {"hidden": (8,), "network": "dense", "data": "digits"},
    "crgan_sines": {
        "hidden": (4,),
        "data.size": 500,
        "data.test_size": 50,
        "data.length": 4,
        "batch_size": 100,
    },
    "glo_mnist": {"depth": 1, "width": 4, "data": "digits"},
}
EPOCHS = 5
WHERE = ("first second", "step", "file", "epoch's end")
SECONDS = 300  # after which a process hangs


def config(name: str) -> runs.Config:
    settings = MODELS[name] | {"epochs": EPOCHS, "protocols": ()}
    return runs.Config(runs.override(presets.get(name), settings), seed=1)


def forked(work, kill=lambda: None) -> int:
    """Runs a function in a process of its own; returns the code or, negative, the signal."""
    process = os.fork()
    if process == 0:
        try:
            sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
            kill()
            work()
            os._exit(0)
        except BaseException as error:
            Path("/dev/stderr").write_text(f"{type(error).__name__}: {error}\n")
            os._exit(1)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(process, signal.SIGKILL)
    raise SystemExit("a process hangs")


def train(folder: Path, name: str) -> None:
    if folder.exists():
        runs.resume(folder, verbose=0)
    else:
        runs.train(config(name), folder, verbose=0)


def killer(delay: float) -> None:
    """Kills this process after a time."""

    def kill():
        time.sleep(delay)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()


def plan(where: str, rng: random.Random):
    """Returns a function that arranges that its process is killed."""
    count, delay = itertools.count(1), rng.random()

    def after(calls: int, delay: float):
        if next(count) == calls:
            killer(delay)

    def arrange():
        callbacks = runs.callbacks
        if where == "first second":
            killer(delay)
        elif where == "step":
            calls = rng.randint(1, 12)
            callbacks.Interrupted.on_train_batch_begin = lambda *_, **__: after(calls, 0.02 * delay)
        elif where == "file":
            before, calls = files.written_beside, rng.randint(1, 12)

            def written_beside(path):
                after(calls, 0.03 * delay)
                return before(path)

            files.written_beside = written_beside
        else:
            before, calls = callbacks.HistoryFile.on_epoch_end, rng.randint(1, 3)

            def on_epoch_end(self, *arguments):
                after(calls, 0.3 * delay)
                before(self, *arguments)

            callbacks.HistoryFile.on_epoch_end = on_epoch_end

    return arrange


def content(file: Path) -> dict[str, np.ndarray]:
    """All arrays of a `.keras` file: weights, counters, optimizer slots."""
    found = {}

    def visit(path, item):
        if isinstance(item, h5py.Dataset):
            found[path] = item[()]

    with zipfile.ZipFile(file) as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(weights) as opened:
        opened.visititems(visit)
    return found


def check_whole(folder: Path) -> None:
    """Checks that each file under its own name is whole."""
    for path in folder.rglob("*"):
        if any(part.startswith(".partial-") for part in path.parts) or not path.is_file():
            continue
        if path.suffix == ".keras":
            assert content(path), path
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".csv":
            with open(path, newline="") as file:
                rows = list(csv.DictReader(file))
            assert all(None not in row.values() for row in rows), path
        elif path.suffix == ".png":
            assert path.read_bytes().endswith(b"IEND\xaeB`\x82"), path


def check_equal(run: Path, other: Path) -> None:
    one, two = content(run / "model.keras"), content(other / "model.keras")
    assert one.keys() == two.keys() and len(one) > 10
    for name, expected in two.items():
        np.testing.assert_array_equal(one[name], expected, err_msg=f"{run} {name}")


def check_clean(folder: Path) -> None:
    left = [p for p in folder.rglob("*") if p.name.startswith(".")]
    assert not left, left


class Killed:
    """Trains models, killing the processes; each ends in `check_equal`."""

    def __init__(self, root: Path, kills: int, seed: int):
        self.root, self.left, self.rng = root, kills, random.Random(seed)
        self.at: collections.Counter = collections.Counter()

    def process(self, work, where: str, arrange=None) -> bool:
        """Runs a process that is to be killed; returns whether it was."""
        code = forked(work, arrange or plan(where, self.rng))
        assert code in (0, -signal.SIGKILL), f"{where}: code {code}"
        if code:
            self.left -= 1
            self.at[where] += 1
        return code != 0

    def run(self, name: str, number: int) -> None:
        """Trains a run to its end, and exports and releases it."""
        folder = self.root / f"{name}-killed-{number}"
        while not (folder / "model.keras").exists():
            if self.left <= 0:
                assert forked(lambda: train(folder, name)) == 0
                continue
            self.process(lambda: train(folder, name), self.rng.choice(WHERE))
            check_whole(folder)
        assert forked(lambda: train(folder, name)) == 0  # what a kill left over is deleted
        check_equal(folder, self.root / f"{name}-whole")
        check_clean(folder)
        self.written(folder, "export", lambda dest: runs.open(folder).export(dest))
        if name == "vae_digits":
            self.written(folder, "release", lambda dest: runs.release(folder, dest))

    def written(self, folder: Path, what: str, write) -> None:
        """Writes a folder, killed once on the way, and then in peace."""
        dest = self.root / what / folder.name
        dest.parent.mkdir(exist_ok=True)
        if self.left > 0:
            delay = self.rng.uniform(0, 6)
            killed = self.process(lambda: write(dest), what, lambda: killer(delay))
            check_whole(dest.parent)
            assert not (killed and dest.exists() and not any(dest.iterdir()))
        if not dest.exists():
            assert forked(lambda: write(dest)) == 0
        check_whole(dest.parent)
        check_clean(dest.parent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=MODELS)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.models:
        whole = arguments.folder / f"{name}-whole"
        assert forked(lambda whole=whole, name=name: train(whole, name)) == 0, name
    killed = Killed(arguments.folder, arguments.kills, arguments.seed)
    for number in itertools.count():
        for name in arguments.models:
            killed.run(name, number)
        if killed.left <= 0:
            break
    print(f"{sum(killed.at.values())} kills: {dict(killed.at)}; Keras {keras.version()}")


if __name__ == "__main__":
    main()
