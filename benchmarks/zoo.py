"""Trains, measures and releases the presets, and writes tables of figures from their cards.

Usage: python benchmarks/zoo.py [--data-dir D] [--runs zoo] [PRESET ...]
       python benchmarks/zoo.py --table | --check | --pictures [PRESET ...]

Each preset is trained into zoo/PRESET, measured and written to saved_models/PRESET. An interrupted
run is resumed, and a finished one is not trained again. A preset whose data is missing is skipped
and named at the end. All presets together take some hours on two cores.

README.md has a table of one figure per preset, docs/measurements.md a table of all. `--table` only
writes these tables. `--check` writes nothing and fails if a table differs from the cards.
`--pictures` only draws saved_models/*/samples.* again from the released weights.
"""

import argparse
import logging
import subprocess
import sys
from pathlib import Path

from keras_gen import presets
from keras_gen.presets import released

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- zoo: written by benchmarks/zoo.py -->\n", "<!-- /zoo -->\n"
# Protocols in the tables, the most telling first. The cards have more.
SHOWN = (
    "nll_iw5000",
    "nll_iw100",
    "mig_a",
    "factor_vae_score",
    "bits_per_dim",
    "fid_lenet_10k",
    "fid_vgg_10k",
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


def summary() -> str:
    """Returns the README's table: one figure of each card, that of its target if it has one."""
    lines = [
        "| preset | model | measured | | real data | weights | training |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, card in released.cards().items():
        key, figure = min(figures(card), key=lambda found: found[0] not in card["target"])
        cells = (
            f"`{name}`",
            card["class_name"],
            value(figure),
            f"{figure['unit']}, `{key}`",
            number(figure.get("floor")),
            f"{card['bytes'] / 1e6:.1f} MB" if "bytes" in card else "none",
            training_time(card),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def full() -> str:
    """Returns the table of docs/measurements.md: a row for each figure of each card."""
    lines = [
        "| preset | measured | | n | real data | target | training |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, card in released.cards().items():
        first = f"`{name}`", f"{card['epochs']} epochs, {training_time(card)}"
        for key, figure in figures(card):
            cells = (
                first[0],
                value(figure),
                f"{figure['unit']}, `{key}`",
                f"{figure['n']:,}",
                number(figure.get("floor")),
                number(card["target"].get(key)),
                first[1],
            )
            lines.append(f"| {' | '.join(cells)} |")
            first = "", ""
    return "\n".join(lines) + "\n"


TABLES = {ROOT / "README.md": summary, ROOT / "docs" / "measurements.md": full}


def figures(card: dict) -> list[tuple[str, dict]]:
    """Returns the figures of a card that are shown, by protocol."""
    found = card["metrics"]["evaluation"]
    return [(key, found[key]) for key in SHOWN if key in found]


def value(figure: dict) -> str:
    """Returns a figure with its error."""
    error = figure.get("error")
    return f"**{number(figure['value'])}**" + (f" ± {error:.1g}" if error else "")


def number(x: float | None) -> str:
    """Returns three significant digits, or nothing for None."""
    if x is None:
        return ""
    return f"{x:.0f}" if abs(x) >= 1000 or x == round(x) else f"{x:.3g}"


def training_time(card: dict) -> str:
    """Returns the time of a card's training, and the device if it is not a CPU."""
    seconds = card["metrics"]["training_seconds"]
    time = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
    device = card.get("device", "CPU")
    return time if device == "CPU" else f"{time} on one {device}"


def with_table(page: str, table: str) -> str:
    """Returns a page with the table between its marks."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table + END + rest.split(END)[1]


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

    # Each model traces its functions once, which TensorFlow takes for one function retraced.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
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
    only.add_argument("--table", action="store_true", help="only write the tables")
    only.add_argument("--check", action="store_true", help="fail if a table is outdated")
    only.add_argument("--pictures", action="store_true", help="only draw the samples again")
    arguments = parser.parse_args()
    if arguments.pictures:
        draw(arguments.presets or list(released.names()))
        return 0
    if arguments.check:
        outdated = [
            path
            for path, table in TABLES.items()
            if path.read_text() != with_table(path.read_text(), table())
        ]
        for path in outdated:
            print(f"{path} differs from the cards: run python benchmarks/zoo.py --table")
        return 1 if outdated else 0
    left = []
    if not arguments.table:
        names = arguments.presets or list(presets.PRESETS)
        left = [name for name in names if not make(name, arguments.runs, arguments.data_dir)]
    for path, table in TABLES.items():
        path.write_text(with_table(path.read_text(), table()))
    if left:
        print("not released:", ", ".join(left))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
