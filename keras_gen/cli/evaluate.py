"""keras-gen evaluate"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
from pathlib import Path

from keras_gen.cli.common import (
    WHERE,
    UsageError,
    add_data,
    check_out,
    command,
    print_table,
    usage_errors,
)


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "evaluate",
        run,
        "measure a trained model by protocols; a run keeps the figures in its metrics.json",
        "  keras-gen evaluate vae_mnist --metrics nll_iw100 --data-dir ~/tensorflow_datasets\n"
        "  keras-gen evaluate runs/gan_mnist-001 --metrics kid_lenet_10k,recall_lenet_5k\n"
        "  keras-gen evaluate runs/vae_mnist-001 --json | jq .nll_iw5000.value\n"
        "  keras-gen evaluate runs/gan_mnist-001 --human answers-gan_mnist-001.json",
    )
    parser.add_argument("where", metavar="MODEL", help=WHERE)
    parser.add_argument(
        "--metrics",
        metavar="A,B",
        help="names of protocols, described in docs/evaluation.md (default: the preset's)",
    )
    add_data(parser)
    parser.add_argument(
        "--features",
        metavar="FILE.keras",
        help="a network of keras-gen features, in which the protocols of lenet measure (default: "
        "the package's own for the data)",
    )
    parser.add_argument(
        "--inception",
        metavar="FILE",
        help="the FID network's graph, classify_image_graph_def.pb, for the protocols of inception",
    )
    parser.add_argument(
        "--human",
        type=Path,
        metavar="FILE",
        help="measure only a person's answers, downloaded from a page of keras-gen judge",
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument(
        "--out", type=Path, metavar="F.json", help="write the figures to a file as well"
    )


def run(arguments) -> int:
    """Measures a model and prints the figures."""
    if arguments.out:
        check_out(arguments.out, ".json")
    if arguments.inception and not os.path.exists(arguments.inception):
        raise UsageError(f"--inception {arguments.inception} does not exist")
    if arguments.human:
        for option in ("metrics", "features", "inception", "data"):
            if getattr(arguments, option):
                raise UsageError(f"--human measures only answers: leave out --{option}")
        figures, rows = human(arguments)
    else:
        figures, rows = measured(arguments)
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        print_table(rows)
    if arguments.out:  # after they are shown: a full disk loses nothing
        from keras_gen import files

        with usage_errors():
            files.write_json(arguments.out, figures)
    return 0


def measured(arguments) -> tuple[dict, list[tuple[str, ...]]]:
    """Returns the figures of the protocols, and the rows of their table."""
    with usage_errors(), contextlib.redirect_stdout(sys.stderr):
        from keras_gen import evaluation, runs
        from keras_gen.runs.comparing import shown, with_error

        trained = runs.open(arguments.where)
        protocols = [name.strip() for name in (arguments.metrics or "").split(",") if name.strip()]
        features = arguments.features and evaluation.read_features(arguments.features)
        results = trained.evaluate(
            protocols or None, arguments.data, arguments.data_dir, features, arguments.inception
        )
    print(f"keras-gen: figures of {trained.origin}", file=sys.stderr)
    target = trained.preset.target if trained.preset else {}
    rows = [("METRIC", "VALUE", "FLOOR", "TARGET", "UNIT", "N", "SECONDS")]
    figures = {name: dataclasses.asdict(result) for name, result in results.items()}
    for name, figure in figures.items():
        floor, goal = shown(figure["floor"]), shown(target.get(name))
        n, seconds = str(figure["n"]), f"{figure['seconds']:.1f}"
        rows.append((name, with_error(figure), floor, goal, figure["unit"], n, seconds))
    return figures, rows


def human(arguments) -> tuple[dict, list[tuple[str, ...]]]:
    """Returns the figures of a person's answers, and the rows of their table."""
    with usage_errors(), contextlib.redirect_stdout(sys.stderr):
        from keras_gen import judging

        figures = judging.measure_answers(arguments.where, arguments.human)
    if reason := figures[judging.PROTOCOL].get("suspect"):
        print(f"The answers in {arguments.human} are suspect: {reason}.", file=sys.stderr)
    rows = [("METRIC", "VALUE", "95 % INTERVAL", "UNIT", "N")]
    for name, figure in figures.items():
        interval = f"{figure['low']:.3f} to {figure['high']:.3f}"
        rows.append((name, f"{figure['value']:.5g}", interval, figure["unit"], str(figure["n"])))
    return figures, rows
