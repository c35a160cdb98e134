"""The command line: keras-gen list | train | evaluate | compare | sample | judge | export | ...

TensorFlow takes seconds to import, so that a command imports it, and the modules that need it, only
when it has work to do. Bad usage ends with exit code 2 and one line on stderr.
"""

import argparse
import ast
import contextlib
import dataclasses
import json
import logging
import os
import shlex
import signal
import sys
from pathlib import Path

from keras_gen import __version__, presets

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
BROKEN_PIPE = 141  # 128 + SIGPIPE
# Kinds of data that are named with a path, as in text:PATH.
PATH_KINDS = ("text", "audio", "notes")


class UsageError(Exception):
    """Something that the user can put right; shown as one line."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str):
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(argv: list[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Args:
        argv: the arguments after the program's name; by default those of this process.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = parser().parse_args(argv)
        arguments.command_line = shlex.join(["keras-gen", *argv])
        with warnings_of_ours():
            code = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except UsageError as error:
        print(f"keras-gen: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("keras-gen: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output, such as `head`, has enough. Nothing more can be written, not
        # even by Python as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def parser() -> Parser:
    """The parser of all commands; each sets `run` to the function that does it."""
    top = Parser(
        prog="keras-gen",
        description="Deep generative models from raw data to a SavedModel.",
        epilog="keras-gen COMMAND --help says more about a command.",
    )
    top.add_argument("--version", action="version", version=f"keras-gen {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, run, help: str, examples: str) -> Parser:
        sub = commands.add_parser(
            name,
            help=help,
            description=help[0].upper() + help[1:] + ".",
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    command("list", list_presets, "show the presets", "  keras-gen list")

    train = command(
        "train",
        train_preset,
        "train a preset into a run directory",
        "  keras-gen train vae_digits\n"
        "  keras-gen train vae_mnist --data fashion_mnist --epochs 20 --set latent_dim=16\n"
        "  keras-gen train beta_vae_shapes --set beta=8 --set data.image_size=32 --dry-run\n"
        "  keras-gen train --resume --run-dir runs/vae_digits-001",
    )
    train.add_argument(
        "preset", nargs="?", metavar="PRESET", help="a name that keras-gen list shows"
    )
    train.add_argument(
        "--data",
        metavar="NAME|PATH",
        help="train on other data: digits, shapes, mnist, fashion_mnist, cifar10, svhn_cropped, "
        "celeb_a, stacked_mnist, ring, grid, sines, stocks, tfds:NAME, a folder of images, an "
        ".npz, .npy or .csv file, text:FILE, audio:FOLDER, notes:FILE",
    )
    train.add_argument(
        "--data-dir", metavar="D", help="where TensorFlow Datasets keeps its prepared sets"
    )
    train.add_argument("--epochs", type=int, metavar="N", help="passes over the training set")
    train.add_argument("--batch-size", type=int, metavar="B", help="examples per step")
    train.add_argument(
        "--learning-rate", type=float, metavar="R", help="Adam's, at the start of the schedule"
    )
    train.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="replace any other setting, may be repeated: a field of the preset (schedule=stages), "
        "an option of the model (latent_dim=8) or of the data (data.KEY=VALUE)",
    )
    train.add_argument(
        "--seed",
        type=seed,
        metavar="S",
        help="of the initial weights, the noise and the order of the data (default: 0)",
    )
    train.add_argument(
        "--strategy",
        choices=presets.STRATEGIES,
        help="devices: auto (default) is all local GPUs when there are several, else one device",
    )
    train.add_argument("--run-dir", metavar="D", help="default: the next free runs/PRESET-NNN")
    train.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in --run-dir, or else the newest unfinished run of PRESET; start it "
        "where there is none",
    )
    train.add_argument(
        "--dry-run",
        action="store_true",
        help="print the resolved configuration and the size of the work as JSON; no run is made",
    )

    evaluate = command(
        "evaluate",
        evaluate_run,
        "measure a finished run by protocols, and keep the figures in its metrics.json",
        "  keras-gen evaluate runs/vae_digits-001\n"
        "  keras-gen evaluate runs/gan_mnist-001 --metrics kid_lenet_10k,recall_lenet_5k\n"
        "  keras-gen evaluate runs/vae_mnist-001 --json | jq .nll_iw5000.value\n"
        "  keras-gen evaluate runs/gan_mnist-001 --human judgements-gan_mnist-001.json",
    )
    evaluate.add_argument("directory", metavar="RUN", help="a run directory")
    evaluate.add_argument(
        "--metrics",
        metavar="A,B",
        help="names of protocols (an unknown one lists them); default: the preset's",
    )
    evaluate.add_argument(
        "--features",
        metavar="FILE.keras",
        help="of keras-gen features: what the protocols of lenet measure in (default: what comes "
        "along for the data)",
    )
    evaluate.add_argument(
        "--inception",
        metavar="FILE",
        help="the FID network's graph, classify_image_graph_def.pb, for the protocols of inception",
    )
    evaluate.add_argument(
        "--human",
        type=Path,
        metavar="FILE",
        help="measure nothing but a person's judgements, downloaded from a page of keras-gen judge",
    )
    evaluate.add_argument("--json", action="store_true", help="print JSON in place of a table")

    compare = command(
        "compare",
        compare_runs,
        "print the figures of evaluated runs in one table, and draw a row of samples per run",
        "  keras-gen compare runs/gan_mnist-001 runs/dgan_mnist-001 --out comparison.png",
    )
    compare.add_argument("directories", nargs="+", metavar="RUN", help="a run directory")
    compare.add_argument(
        "-n", type=positive, default=10, metavar="N", help="samples per run (default: 10)"
    )
    compare.add_argument(
        "--seed", type=seed, default=0, metavar="S", help="of the samples (default: 0)"
    )
    compare.add_argument(
        "--out",
        type=Path,
        default=Path("comparison.png"),
        metavar="F.png",
        help="the picture (default: comparison.png)",
    )

    sample = command(
        "sample",
        sample_run,
        "draw samples from a finished run",
        "  keras-gen sample runs/vae_digits-001 -n 64 --out samples.png\n"
        "  keras-gen sample runs/vae_digits-001 -n 1000 --seed 7 --out samples.npz",
    )
    sample.add_argument("directory", metavar="RUN", help="a run directory")
    sample.add_argument("-n", type=positive, required=True, metavar="N", help="how many")
    sample.add_argument(
        "--seed", type=seed, default=0, metavar="S", help="another seed, other samples (default: 0)"
    )
    sample.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="by its suffix: .png a picture of all samples, .npz one array x of shape (N, ...); "
        ".csv for sequences, .txt for text, .wav for audio",
    )

    judge = command(
        "judge",
        write_judging_page,
        "write a page on which a person tells a finished run's samples from real images",
        "  keras-gen judge runs/gan_mnist-001 --out judge.html\n"
        "  keras-gen evaluate runs/gan_mnist-001 --human judgements-gan_mnist-001.json",
    )
    judge.add_argument("directory", metavar="RUN", help="a run directory")
    judge.add_argument(
        "-n",
        type=even,
        default=100,
        metavar="N",
        help="how many images, half of them real (default: 100)",
    )
    judge.add_argument(
        "--seed",
        type=seed,
        default=0,
        metavar="S",
        help="of the samples, the choice of real images and the order (default: 0)",
    )
    judge.add_argument(
        "--out", type=Path, required=True, metavar="FILE.html", help="one file that works offline"
    )

    export = command(
        "export",
        export_saved_model,
        "write a finished run's model as a SavedModel with card.json",
        "  keras-gen export runs/vae_digits-001 saved_models/vae_digits",
    )
    export.add_argument("directory", metavar="RUN", help="a run directory")
    export.add_argument("destination", metavar="DEST", help="the directory to make")

    release = command(
        "release",
        release_run,
        "measure a finished run and write its model, rounded, with card.json and samples",
        "  keras-gen release runs/vae_digits-001 saved_models/vae_digits",
    )
    release.add_argument("directory", metavar="RUN", help="a run directory")
    release.add_argument("destination", metavar="DEST", help="the directory to write, or replace")

    features = command(
        "features",
        train_features,
        "train a classifier of images, in whose features fid_lenet compares samples",
        "  keras-gen features digits --out lenet-digits.keras\n"
        "  keras-gen features mnist --data-dir ~/data --epochs 3 --out lenet-mnist.keras",
    )
    features.add_argument(
        "data", metavar="DATA", help="images with class labels: a name or path, as train --data"
    )
    features.add_argument(
        "--data-dir", metavar="D", help="where TensorFlow Datasets keeps its prepared sets"
    )
    features.add_argument(
        "--epochs",
        type=positive,
        metavar="N",
        help="passes over the training set (default: as many as make 3000 steps)",
    )
    features.add_argument(
        "--seed",
        type=seed,
        default=0,
        metavar="S",
        help="of the initial weights and the order of the data (default: 0)",
    )
    features.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="F.keras",
        help="the network; its card, with its accuracy, is written beside it as F.json",
    )
    return top


# ---- commands ----------------------------------------------------------------------------------


def list_presets(arguments) -> int:
    """Print the presets as a table."""
    rows = [("PRESET", "MODEL", "DATA", "EPOCHS", "TARGET", "")]
    for preset in presets.PRESETS.values():
        target = ", ".join(f"{name} {value:g}" for name, value in preset.target.items())
        rows.append(
            (
                preset.name,
                preset.model,
                preset.data,
                str(preset.epochs),
                target or "-",
                preset.description,
            )
        )
    print_table(rows)
    return 0


def train_preset(arguments) -> int:
    """Start or resume a run."""
    if arguments.preset is None and not (arguments.resume and arguments.run_dir):
        raise UsageError("name a PRESET, or a run with --resume --run-dir (see keras-gen list)")
    if arguments.resume and arguments.dry_run:
        raise UsageError("--dry-run describes a new run: leave out --resume")
    with usage_errors():
        preset = arguments.preset and presets.get(arguments.preset)
        settings = settings_of(arguments)
        quiet_tensorflow()
        from keras_gen import evaluation, training
        from keras_gen.training import runs

        path, run = arguments.run_dir, None
        if arguments.resume:
            path = path or runs.newest_unfinished(preset.name)
            # With a preset and no run yet the same command line starts it.
            if not preset or Path(path, "config.json").exists():
                run = training.Run.open(path)
        if run:
            config = resumed_config(run, arguments, settings)
        else:
            path = path or runs.next_path(preset.name)
            runs.check_free(Path(path))
            config = training.Config(
                training.override(preset, settings),
                seed=arguments.seed or 0,
                data_dir=absolute(arguments.data_dir),
                strategy=arguments.strategy or "auto",
                command=arguments.command_line,
            )
        if run and run.finished:
            print(f"{path} is finished already ({config.preset.epochs} epochs): nothing to do")
            return 0
        job = training.prepare(config, run)
        if "data" in settings and "protocols" not in settings and run is None:
            config = job.config = without_inapplicable(config, job)
        # Not after hours of training:
        evaluation.check(config.preset.protocols, job.dataset.spec, type(job.model))
        if arguments.dry_run:
            print(json.dumps(job.as_json(), indent=2))
            return 0
        run = run or training.Run.create(path, job.as_json())

    if job.initial_epoch:
        print(f"resuming {path} after epoch {job.initial_epoch} of {config.preset.epochs}")
    else:
        print(f"training {config.preset.name} into {path}")
    try:
        with termination_as_interrupt():
            job.fit(run, verbose=1 if sys.stdout.isatty() else 2)
    except KeyboardInterrupt:
        print(f"keras-gen: interrupted; resume with: {run.resume_command}", file=sys.stderr)
        return INTERRUPTED
    except training.Diverged as error:
        print(f"keras-gen: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, say
        print(f"keras-gen: error: {error}; resume with: {run.resume_command}", file=sys.stderr)
        return 1
    print(f"finished {path}; now try: keras-gen evaluate {path}")
    return 0


def evaluate_run(arguments) -> int:
    """Measure a run, print the figures and keep them in its metrics.json."""
    if arguments.human:
        for option in ("metrics", "features", "inception"):
            if getattr(arguments, option):
                raise UsageError(f"--human measures judgements alone: leave out --{option}")
        return evaluate_judgements(arguments)
    if arguments.inception and not os.path.exists(arguments.inception):
        raise UsageError(f"--inception {arguments.inception} does not exist")
    with usage_errors(), contextlib.redirect_stdout(sys.stderr):
        quiet_tensorflow()
        from keras_gen import comparing, data, evaluation, training
        from keras_gen.training import runs

        run, config, model = training.load(arguments.directory)
        preset = config.preset
        named = [name.strip() for name in (arguments.metrics or "").split(",")]
        protocols = tuple(filter(None, named)) or preset.protocols
        dataset = data.load(preset.data, config.data_dir, **preset.data_options)
        features = arguments.features and evaluation.read_features(arguments.features)
        figures, earlier = {}, run.metrics.get("evaluation", {})

        def keep(name: str, result: evaluation.Result) -> None:
            figures[name] = dataclasses.asdict(result)
            runs.write_json(run.metrics_file, run.metrics | {"evaluation": earlier | figures})

        evaluation.evaluate(
            model, dataset, protocols, features, arguments.inception, on_result=keep
        )
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return 0
    rows = [("METRIC", "VALUE", "FLOOR", "TARGET", "UNIT", "N", "SECONDS")]
    for name, figure in figures.items():
        value = comparing.with_error(figure)
        best, target = (comparing.shown(x) for x in (figure["floor"], preset.target.get(name)))
        n, seconds = str(figure["n"]), f"{figure['seconds']:.1f}"
        rows.append((name, value, best, target, figure["unit"], n, seconds))
    print_table(rows)
    return 0


def compare_runs(arguments) -> int:
    """Print several runs' figures and draw their samples."""
    out = arguments.out
    if out.suffix != ".png":
        raise UsageError(f"--out {out} must end in .png")
    check_folder(out)
    with usage_errors():
        quiet_tensorflow()
        from keras_gen import comparing, training

        rows = comparing.comparison(arguments.directories)
        picture = comparing.samples_of(arguments.directories, arguments.n, arguments.seed)
        if picture is not None:
            training.save_png(picture, out)
    print_table(rows)
    if picture is not None:
        print(f"{out}: a row of samples per run, in the order of the columns")
    return 0


