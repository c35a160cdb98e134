"""The command line: a parser and a file for each command, which parses, calls and prints."""

from keras_gen.cli.main import main, parser

__all__ = ["main", "parser"]
