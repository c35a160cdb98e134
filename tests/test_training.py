"""Schedules, strategies, and run directories that nothing can spoil."""

import csv
import math
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gen import cli, files, presets, runs
from keras_gen.runs import callbacks
from keras_gen.runs import run as directories

ROOT = Path(__file__).resolve().parent.parent
SMALL = {"epochs": 4, "hidden": (32,), "latent_dim": 3}


def config(**settings) -> runs.Config:
    strategy = settings.pop("strategy", "auto")
    preset = runs.override(presets.get("vae_digits"), SMALL | settings)
    return runs.Config(preset, seed=3, strategy=strategy)


def assert_same_weights(path: Path, other: Path) -> None:
    """All that two models' files hold is equal: weights, counters, optimizer slots."""
    one, two = (keras.models.load_model(run / "model.keras") for run in (path, other))
    pairs = [
        *zip(one.variables, two.variables, strict=True),
        *zip(one.optimizer.variables, two.optimizer.variables, strict=True),
    ]
    assert len(pairs) > 20
    for variable, expected in pairs:
        np.testing.assert_array_equal(variable.numpy(), expected.numpy(), err_msg=variable.path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> runs.Run:
    return runs.train(config(), tmp_path_factory.mktemp("runs") / "finished", verbose=0)


def test_a_config_takes_no_other_settings(tmp_path):
    for other in ({"epochs": 3}, {"seed": 4}, {"strategy": "single"}):
        with pytest.raises(ValueError, match="a Config has all settings"):
            runs.train(config(), tmp_path / "run", **other)
    assert not list(tmp_path.iterdir())


def test_protocols_are_checked_before_training(tmp_path, caplog):
    with pytest.raises(ValueError, match="'fid' is unknown"):
        runs.train("vae_digits", tmp_path / "run", protocols=("fid",))
    assert not list(tmp_path.iterdir())
    # Those of the preset that are not for other data are left out.
    job = runs.prepare(config(protocols=("active_units", "mig_a")))
    job.check_protocols({"data"})
    assert job.config.preset.protocols == ("active_units",)
    assert "mig_a left out: not for digits" in caplog.text
    with pytest.raises(ValueError, match="known factors"):
        runs.prepare(config(protocols=("mig_a",))).check_protocols()


# ---- schedules and strategies ------------------------------------------------------------------


def test_constant_and_cosine():
    assert runs.schedule("constant", 0.1, 100) == 0.1
    cosine = runs.schedule("cosine", 0.1, 100)
    for step in (0, 25, 50, 99, 100):
        assert float(cosine(step)) == pytest.approx(
            0.05 * (1 + math.cos(math.pi * step / 100)), abs=1e-8
        )


def test_stages_are_the_paper_s():
    """Burda et al.: 3 ** i epochs at 1e-3 * 10 ** (-i / 7); here with two steps per epoch."""
    stages = runs.schedule("stages", 1e-3, 2 * 3280)
    first = 0
    for i in range(8):
        last = first + 2 * 3**i - 1
        for step in (first, last):
            assert float(stages(step)) == pytest.approx(1e-3 * 10 ** (-i / 7), rel=1e-6)
        first = last + 1
    assert first == 2 * 3280


def test_stages_of_a_shorter_run_keep_their_proportions():
    stages = runs.schedule("stages", 1e-3, 328)
    rates = [float(stages(step)) for step in range(328)]
    assert rates == sorted(rates, reverse=True)
    assert rates.count(rates[-1]) == pytest.approx(328 * 2187 / 3280, abs=1)


def test_unknown_schedule_and_strategy():
    with pytest.raises(ValueError, match="known are constant, cosine, stages"):
        runs.schedule("linear", 0.1, 1)
    with pytest.raises(ValueError, match="known are auto, single, mirrored, multiworker, tpu"):
        runs.strategy("many")


def test_strategies():
    assert runs.strategy("auto").num_replicas_in_sync == 1
    assert runs.strategy("single").num_replicas_in_sync == 1
    mirrored = runs.strategy("mirrored")
    assert isinstance(mirrored, tf.distribute.MirroredStrategy)
    assert mirrored.num_replicas_in_sync == 2


def test_no_tpu_is_one_clear_error():
    with pytest.raises(ValueError, match=r"^strategy 'tpu': no TPU found \(.*\); use 'auto'$"):
        runs.strategy("tpu")


def test_two_replicas_train_as_one(default_xla):
    """Order, noise and steps are those of one replica, with XLA there and without it here."""
    histories = []
    for strategy in ("single", "mirrored"):
        job = runs.prepare(config(strategy=strategy))
        assert job.as_json()["replicas"] == len(histories) + 1
        history = job.model.fit(
            job.train, validation_data=job.validation, epochs=2, verbose=0
        ).history
        histories.append(history)
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-4)