def evaluate_judgements(arguments) -> int:
    """Measure a person's judgements of a run, print and keep the figures as `evaluate_run` does."""
    with usage_errors(), contextlib.redirect_stdout(sys.stderr):
        quiet_tensorflow()
        from keras_gen import training
        from keras_gen.evaluation import human
        from keras_gen.training import runs

        run = training.Run.open_finished(arguments.directory)
        judged = human.read_judgements(arguments.human)
        name, preset = run.path.resolve().name, run.config["preset"]["name"]
        if (judged.run, judged.preset) != (name, preset):
            theirs = f"{judged.run} ({judged.preset})"
            raise UsageError(f"{arguments.human} is of the run {theirs}, not of {name} ({preset})")
        errors = human.human_errors(judged.real, judged.judged_real)
        rates = {"": errors.overall, "_real": errors.real, "_generated": errors.generated}
        figures = {
            human.PROTOCOL + part: dataclasses.asdict(rate) | {"unit": "of 1"}
            for part, rate in rates.items()
        }
        runs.write_json(run.metrics_file, run.metrics | {"human": figures})
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return 0
    rows = [("METRIC", "VALUE", "95 % INTERVAL", "UNIT", "N")]
    for name, figure in figures.items():
        interval = f"{figure['low']:.3f} to {figure['high']:.3f}"
        rows.append((name, f"{figure['value']:.5g}", interval, figure["unit"], str(figure["n"])))
    print_table(rows)
    return 0


