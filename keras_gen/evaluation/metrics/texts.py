"""How much of what is written is made of known words."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Letters of any script, with apostrophes inside: "tis", "o'er", "Shakespeare's".
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def words(text: str) -> list[str]:
    """Returns the words of a text in lower case, without what its ends may have cut off."""
    found = list(WORD.finditer(text))
    return [w.group().lower() for w in found if w.start() > 0 and w.end() < len(text)]


def known_words(texts: Iterable[str], known: Iterable[str]) -> tuple[float, int]:
    """Returns the share of words of some texts that occur in others, and how many words there were.

    A text may be a window that cuts words in two, so one that touches an end does not count. Every
    occurrence counts, so that frequent words weigh more than rare ones.

    Args:
        texts: that are measured, samples for example.
        known: texts whose words are known, the training text for example.

    Raises:
        ValueError: if there is no word in `texts`.
    """
    vocabulary = {word for text in known for word in words(text)}
    written = [word for text in texts for word in words(text)]
    if not written:
        raise ValueError("texts have no words, other than at their ends.")
    return sum(word in vocabulary for word in written) / len(written), len(written)
