"""keras-gen features"""

from __future__ import annotations

import sys
from pathlib import Path

from keras_gen.cli.common import (
    UsageError,
    add_data_dir,
    add_seed,
    check_out,
    command,
    positive,
    usage_errors,
)


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "features",
        run,
        "train a classifier of images, in whose features evaluate compares samples",
        "  keras-gen features digits --out lenet-digits.keras\n"
        "  keras-gen features mnist --data-dir ~/data --epochs 3 --out lenet-mnist.keras\n"
        "  keras-gen features photos/ --network vgg --out vgg-photos.keras",
    )
    parser.add_argument(
        "data", metavar="DATA", help="images with class labels: a name or path, as train --data"
    )
    add_data_dir(parser)
    parser.add_argument(
        "--network",
        choices=("lenet", "vgg"),
        default="lenet",
        help="lenet (the default), small and fast; vgg, for colour photographs, about 30 times as "
        "expensive",
    )
    parser.add_argument(
        "--epochs",
        type=positive,
        metavar="N",
        help="passes over the training set (default: 3000 steps of lenet, 30000 of vgg)",
    )
    add_seed(parser, "of the initial weights and the order of the data")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="F.keras",
        help="the network; its card, with its accuracy, is written beside it as F.json",
    )


def run(arguments) -> int:
    """Trains a feature network and writes it with its card."""
    out = arguments.out
    check_out(out, ".keras")
    card = out.with_suffix(".json")
    if card.exists() and not out.exists():
        raise UsageError(f"--out {out}: its card would replace {card}, which is not a card")
    with usage_errors():
        from keras_gen import data, evaluation

        dataset = data.load(arguments.data, arguments.data_dir)
        verbose = 1 if sys.stdout.isatty() else 2
        network = evaluation.train_features(
            dataset, arguments.epochs, arguments.seed, verbose, arguments.network
        )
        features = evaluation.save_features(network, dataset, out, arguments.command_line)
    right, examples = 100 * features.accuracy, dataset.size("test")
    print(f"{out}: {features.name}, {right:.2f} % of {examples} test examples classified correctly")
    return 0
