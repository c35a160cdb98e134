"""What commands share: argument types, errors of one line, tables.

Keras and its backend take seconds to import. A command imports them, and the modules that need
them, only when it has work to do.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")
WHERE = "a run directory, a released folder, a .keras file or the name of a released preset"


class UsageError(Exception):
    """A mistake that the user can correct, shown as one line."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str):
        raise UsageError(f"{message} (see {self.prog} --help)")


def command(commands, name: str, run, help: str, examples: str, computes: bool = True) -> Parser:
    """Adds the parser of a command.

    Args:
        commands: what `add_subparsers` returned.
        name: of the command.
        run: the function that does it: takes the parsed arguments, returns the exit code.
        help: what it does, in one line.
        examples: command lines.
        computes: whether it needs Keras, and so has --backend.
    """
    sub = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sub.set_defaults(run=run)
    sub.set_defaults(backend=None)
    if computes:
        sub.add_argument(
            "--backend",
            choices=BACKENDS,
            help="what Keras computes with (default: $KERAS_BACKEND, or else tensorflow)",
        )
    return sub


def add_seed(parser: Parser, help: str) -> None:
    """Adds --seed, 0 by default."""
    parser.add_argument("--seed", type=seed, default=0, metavar="S", help=f"{help} (default: 0)")


def add_data(parser: Parser) -> None:
    """Adds --data and --data-dir to a command that opens a trained model."""
    parser.add_argument(
        "--data",
        metavar="NAME|PATH",
        help="other data of the same kind and shape, named as for train (default: the model's own)",
    )
    add_data_dir(parser)


def add_data_dir(parser: Parser) -> None:
    """Adds --data-dir."""
    parser.add_argument(
        "--data-dir", metavar="D", help="where TensorFlow Datasets keeps its prepared data sets"
    )


def seed(text: str) -> int:
    """An argument that is a seed."""
    value = int(text)
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError("must be between 0 and 2147483647")
    return value


def positive(text: str) -> int:
    """An argument that is a positive integer."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def even(text: str) -> int:
    """An argument that is a positive even integer."""
    value = positive(text)
    if value % 2:
        raise argparse.ArgumentTypeError("must be even")
    return value


def absolute(path: str | None) -> str | None:
    """Returns the path as it is valid from any directory; None stays None."""
    return path and str(Path(path).resolve())


def check_out(out: Path, suffix: str | None = None) -> None:
    """Checks that a file can be written to --out.

    Raises:
        UsageError: if it cannot, or has another suffix.
    """
    if suffix and out.suffix != suffix:
        raise UsageError(f"--out {out} must end in {suffix}")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no directory {out.parent}")
    if out.is_dir():
        raise UsageError(f"--out {out} is a directory: name a file")
    if not os.access(out.parent, os.W_OK):
        raise UsageError(f"--out {out}: {out.parent} is not writable")


@contextlib.contextmanager
def usage_errors() -> Iterator[None]:
    """Turns the errors that the library raises about what it was given into `UsageError`."""
    try:
        yield
    except expected_errors() as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(lines[0]) from error


@contextlib.contextmanager
def first_signal(react: Callable[[int], None]) -> Iterator[list[int]]:
    """Yields a list of the signals SIGINT and SIGTERM that came meanwhile.

    Args:
        react: called with the first one. The second raises KeyboardInterrupt.
    """
    came: list[int] = []

    def handle(number, _):
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt
        react(number)

    before = {each: signal.signal(each, handle) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def expected_errors() -> tuple[type[Exception], ...]:
    """Returns the errors that the library, and TensorFlow if loaded, raises about arguments."""
    tensorflow = sys.modules.get("tensorflow")
    return (
        ValueError,
        TypeError,
        OSError,
        ImportError,
        *([tensorflow.errors.OpError] if tensorflow else []),
    )


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Prints rows of equal length in aligned columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def duration(seconds: float) -> str:
    """Returns a time in seconds or minutes."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
