"""keras-gen explore"""

from __future__ import annotations

from pathlib import Path

from keras_gen.cli.common import WHERE, add_seed, check_out, command, usage_errors


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "explore",
        run,
        "write a page that runs a decoder in the browser, with sliders",
        "  keras-gen explore vae_mnist --out vae_mnist.html\n"
        "  keras-gen explore runs/infogan_mnist-001 --units 20 --out page.html",
    )
    parser.add_argument("where", metavar="MODEL", help=WHERE)
    parser.add_argument(
        "--units", type=int, default=12, metavar="N", help="at most so many sliders (default 12)"
    )
    add_seed(parser, "another seed gives other draws from the prior")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="F.html", help="the page, which needs no network"
    )


def run(arguments) -> int:
    """Writes the page."""
    check_out(arguments.out, ".html")
    with usage_errors():
        from keras_gen import exploring, runs

        trained = runs.open(arguments.where)
        exploring.write_page(trained, arguments.out, arguments.units, arguments.seed)
    print(f"{arguments.out}: open it in a browser")
    return 0
