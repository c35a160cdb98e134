"""Folders of files: all files in one folder, or one subfolder for each class."""

from __future__ import annotations

from pathlib import Path

from keras_gen.data.specs import DataError


def entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Returns the subfolders and the files of a folder, sorted by name, without dotfiles."""
    found = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    return [e for e in found if e.is_dir()], [e for e in found if not e.is_dir()]


def class_files(folder: Path, what: str) -> tuple[list[tuple[Path, int]], list[str]]:
    """Returns the files of a folder with their labels, and the names of the classes.

    Without subfolders all labels are 0 and there are no names.

    Args:
        folder: folder of files, or of one subfolder of files for each class.
        what: name of the files in error messages, such as "images".

    Raises:
        DataError: naming the folder that is invalid.
    """
    folders, files = entries(folder)
    if folders and files:
        raise DataError(
            f"{folder} has both class folders and the file {files[0].name}: move the file into a "
            "class folder."
        )
    if not folders and not files:
        raise DataError(f"{folder} is empty: it must hold {what}, or a folder of {what} per class.")
    listed = [(file, 0) for file in files]
    for label, each in enumerate(folders):
        deeper, files = entries(each)
        if deeper or not files:
            *_, noun = what.split()
            wrong = f"the folder {deeper[0].name}" if deeper else f"no {noun}"
            raise DataError(
                f"class folder {each} has {wrong}: it must hold {what} and nothing else."
            )
        listed += [(file, label) for file in files]
    return listed, [each.name for each in folders]
