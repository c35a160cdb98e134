"""Files appear complete or not at all, and only where they belong."""

import errno
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_gen import cli, compression, data, files, models, runs
from keras_gen.compression import archive

ROOT = Path(__file__).resolve().parent.parent
TRAIN = ["vae_digits", "--epochs", "3", "--set", "hidden=(32,)"]


@pytest.fixture
def elsewhere(tmp_path):
    """A file and a folder that links point to."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine")
    yield tmp_path
    assert (tmp_path / "file").read_text() == "mine"
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["file"]
    assert (tmp_path / "folder" / "file").read_text() == "mine"


@pytest.mark.parametrize("link", ["a.json", ".partial-a.json"])
def test_a_link_in_a_files_place_is_replaced(elsewhere, link):
    (elsewhere / link).symlink_to(elsewhere / "file")
    files.write_json(elsewhere / "a.json", {"a": 1})
    assert not (elsewhere / "a.json").is_symlink()
    assert files.read_json(elsewhere / "a.json") == {"a": 1}
    assert not os.path.lexists(elsewhere / ".partial-a.json")


@pytest.mark.parametrize("link", ["a", ".partial-a"])
def test_a_link_in_a_folders_place_is_replaced(elsewhere, link):
    (elsewhere / link).symlink_to(elsewhere / "folder")
    with files.folder_written_beside(elsewhere / "a") as beside:
        (beside / "new").write_text("new")
    assert not (elsewhere / "a").is_symlink()
    assert [p.name for p in (elsewhere / "a").iterdir()] == ["new"]
    assert not os.path.lexists(elsewhere / ".partial-a")


def test_what_was_left_half_written_is_deleted_without_following_links(elsewhere):
    (elsewhere / ".partial-a").symlink_to(elsewhere / "folder")
    (elsewhere / ".partial-b").mkdir()
    (elsewhere / ".partial-b" / "c").symlink_to(elsewhere / "file")
    files.drop_partial(elsewhere)
    assert sorted(p.name for p in elsewhere.iterdir()) == ["file", "folder"]


# ---- archives ------------------------------------------------------------------------------------


def bomb(path, entries):
    """A ZIP file with 1.2 GB of zeros, or with names."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name in entries:
            with file.open(name, "w", force_zip64=True) as entry:
                for _ in range(80 if name.startswith("x") else 0):
                    entry.write(bytes(2**24))


@pytest.mark.parametrize(
    ("entries", "problem"),
    [(["x.npy"], "would expand to 1.2 GB"), (["../x.npy"], "outside"), (["/x.npy"], "outside"),
     (["a\\..\\..\\x.npy"], "outside"), (["C:/x.npy"], "outside")],
)  # fmt: skip
def test_archives_that_are_refused(tmp_path, capsys, entries, problem):
    bomb(tmp_path / "a.npz", entries)
    with pytest.raises(data.DataError, match=problem):
        data.load(tmp_path / "a.npz")
    (tmp_path / "a.npz").rename(tmp_path / "a.keras")
    words = ["sample", str(tmp_path / "a.keras"), "-n", "4", "--out", str(tmp_path / "a.png")]
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert problem in error and error.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.keras"]


def test_large_arrays_that_do_not_shrink_are_accepted(tmp_path):
    x = np.random.default_rng(0).random((50, 6), "float32")
    np.savez_compressed(tmp_path / "a.npz", x=x)
    assert data.load(tmp_path / "a.npz").size("train") == 45


def test_a_compressed_file_that_claims_too_much_is_refused():
    spec = data.Spec("image", "image", (4, 4, 1), (0.0, 1.0))
    vae = models.VAE.for_data(spec, hidden=(4,), network="dense", likelihood="bernoulli", seed=0)
    compressed = compression.compress(vae, np.zeros((2, 4, 4, 1), bool))
    header, content = archive.read(compressed)
    forged = archive._written(header | {"n": 10**12}, content)
    with pytest.raises(compression.CompressionError, match="too many"):
        compression.decompress(vae, forged)


# ---- a full disk ---------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few hundred kilobytes, and a function that gives it room."""
    folder = tmp_path / "small"
    folder.mkdir()

    def mount(size: str, *options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", *options, "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True).returncode == 0

    if sys.platform != "linux" or not mount("400k"):
        pytest.skip("needs to mount a small file system")
    yield folder, lambda: mount("100m", "-o", "remount")
    subprocess.run(["umount", str(folder)])


@pytest.mark.slow
def test_a_full_disk_costs_nothing_once_there_is_room(small_disk, tmp_path, capsys):
    folder, give_room = small_disk
    assert cli.main(["train", *TRAIN, "--run-dir", str(folder / "run")]) == 1
    error = capsys.readouterr().err
    assert "No space left on device; resume with: keras-gen train --resume" in error
    assert error.count("\n") == 1
    run = runs.Run(folder / "run")
    assert not list(run.path.rglob(".partial-*"))
    for epoch in run.checkpoint_epochs():
        keras.models.load_model(run.checkpoint(epoch))
    assert give_room()
    assert cli.main(["train", "--resume", "--run-dir", str(run.path)]) == 0
    assert cli.main(["train", *TRAIN, "--run-dir", str(tmp_path / "whole")]) == 0
    for a, b in zip(run.model.variables, runs.Run(tmp_path / "whole").model.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


def test_a_disk_that_fills_while_a_checkpoint_is_written(tmp_path, capsys, monkeypatch):
    save = models.VAE.save

    def full(self, path, *arguments, **options):
        if "epoch-0002" in str(path):
            Path(path).write_bytes(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, path, *arguments, **options)

    monkeypatch.setattr(models.VAE, "save", full)
    assert cli.main(["train", *TRAIN, "--run-dir", str(tmp_path / "run")]) == 1
    assert "No space left on device; resume with" in capsys.readouterr().err
    run = runs.Run(tmp_path / "run")
    assert run.checkpoint_epochs() == [1]
    assert not list(run.path.rglob(".partial-*"))
