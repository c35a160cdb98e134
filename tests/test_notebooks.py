"""The notebooks: they run from a clean kernel, and what is committed reads well on the web."""

import importlib.util
import inspect
import operator
import re
from pathlib import Path

import nbformat
import pytest

import keras_gen

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LARGEST = 600_000  # bytes
ABSOLUTE = ("/work", "/tmp", "/home", "/root", "/Users", "site-packages")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def execute():
    """The module notebooks/execute.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def ids(notebook) -> list[str]:
    return [cell.id for cell in notebook.cells]


def is_silent(cell) -> bool:
    """Whether a cell need not put anything out: it neither prints, shows nor draws."""
    return not any(word in cell.source for word in ("print(", "show_images(", "plt.subplots("))


def texts(cell):
    for output in cell.outputs:
        yield output.get("text", "")
        yield output.get("data", {}).get("text/plain", "")


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == [
        "00_quickstart",
        "01_vae_from_the_paper",
        "02_gan_minimax",
        "03_infogan",
        "04_sequences",
        "05_your_own_data",
        "06_evaluate_honestly",
    ]


@pytest.mark.slow
@each_notebook
def test_runs_in_quick_mode(path, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_QUICK", "1")
    before = path.read_bytes()
    notebook = execute().run(path)  # in an empty folder; raises if a cell does
    assert [output for cell in code_cells(notebook) for output in cell.outputs]
    assert path.read_bytes() == before
    assert ids(notebook) == ids(nbformat.read(path, as_version=4))


@each_notebook
def test_the_source_shown_is_that_of_today(path):
    for cell in code_cells(nbformat.read(path, as_version=4)):
        for name in re.findall(r"inspect\.getsource\(kg\.([\w.]+)\)", cell.source):
            shown = operator.attrgetter(name)(keras_gen)
            assert inspect.getsource(shown) in "".join(texts(cell)), name


@pytest.mark.parametrize("quick", ["0", "1"])
def test_execution_changes_outputs_alone(quick, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_QUICK", quick)
    cells = [nbformat.v4.new_markdown_cell("# Sum"), nbformat.v4.new_code_cell("print(1 + 1)")]
    path = tmp_path / "sum.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    executed = execute().run(path)
    assert [cell.source for cell in executed.cells] == [cell.source for cell in cells]
    assert executed.cells[1].outputs[0].text == "2\n"


@each_notebook
def test_is_committed_with_its_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size <= LARGEST
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert cell.outputs or is_silent(cell), f"no output of {cell.source!r}"
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
        for text in texts(cell):
            assert not any(place in text for place in ABSOLUTE), text
    assert "all claims hold" in "".join(texts(cells[-1]))


@each_notebook
def test_is_committed_from_a_full_run(path):
    """Quick figures claim nothing; the quick mode is decided in the first cell alone."""
    first, *others = code_cells(nbformat.read(path, as_version=4))
    assert 'QUICK = os.environ.get("KERAS_GEN_QUICK") == "1"' in first.source
    asking = [cell for cell in others if "QUICK" in cell.source]
    assert asking == others[-1:], "only the last cell's assertions may ask for the mode"


@each_notebook
def test_carries_no_trace_of_the_machine(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata == execute().METADATA
    assert not any(cell.metadata for cell in notebook.cells)


def test_tidying_keeps_real_warnings():
    chatter = "I0000 00:00:1.2 3 port.cc:153] oneDNN custom operations are on.\n"
    cell = nbformat.v4.new_code_cell(
        outputs=[
            nbformat.v4.new_output("stream", name="stderr", text=chatter),
            nbformat.v4.new_output("stream", name="stderr", text=chatter + "UserWarning: mind\n"),
        ]
    )
    cell.metadata["execution"] = {"iopub.status.busy": "now"}
    execute().tidy(nbformat.v4.new_notebook(cells=[cell]))
    assert [output.text for output in cell.outputs] == ["UserWarning: mind\n"]
    assert not cell.metadata
