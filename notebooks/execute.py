"""Execute the notebooks of this folder in place, each in a clean kernel.

Usage: python notebooks/execute.py [--check] [NOTEBOOK ...]

With `--check` nothing is written: it only shows that they run. `KERAS_GEN_QUICK=1` in the
environment shrinks epochs and examples and leaves XLA out; a notebook's figures are claimed without
it.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).resolve().parent
TIME_LIMIT = 1200  # seconds, for one cell

# What TensorFlow's C++ code logs at start-up, before it reads TF_CPP_MIN_LOG_LEVEL.
CHATTER = re.compile(r"^(WARNING: All log messages before absl::|[IWE]\d{4} )")

# Before the first cell of a quick run, which XLA would compile for longer than it trains.
WITHOUT_XLA = """
import functools, keras_gen
model = keras_gen.models.GenerativeModel
model.compile = functools.partialmethod(model.compile, jit_compile=False)
"""

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def quick() -> bool:
    """Whether the notebooks run in their quick mode."""
    return os.environ.get("KERAS_GEN_QUICK") == "1"


def run(path: Path) -> nbformat.NotebookNode:
    """The notebook at `path`, executed from its first cell to its last in an empty folder.

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    if quick():
        notebook.cells.insert(0, nbformat.v4.new_code_cell(WITHOUT_XLA))
    # The package beside this folder, installed or not.
    search = os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory() as empty:
        NotebookClient(
            notebook,
            timeout=TIME_LIMIT,
            kernel_name="python3",
            resources={"metadata": {"path": empty}},
            record_timing=False,
        ).execute(env=os.environ | {"PYTHONPATH": search})
    if quick():
        del notebook.cells[0]
    tidy(notebook)
    return notebook


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Takes out what differs from run to run and says nothing: start-up chatter and metadata."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                lines = output.text.splitlines(keepends=True)
                output.text = "".join(line for line in lines if not CHATTER.match(line))
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr" or o.text.strip()]


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Writes a notebook beside `path`, then renames it: complete or not at all."""
    beside = path.with_suffix(".ipynb.tmp")
    nbformat.write(notebook, beside)
    os.replace(beside, path)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Execute notebooks, each in a clean kernel.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of this folder")
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args(argv)
    if quick() and not arguments.check:
        parser.error("quick figures claim nothing: unset KERAS_GEN_QUICK, or --check")
    for path in arguments.notebooks or sorted(FOLDER.glob("*.ipynb")):
        if not path.is_file():
            parser.error(f"no such notebook: {path}")
        start = time.perf_counter()
        try:
            notebook = run(path)
        except CellExecutionError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            return 1
        if not arguments.check:
            write(notebook, path)
        print(f"{path.name}: {time.perf_counter() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
