"""The protocol of text: whether a model writes words."""

from __future__ import annotations

from keras_gen.data import decode_text
from keras_gen.evaluation.metrics.texts import known_words
from keras_gen.evaluation.protocols.protocol import Protocol, Result, Subject, share

TEXTS = 1000


def measure_known_words(subject: Subject) -> Result:
    """Returns the share of words in 1,000 samples that the training text has."""
    sets = subject.sample(TEXTS), subject.dataset.arrays("train")["x"]
    texts, known = (decode_text(x, subject.dataset.spec.vocabulary) for x in sets)
    return share(*known_words(texts, known))


PROTOCOLS = {
    "known_words_1k": Protocol(
        measure_known_words,
        fits=lambda spec: spec.kind == "text",
        needed="text",
        floor="test",
    ),
}
