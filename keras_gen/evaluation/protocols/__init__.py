"""Protocols: each name stands for a measurement with all its choices pinned.

Sample counts, splits and preprocessing change a figure, so a figure needs its protocol. A protocol
measures a `Subject`, a model and a data set, by the functions of `keras_gen.evaluation.metrics`. If
it compares samples with data, real data in place of the samples gives the floor: the best figure to
expect. `docs/evaluation.md` lists all protocols.
"""

from keras_gen.evaluation.protocols.measuring import (
    PROTOCOLS,
    applicable,
    check,
    evaluate,
    floor,
    higher_is_better,
    measure,
)
from keras_gen.evaluation.protocols.protocol import Protocol, RealData, Result, Subject

__all__ = [
    "PROTOCOLS",
    "Protocol",
    "RealData",
    "Result",
    "Subject",
    "applicable",
    "check",
    "evaluate",
    "floor",
    "higher_is_better",
    "measure",
]
