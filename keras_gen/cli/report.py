"""keras-gen report"""

from __future__ import annotations

from pathlib import Path

from keras_gen.cli.common import WHERE, add_data, add_seed, check_out, command, usage_errors


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "report",
        run,
        "write one page with all that is known of a model",
        "  keras-gen report vae_digits --out vae_digits.html\n"
        "  keras-gen report vae_mnist --data-dir ~/tensorflow_datasets --out vae_mnist.html",
    )
    parser.add_argument("where", metavar="MODEL", help=WHERE)
    add_data(parser)
    add_seed(parser, "another seed gives other samples")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="F.html", help="the page, which needs no network"
    )


def run(arguments) -> int:
    """Writes the page."""
    check_out(arguments.out, ".html")
    with usage_errors():
        from keras_gen import reporting

        reporting.write_page(
            arguments.where, arguments.out, arguments.data, arguments.data_dir, arguments.seed
        )
    print(f"{arguments.out}: open it in a browser")
    return 0
