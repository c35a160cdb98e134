"""The protocol of text: whether a model writes words."""

from __future__ import annotations

from keras_gen.data import decode_text
from keras_gen.evaluation.metrics.texts import known_words
from keras_gen.evaluation.protocols.protocol import Protocol, Result, Subject, share

TEXTS = 1000


def measure_known_words(subject: Subject) -> Result:
    """Returns the share of words in 1,000 samples that the training text has."""
    vocabulary = subject.dataset.spec.vocabulary
    samples = subject.sample(TEXTS)
    # Models of text return it; real data are indices.
    texts = samples if samples.dtype.kind in "UO" else decode_text(samples, vocabulary)
    known = decode_text(subject.dataset.arrays("train")["x"], vocabulary)
    return share(*known_words(texts, known))


PROTOCOLS = {
    "known_words_1k": Protocol(
        measure_known_words,
        fits=lambda spec: spec.kind == "text",
        needed="text",
        floor="test",
    ),
}
