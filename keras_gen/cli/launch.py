"""keras-gen launch"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from keras_gen import files
from keras_gen.cli import train
from keras_gen.cli.common import Parser, UsageError, command, first_signal, positive

HOST = "127.0.0.1"
POLL = 0.1  # seconds
SETTLE = 1.0  # seconds in which the cause of a failure can show itself
LINES = 20  # of a failed worker's stderr that are shown


def add(commands) -> None:
    """Adds the parser of the command."""
    parser = command(
        commands,
        "launch",
        run,
        "train with several worker processes on this machine",
        "  keras-gen launch --workers 2 train vae_digits --epochs 20\n"
        "  keras-gen launch --workers 2 train --resume --run-dir runs/vae_digits-001",
        computes=False,
    )
    parser.add_argument(
        "--workers", type=positive, default=2, metavar="N", help="how many (default: 2)"
    )
    parser.add_argument(
        "--restarts",
        type=int,
        default=3,
        metavar="N",
        help="how often all start again from the last checkpoint after one was killed (default: 3)",
    )
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="train ...", help="a keras-gen train command"
    )


def run(arguments) -> int:
    """Starts the workers, again if one is killed, and returns the exit code."""
    path = run_directory(arguments.command)
    # Whether or not the run has begun, this goes on with it.
    words = [*arguments.command, "--strategy", "multiworker", "--resume", "--run-dir", str(path)]
    if arguments.restarts < 0:
        raise UsageError("--restarts must not be negative")
    for attempt in range(arguments.restarts + 1):
        with Workers(words, arguments.workers) as workers:
            code, reason = workers.wait()
        if code >= 0 or attempt == arguments.restarts:
            break
        print(f"keras-gen: {reason}: all start again from the last checkpoint "
              f"({attempt + 1} of {arguments.restarts})", file=sys.stderr, flush=True)  # fmt: skip
    if reason:
        print(f"keras-gen: error: {reason}", file=sys.stderr)
    return code if code >= 0 else 128 - code


def run_directory(words: list[str]) -> Path:
    """Returns the run directory of a keras-gen train command.

    Raises:
        UsageError: if it is another command, or the run directory cannot be made.
    """
    if words[:1] != ["train"]:
        raise UsageError("say what to launch: keras-gen launch --workers N train PRESET ...")
    parser = Parser(prog="keras-gen")
    train.add(parser.add_subparsers(required=True))
    parsed = parser.parse_args(words)
    if parsed.dry_run:
        raise UsageError("--dry-run trains nothing: leave out launch")
    if parsed.strategy not in (None, "multiworker"):
        raise UsageError(f"launch trains with --strategy multiworker, not {parsed.strategy}")
    if parsed.resume:
        if not parsed.run_dir:
            raise UsageError("name the run to resume with --run-dir")
        path = Path(parsed.run_dir)
    elif parsed.preset is None:
        raise UsageError("name a PRESET (see keras-gen list)")
    else:
        path = Path(parsed.run_dir or files.next_numbered(Path("runs", parsed.preset)))
        if not files.is_free(path):
            raise UsageError(f"{path} exists: continue it with --resume, or choose another")
    return path


class Workers:
    """Processes that train together, each with its `TF_CONFIG`; all end with the block.

    The first one writes the run. Its output, and its messages and those alone, are shown.

    Args:
        words: the command line of each, after `keras-gen`.
        count: how many.
    """

    def __init__(self, words: list[str], count: int):
        cluster = {"worker": [f"{HOST}:{port}" for port in free_ports(count)]}
        threads = str(max(1, (os.cpu_count() or 1) // count))
        self.processes, self.lines = [], []
        for index in range(count):
            place = {"cluster": cluster, "task": {"type": "worker", "index": index}}
            environment = {"TF_NUM_INTRAOP_THREADS": threads, **os.environ,
                           "TF_CONFIG": json.dumps(place)}  # fmt: skip
            process = subprocess.Popen(
                [sys.executable, "-m", "keras_gen", *words],
                env=environment,
                stdout=None if index == 0 else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,  # a Ctrl-C is for this process, which hands it on
            )
            last: collections.deque = collections.deque(maxlen=LINES)
            threading.Thread(target=self._read, args=(process, last, index), daemon=True).start()
            self.processes.append(process)
            self.lines.append(last)
        ids = ", ".join(str(process.pid) for process in self.processes)
        print(f"launched {count} workers, processes {ids}: {shlex.join(words)}", flush=True)

    @staticmethod
    def _read(process: subprocess.Popen, last: collections.deque, index: int) -> None:
        for line in process.stderr:
            last.append(line)
            if index == 0 and line.startswith("keras-gen:"):
                print(line, end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error) -> None:
        for process in self.processes:
            process.kill()  # a worker that waits for another ignores SIGTERM
        for process in self.processes:
            process.wait()

    def wait(self) -> tuple[int, str]:
        """Returns the exit code, negative if a worker was killed, and the reason unless it has been
        shown, once all are done or one has failed."""
        # A signal is for the worker that writes the run, which saves it.
        with first_signal(self.processes[0].send_signal):
            while True:
                codes = [process.poll() for process in self.processes]
                if codes[0] == 0:  # all is written
                    return 0, ""
                if any(codes):
                    break
                time.sleep(POLL)
        time.sleep(SETTLE)
        codes = [process.poll() for process in self.processes]
        # Where one is killed, others fail for want of it.
        index, code = min(((i, c) for i, c in enumerate(codes) if c), key=lambda pair: pair[1])
        if code < 0:
            return code, f"worker {index} was killed ({signal.Signals(-code).name})"
        messages = [line for line in self.lines[index] if line.startswith("keras-gen:")]
        if messages and index == 0:
            return code, ""
        shown = messages[-1:] or self.lines[index]
        return code, f"worker {index} failed: {''.join(shown).strip()}"


def free_ports(count: int) -> list[int]:
    """Returns numbers of free ports of this machine."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
