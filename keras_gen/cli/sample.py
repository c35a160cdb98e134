"""keras-gen sample"""

from __future__ import annotations

import itertools
from pathlib import Path

from keras_gen.cli.common import (
    WHERE,
    UsageError,
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
        "sample",
        run,
        "draw samples from a trained model",
        "  keras-gen sample dgan_mnist -n 64 --out digits.png\n"
        "  keras-gen sample cvae_mnist -n 20 --label 3,7 --out threes_and_sevens.png\n"
        "  keras-gen sample runs/vae_digits-001 -n 1000 --seed 7 --out samples.npz",
    )
    parser.add_argument("where", metavar="MODEL", help=WHERE)
    parser.add_argument("-n", type=positive, required=True, metavar="N", help="how many")
    parser.add_argument(
        "--label",
        metavar="L",
        help="of a conditional model: a class, several (1,5) or a range (0-9), taken in turn "
        "(default: all)",
    )
    add_seed(parser, "another seed gives other samples")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="by its suffix: .png or .svg a picture, .npz an array x of shape (N, ...); .csv of "
        "sequences, .mid of piano-rolls, .txt of text, .wav of audio",
    )


def run(arguments) -> int:
    """Writes samples to a file."""
    out, n = arguments.out, arguments.n
    check_out(out)
    with usage_errors():
        from keras_gen import plotting, runs

        trained = runs.open(arguments.where)
        runs.check_suffix(out, trained.spec)
        label = None if arguments.label is None else labels(arguments.label, n)
        x = trained.sample(n, arguments.seed, label)
        columns = plotting.class_labels(trained.model, trained.spec) if label is None else None
        runs.write_samples(x, trained.spec, out, column_labels=columns)
    print(f"{out}: {n} samples of {trained.origin}, seed {arguments.seed}")
    return 0


def labels(text: str, n: int) -> list[int]:
    """Returns `n` class indices, those that a text lists in turn: "3", "1,5" or "0-9".

    Raises:
        UsageError: if the text does not list class indices.
    """
    listed = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"--label {text}: write a class, a list (1,5) or a range (0-9)")
        listed.append(range(int(first), int(last if dash else first) + 1))
    if not any(listed):
        raise UsageError(f"--label {text} lists no class")
    return list(itertools.islice(itertools.cycle(itertools.chain(*listed)), n))