def sample_run(arguments) -> int:
    """Write samples of a run to a file."""
    out = arguments.out
    check_folder(out)
    with usage_errors():
        quiet_tensorflow()
        from keras_gen import data, training

        run = training.Run.open_finished(arguments.directory)
        spec = data.Spec(**run.config["spec"])
        training.check_suffix(out, spec)
        _, _, model = training.load(run.path)
        x = model.sample(arguments.n, seed=arguments.seed)
        training.write(x, spec, out, training.class_columns(model, spec))
    print(f"{out}: {arguments.n} samples with seed {arguments.seed}")
    return 0


def write_judging_page(arguments) -> int:
    """Write a page on which a person judges a run's samples."""
    out = arguments.out
    if out.suffix != ".html":
        raise UsageError(f"--out {out} must end in .html")
    check_folder(out)
    with usage_errors():
        quiet_tensorflow()
        from keras_gen import judging
        from keras_gen.training import runs

        page = judging.judging_page(arguments.directory, arguments.n, arguments.seed)
        with runs.written_beside(out) as beside:
            beside.write_text(page, encoding="utf-8")
    print(f"{out}: {arguments.n} images to judge; open it in a browser")
    return 0


def export_saved_model(arguments) -> int:
    """Write a run's SavedModel."""
    with usage_errors():
        quiet_tensorflow()
        from keras_gen import export

        path = export.export_run(arguments.directory, arguments.destination)
    print(f"{path}: SavedModel and card.json")
    return 0


