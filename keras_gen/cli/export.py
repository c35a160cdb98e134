"""keras-gen export"""

from __future__ import annotations

from keras_gen.cli.common import WHERE, command, usage_errors


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "export",
        run,
        "write a trained model as a SavedModel with card.json",
        "  keras-gen export infogan_mnist served/infogan\n"
        "  keras-gen export runs/vae_digits-001 saved_models/vae_digits",
    )
    parser.add_argument("where", metavar="MODEL", help=WHERE)
    parser.add_argument("destination", metavar="DEST", help="the directory to make")


def run(arguments) -> int:
    """Writes the SavedModel."""
    with usage_errors():
        from keras_gen import runs

        trained = runs.open(arguments.where)
        path = trained.export(arguments.destination)
    print(f"{path}: SavedModel and card.json of {trained.origin}")
    return 0
