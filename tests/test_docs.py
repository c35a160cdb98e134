"""README, CONTRIBUTING and docs: what they name exists."""

import json
import re
import shlex
from pathlib import Path

import pytest
from test_architecture import ORDER

from keras_gen.cli.main import parser

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = PAGES[0].read_text()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each).strip().lower().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path) if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def commands():
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.splitlines():
                if line.startswith("keras-gen "):
                    yield pytest.param(line, id=f"{page.name}:{line[10:60]}")


@pytest.mark.parametrize("line", list(commands()))
def test_commands_are_understood(line):
    arguments = shlex.split(line, comments=True)[1:]
    assert parser().parse_args(arguments).run


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_is_python(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(block, page.name, "exec")


def test_the_map_is_in_the_order_of_imports():
    block = re.search(r"```\nkeras_gen/\n(.*?)```", README, re.DOTALL)[1]
    named = [re.sub(r"/|\.py", "", line.split()[0]) for line in block.splitlines()]
    assert named == ORDER


def test_the_notebooks_are_listed_as_they_introduce_themselves():
    table = re.search(r"<!-- notebooks.*<!-- /notebooks -->", README, re.DOTALL)[0]
    rows = re.findall(r"\(notebooks/(\w+\.ipynb)\) \| .* \| (.*) \| ?(.*)\|\n", table)
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert [row[0] for row in rows] == [path.name for path in notebooks]
    for path, (name, minutes, before) in zip(notebooks, rows, strict=True):
        cell = "".join(json.loads(path.read_text())["cells"][0]["source"])
        assert re.search(r"\| Time \| (?:about )?(.*) minutes", cell)[1] == minutes, name
        reading = re.search(r"\| Read before \| (.*) \|", cell)[1]
        links = [] if reading.startswith("nothing") else re.findall(r"\((\d\d)_", reading)
        assert links == re.findall(r"\d\d", before), name
