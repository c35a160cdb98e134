"""keras-gen tune"""

from __future__ import annotations

import re
import sys

from keras_gen import presets
from keras_gen.cli.common import (
    UsageError,
    absolute,
    add_data_dir,
    add_seed,
    command,
    positive,
    usage_errors,
)
from keras_gen.cli.train import INTERRUPTED, add_settings, settings_of, termination_as_interrupt

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "tune",
        run,
        "search a preset's hyperparameters",
        "  keras-gen tune vae_digits --metric nll_iw100 --budget 10m --out tuned\n"
        "  keras-gen tune gan_ring --metric reverse_kl_2500 --trials 30 --out tuned \\\n"
        "      --space learning_rate=1e-4..1e-2:log --space latent_dim=2,4,8\n"
        "  keras-gen train vae_digits --config tuned/best.json",
    )
    parser.add_argument("preset", metavar="PRESET", help="a name that keras-gen list shows")
    parser.add_argument(
        "--metric",
        required=True,
        metavar="NAME",
        help="a protocol (see evaluate), or elbo, reconstruction, loss or bits_per_dim; measured "
        "on a tenth of the training examples, held out, never on test examples",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="the folder of the study")
    parser.add_argument(
        "--trials", type=positive, default=20, metavar="N", help="runs to try (default: 20)"
    )
    parser.add_argument(
        "--budget", type=duration, metavar="TIME", help="time for all of it: 90s, 30m or 2h"
    )
    parser.add_argument(
        "--space",
        action="append",
        default=[],
        metavar="KEY=RANGE",
        help="what to vary, may be repeated: low..high, low..high:log or a,b,c (default: the "
        "preset's own space)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the study in --out, if there is one"
    )
    add_settings(parser)
    add_data_dir(parser)
    add_seed(parser, "of the proposals, and the first one of the runs")


def run(arguments) -> int:
    """Searches, and prints what came of it."""
    with usage_errors():
        preset = presets.get(arguments.preset)
        space = {}
        for item in arguments.space:
            key, equals, text = item.partition("=")
            if not equals:
                raise UsageError(f"--space {item}: write KEY=low..high or KEY=a,b,c")
            space[key] = text
        settings = settings_of(arguments)
        from keras_gen import tuning

        try:
            with termination_as_interrupt() as came:
                tuned = tuning.tune(
                    preset,
                    arguments.metric,
                    arguments.out,
                    arguments.trials,
                    arguments.budget,
                    space or None,
                    arguments.resume,
                    arguments.seed,
                    absolute(arguments.data_dir),
                    on_line=lambda line: print(line, flush=True),
                    interrupted=lambda: bool(came),
                    **settings,
                )
        except KeyboardInterrupt:
            print(f"keras-gen: interrupted; go on with --resume in {arguments.out}",
                  file=sys.stderr)  # fmt: skip
            return INTERRUPTED
        except RuntimeError as error:
            print(f"keras-gen: error: {error}", file=sys.stderr)
            return 1
    print(f"\n{arguments.metric}, held-out training examples:")
    for number, median, worst, values in tuned.figures:
        print(f"  trial {number}: median {median:.5g}, worst {worst:.5g} of {len(values)} seed(s)")
    chosen = ", ".join(f"{key}={value}" for key, value in tuned.settings.items())
    print(f"best: trial {tuned.trial} ({chosen})")
    print(f"{tuned.path}: trials.csv, tuning.png, best.json; now train it on all examples:")
    print(f"keras-gen train {preset.name} --config {tuned.path / 'best.json'}")
    return 0


def duration(text: str) -> float:
    """An argument that is a time."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not found:
        raise ValueError(text)
    return float(found[1]) * UNITS[found[2]]
