"""keras-gen info"""

from __future__ import annotations

import json
import textwrap

from keras_gen import presets
from keras_gen.cli.common import command, duration, print_table, usage_errors
from keras_gen.cli.list_presets import entries
from keras_gen.presets import released


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "info",
        run,
        "describe a preset: its paper, data, training, figures and samples",
        "  keras-gen info dgan_mnist\n  keras-gen info vae_mnist --json | jq .card.metrics",
        computes=False,
    )
    parser.add_argument("preset", metavar="PRESET", help="a name that keras-gen list shows")
    parser.add_argument("--json", action="store_true", help="print JSON in place of text")


def run(arguments) -> int:
    """Prints what is known of a preset."""
    with usage_errors():
        preset = presets.get(arguments.preset)
    (entry,) = (each for each in entries() if each["name"] == preset.name)
    card = released.cards().get(preset.name)
    picture = released.picture(preset.name)
    if arguments.json:
        print(json.dumps(entry | {"picture": picture and str(picture), "card": card}, indent=2))
        return 0
    weights = f"{entry['weights'] / 1e6:.1f} MB" if entry["weights"] else "none: train it"
    lines = {
        "model": preset.class_name,
        "paper": preset.paper,
        "data": f"{preset.data} (needs {preset.needs})",
        "networks": options(preset.network),
        "options": options(preset.model),
        "training": f"{preset.epochs} epochs, batch size {preset.batch_size}; "
        f"{preset.schedule} learning rate of {rates(preset.learning_rate)}",
        "adam": options(preset.adam),
        "weights": weights,
        "samples": str(picture) if picture else "none",
    }
    if card:
        seconds = duration(card["metrics"]["training_seconds"])
        device = card.get("device", "CPU")
        where = "" if device == "CPU" else f" on one {device}"
        images = card["spec"]["name"]
        lines["trained"] = f"on {images}, in {seconds}{where}, by {card['command']}"
    print(f"{preset.name}: {preset.description}\n")
    for key, text in lines.items():
        print(textwrap.fill(text, 100, initial_indent=f"{key:9} ", subsequent_indent=" " * 10))
    if card:
        print()
        print_table(figures(card))
    return 0


def options(values: dict) -> str:
    """Returns options as text."""
    return ", ".join(f"{key}={value}" for key, value in values.items()) or "the defaults"


def rates(learning_rate: float | dict[str, float]) -> str:
    """Returns learning rates as text."""
    return options(learning_rate) if isinstance(learning_rate, dict) else str(learning_rate)


def figures(card: dict) -> list[tuple[str, ...]]:
    """Returns the figures of a card as rows of a table."""
    rows = [("METRIC", "VALUE", "REAL DATA", "TARGET", "UNIT", "N")]
    for name, figure in card["metrics"]["evaluation"].items():
        numbers = (figure["value"], figure.get("floor"), card["target"].get(name))
        texts = ("-" if number is None else f"{number:.5g}" for number in numbers)
        rows.append((name, *texts, figure["unit"], str(figure["n"])))
    return rows