def release_run(arguments) -> int:
    """Write a run's model as it comes with the package."""
    with usage_errors():
        quiet_tensorflow()
        from keras_gen import release

        card = release.release(arguments.directory, arguments.destination)
    size = f"{card['bytes'] / 1e6:.1f} MB of weights, " if "bytes" in card else ""
    print(f"{arguments.destination}: {size}card.json and samples")
    return 0


def train_features(arguments) -> int:
    """Train a feature network and write it with its card."""
    out = arguments.out
    if out.suffix != ".keras":
        raise UsageError(f"--out {out} must end in .keras")
    check_folder(out)
    card = out.with_suffix(".json")
    if card.exists() and not out.exists():
        raise UsageError(f"--out {out}: its card would replace {card}, which is none")
    with usage_errors():
        quiet_tensorflow()
        from keras_gen import data, evaluation

        dataset = data.load(arguments.data, arguments.data_dir)
        verbose = 1 if sys.stdout.isatty() else 2
        network = evaluation.train_lenet(dataset, arguments.epochs, arguments.seed, verbose)
        features = evaluation.save_lenet(network, dataset, out, arguments.command_line)
    right, examples = 100 * features.accuracy, dataset.size("test")
    print(f"{out}: {features.name}, {right:.2f} % of {examples} test examples classified rightly")
    return 0


