"""Parses a command line, runs its command and turns errors into exit codes."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import sys
from collections.abc import Iterator

from keras_gen import __version__
from keras_gen.cli import (
    compare,
    compress,
    distill,
    evaluate,
    explore,
    export,
    features,
    info,
    judge,
    launch,
    list_presets,
    recommend,
    release,
    report,
    sample,
    show,
    train,
    tune,
)
from keras_gen.cli.common import Parser, UsageError

INTERRUPTED = 130  # 128 + SIGINT, as in shells
BROKEN_PIPE = 141  # 128 + SIGPIPE
COMMANDS = (
    list_presets,
    recommend,
    info,
    sample,
    show,
    explore,
    train,
    launch,
    tune,
    evaluate,
    compare,
    report,
    judge,
    export,
    distill,
    release,
    features,
    compress,
)


def main(argv: list[str] | None = None) -> int:
    """Runs a command line and returns its exit code.

    Args:
        argv: the arguments after the program's name; by default those of this process.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = parser().parse_args(argv)
        if arguments.backend:
            os.environ["KERAS_BACKEND"] = arguments.backend
        arguments.command_line = shlex.join(["keras-gen", *argv])
        with our_log():
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
        # The reader of our output, such as `head`, has closed it. Python must not write to it at
        # its end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def parser() -> Parser:
    """Returns the parser of all commands; each sets `run` to the function that does it."""
    top = Parser(
        prog="keras-gen",
        description="Deep generative models: use trained ones by name, train and measure your own.",
        epilog="keras-gen COMMAND --help describes a command.",
    )
    top.add_argument("--version", action="version", version=f"keras-gen {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for each in COMMANDS:
        each.add(commands)
    return top


@contextlib.contextmanager
def our_log() -> Iterator[None]:
    """Shows on stderr what keras_gen logs, and not what the libraries below it log."""
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