def test_a_run_accumulates(tmp_path):
    """The run is that of the larger batch, and resumes in the middle of an epoch."""
    large = runs.train(config(epochs=2, batch_size=64), tmp_path / "large", verbose=0)
    settings = {"epochs": 2, "batch_size": 16, "accumulate": 4}
    small = runs.train(config(**settings), tmp_path / "small", verbose=0)
    assert small.content["steps"] == large.content["steps"]
    for row, expected in zip(small.history, large.history, strict=True):
        assert float(row["loss"]) == pytest.approx(float(expected["loss"]), rel=1e-4)
    job = runs.prepare(config(**settings))
    assert job.model.accumulate == 4
    job.model.compile(job.model.optimizer, steps_per_execution=1, accumulate=4)
    run = runs.Run.create(tmp_path / "run", job.as_json())
    with pytest.raises(KeyboardInterrupt):
        job.fit(run, verbose=0, interrupted=lambda: int(job.model.step.numpy()) >= 5)
    assert run.checkpoint_epochs(part=True) == [0]
    assert runs.resume(run.path, verbose=0).model.accumulate == 4
    assert_same_weights(run.path, small.path)


def test_a_mirrored_run_is_complete(tmp_path):
    run = runs.train(config(strategy="mirrored", epochs=1), tmp_path / "run", verbose=0)
    assert run.finished
    assert run.content["replicas"] == 2
    assert run.sample(3, seed=1).shape == (3, 8, 8, 1)


def test_batch_size_suits_data_and_replicas():
    with pytest.raises(ValueError, match="batch_size 63 cannot be divided among 2 replicas"):
        runs.prepare(config(strategy="mirrored", batch_size=63))
    with pytest.raises(ValueError, match="batch_size 5000 is more than the"):
        runs.prepare(config(batch_size=5000))


# ---- the run directory -------------------------------------------------------------------------


def test_content(finished):
    assert sorted(path.name for path in finished.path.iterdir()) == [
        "checkpoints",
        "config.json",
        "history.csv",
        "metrics.json",
        "model.keras",
        "samples",
        "tensorboard",
    ]
    assert finished.checkpoint_epochs() == [4, 3], "the last two are kept"
    assert not list(finished.path.rglob(".partial-*"))

    content = finished.content
    assert content["preset"]["network"]["latent_dim"] == 3
    assert content["seed"] == 3
    assert content["spec"]["shape"] == [8, 8, 1]
    assert content["steps"] == 4 * content["steps_per_epoch"]
    assert content["versions"]["tensorflow"] == tf.__version__
    assert runs.Config.from_json(content).preset.epochs == 4

    with open(finished.history_file) as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    metrics = finished.metrics
    assert metrics["epochs"] == 4
    assert metrics["validation"]["elbo"] == float(rows[-1]["val_elbo"])
    assert metrics["train"].keys() == metrics["validation"].keys()


def test_pictures(finished):
    files = sorted(finished.samples.iterdir())
    assert [file.name for file in files] == [f"epoch-{i:04d}.png" for i in range(1, 5)]
    assert len({file.read_bytes() for file in files}) == 4
    with Image.open(files[0]) as picture:
        assert picture.width == picture.height > 8 * 8 * 14


def test_tensorboard_events(finished):
    tags = {}
    for part in ("train", "validation", "samples"):
        tags[part] = set()
        for file in (finished.tensorboard / part).iterdir():
            for event in tf.compat.v1.train.summary_iterator(str(file)):
                tags[part] |= {(event.step, value.tag) for value in event.summary.value}
    for epoch in range(4):  # Keras counts from 0
        rate = (epoch, "epoch_learning_rate")
        assert {(epoch, "epoch_loss"), (epoch, "epoch_kl"), rate} <= tags["train"]
        assert {(epoch, "epoch_loss"), (epoch, "epoch_kl")} <= tags["validation"]
        assert (epoch + 1, "samples") in tags["samples"]


