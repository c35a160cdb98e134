"""What a mistyped name was meant to be."""

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str], cutoff: float = 0.5) -> str:
    """Returns " Did you mean 'x'?" for the name most like a wrong one, or "" if none is like it.

    Args:
        name: the wrong name.
        names: the right ones.
        cutoff: how alike they must be, from 0 to 1, as in `difflib.get_close_matches`.
    """
    close = difflib.get_close_matches(str(name), list(names), n=1, cutoff=cutoff)
    return f" Did you mean {close[0]!r}?" if close else ""
