"""Executes the notebooks of this folder in place, each in a clean kernel.

Usage: python notebooks/execute.py [--check | --sources] [NOTEBOOK ...]

With `--check` nothing is written. With `--sources` only the cells that print the package's source
are executed, which takes seconds: after a change of code that they quote. `KERAS_GEN_QUICK=1` in
the environment means fewer epochs and examples and no XLA; such numbers are not written.
"""

import argparse
import base64
import io
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

FOLDER = Path(__file__).resolve().parent
TIME_LIMIT = 1200  # seconds, for one cell

# What TensorFlow's C++ code logs at start-up, before it reads TF_CPP_MIN_LOG_LEVEL.
START_UP = re.compile(r"^(WARNING: All log messages before absl::|[IWE]\d{4} )")

# Before the first cell of a quick run, in which XLA would compile for longer than it trains.
WITHOUT_XLA = """
import functools, keras_gen
model = keras_gen.models.GenerativeModel
model.compile = functools.partialmethod(model.compile, jit_compile=False)
"""

# Before the cells that print source: what they need.
FOR_SOURCES = """
import inspect
import keras_gen as kg
from keras_gen.losses.adversarial import value
"""
PRINTS_SOURCE = re.compile(r"(print\(inspect\.getsource\([\w.]+\)\)\n?)+")

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def quick() -> bool:
    """Returns whether the notebooks run in their quick mode."""
    return os.environ.get("KERAS_GEN_QUICK") == "1"


def run(path: Path) -> nbformat.NotebookNode:
    """Returns the notebook at `path`, executed from its first to its last cell in an empty folder.

    Raises:
        CellExecutionError: if a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    if quick():
        notebook.cells.insert(0, nbformat.v4.new_code_cell(WITHOUT_XLA))
    execute(notebook)
    if quick():
        del notebook.cells[0]
    tidy(notebook)
    return notebook


def execute(notebook: nbformat.NotebookNode) -> None:
    """Executes the cells of a notebook, which imports the package beside this folder."""
    search = os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory() as empty:
        NotebookClient(
            notebook,
            timeout=TIME_LIMIT,
            kernel_name="python3",
            resources={"metadata": {"path": empty}},
            record_timing=False,
        ).execute(env=os.environ | {"PYTHONPATH": search})


def run_sources(path: Path) -> nbformat.NotebookNode:
    """Returns the notebook at `path` with the source that its cells print as it is today."""
    notebook = nbformat.read(path, as_version=4)
    cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and PRINTS_SOURCE.fullmatch(cell.source)
    ]
    if cells:
        counts = [cell.execution_count for cell in cells]
        execute(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FOR_SOURCES), *cells]))
        for cell, count in zip(cells, counts, strict=True):
            cell.execution_count = count
    tidy(notebook)
    return notebook


def with_palette(picture: str) -> str:
    """Returns a picture of many colours with a palette of 256, if that makes it smaller."""
    pixels = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    packed = io.BytesIO()
    pixels.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(packed, "PNG", optimize=True)
    return min(picture, base64.b64encode(packed.getvalue()).decode(), key=len)


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Joins consecutive text outputs, removes start-up messages and metadata, packs pictures.

    These differ from run to run.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        kept = []
        for output in cell.outputs:
            if output.get("name") == "stderr":
                lines = output.text.splitlines(keepends=True)
                output.text = "".join(line for line in lines if not START_UP.match(line))
                if not output.text.strip():
                    continue
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = with_palette(output.data["image/png"])
            if kept and output.get("name") and kept[-1].get("name") == output.name:
                kept[-1].text += output.text
            else:
                kept.append(output)
            if "execution_count" in output:
                output.execution_count = cell.execution_count
        cell.outputs = kept


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Writes a notebook beside `path`, then renames it: complete or not at all."""
    beside = path.with_suffix(".ipynb.tmp")
    nbformat.write(notebook, beside)
    os.replace(beside, path)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Execute notebooks, each in a clean kernel.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of this folder")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="write nothing")
    what.add_argument("--sources", action="store_true", help="only cells that print source")
    arguments = parser.parse_args(argv)
    if quick() and not (arguments.check or arguments.sources):
        parser.error("KERAS_GEN_QUICK=1: quick numbers are not written; unset it, or give --check")
    for path in arguments.notebooks or sorted(FOLDER.glob("*.ipynb")):
        if not path.is_file():
            parser.error(f"no such notebook: {path}")
        start = time.perf_counter()
        try:
            notebook = run_sources(path) if arguments.sources else run(path)
        except CellExecutionError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            return 1
        if not arguments.check:
            write(notebook, path)
        print(f"{path.name}: {time.perf_counter() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