def test_numbering(tmp_path):
    assert directories.next_path("vae_digits", tmp_path).name == "vae_digits-001"
    for name in ("vae_digits-001", "vae_digits-012", "vae_digits-x", "vae_digits_b-099"):
        runs.Run.create(tmp_path / name, {})
    assert directories.next_path("vae_digits", tmp_path).name == "vae_digits-013"
    assert directories.newest_unfinished("vae_digits", tmp_path).name == "vae_digits-012"
    (tmp_path / "vae_digits-012" / "model.keras").touch()
    assert directories.newest_unfinished("vae_digits", tmp_path).name == "vae_digits-001"
    with pytest.raises(FileNotFoundError, match="no unfinished run of vae_mnist"):
        directories.newest_unfinished("vae_mnist", tmp_path)


def test_an_existing_directory_is_not_touched(finished):
    with pytest.raises(FileExistsError, match="--resume"):
        runs.train(config(), finished.path)


def test_written_beside_leaves_nothing_of_a_failure(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.written_beside(path) as beside:
        beside.write_text("ne")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_checkpoints_and_samples_every_so_many_epochs(tmp_path, finished):
    run = runs.train(config(save_every=3), tmp_path / "run", verbose=0)
    assert run.checkpoint_epochs() == [4, 3]
    assert sorted(path.stem for path in run.samples.iterdir()) == ["epoch-0003", "epoch-0004"]
    assert len(run.read_history(4)) == 4
    assert_same_weights(run.path, finished.path)


# ---- interruptions -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def interrupted_once(tmp_path_factory) -> Path:
    """A run of four epochs that ended during the third, before its checkpoint."""
    path = tmp_path_factory.mktemp("runs") / "interrupted"
    save = callbacks.Checkpoints.save

    def interrupt(self, done):
        if done == 3:
            raise KeyboardInterrupt
        save(self, done)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(callbacks.Checkpoints, "save", interrupt)
        runs.train(config(), path, verbose=0)
    return path


@pytest.fixture
def interrupted(interrupted_once, tmp_path) -> runs.Run:
    return runs.Run(shutil.copytree(interrupted_once, tmp_path / "interrupted"))


def test_a_signal_whose_exception_was_lost_ends_the_epoch(tmp_path, finished):
    job = runs.prepare(config())
    run = runs.Run.create(tmp_path / "run", job.as_json())
    with pytest.raises(KeyboardInterrupt):
        job.fit(run, verbose=0, interrupted=lambda: len(run.history) == 2)
    assert run.checkpoint_epochs() == [2, 1] and not run.finished
    runs.resume(run.path, verbose=0)
    assert_same_weights(run.path, finished.path)


@pytest.mark.parametrize("steps", [1, 7, 31, 44])
def test_a_signal_ends_training_after_the_step_with_a_checkpoint_there(steps, tmp_path, finished):
    job = runs.prepare(config())
    job.model.compile(job.model.optimizer, steps_per_execution=1)
    run = runs.Run.create(tmp_path / "run", job.as_json())
    with pytest.raises(KeyboardInterrupt):
        job.fit(run, verbose=0, interrupted=lambda: int(job.model.step.numpy()) >= steps)
    done, part = divmod(steps, len(job.train))
    assert run.checkpoint_epochs(part=True) == ([done] if part else [])
    assert run.checkpoint_epochs() == list(range(done, 0, -1))
    again = runs.prepare(run.config, run)
    assert again.initial_epoch == done and int(again.model.step.numpy()) == steps
    again.fit(run, verbose=0)
    assert_same_weights(run.path, finished.path)
    assert run.checkpoint_epochs(part=True) == []
    assert [row["epoch"] for row in run.history] == ["1", "2", "3", "4"]


def test_two_processes_never_write_one_run(interrupted, tmp_path, capsys):
    """The second says so in one line; the lock of a process that was killed is none."""
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys, time\n"
         "from keras_gen import files\n"
         "with files.locked(sys.argv[1]):\n"
         "    print('held', flush=True)\n"
         "    time.sleep(600)", str(interrupted.lock_file)],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    with holder:
        assert holder.stdout.readline() == b"held\n"
        before = sorted(interrupted.path.rglob("*"))
        message = f"{interrupted.path} is in use by process {holder.pid} on {socket.gethostname()}"
        with pytest.raises(files.InUse, match=re.escape(message)):
            runs.resume(interrupted.path)
        assert cli.main(["train", "--resume", "--run-dir", str(interrupted.path)]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
        assert sorted(interrupted.path.rglob("*")) == before
        holder.kill()
    assert interrupted.lock_file.exists(), "it is stale"
    (interrupted.checkpoints / ".partial-epoch-0003.keras").write_bytes(b"half")
    runs.resume(interrupted.path, verbose=0)
    assert interrupted.finished
    left = [path.name for path in interrupted.path.rglob(".*")]
    assert left == []


@pytest.mark.parametrize("change", ["bytes", "length"])
def test_data_that_changed_is_noticed(change, tmp_path, capsys):
    x = np.random.default_rng(0).random((200, 8, 8, 1), dtype=np.float32)
    np.savez(tmp_path / "mine.npz", x=x)
    job = runs.prepare(config(data=str(tmp_path / "mine.npz"), likelihood="bernoulli"))
    run = runs.Run.create(tmp_path / "run", job.as_json())
    with pytest.raises(KeyboardInterrupt):
        job.fit(run, verbose=0, interrupted=lambda: len(run.history) == 1)
    if change == "bytes":
        x[3, 2, 1] += 0.001
    np.savez(tmp_path / "mine.npz", x=x[: 190 if change == "length" else 200])
    before = sorted(run.path.rglob("*"))
    assert cli.main(["train", "--resume", "--run-dir", str(run.path)]) == 2
    error = capsys.readouterr().err
    assert "has changed since it began" in error and error.count("\n") == 1
    assert sorted(run.path.rglob("*")) == before


def test_a_damaged_checkpoint_of_a_part_falls_back(tmp_path, finished, caplog):
    job = runs.prepare(config())
    job.model.compile(job.model.optimizer, steps_per_execution=1)
    run = runs.Run.create(tmp_path / "run", job.as_json())
    steps = len(job.train) + 3
    with pytest.raises(KeyboardInterrupt):
        job.fit(run, verbose=0, interrupted=lambda: int(job.model.step.numpy()) >= steps)
    run.checkpoint(1, part=True).write_bytes(b"half")
    runs.resume(run.path, verbose=0)
    assert "epoch-0001-part.keras is damaged" in caplog.text
    assert_same_weights(run.path, finished.path)


def test_resumed_run_is_the_uninterrupted_one(interrupted, finished):
    assert len(interrupted.read_history(epochs=3)) == 3
    runs.resume(interrupted.path, verbose=0)
    assert_same_weights(interrupted.path, finished.path)
    with open(interrupted.history_file) as one, open(finished.history_file) as two:
        for row, expected in zip(csv.DictReader(one), csv.DictReader(two), strict=True):
            assert row | {"seconds": 0} == expected | {"seconds": 0}


def test_damaged_checkpoint(interrupted, finished, caplog):
    newest = interrupted.checkpoint(2)
    newest.write_bytes(newest.read_bytes()[:-1000])
    runs.resume(interrupted.path, verbose=0)
    assert "epoch-0002.keras is damaged" in caplog.text
    assert_same_weights(interrupted.path, finished.path)


def test_all_checkpoints_damaged(interrupted):
    for epoch in (1, 2):
        interrupted.checkpoint(epoch).write_bytes(b"")
    with pytest.raises(ValueError, match="start a new run"):
        runs.resume(interrupted.path)


def test_damaged_files_are_named(interrupted, finished, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"model\.keras is not a run directory: it is a file"
    ):
        runs.Run(finished.model_file)
    interrupted.history_file.unlink()
    with pytest.raises(ValueError, match=r"history\.csv is lost or damaged: it has 0 epochs"):
        runs.resume(interrupted.path)
    for content, problem in (("{", "Expecting"), ("{}", "it has no 'preset'")):
        interrupted.config_file.write_text(content)
        with pytest.raises(ValueError, match=f"config.json is damaged: {problem}"):
            runs.resume(interrupted.path)
    run = runs.Run(shutil.copytree(finished.path, tmp_path / "finished"))
    run.model_file.write_bytes(run.model_file.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"model\.keras is damaged .* --resume"):
        runs.open(run.path).model  # noqa: B018
    run.model_file.unlink()
    runs.resume(run.path, verbose=0)
    assert_same_weights(run.path, finished.path)


def test_images_of_other_channels_train_without_pictures(tmp_path):
    x = np.random.default_rng(0).random((48, 8, 8, 4), "float32")
    np.save(tmp_path / "four.npy", x)
    run = runs.train(
        config(epochs=1, batch_size=16, data=str(tmp_path / "four.npy"), protocols=()),
        tmp_path / "run",
        verbose=0,
    )
    assert run.finished
    assert not any(run.samples.iterdir())


@pytest.mark.parametrize("packing", [0, 1.5, "x"])
def test_packing_that_is_no_count(packing):
    with pytest.raises(ValueError, match=r"packing must be an? (positive )?integer"):
        preset = runs.override(presets.get("gan_ring"), {"packing": packing})
        runs.prepare(runs.Config(preset))


def test_resuming_a_finished_run_does_nothing(finished):
    before = finished.model_file.stat()
    runs.resume(finished.path)
    assert finished.model_file.stat() == before


def test_unfinished_run_says_how_to_go_on(interrupted):
    with pytest.raises(ValueError, match="unfinished: first run keras-gen train --resume"):
        runs.open(interrupted.path).model  # noqa: B018


# ---- games -------------------------------------------------------------------------------------


def game(**settings) -> runs.Config:
    settings = {"epochs": 8, "hidden": (16,), "data.size": 40_000, "data.test_size": 100} | settings
    return runs.Config(runs.override(presets.get("gan_ring"), settings), seed=0)


def test_a_discriminator_that_has_won_ends_training(tmp_path):
    # The generator hardly moves, and what it makes is easy to tell from a ring.
    rates = {"discriminator": 1e-2, "generator": 1e-7}
    options = {"data.size": 60_000, "schedule": "constant", "learning_rate": rates}
    config = game(loss="minimax", r1=0.0, r2=0.0, **options)
    with pytest.raises(runs.Diverged, match=r"discriminator has won.*r1=1") as raised:
        runs.train(config, tmp_path / "run", verbose=0)
    assert "3 epochs" in str(raised.value)
    run = runs.Run(tmp_path / "run")
    epochs = run.checkpoint_epochs()[0]
    newest = keras.models.load_model(run.checkpoint(epochs))
    assert all(np.isfinite(weight).all() for weight in newest.get_weights())
    rows = run.read_history(epochs)
    with pytest.raises(ValueError, match=f"it has {epochs} epochs"):
        run.read_history(epochs + 1)
    # The last checkpoint from before the streak, if training had one, is kept.
    good = [i + 1 for i, row in enumerate(rows) if float(row["discriminator_accuracy"]) <= 0.999]
    assert set(good[-1:]) <= set(run.checkpoint_epochs())
    # A resumed run counts the epochs from before.
    assert callbacks.StopWhenDiverged(rows).won_epochs == len(rows) - len(good) == 2


def test_an_infinite_loss_ends_training_and_keeps_the_last_good_checkpoint(tmp_path):
    rate = {"learning_rate": 1e5, "schedule": "constant"}
    config = game(loss="least_squares", hidden=(16, 16, 16), r1=0.0, r2=0.0, **rate)
    with pytest.raises(runs.Diverged, match=r"loss became (nan|inf|-inf).*r1=1"):
        runs.train(config, tmp_path / "run", verbose=0)
    run = runs.Run(tmp_path / "run")
    for epoch in run.checkpoint_epochs():
        weights = keras.models.load_model(run.checkpoint(epoch)).get_weights()
        assert all(np.isfinite(weight).all() for weight in weights)


def test_rates_for_each_player(tmp_path):
    rates = {"discriminator": 1e-3, "generator": 5e-4}
    job = runs.prepare(game(learning_rate=rates, discriminator_steps=2))
    players = job.model.optimizer.players
    assert {name: float(o.learning_rate) for name, o in players.items()} == pytest.approx(rates)
    steps = 8 * len(job.train)
    decay = {name: o.get_config()["learning_rate"]["config"] for name, o in players.items()}
    assert decay["discriminator"]["decay_steps"] == 2 * steps
    assert decay["generator"]["decay_steps"] == steps
    assert all(o.beta_1 == 0.5 for o in players.values())
    with pytest.raises(ValueError, match="the model has the players discriminator, generator"):
        runs.prepare(game(learning_rate={"critic": 1e-3}))
