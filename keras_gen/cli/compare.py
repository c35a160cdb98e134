"""keras-gen compare"""

from __future__ import annotations

from pathlib import Path

from keras_gen.cli.common import (
    WHERE,
    add_seed,
    check_out,
    command,
    positive,
    print_table,
    usage_errors,
)


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "compare",
        run,
        "print the figures of evaluated models in one table, and draw a row of samples for each",
        "  keras-gen compare gan_mnist dgan_mnist runs/dgan_mnist-001 --out comparison.png",
    )
    parser.add_argument("where", nargs="+", metavar="MODEL", help=WHERE)
    parser.add_argument(
        "-n", type=positive, default=10, metavar="N", help="samples of each model (default: 10)"
    )
    add_seed(parser, "of the samples")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("comparison.png"),
        metavar="F.png",
        help="the picture (default: comparison.png)",
    )


def run(arguments) -> int:
    """Prints figures and draws samples."""
    out = arguments.out
    check_out(out, ".png")
    with usage_errors():
        from keras_gen import plotting, runs

        trained = [runs.open(where) for where in arguments.where]
        rows = runs.comparison(trained)
        figure = runs.draw_comparison(trained, arguments.n, arguments.seed)
        if figure is not None:
            plotting.save(figure, out)
    print_table(rows)
    if figure is not None:
        print(f"{out}: a row of samples for each: {', '.join(each.origin for each in trained)}")
    return 0
