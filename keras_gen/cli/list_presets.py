"""keras-gen list"""

from __future__ import annotations

import dataclasses
import json

from keras_gen import presets
from keras_gen.cli.common import UsageError, command, duration, print_table
from keras_gen.presets import released


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "list",
        run,
        "show the presets, and which have trained weights",
        "  keras-gen list\n"
        "  keras-gen list --released --model VAE\n"
        "  keras-gen list --json | jq '.[].name'",
        computes=False,
    )
    parser.add_argument(
        "--released", action="store_true", help="only presets whose trained weights come along"
    )
    parser.add_argument("--model", metavar="CLASS", help="only presets of a class, such as VAE")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")


def run(arguments) -> int:
    """Prints the presets."""
    classes = dict.fromkeys(preset.class_name for preset in presets.PRESETS.values())
    if arguments.model not in (None, *classes):
        raise UsageError(f"--model {arguments.model}: classes of presets are {', '.join(classes)}")
    chosen = [
        entry
        for entry in entries()
        if arguments.model in (None, entry["class_name"])
        and (entry["weights"] or not arguments.released)
    ]
    if arguments.json:
        print(json.dumps(chosen, indent=2))
        return 0
    rows = [("PRESET", "MODEL", "WEIGHTS", "TRAINING", "DATA", "")]
    for entry in chosen:
        weights, seconds = entry["weights"], entry["training_seconds"]
        rows.append(
            (
                entry["name"],
                entry["class_name"],
                f"{weights / 1e6:.1f} MB" if weights else "-",
                duration(seconds) + (" (GPU)" if entry["gpu"] else "") if seconds else "-",
                entry["data"],
                entry["description"],
            )
        )
    print_table(rows)
    return 0


def entries() -> list[dict]:
    """Returns what is known of each preset: its fields, its weights and its training time."""
    cards = released.cards()
    found = []
    for preset in presets.PRESETS.values():
        card = cards.get(preset.name, {})
        found.append(
            dataclasses.asdict(preset)
            | {
                "needs": preset.needs,
                "weights": card.get("bytes"),
                "training_seconds": card.get("metrics", {}).get("training_seconds"),
                "gpu": card.get("device", "CPU") != "CPU",
            }
        )
    return found
