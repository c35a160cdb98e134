"""keras-gen train"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from keras_gen import files, presets
from keras_gen.cli.common import (
    BACKENDS,
    UsageError,
    absolute,
    add_data_dir,
    command,
    first_signal,
    seed,
    usage_errors,
)

INTERRUPTED = 130  # 128 + SIGINT, as in shells


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "train",
        run,
        "train a preset into a run directory",
        "  keras-gen train vae_digits\n"
        "  keras-gen train vae_mnist --data fashion_mnist --epochs 20 --set latent_dim=16\n"
        "  keras-gen train beta_vae_shapes --set beta=8 --set data.image_size=32 --dry-run\n"
        "  keras-gen train dgan_mnist --backend jax --dtype mixed_bfloat16\n"
        "  keras-gen train --resume --run-dir runs/vae_digits-001",
    )
    parser.add_argument(
        "preset", nargs="?", metavar="PRESET", help="a name that keras-gen list shows"
    )
    add_settings(parser)
    parser.add_argument(
        "--config", metavar="F.json", help="start from the settings of a tune's best.json"
    )
    add_data_dir(parser)
    parser.add_argument(
        "--seed",
        type=seed,
        metavar="S",
        help="of the initial weights, the noise and the order of the data (default: 0)",
    )
    parser.add_argument(
        "--strategy",
        choices=presets.STRATEGIES,
        help="devices: auto (default) is all local GPUs if there are several, else one device; "
        "multiworker is for the processes of keras-gen launch",
    )
    parser.add_argument(
        "--dtype",
        choices=presets.DTYPES,
        help="precision of the computation (default: float32)",
    )
    parser.add_argument("--run-dir", metavar="D", help="default: the next free runs/PRESET-NNN")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in --run-dir, or else the newest unfinished run of PRESET; start it "
        "if there is none",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the resolved configuration and the size of the work as JSON; make no run",
    )


def add_settings(parser) -> None:
    """Adds what replaces settings of a preset; `settings_of` reads it."""
    parser.add_argument(
        "--data",
        metavar="NAME|PATH",
        help="train on other data: digits, shapes, mnist, fashion_mnist, cifar10, svhn_cropped, "
        "celeb_a, stacked_mnist, ring, grid, sines, stocks, tfds:NAME, a folder of images, an "
        ".npz, .npy or .csv file, text:FILE, audio:FOLDER, notes:FILE",
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the training set")
    parser.add_argument("--batch-size", type=int, metavar="B", help="examples per step")
    parser.add_argument(
        "--learning-rate", type=float, metavar="R", help="Adam's, at the start of the schedule"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace any other setting, may be repeated: a field of the preset (schedule=stages), "
        "an option of its networks or model (latent_dim=8) or of its data (data.KEY=VALUE). VALUE "
        "is a number, None, True, a list such as 256,512, or text",
    )


def run(arguments) -> int:
    """Starts or resumes a run."""
    if arguments.preset is None and not (arguments.resume and arguments.run_dir):
        raise UsageError("name a PRESET, or a run with --resume --run-dir (see keras-gen list)")
    if arguments.resume and arguments.dry_run:
        raise UsageError("--dry-run describes a new run: leave out --resume")
    with usage_errors():
        if arguments.resume and arguments.run_dir and not arguments.backend:
            choose_backend(Path(arguments.run_dir, "config.json"))
        preset = arguments.preset and presets.get(arguments.preset)
        settings = settings_of(arguments)
        from keras_gen import runs

        path, found, config = place(arguments, preset, settings)
        if found and found.finished:
            print(f"{path} is finished already (epochs: {config.preset.epochs}): nothing to do")
            return 0
        job = runs.prepare(config, found)
        job.check_protocols(() if found else settings)
        if arguments.dry_run:
            print(json.dumps(job.as_json(), indent=2))
            return 0
        if not runs.is_chief(config.strategy):
            job.fit(None, verbose=0)
            return 0
        found = found or runs.Run.create(path, job.as_json())
    return train(job, found)


def choose_backend(config: Path) -> None:
    """Chooses the backend of an existing run, before Keras is imported."""
    backend = files.read_json(config).get("backend") if config.is_file() else None
    if backend in BACKENDS:
        os.environ["KERAS_BACKEND"] = backend


def place(arguments, preset, settings: dict) -> tuple:
    """Returns the path of the run, the run if there is one, and its config."""
    from keras_gen import runs
    from keras_gen.runs import run as directories

    path = arguments.run_dir
    if arguments.resume:
        path = path or directories.newest_unfinished(preset.name)
        # With a preset and no run yet, the same command line starts it.
        if not preset or Path(path, "config.json").exists():
            found = runs.Run(path)
            return path, found, resumed_config(found, arguments, settings)
    path = path or directories.next_path(preset.name)
    strategy = arguments.strategy or "auto"
    if runs.is_chief(strategy):
        directories.check_free(Path(path))
    config = runs.Config(
        runs.override(preset, settings),
        seed=arguments.seed or 0,
        data_dir=absolute(arguments.data_dir),
        strategy=strategy,
        command=arguments.command_line,
        dtype=arguments.dtype or "float32",
    )
    return path, None, config


def train(job, run) -> int:
    """Trains a job into its run; returns the exit code."""
    from keras_gen import runs

    step = int(job.model.step.numpy())
    if step:
        total = job.config.preset.epochs
        print(f"resuming {run.path} after epoch {job.initial_epoch} of {total}, step {step:,}")
    else:
        print(f"training {job.config.preset.name} into {run.path}")
    try:
        with termination_as_interrupt() as came:
            job.fit(run, verbose=1 if sys.stdout.isatty() else 2, interrupted=lambda: bool(came))
    except KeyboardInterrupt:
        print(f"keras-gen: interrupted; resume with: {run.resume_command}", file=sys.stderr)
        return INTERRUPTED
    except files.InUse as error:
        raise UsageError(str(error)) from error
    except runs.Diverged as error:
        print(f"keras-gen: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, say
        print(f"keras-gen: error: {error}; resume with: {run.resume_command}", file=sys.stderr)
        return 1
    print(f"finished {run.path}; now try: keras-gen evaluate {run.path}")
    return 0


def settings_of(arguments) -> dict:
    """Returns the preset's settings that the command line replaces, by key.

    Raises:
        UsageError: if one cannot be read, or --config is of another preset.
    """
    settings = {}
    if getattr(arguments, "config", None):
        content = files.read_json(arguments.config, ("preset", "settings"))
        if arguments.preset not in (None, content["preset"]):
            raise UsageError(
                f"--config {arguments.config} is of {content['preset']}, not of {arguments.preset}"
            )
        settings |= content["settings"]
    for item in arguments.set:
        key, equals, text = item.partition("=")
        if not equals:
            raise UsageError(f"--set {item}: write KEY=VALUE")
        try:
            settings[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            settings[key] = text
    for key in ("data", "epochs", "batch_size", "learning_rate"):
        if getattr(arguments, key) is not None:
            settings[key] = getattr(arguments, key)
    if "data" in settings:
        # The path in `PATH` or `KIND:PATH`.
        kind, colon, path = str(settings["data"]).rpartition(":")
        if kind in ("", *presets.PATH_KINDS) and os.path.exists(path):
            settings["data"] = kind + colon + absolute(path)
    return settings


def resumed_config(run, arguments, settings: dict):
    """Returns the config of an existing run, whose settings may be repeated but not changed."""
    from keras_gen import runs

    config = run.config
    preset = config.preset
    if arguments.preset not in (None, preset.name):
        raise UsageError(f"{run.path} is a run of {preset.name}, not of {arguments.preset}")
    repeated = runs.override(preset, settings)
    if json.dumps(dataclasses.asdict(repeated)) != json.dumps(dataclasses.asdict(preset)):
        raise UsageError(f"{run.path} has other settings: resume it without {', '.join(settings)}")
    if arguments.seed not in (None, config.seed):
        raise UsageError(f"{run.path} has seed {config.seed}: resume it without --seed")
    if arguments.dtype not in (None, config.dtype):
        raise UsageError(f"{run.path} has dtype {config.dtype}: resume it without --dtype")
    # Where data and devices are may differ from one machine to the next.
    elsewhere = {
        "strategy": arguments.strategy or config.strategy,
        "data_dir": absolute(arguments.data_dir) or config.data_dir,
    }
    return dataclasses.replace(config, **elsewhere)


@contextlib.contextmanager
def termination_as_interrupt() -> Iterator[list]:
    """Yields a list of the signals SIGINT and SIGTERM that came; the second ends all at once.

    Training asks it after each step. An exception raised by the first one would hit the middle of a
    step, and Python drops exceptions that are raised while a finalizer runs.
    """

    def announce(number: int) -> None:
        text = "keras-gen: ends after this step, once it is saved; again to end at once"
        print(text, file=sys.stderr)

    with first_signal(announce) as came:
        yield came
