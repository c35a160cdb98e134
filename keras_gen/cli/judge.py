"""keras-gen judge"""

from __future__ import annotations

from pathlib import Path

from keras_gen.cli.common import (
    WHERE,
    add_data,
    add_seed,
    check_out,
    command,
    even,
    usage_errors,
)


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "judge",
        run,
        "write a page on which a person tells a model's samples from real images",
        "  keras-gen judge dgan_mnist --data-dir ~/tensorflow_datasets --out judge.html\n"
        "  keras-gen evaluate dgan_mnist --human answers-dgan_mnist.json",
    )
    parser.add_argument("where", metavar="MODEL", help=WHERE)
    parser.add_argument(
        "-n",
        type=even,
        default=100,
        metavar="N",
        help="how many images, half of them real (default: 100)",
    )
    add_seed(parser, "of the samples, the choice of real images and the order")
    add_data(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.html", help="one file that works offline"
    )


def run(arguments) -> int:
    """Writes the page."""
    out = arguments.out
    check_out(out, ".html")
    with usage_errors():
        from keras_gen import judging

        judging.write_page(
            arguments.where, out, arguments.n, arguments.seed, arguments.data, arguments.data_dir
        )
    print(f"{out}: {arguments.n} images of {arguments.where}; open it in a browser")
    return 0
