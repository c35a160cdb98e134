"""How files are written, read and replaced: beside their place, then renamed into it.

A kill at any instant leaves the old file or the new one, never half of one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

try:
    import fcntl
except ImportError:  # Windows has other locks, and no runs on several processes
    fcntl = None


EXPANDED, LARGE = 2**33, 2**30  # bytes


class InUse(ValueError):
    """Another process has what this one wants to write; the message says which."""


@contextlib.contextmanager
def written_beside(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a path beside `path` to write a file to, and renames it into place at the end.

    If the block raises, what it wrote is deleted and `path` stays as it was. A symbolic link at
    either place is replaced, and what it points to is left alone.
    """
    path = Path(path)
    beside = path.with_name(f".partial-{path.name}")
    if beside.is_symlink():
        beside.unlink()
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_written_beside(path: str | os.PathLike) -> Iterator[Path]:
    """Yields the path of a new folder beside `path`, and renames it into place at the end.

    A folder that is at `path` already is replaced: call `check_free` or `check_replaceable` first.
    A symbolic link is replaced, and what it points to is left alone. Parents are made.
    """
    path = Path(path)
    beside = path.with_name(f".partial-{path.name}")
    _removed(beside)
    beside.mkdir(parents=True)
    try:
        yield beside
        _removed(path)
        os.rename(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _removed(path: Path) -> None:
    """Deletes a folder, or a link and not what it points to; nothing if there is none."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def write_json(path: str | os.PathLike, content: dict[str, Any]) -> None:
    """Writes `content` to `path`, which appears complete or not at all."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(content, indent=2) + "\n")


def read_json(path: str | os.PathLike, entries: Iterable[str] = ()) -> dict[str, Any]:
    """Returns the content of a file that `write_json` wrote and that has these entries.

    Raises:
        ValueError: if the file is damaged; the message names it.
    """
    try:
        content = json.loads(Path(path).read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is damaged: it does not hold a JSON object")
    if missing := [entry for entry in entries if entry not in content]:
        raise ValueError(f"{path} is damaged: it has no {missing[0]!r}")
    return content


def check_archive(path: str | os.PathLike) -> None:
    """Checks that a ZIP file, as `.keras` and `.npz` files are, is safe to unpack.

    Raises:
        ValueError: if a name in it points outside, or it would expand beyond `EXPANDED` bytes, or a
            hundredfold beyond `LARGE`: real arrays hardly compress.
        zipfile.BadZipFile: if it is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in "".join(name.parts[:1]):
            raise ValueError(f"it holds the path {entry.filename!r}, which is outside of it")
    size = sum(entry.file_size for entry in entries)
    if size > EXPANDED or size > max(LARGE, 100 * os.path.getsize(path)):
        raise ValueError(f"it would expand to {size / 2**30:.1f} GB")


def sha256(path: str | os.PathLike) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def is_free(path: str | os.PathLike) -> bool:
    """Returns whether a folder can be made at `path`: it does not exist or is an empty folder."""
    path = Path(path)
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def numbered(stem: str | os.PathLike) -> dict[int, Path]:
    """Returns what there is under the names `STEM-NNN`, by number."""
    stem = Path(stem)
    found = {path.name.removeprefix(f"{stem.name}-"): path
             for path in stem.parent.glob(f"{stem.name}-*")}  # fmt: skip
    return {int(number): path for number, path in found.items() if number.isdigit()}


def next_numbered(stem: str | os.PathLike) -> Path:
    """Returns the next free path `STEM-NNN`."""
    return Path(f"{stem}-{max(numbered(stem), default=0) + 1:03d}")


def check_replaceable(path: str | os.PathLike, mark: str) -> None:
    """Checks that a folder written to `path` would replace only what it may.

    Args:
        path: where the folder is to be written.
        mark: name of a file that every folder of this kind contains. An older one may be replaced.

    Raises:
        FileExistsError: if `path` is a file, or a folder with content but without `mark`.
        PermissionError: if nothing can be written there.
    """
    path = Path(path)
    if not is_free(path) and not (path / mark).is_file():
        raise FileExistsError(
            f"{path} exists and is not a folder of this kind (it has no {mark}): choose another"
        )
    check_writable(path.parent)


def check_writable(folder: str | os.PathLike) -> None:
    """Checks that files can be written in `folder`, or in its nearest parent that exists.

    Raises:
        PermissionError: if they cannot.
        NotADirectoryError: if it is a file.
    """
    folder = Path(folder)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} is not writable")


@contextlib.contextmanager
def locked(path: str | os.PathLike) -> Iterator[None]:
    """Holds a lock while the block runs; the lock of a process that died is no lock.

    Args:
        path: of the lock file, which says who has it and is deleted at the end.

    Raises:
        InUse: if another process has it.
    """
    path = Path(path)
    if fcntl is None:
        yield
        return
    with _lock_file(path) as file:
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def check_unlocked(path: str | os.PathLike) -> None:
    """Raises InUse if another process holds the lock of a file."""
    if Path(path).exists():
        with locked(path):
            pass


def _lock_file(path: Path):
    """Returns the open file whose lock this process has got."""
    while True:
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115  (the lock is that of the open file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                file.seek(0)
                owner = file.read().strip() or "another process"
            raise InUse(f"{path.parent} is in use by {owner}: wait, or end it") from None
        # The owner before may have deleted the file between the two lines above.
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            file.truncate(0)
            return file
        file.close()


def drop_partial(folder: str | os.PathLike) -> None:
    """Deletes what a process that was killed left half-written in a folder and below."""
    for path in Path(folder).rglob(".partial-*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
