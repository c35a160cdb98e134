"""The notebooks: they run from a clean kernel, and what is committed reads well on the web."""

import importlib.util
import inspect
import re
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

import keras_gen
from keras_gen.losses.adversarial import value
from keras_gen.plotting import show_images, use_svg
from keras_gen.plotting.axes import as_svg

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LARGEST = 600_000  # bytes
ABSOLUTE = ("/work", "/tmp", "/home", "/root", "/Users", "site-packages")
SOURCE = re.compile(r"inspect\.getsource\(([\w.]+)\)")
SHOWN = {"kg": keras_gen, "value": value}  # what the notebooks show the source of

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def execute():
    """Returns the module notebooks/execute.py, which is a script in no package."""
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def ids(notebook) -> list[str]:
    return [cell.id for cell in notebook.cells]


def is_silent(cell) -> bool:
    """Returns whether a cell may have no output: it neither prints, shows nor draws."""
    words = ("print(", "show_images(", "plt.subplots(", "PrintEpochs(", "display(")
    return not any(word in cell.source for word in words)


def texts(cell):
    for output in cell.outputs:
        yield output.get("text", "")
        yield output.get("data", {}).get("text/plain", "")


def quoted_lines(markdown: str):
    """Yields the code in the first column of tables whose first column is called "line"."""
    in_table = False
    for row in markdown.splitlines():
        first = row.strip("| ").split(" | ")[0]
        in_table = row.startswith("|") and (in_table or first == "line")
        if in_table:
            yield from re.findall(r"`(.+?)`", first)


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == [
        "00_quickstart",
        "01_vae_from_the_paper",
        "02_gan_minimax",
        "03_infogan",
        "04_recurrent_gans",
        "05_your_own_data",
        "06_evaluate_honestly",
        "07_represent_and_compress",
        "08_dcgan_on_images",
        "09_text_and_speech",
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
def test_begins_with_aim_time_and_what_to_read_before(path):
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.source.startswith("# ")
    rows = [row.split("|") for row in first.source.splitlines() if row.startswith("| ")]
    assert [row[1].strip() for row in rows][1:4] == ["Aim", "Time", "Read before"]
    assert re.search(r"\d+ minutes", rows[2][2])


@each_notebook
def test_the_source_shown_is_that_of_today(path):
    for cell in code_cells(nbformat.read(path, as_version=4)):
        for name in SOURCE.findall(cell.source):
            assert inspect.getsource(eval(name, SHOWN)) in "".join(texts(cell)), name


@each_notebook
def test_tables_quote_lines_of_the_source_shown(path):
    shown = ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            shown = "".join(texts(cell)) if SOURCE.search(cell.source) else ""
            continue
        for line in quoted_lines(cell.source):
            pattern = ".*".join(map(re.escape, line.split("...")))
            assert re.search(pattern, shown), f"not in the source above: {line}"


def test_four_notebooks_have_tables_that_quote_source():
    cells = [cell for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    quoted = [list(quoted_lines(cell.source)) for cell in cells if cell.cell_type == "markdown"]
    assert len([lines for lines in quoted if lines]) == 5  # 02 has two


@pytest.mark.parametrize("quick", ["0", "1"])
def test_execution_changes_outputs_alone(quick, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_GEN_QUICK", quick)
    cells = [nbformat.v4.new_markdown_cell("# Sum"), nbformat.v4.new_code_cell("print(1 + 1)")]
    path = tmp_path / "sum.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    executed = execute().run(path)
    assert [cell.source for cell in executed.cells] == [cell.source for cell in cells]
    assert executed.cells[1].outputs[0].text == "2\n"


def test_sources_alone_can_be_refreshed(tmp_path, monkeypatch):
    path = tmp_path / "notebook.ipynb"
    shutil.copy(FOLDER / "02_gan_minimax.ipynb", path)
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        if SOURCE.search(cell.source):
            cell.outputs[0].text = "def value(): another time\n"
    nbformat.write(notebook, path)
    assert execute().main(["--sources", str(path)]) == 0
    test_the_source_shown_is_that_of_today(path)
    test_is_committed_with_its_outputs(path)


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
    """Quick numbers claim nothing; the first cell alone decides on the quick mode."""
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
    start_up = "I0000 00:00:1.2 3 port.cc:153] oneDNN custom operations are on.\n"
    cell = nbformat.v4.new_code_cell(
        outputs=[
            nbformat.v4.new_output("stream", name="stderr", text=start_up),
            nbformat.v4.new_output("stream", name="stderr", text=start_up + "UserWarning: mind\n"),
        ]
    )
    cell.metadata["execution"] = {"iopub.status.busy": "now"}
    execute().tidy(nbformat.v4.new_notebook(cells=[cell]))
    assert [output.text for output in cell.outputs] == ["UserWarning: mind\n"]
    assert not cell.metadata


def test_tidying_joins_lines_of_the_same_stream():
    figure = nbformat.v4.new_output("display_data", {"text/plain": "a figure"})
    lines = [nbformat.v4.new_output("stream", name="stdout", text=f"{i}\n") for i in range(3)]
    cell = nbformat.v4.new_code_cell(outputs=[*lines[:2], figure, lines[2]])
    execute().tidy(nbformat.v4.new_notebook(cells=[cell]))
    assert [output.get("text") for output in cell.outputs] == ["0\n1\n", None, "2\n"]


# ---- figures in notebooks ------------------------------------------------------------------------


def test_curves_are_svg_and_images_are_not():
    curve, ax = plt.subplots(dpi=144)
    ax.plot([1, 2, 3])
    with_inset, ax = plt.subplots()
    show_images(np.zeros((1, 4, 4, 1)), ax=ax.inset_axes([0, 0, 0.5, 0.5]))
    points, ax = plt.subplots()
    ax.scatter(*np.random.RandomState(0).normal(size=(2, 5_000)))
    images = show_images(np.zeros((4, 4, 4, 1))).figure
    svg = as_svg(curve)
    assert svg.startswith("<?xml") and svg == as_svg(curve)
    # Two pixels for each of the view box's 72nds of an inch.
    width, points_wide = (
        float(re.search(p, svg)[1]) for p in (r'width="(\d+)"', r"Box=.0 0 (\S+)")
    )
    assert abs(width - 2 * points_wide) <= 1
    assert as_svg(with_inset) is as_svg(points) is as_svg(images) is None
    plt.close("all")


def test_svg_is_for_notebooks():
    with pytest.raises(RuntimeError, match="notebook"):
        use_svg()


def test_a_notebook_shows_each_figure_once():
    drawing = "import matplotlib.pyplot as plt; from keras_gen.plotting import use_svg; use_svg()"
    cells = [
        nbformat.v4.new_code_cell(drawing),
        nbformat.v4.new_code_cell("plt.plot([1, 2]);"),
        nbformat.v4.new_code_cell("plt.imshow([[1, 2]]);"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    execute().execute(notebook)
    formats = [[set(output.data) for output in cell.outputs] for cell in notebook.cells[1:]]
    assert formats == [[{"image/svg+xml", "text/plain"}], [{"image/png", "text/plain"}]]
