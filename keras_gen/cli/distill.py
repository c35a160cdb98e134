"""keras-gen distill"""

from __future__ import annotations

import sys

from keras_gen.cli.common import WHERE, add_data, add_seed, command, positive, usage_errors


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "distill",
        run,
        "train a smaller decoder or generator to a model's outputs",
        "  keras-gen distill vae_mnist --width 0.5 --out small/vae_mnist\n"
        "  keras-gen distill runs/dgan_mnist-001 --width 0.4 --epochs 20 --out small/dgan",
    )
    parser.add_argument("where", metavar="MODEL", help=WHERE)
    parser.add_argument(
        "--width",
        type=float,
        default=0.5,
        metavar="W",
        help="share of the units of each hidden layer (default: 0.5)",
    )
    parser.add_argument(
        "--epochs",
        type=positive,
        default=10,
        metavar="N",
        help="passes over the training set (default: 10)",
    )
    parser.add_argument(
        "--metrics", metavar="A,B", help="protocols to measure of both (default: the preset's)"
    )
    add_data(parser)
    add_seed(parser, "of the new weights and of all noise")
    parser.add_argument("--out", required=True, metavar="DEST", help="the directory to make")


def run(arguments) -> int:
    """Trains and writes the smaller model."""
    with usage_errors():
        from keras_gen import distilling, runs

        protocols = None if arguments.metrics is None else tuple(arguments.metrics.split(","))
        made = distilling.distill(
            runs.open(arguments.where),
            arguments.out,
            arguments.width,
            arguments.epochs,
            source=arguments.data,
            data_dir=arguments.data_dir,
            protocols=protocols,
            seed=arguments.seed,
            verbose=1 if sys.stdout.isatty() else 2,
        )
    teacher, student = made.parameters
    print(f"\n{made.path}: {student:,} parameters, {student / teacher:.0%} of {teacher:,}")
    before, after = made.seconds
    print(f"64 samples in {1000 * after:.1f} ms; the teacher takes {1000 * before:.1f} ms")
    for name, (old, new) in made.figures.items():
        print(f"{name}: {new:.5g}; the teacher has {old:.5g}")
    return 0
