"""Silence for libraries that write notes for their own authors."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator

from keras_gen import quiet


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Drops what is logged, warned of or written to the standard error, by C++ too, meanwhile."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with open(os.devnull, "wb") as nowhere, quiet.stderr_to(nowhere), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
