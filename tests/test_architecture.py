"""The shape of the package: who imports whom, and what a model file must say."""

import ast
import configparser
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import keras_gen
from keras_gen import data, models

PACKAGE = Path(keras_gen.__file__).parent
# Each may import only from those before it.
ORDER = [
    "quiet",
    "files",
    "checks",
    "suggestions",
    "versions",
    "presets",
    "philox",
    "noise",
    "latents",
    "likelihoods",
    "losses",
    "augmentation",
    "networks",
    "data",
    "engine",
    "models",
    "representation",
    "compression",
    "evaluation",
    "plotting",
    "runs",
    "tuning",
    "exporting",
    "distilling",
    "recommending",
    "exploring",
    "reporting",
    "judging",
    "cli",
    "__main__",
]
LONGEST = 400  # lines of a file; presets are data
# Methods of which Keras says what they do.
OF_KERAS = {"build", "call", "get_config", "from_config", "test_step", "convolution_op",
            "compute_output_shape", "add_update"}  # fmt: skip
MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path: Path) -> set[str]:
    """The parts of the package that a file imports, anywhere in it."""
    parts = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("keras_gen."):
                parts.add(name.split(".")[1])
    return parts & set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_upwards(path):
    part = part_of(path)
    if part == "__init__":
        return
    assert part in ORDER, f"{part} has no place in the order of the package"
    below = {other for other in imported_parts(path) if ORDER.index(other) > ORDER.index(part)}
    assert not below, f"{part} must not import {below}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_backends_import_a_backend(path):
    free = ("models", "losses", "likelihoods", "latents.py", "augmentation.py", "noise.py")
    if path.relative_to(PACKAGE).parts[0] in free:
        assert not re.search(r"^\s*(import|from) (tensorflow|jax|torch)\b", path.read_text(), re.M)
        assert "LazyTensorFlow" not in path.read_text()


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_are_short(path):
    if part_of(path) != "presets":
        assert len(path.read_text().splitlines()) <= LONGEST


def test_the_base_class_is_thin():
    model, trainer = (PACKAGE / "engine" / name for name in ("model.py", "trainer.py"))
    assert max(len(path.read_text().splitlines()) for path in (model, trainer)) <= 300


@pytest.mark.parametrize("name", models.NAMES)
def test_a_model_file_names_its_paper_and_its_symbols(name):
    model = models.get(name)
    module = sys.modules[model.__module__]
    assert re.search(r"\b(19|20)\d\d\b", module.__doc__), "the paper's year"
    assert re.search(r"equation|algorithm|section", module.__doc__, re.IGNORECASE)
    assert re.search(r"^ +paper +here$", module.__doc__, re.MULTILINE), "the table of symbols"


@pytest.mark.parametrize("folder", ["models", "engine"])
def test_model_files_show_their_objective(folder):
    for path in (PACKAGE / folder).rglob("*.py"):
        assert lines_of_code(path) <= 160, path


def lines_of_code(path: Path) -> int:
    """Lines that hold code: no blank ones, comments or docstrings."""
    # What a syntax tree gives back has no comments, and each docstring is a statement of its own.
    tree = ast.parse(path.read_text())
    texts = [
        node.body[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node)
    ]
    lines = {n for node in ast.walk(tree) if hasattr(node, "lineno") for n in span(node, texts)}
    return len(lines - {n for text in texts for n in range(text.lineno, text.end_lineno + 1)})


def span(node: ast.AST, texts: list) -> range:
    """The lines on which a node begins and, unless it holds others, ends."""
    simple = not hasattr(node, "body") and node not in texts
    return range(node.lineno, (node.end_lineno if simple else node.lineno) + 1)


def public_definitions():
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                yield pytest.param(node, id=f"{path.relative_to(PACKAGE)}:{node.name}")


@pytest.mark.parametrize("node", list(public_definitions()))
def test_public_things_have_docstrings(node):
    assert ast.get_docstring(node)


def public_methods():
    for path in MODULES:
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                for member in node.body:
                    name = getattr(member, "name", "_")
                    if not name.startswith("_") and name not in OF_KERAS:
                        known = ast.get_docstring(member)
                        yield module.removesuffix(".__init__"), node.name, name, known


@pytest.mark.parametrize(("module", "owner", "name", "docstring"), list(public_methods()))
def test_public_methods_have_docstrings(module, owner, name, docstring):
    """Of their own or of the method that they override."""
    if not docstring:
        owner = getattr(importlib.import_module(module), owner)
        assert inspect.getdoc(getattr(owner, name))


def test_importing_the_package_is_light():
    script = (
        "import sys, keras_gen, keras_gen.presets, keras_gen.cli, keras_gen.files; "
        "print([m for m in ('tensorflow', 'jax', 'keras', 'numpy') if m in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "[]"


def test_keras_knows_the_models_of_an_imported_package(tmp_path):
    spec = data.Spec("vector", "vector", (2,), (0.0, 1.0))
    models.VAE.for_data(spec, latent_dim=1, hidden=(2,)).save(tmp_path / "vae.keras")
    script = "import sys, keras, keras_gen; print(keras.models.load_model(sys.argv[1]).latent.dim)"
    command = [sys.executable, "-c", script, str(tmp_path / "vae.keras")]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.strip() == "1"


def test_setup_names_every_package():
    configuration = configparser.ConfigParser()
    configuration.read(PACKAGE.parent / "setup.cfg")
    listed = configuration["options"]["packages"].split()
    found = [".".join(path.parent.relative_to(PACKAGE.parent).parts) for path in MODULES
             if path.name == "__init__.py"]  # fmt: skip
    assert sorted(listed) == sorted([*found, "keras_gen.saved_models"])
