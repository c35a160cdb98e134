"""keras-gen release"""

from __future__ import annotations

from keras_gen.cli.common import command, usage_errors


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "release",
        run,
        "measure a finished run and write its model, rounded, with card.json and samples",
        "  keras-gen release runs/vae_digits-001 saved_models/vae_digits",
    )
    parser.add_argument("directory", metavar="RUN", help="a run directory")
    parser.add_argument("destination", metavar="DEST", help="the directory to write, or replace")
    parser.add_argument(
        "--data",
        metavar="NAME|PATH",
        help="measure on this data, of the same kind and shape (default: the preset's)",
    )


def run(arguments) -> int:
    """Writes the released folder."""
    with usage_errors():
        from keras_gen import runs

        card = runs.release(arguments.directory, arguments.destination, arguments.data)
    size = f"{card['bytes'] / 1e6:.1f} MB of weights, " if "bytes" in card else ""
    print(f"{arguments.destination}: {size}card.json and samples")
    return 0