# ---- helpers -----------------------------------------------------------------------------------


@contextlib.contextmanager
def usage_errors():
    """Turn the errors that the library raises about what it was given into `UsageError`."""
    try:
        yield
    except expected_errors() as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(lines[0]) from error


def expected_errors() -> tuple[type[Exception], ...]:
    """What the library raises about what it was given; of TensorFlow once that is loaded."""
    tensorflow = sys.modules.get("tensorflow")
    return (ValueError, TypeError, OSError, *([tensorflow.errors.OpError] if tensorflow else []))


@contextlib.contextmanager
def termination_as_interrupt():
    """Within it SIGTERM, which schedulers send, is what control-C is."""

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def check_folder(out: Path) -> None:
    """Raises UsageError unless a file can be written there."""
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no directory {out.parent}")
    if out.is_dir():
        raise UsageError(f"--out {out} is a directory: name a file")
    if not os.access(out.parent, os.W_OK):
        raise UsageError(f"--out {out}: nothing can be written in {out.parent}")


def seed(text: str) -> int:
    """An argument that fits the 32 bits of a seed."""
    value = int(text)
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError("must be between 0 and 2147483647")
    return value


def positive(text: str) -> int:
    """An argument that counts something."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def even(text: str) -> int:
    """An argument that counts something of which there are two equal parts."""
    value = positive(text)
    if value % 2:
        raise argparse.ArgumentTypeError("must be even")
    return value


def settings_of(arguments) -> dict:
    """The preset's settings that the command line replaces, by key."""
    settings = {}
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
        if kind in ("", *PATH_KINDS) and os.path.exists(path):
            settings["data"] = kind + colon + absolute(path)
    return settings


def without_inapplicable(config, job):
    """The config without the preset's protocols that are not for data other than the preset's."""
    from keras_gen import evaluation

    preset, spec = config.preset, job.dataset.spec
    kept = evaluation.applicable(preset.protocols, spec, type(job.model))
    if dropped := [name for name in preset.protocols if name not in kept]:
        names = ", ".join(dropped)
        print(f"keras-gen: {names} left out: not for {spec.name}", file=sys.stderr)
    return dataclasses.replace(config, preset=dataclasses.replace(preset, protocols=kept))


def resumed_config(run, arguments, settings: dict):
    """The config of an existing run, whose settings the command line may repeat, not change."""
    from keras_gen import training

    config = training.Config.from_json(run.config)
    preset = config.preset
    if arguments.preset not in (None, preset.name):
        raise UsageError(f"{run.path} is a run of {preset.name}, not of {arguments.preset}")
    repeated = training.override(preset, settings)
    if json.dumps(dataclasses.asdict(repeated)) != json.dumps(dataclasses.asdict(preset)):
        raise UsageError(f"{run.path} has other settings: resume it without {', '.join(settings)}")
    if arguments.seed not in (None, config.seed):
        raise UsageError(f"{run.path} has seed {config.seed}: resume it without --seed")
    # Where data and devices are may differ from one machine to the next.
    elsewhere = {
        "strategy": arguments.strategy or config.strategy,
        "data_dir": absolute(arguments.data_dir) or config.data_dir,
    }
    return dataclasses.replace(config, **elsewhere)


def absolute(path: str | None) -> str | None:
    """The path as it is valid from any directory; None stays None."""
    return path and str(Path(path).resolve())


@contextlib.contextmanager
def warnings_of_ours():
    """Show what keras_gen logs on stderr, and not what the libraries below it do."""
    ours = logging.StreamHandler()
    ours.setFormatter(logging.Formatter("keras-gen: %(message)s"))
    handlers = {"keras_gen": ours, None: logging.NullHandler()}
    for name, handler in handlers.items():
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name, handler in handlers.items():
            logging.getLogger(name).removeHandler(handler)


def quiet_tensorflow() -> None:
    """Import TensorFlow without its start-up chatter, unless TF_CPP_MIN_LOG_LEVEL asks for it."""
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # Some lines are written before the level is read. Python's own errors are not lost by this.
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Print rows of equal length in aligned columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
