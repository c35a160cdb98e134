"""Trains, measures and releases the presets, and writes the README's table from their cards.

Usage: python benchmarks/zoo.py [--data-dir D] [--runs zoo] [PRESET ...]
       python benchmarks/zoo.py --table | --check | --pictures [PRESET ...]

Each preset is trained into zoo/PRESET, measured and written to saved_models/PRESET. An interrupted
run is resumed, and a finished one is not trained again. A preset whose data is missing is skipped
and named at the end. All presets together take some hours on two cores.

`--table` only writes the README's table. `--check` writes nothing and fails if the table differs
from the cards. `--pictures` only draws saved_models/*/samples.* again from the released weights.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from keras_gen import presets
from keras_gen.presets import released

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- zoo: written by benchmarks/zoo.py -->\n", "<!-- /zoo -->\n"
# Protocols in the table. The cards have more.
SHOWN = (
    "nll_iw5000",
    "nll_iw100",
    "mig_a",
    "factor_vae_score",
    "fid_lenet_10k",
    "code_error",
    "label_accuracy_1k",
    "modes_2500",
    "high_quality_2500",
    "reverse_kl_2500",
    "stacked_modes_26k",
    "stacked_kl_26k",
    "discriminative_score_10",
    "discriminative_score_32_10",
    "predictive_score_10",
    "predictive_score_32_10",
    "active_units",
)


def table() -> str:
    """Returns the README's table: a row for each figure of each card."""
    lines = [
        "| preset | measured | | n | real data | target | training |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, card in released.cards().items():
        metrics = card["metrics"]
        figures = [
            (key, metrics["evaluation"][key]) for key in SHOWN if key in metrics["evaluation"]
        ]
        first = f"`{name}`", f"{card['epochs']} epochs, {minutes(metrics['training_seconds'])}"
        for key, figure in figures:
            target = card["target"].get(key)
            cells = (
                first[0],
                value(figure),
                f"{figure['unit']}, `{key}`",
                f"{figure['n']:,}",
                number(figure.get("floor")),
                number(target),
                first[1],
            )
            lines.append(f"| {' | '.join(cells)} |")
            first = "", ""
    return "\n".join(lines) + "\n"


def value(figure: dict) -> str:
    """Returns a figure with its error."""
    error = figure.get("error")
    return f"**{number(figure['value'])}**" + (f" ± {error:.1g}" if error else "")


def number(x: float | None) -> str:
    """Returns three significant digits, or nothing for None."""
    if x is None:
        return ""
    return f"{x:.0f}" if abs(x) >= 1000 or x == round(x) else f"{x:.3g}"


def minutes(seconds: float) -> str:
    """Returns a training time in seconds or minutes."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def with_table(readme: str) -> str:
    """Returns the README with the table of the cards."""
    before, rest = readme.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def make(name: str, runs: Path, data_dir: str | None) -> bool:
    """Trains, measures and releases one preset. Returns whether this succeeded."""
    place, where = runs / name, ["--data-dir", data_dir] if data_dir else []
    steps = [
        ["train", name, "--resume", "--run-dir", str(place), *where],
        ["release", str(place), str(released.folder() / name)],
    ]
    for step in steps:
        print("keras-gen", *step, flush=True)
        if subprocess.run([sys.executable, "-m", "keras_gen", *step]).returncode:
            return False
    return True


def draw(names: list[str]) -> None:
    """Draws the samples of released models again."""
    from keras_gen import runs
    from keras_gen.runs import releasing

    for name in names:
        trained = runs.open(name)
        releasing.write_samples(trained.model, trained.spec, trained.path)
        print(released.picture(name) or f"{name}: samples of its data cannot be drawn", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("presets", nargs="*", metavar="PRESET", help="names (default: all)")
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps its prepared data sets")
    parser.add_argument("--runs", type=Path, default=Path("zoo"), help="folder of the runs")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--table", action="store_true", help="only write the README's table")
    only.add_argument("--check", action="store_true", help="fail if the README's table is outdated")
    only.add_argument("--pictures", action="store_true", help="only draw the samples again")
    arguments = parser.parse_args()
    if arguments.pictures:
        draw(arguments.presets or list(released.names()))
        return 0
    if arguments.check:
        if with_table(README.read_text()) != README.read_text():
            print("README.md differs from the cards: run python benchmarks/zoo.py --table")
            return 1
        return 0
    left = []
    if not arguments.table:
        names = arguments.presets or list(presets.PRESETS)
        left = [name for name in names if not make(name, arguments.runs, arguments.data_dir)]
    README.write_text(with_table(README.read_text()))
    if left:
        print("not released:", ", ".join(left))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
